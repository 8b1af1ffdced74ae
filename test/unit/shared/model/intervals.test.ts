import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isShort, JoinedIntervals } from '../../../../src/shared/model/intervals.ts';

test('short is less than a quarter of the last one that stands for itself, all short ones together', () => {
  expect(isShort(2.4, 10)).toBe(true);
  expect(isShort(2.5, 10)).toBe(false);
  expect(isShort(1, 10, 1)).toBe(true);
  expect(isShort(1, 10, 1.5)).toBe(false);
  expect(isShort(1, NaN)).toBe(false);
});

test('nothing is lost or counted twice, and no rate is above all that there were', () => {
  const interval = fc.record({ length: fc.double({ min: 1e-3, max: 1e4, noNaN: true }), grown: fc.nat(1_000_000) });
  fc.assert(
    fc.property(fc.array(interval, { minLength: 1, maxLength: 30 }), (all) => {
      const intervals = new JoinedIntervals(1);
      const told: { length: number; rate: number }[] = [];
      let base = 0;
      for (const { length, grown } of all) {
        if (intervals.isShort(0, length)) {
          told.push({ length, rate: intervals.join(0, length, grown) });
          told[base]!.rate = intervals.baseRate(0);
        } else {
          intervals.begin(0, length, grown);
          base = told.push({ length, rate: intervals.baseRate(0) }) - 1;
        }
      }
      const grown = all.reduce((sum, each) => sum + each.grown, 0);
      const sum = told.reduce((total, { length, rate }) => total + length * rate, 0);
      expect(Math.abs(sum - grown)).toBeLessThanOrEqual(1e-9 * (1 + grown));
      const most = Math.max(...all.map((each) => each.grown / each.length));
      for (const { rate } of told) expect(rate).toBeGreaterThanOrEqual(-1e-9 * most);
      for (const { rate } of told) expect(rate).toBeLessThanOrEqual(1.000001 * most);
    }),
  );
});

test('a period that became shorter for good soon stands for itself', () => {
  const intervals = new JoinedIntervals(1);
  const joined = [10, 1, 1, 1, 1, 1].map((length) => {
    const isJoined = intervals.isShort(0, length);
    if (isJoined) intervals.join(0, length, 1);
    else intervals.begin(0, length, 1);
    return isJoined;
  });
  expect(joined).toEqual([false, true, true, false, false, false]);
});
