import fc from 'fast-check';
import { expect, test } from 'vitest';
import { metricFilter } from '../../../src/engine/targets/sink-filter.ts';
import { NewTarget, TargetFilter } from '../../../src/shared/api/targets.ts';
import { refusePattern } from '../../../src/shared/metric-pattern.ts';

const GOOD = ['a', 'a*', 'node_*', 'a:b?', '/a/', '/^node_.*_total$/', '/^a.*b.*/', '/a{2,5}[*+]/', '/^(node|go)_/'];
const BAD = [
  '',
  'a b',
  'a.b',
  'a-b',
  'größe',
  '//',
  '/a',
  'a/',
  '/(/',
  '/(a+)+$/',
  '/(a|a)*b/',
  '/.*.*=/',
  '/^a*b*c*/',
  '/(a)\\1/',
  '/a{1,1000}/',
  'a'.repeat(257),
];

const isTaken = (pattern: string): boolean => TargetFilter.safeParse({ include: [pattern] }).success;

/** The engine compiles it for its scrapes. */
function isCompiled(pattern: string): boolean {
  try {
    metricFilter({ include: [], exclude: [pattern] });
    return true;
  } catch {
    return false;
  }
}

test('what the page and the API take is what the engine takes, and for the same reason not', () => {
  for (const pattern of GOOD) expect([pattern, isTaken(pattern), isCompiled(pattern)]).toEqual([pattern, true, true]);
  for (const pattern of BAD) {
    expect([pattern, isTaken(pattern), isCompiled(pattern)]).toEqual([pattern, false, false]);
    const { error } = NewTarget.safeParse({ url: 'a:1', filter: { exclude: [pattern] } });
    expect(error?.issues.map(({ message }) => message)).toEqual([refusePattern(pattern)]);
  }
});

test('of any text', () => {
  const part = fc.constantFrom(
    'a',
    '_',
    ':',
    '*',
    '?',
    '+',
    '(',
    ')',
    '[',
    ']',
    '^',
    '$',
    '\\',
    '{2}',
    '{,100}',
    ' ',
    '|',
    '.',
  );
  const text = fc.array(part, { maxLength: 12 }).map((parts) => parts.join(''));
  const pattern = fc.oneof(
    text,
    text.map((source) => `/${source}/`),
    fc.string({ maxLength: 300 }),
  );
  fc.assert(
    fc.property(pattern, (one) => {
      expect(isTaken(one)).toBe(isCompiled(one));
    }),
    { numRuns: 2000 },
  );
});
