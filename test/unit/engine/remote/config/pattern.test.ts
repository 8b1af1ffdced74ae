import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matchesHost, matchesList, matchesPattern } from '../../../../../src/engine/remote/config/pattern.ts';

describe('a pattern', () => {
  test.each([
    ['alpha', 'alpha', true],
    ['alpha', 'alph', false],
    ['alpha', 'alphab', false],
    ['alpha', '*', true],
    ['', '*', true],
    ['', '?', false],
    ['alpha', 'a*a', true],
    ['alpha', 'a?pha', true],
    ['alpha', 'a*b*', false],
    ['a.b.c', '*.c', true],
    ['[a]:22', '[a]:*', true],
    ['alpha', 'ALPHA', false],
  ])('%j is matched by %j: %j', (text, pattern, expected) => {
    expect(matchesPattern(text, pattern)).toBe(expected);
  });

  test('means what a regular expression of it means', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', '.'), maxLength: 8 });
    const check = fc.property(
      fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 8 }),
      letters,
      (text, pattern) => {
        const source = pattern.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.');
        expect(matchesPattern(text, pattern)).toBe(new RegExp(`^${source}$`).test(text));
      },
    );
    fc.assert(check, { numRuns: 2000 });
  });

  test('of many stars ends', () => {
    expect(matchesPattern('a'.repeat(5000), `${'*a'.repeat(500)}b`)).toBe(false);
  });
});

describe('a list', () => {
  test.each([
    ['a', 'b,a', true],
    ['a', '!a,*', false],
    ['a', '*,!a', false],
    ['b', '*,!a', true],
    ['a', '!b', false],
    ['a', '', false],
  ])('%j in %j: %j', (text, list, expected) => {
    expect(matchesList(text, list)).toBe(expected);
  });

  test('of hosts has no case, and folds nothing but ASCII', () => {
    expect(matchesHost('ALPHA', 'alpha')).toBe(true);
    expect(matchesHost('alpha', 'ALPHA')).toBe(true);
    // The Kelvin sign is no k.
    expect(matchesHost('\u212A', 'k')).toBe(false);
  });
});
