import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EMPTY_GAUGE, finiteSum, gaugeValue, mergeGauge, type Gauge } from '../../../../src/shared/model/values.ts';

/** Whole numbers: their sums are exact, so that "the same" can mean equal. */
const whole = fc.integer({ min: -1_000_000, max: 1_000_000 });
const set: fc.Arbitrary<Gauge> = fc
  .record({ a: whole, b: whole, hits: fc.integer({ min: 1, max: 1000 }), total: whole })
  .map(({ a, b, hits, total }) => ({ min: Math.min(a, b), max: Math.max(a, b), hits, total }));
/** What clients send for a gauge nobody has set: zero hits, and anything else. */
const unset: fc.Arbitrary<Gauge> = fc.record({ min: whole, max: whole, hits: fc.constant(0), total: whole });
const gauge = fc.oneof({ weight: 4, arbitrary: set }, { weight: 1, arbitrary: unset });

const mergeAll = (gauges: readonly Gauge[]): Gauge => gauges.reduce(mergeGauge, { ...EMPTY_GAUGE });

describe('mergeGauge', () => {
  test('any order and any grouping give the same', () => {
    fc.assert(
      fc.property(
        fc
          .array(gauge, { maxLength: 12 })
          .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        fc.nat(12),
        ([all, shuffled], cut) => {
          const expected = mergeAll(all);
          expect(mergeAll(shuffled)).toEqual(expected);
          expect(mergeGauge(mergeAll(all.slice(0, cut)), mergeAll(all.slice(cut)))).toEqual(expected);
        },
      ),
    );
  });

  test('is what a plain computation over those with observations gives', () => {
    fc.assert(
      fc.property(fc.array(gauge, { maxLength: 12 }), (all) => {
        const present = all.filter((g) => g.hits > 0);
        expect(mergeAll(all)).toEqual({
          min: Math.min(...present.map((g) => g.min)),
          max: Math.max(...present.map((g) => g.max)),
          hits: present.reduce((sum, g) => sum + g.hits, 0),
          total: present.reduce((sum, g) => sum + g.total, 0),
        });
      }),
    );
  });

  test('the empty gauge changes nothing, on either side, and is not shared', () => {
    fc.assert(
      fc.property(set, (g) => {
        expect(mergeGauge(EMPTY_GAUGE, g)).toEqual(g);
        expect(mergeGauge(g, EMPTY_GAUGE)).toEqual(g);
        expect(mergeGauge(g, EMPTY_GAUGE)).not.toBe(g);
      }),
    );
  });

  test('sums stay finite: infinity cannot be written as JSON', () => {
    const huge = { min: -1e308, max: 1e308, hits: 1.7e308, total: -1.7e308 };
    expect(mergeGauge(huge, huge)).toEqual({
      min: -1e308,
      max: 1e308,
      hits: Number.MAX_VALUE,
      total: -Number.MAX_VALUE,
    });
    expect(finiteSum(1.7e308, 1.7e308)).toBe(Number.MAX_VALUE);
    expect(finiteSum(0.1, 0.2)).toBe(0.1 + 0.2);
  });
});

test('a gauge is shown as total / hits, and as NaN when nothing was observed', () => {
  expect(gaugeValue({ min: 1, max: 5, hits: 4, total: 10 })).toBe(2.5);
  expect(gaugeValue({ min: 0, max: 0, hits: 0, total: 0 })).toBeNaN();
  expect(gaugeValue(EMPTY_GAUGE)).toBeNaN();
});
