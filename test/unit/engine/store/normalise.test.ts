import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LinearPattern } from '../../../../src/engine/store/linear-pattern.ts';
import { DEFAULT_RULES, Normaliser, patternFault } from '../../../../src/engine/store/profiles/normalise.ts';

const group = (command: string): string => new Normaliser().group(command);

describe('the default rules', () => {
  test.each([
    ['/usr/bin/srun -n 4  /home/ada/lulesh2.0 -s 30', 'srun -n 4 lulesh2.0 -s 30'],
    ['./a.out --in=/data/x/a.in --out=../b.out', 'a.out --in=a.in --out=b.out'],
    ['solve --seed 42 --port=8080 --job-id 7', 'solve --<volatile> --<volatile> --<volatile>'],
    ['run 7e57d004-2b97-0e7a-b45f-5387367791cd /tmp/tmp.Ab3dEf', 'run <id> <tmp>'],
    ['post 2026-11-01T10:22:05 localhost:8080 0x7ffe12ab', 'post <date> localhost:<port> <hex>'],
    ['restart from checkpoint-1234567.h5', 'restart from checkpoint-<n>.h5'],
    ['ior -b 16m -t 1m -s 1024', 'ior -b 16m -t 1m -s 1024'],
    ['', ''],
    ['<script>alert(1)</script>', 'script>'],
  ])('%s', (command, expected) => {
    expect(group(command)).toBe(expected);
  });

  test('all of them are patterns', () => {
    expect(DEFAULT_RULES.map(({ pattern }) => patternFault(pattern))).toEqual(DEFAULT_RULES.map(() => null));
  });

  test('long commands are told apart by what is cut off', () => {
    const long = 'x '.repeat(10_000);
    expect(group(`${long}a`)).not.toBe(group(`${long}b`));
    expect(group(`${long}a`)).toBe(group(`${long}a`));
    expect(group(long).length).toBeLessThan(400);
  });

  test('the same command has the same group, whatever it is, and it is text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (command) => {
        const once = group(command);
        expect(once.isWellFormed()).toBe(true);
        expect(group(command)).toBe(once);
        expect(once.length).toBeLessThanOrEqual(400);
      }),
    );
  });
});

test('patterns that match nothing, or have ends, are refused in words', () => {
  for (const pattern of ['', 'a*', '^a', 'a$', '(', '[', 'a**', '\\q', '(?=a)', 'a'.repeat(501) + '{100}{100}'])
    expect([pattern, patternFault(pattern)]).toEqual([pattern, expect.stringMatching(/\w+ \w+/)]);
  expect(patternFault('a\\$')).toBeNull();
});

test('patterns made to take long take no longer than others, and leave what they did not come to', () => {
  const nasty = ['(a|a)*(a|a)*(a|a)*b', '(a*)*b', '(a{0,50}){0,20}b', '.*.*.*.*x'];
  const rules = Array.from({ length: 50 }, (_, i) => ({
    pattern: nasty[i % 4]!,
    replacement: 'y'.repeat(100),
    note: '',
  }));
  // Backtracking would take longer than the universe has been there.
  const normaliser = new Normaliser(rules);
  const once = normaliser.group('a'.repeat(60_000));
  expect(normaliser.group('a'.repeat(60_000))).toBe(once);
  expect(once).toMatch(/^a{380}/);
});

test('what is found is leftmost, and of those longest', () => {
  const atom = fc.constantFrom('a', 'b', 'ab', '[ab]', '.', 'c', 'a+', '(a|ab)', '(?:b|bc)', 'b?', 'c*', '[^a]');
  fc.assert(
    fc.property(fc.array(atom, { minLength: 1, maxLength: 4 }), fc.stringMatching(/^[abcx]{0,12}$/), (atoms, text) => {
      const pattern = new LinearPattern(atoms.join(''));
      let expected: unknown = null;
      for (let start = 0; start < text.length && !expected; start++) {
        for (let end = text.length; end > start && !expected; end--) {
          if (pattern.matches(text.slice(start, end))) expected = { start, end };
        }
      }
      expect(pattern.find(text, 0, { left: 1e6 })).toEqual(expected);
    }),
    { numRuns: 2000 },
  );
});
