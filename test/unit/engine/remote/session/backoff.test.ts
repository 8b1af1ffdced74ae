import fc from 'fast-check';
import { expect, test } from 'vitest';

import { backoffAfter, slept } from '../../../../../src/engine/remote/session/backoff.ts';

test('doubles from the first wait to the cap, and never beyond', () => {
  const whole = Array.from({ length: 9 }, (_, i) =>
    backoffAfter(i + 1, 1 - Number.EPSILON, { first: 1000, most: 60_000 }),
  );
  expect(whole.map(Math.round)).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (failed, random) => {
        const ms = backoffAfter(failed, random);
        expect(ms).toBeGreaterThanOrEqual(500);
        expect(ms).toBeLessThanOrEqual(60_000);
      },
    ),
  );
});

test('two desktops that lost the same host do not come back together', () => {
  expect(backoffAfter(5, 0.1)).not.toBe(backoffAfter(5, 0.9));
});

test('a sleep is a jump of the clock that no busy machine explains; a clock that is set back is none', () => {
  expect([
    slept(5000, 5000),
    slept(9000, 5000),
    slept(16_000, 5000),
    slept(3_600_000, 5000),
    slept(-60_000, 5000),
  ]).toEqual([false, false, true, true, false]);
});
