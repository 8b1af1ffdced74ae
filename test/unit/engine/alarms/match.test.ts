import fc from 'fast-check';
import { expect, test } from 'vitest';
import { matchesGlob, matchesScope, parseSelector, type SourceAbout } from '../../../../src/engine/alarms/match.ts';

test.each([
  ['*', '', true],
  ['*', 'anything', true],
  ['a?c', 'abc', true],
  ['a?c', 'ac', false],
  ['job-*-*-end', 'job-1-end-2-end', true],
  ['job-*', 'Job-1', false],
  ['a.c', 'abc', false],
  ['', '', true],
  ['**a**', 'xax', true],
  ['?', '', false],
])('%j and %j: %j', (pattern, text, expected) => {
  expect(matchesGlob(pattern, text)).toBe(expected);
});

test('a pattern means what the expression means that people would write for it', () => {
  const texts = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 12 });
  fc.assert(
    fc.property(texts, texts, (pattern, text) => {
      const expression = new RegExp(`^${pattern.replaceAll('*', '[^]*').replaceAll('?', '[^]')}$`);
      expect(matchesGlob(pattern, text)).toBe(expression.test(text));
    }),
  );
});

test('a pattern of many stars takes no time', { timeout: 20_000 }, () => {
  expect(matchesGlob('*a'.repeat(500), 'a'.repeat(1000).concat('b'))).toBe(false);
});

test('which scopes are meant', () => {
  const job: SourceAbout = { kind: 'run', place: '7', jobid: '7', command: 'mpirun ./a.out', user: 'ada' };
  const target: SourceAbout = { kind: 'target', place: 'h:9100', names: ['h:9100', 'rack=r1'] };
  expect(matchesScope({ kind: 'all' }, job)).toBe(true);
  expect(matchesScope({ kind: 'run' }, job)).toBe(true);
  expect(matchesScope({ kind: 'run', command: 'mpirun*', user: 'ada' }, job)).toBe(true);
  expect(matchesScope({ kind: 'run', command: 'mpirun' }, job)).toBe(false);
  expect(matchesScope({ kind: 'node' }, job)).toBe(false);
  expect(matchesScope({ kind: 'target', name: 'rack=*' }, target)).toBe(true);
  expect(matchesScope({ kind: 'target', name: 'rack=r2' }, target)).toBe(false);
  expect(matchesScope({ kind: 'merge', name: 'main' }, job)).toBe(false);
  // Of what is not known no pattern is true.
  expect(matchesScope({ kind: 'run', user: '*' }, { kind: 'run', place: '7' })).toBe(false);
});

test('a selector that is none is told in words', () => {
  expect(parseSelector('m{a=~"("}')).toMatch(/not closed/);
  expect(parseSelector('m{a="b"}')).toMatchObject({ family: 'm' });
});
