import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_TERMS, parseSearch, quoteSearch, SEARCH_KEYWORDS } from '../../../../src/shared/profiles/search.ts';

const NOW = new Date(2026, 10, 21, 15, 30, 12, 345).getTime();
const day = (year: number, month: number, date: number): number => new Date(year, month - 1, date).getTime();

const testsOf = (text: string): unknown[] => {
  const { terms, errors } = parseSearch(text, NOW);
  expect([text, errors]).toEqual([text, []]);
  return terms.map(({ test: asked, negated }) => (negated ? ['not', asked] : asked));
};

describe('a search', () => {
  test.each([
    ['', []],
    ['  Lulesh ', [{ field: 'text', value: 'lulesh' }]],
    ['"srun -n 4"', [{ field: 'text', value: 'srun -n 4' }]],
    ['-x', [['not', { field: 'text', value: 'x' }]]],
    [
      '- x',
      [
        { field: 'text', value: '-' },
        { field: 'text', value: 'x' },
      ],
    ],
    ['User:ADA', [{ field: 'user', value: 'ada' }]],
    ['-tag:"two words"', [['not', { field: 'tag', value: 'two words' }]]],
    ['cmd:a"b c"d', [{ field: 'cmd', value: 'ab cd' }]],
    ['cmd:"a\\"b\\\\"', [{ field: 'cmd', value: 'a"b\\' }]],
    ['cmd:a\\b', [{ field: 'cmd', value: 'a\\b' }]],
    ['http://x:80', [{ field: 'text', value: 'http://x:80' }]],
    ['"usr:x"', [{ field: 'text', value: 'usr:x' }]],
    ['cmd:a:b', [{ field: 'cmd', value: 'a:b' }]],
    ['size:64', [{ field: 'size', low: 64, high: 64 }]],
    ['size:>=8', [{ field: 'size', low: 8, high: Infinity }]],
    ['size:8..64', [{ field: 'size', low: 8, high: 64 }]],
    ['size:..64', [{ field: 'size', low: -Infinity, high: 64 }]],
    ['duration:1m..1h30m', [{ field: 'duration', low: 60_000, high: 5_400_000 }]],
    ['time:2026-11-01', [{ field: 'start', low: day(2026, 11, 1), high: day(2026, 11, 2) - 1 }]],
    ['time:2024-02', [{ field: 'start', low: day(2024, 2, 1), high: day(2024, 3, 1) - 1 }]],
    ['time:2025', [{ field: 'start', low: day(2025, 1, 1), high: day(2026, 1, 1) - 1 }]],
    [
      'time:2026-11-01T10:05',
      [{ field: 'start', low: day(2026, 11, 1) + 36_300_000, high: day(2026, 11, 1) + 36_359_999 }],
    ],
    [
      'time:"2026-11-01 10:05:07z"',
      [{ field: 'start', low: Date.UTC(2026, 10, 1, 10, 5, 7), high: Date.UTC(2026, 10, 1, 10, 5, 8) - 1 }],
    ],
    [
      'from:yesterday to:today',
      [
        { field: 'start', low: day(2026, 11, 20), high: Infinity },
        { field: 'start', low: -Infinity, high: day(2026, 11, 22) - 1 },
      ],
    ],
    ['from:1d12h', [{ field: 'start', low: NOW - 129_600_000, high: Infinity }]],
    ['time:2026-11-01..2026-11-03', [{ field: 'start', low: day(2026, 11, 1), high: day(2026, 11, 4) - 1 }]],
  ])('%s', (text, expected) => {
    expect(testsOf(text)).toEqual(expected);
  });

  test('more and less leave out the number itself, and nothing else', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e9 }), (n) => {
        const [more, less] = parseSearch(`size:>${n} size:<${n}`, NOW).terms.map(({ test: asked }) => asked) as {
          low: number;
          high: number;
        }[];
        expect([more!.low > n, more!.low <= n + 0.5, less!.high < n]).toEqual([true, true, true]);
        if (n > 0) expect(less!.high).toBeGreaterThanOrEqual(n - 0.5);
      }),
    );
  });

  test.each([
    ['usr:ada', 'usr: is none of user:'],
    ['tag:', 'nothing behind it'],
    ['tag:""', 'nothing in its quotes'],
    ['""', 'nothing between the quotes'],
    ['size:big', 'size: is a number'],
    ['size:..', 'size: is a number'],
    ['duration:10', 'with its unit'],
    ['state:done', 'finished, interrupted, ok, failed'],
    ['time:2026-02-30', 'time: is'],
    ['time:2026-13', 'time: is'],
    ['from:soon', 'from: is'],
  ])('%s is told to be wrong, where it stands', (text, message) => {
    const { terms, errors } = parseSearch(`a ${text} b`, NOW);
    expect(terms).toHaveLength(2);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ start: 2, end: 2 + text.length });
    expect(errors[0]!.message).toContain(message);
  });

  test('has no more terms than it may', () => {
    const { terms, errors } = parseSearch('x '.repeat(MAX_TERMS + 5), NOW);
    expect([terms.length, errors.length]).toEqual([MAX_TERMS, 1]);
  });

  test('whatever is typed: an answer, with each term and error where it stands, in order', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        ...SEARCH_KEYWORDS.map((keyword) => `${keyword}:`),
        '"',
        '\\',
        '-',
        ' ',
        '..',
        '>',
        '<=',
        '2026-11',
        '7d',
        '\u0000',
        '\ud800',
        '😀',
      ),
      fc.string({ unit: 'binary', maxLength: 5 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const text = pieces.join('');
        const { terms, errors } = parseSearch(text, NOW);
        for (const list of [terms, errors]) {
          let end = 0;
          for (const each of list) {
            expect(each.start).toBeGreaterThanOrEqual(end);
            expect(each.end).toBeGreaterThan(each.start);
            end = each.end;
          }
          expect(end).toBeLessThanOrEqual(text.length);
        }
        for (const { test: asked } of terms) {
          if ('low' in asked) expect(Number.isNaN(asked.low + asked.high) && asked.low !== -Infinity).toBe(false);
        }
        // Each term by itself means the same.
        for (const { start, end, test: asked } of terms) {
          expect(parseSearch(text.slice(start, end), NOW).terms.map((one) => one.test)).toEqual([asked]);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('what is quoted for a search is found as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }), (value) => {
        fc.pre(value.trim() !== '');
        expect(testsOf(`cmd:${quoteSearch(value)}`)).toEqual([{ field: 'cmd', value: value.toLowerCase() }]);
        expect(testsOf(quoteSearch(value))).toEqual([{ field: 'text', value: value.toLowerCase() }]);
      }),
    );
  });
});
