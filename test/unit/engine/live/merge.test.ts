import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergeGauges, mergeNumbers, MergeRule } from '../../../../src/engine/live/merge.ts';
import { EMPTY_GAUGE, type Gauge } from '../../../../src/shared/model/values.ts';

const rules = MergeRule.options;
const whole = fc.integer({ min: -1000, max: 1000 });
const order = fc.nat(5);
const gauge: fc.Arbitrary<Gauge> = fc
  .record({ a: whole, b: whole, hits: fc.constantFrom(0, 1, 2, 4), total: whole })
  .map(({ a, b, hits, total }) => ({ min: Math.min(a, b), max: Math.max(a, b), hits, total: 4 * total }));

/** A list and the same in another order. */
const shuffled = <T>(item: fc.Arbitrary<T>): fc.Arbitrary<[T[], T[]]> =>
  fc
    .array(item, { maxLength: 10 })
    .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })));

describe.each(rules)('rule %s', (rule) => {
  test('numbers in any order give the same', () => {
    fc.assert(
      fc.property(shuffled(fc.record({ value: whole, order })), ([one, other]) => {
        expect(mergeNumbers(rule, other)).toBe(mergeNumbers(rule, one));
      }),
    );
  });

  test('gauges in any order give the same', () => {
    fc.assert(
      fc.property(shuffled(fc.record({ gauge, order })), ([one, other]) => {
        expect(mergeGauges(rule, other)).toEqual(mergeGauges(rule, one));
      }),
    );
  });

  test('of nobody there is no number, and an empty gauge', () => {
    expect(mergeNumbers(rule, [])).toBeNull();
    expect(mergeGauges(rule, [])).toEqual(EMPTY_GAUGE);
    expect(mergeGauges(rule, [{ gauge: { min: 5, max: 1, hits: 0, total: 9 }, order: 1 }])).toEqual(EMPTY_GAUGE);
  });
});

test('without a rule gauges in any order give the same', () => {
  fc.assert(
    fc.property(shuffled(fc.record({ gauge, order })), ([one, other]) => {
      expect(mergeGauges(undefined, other)).toEqual(mergeGauges(undefined, one));
    }),
  );
});

test('what each rule makes of numbers', () => {
  const numbers = [
    { value: 3, order: 2 },
    { value: 7, order: 1 },
    { value: 5, order: 3 },
  ];
  expect(rules.map((rule) => [rule, mergeNumbers(rule, numbers)])).toEqual([
    ['sum', 15],
    ['min', 3],
    ['max', 7],
    ['last', 5],
  ]);
});

test('what each rule makes of gauges: total / hits of each, seen once', () => {
  const gauges = [
    { gauge: { min: 1, max: 9, hits: 2, total: 6 }, order: 2 },
    { gauge: { min: 4, max: 8, hits: 4, total: 28 }, order: 3 },
    { gauge: { min: 0, max: 0, hits: 0, total: 0 }, order: 4 },
  ];
  expect(mergeGauges('sum', gauges)).toEqual({ min: 10, max: 10, hits: 1, total: 10 });
  expect(mergeGauges('min', gauges)).toEqual({ min: 1, max: 9, hits: 1, total: 3 });
  expect(mergeGauges('max', gauges)).toEqual({ min: 1, max: 9, hits: 1, total: 7 });
  expect(mergeGauges('last', gauges)).toEqual({ min: 1, max: 9, hits: 1, total: 7 });
  expect(mergeGauges(undefined, gauges)).toEqual({ min: 1, max: 9, hits: 6, total: 34 });
});
