import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RateLimit } from '../../../src/main/rate-limit.ts';

test('takes so many, and more when the first is old enough', () => {
  const limit = new RateLimit(2, 1000);
  expect([0, 10, 20, 999, 1000, 1009, 1010].map((now) => limit.take(now))).toEqual([
    true,
    true,
    false,
    false,
    true,
    false,
    true,
  ]);
});

test('what was refused does not count', () => {
  const limit = new RateLimit(1, 1000);
  expect(limit.take(0)).toBe(true);
  for (let now = 1; now < 1000; now++) expect(limit.take(now)).toBe(false);
  expect(limit.take(1000)).toBe(true);
});

test('never more than the limit in any stretch of its length', () => {
  const steps = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 200 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), steps, (most, waits) => {
      const limit = new RateLimit(most, 1000);
      let now = 0;
      const taken = waits.flatMap((wait) => (limit.take((now += wait)) ? [now] : []));
      for (const start of taken) {
        expect(taken.filter((time) => time >= start && time < start + 1000).length).toBeLessThanOrEqual(most);
      }
    }),
  );
});
