import fc from 'fast-check';
import { expect, test } from 'vitest';
import { heldText, judge, type Judged } from '../../../../src/engine/store/age-clock.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const T0 = 1_800_000_000_000;
const YEARS = 14 * 365 * DAY;

/** Judges every ten minutes of running. `ahead`: of the clock, at a running time. */
function after(hours: number, ahead: (at: number) => number, begin: Judged = { time: T0, ahead: 0 }): Judged {
  let judged = begin;
  for (let at = 10 * MINUTE; at <= hours * HOUR; at += 10 * MINUTE)
    judged = judge(judged, T0 + at + ahead(at), 10 * MINUTE);
  return judged;
}

test('a clock that is right is believed, however fast or slow it runs', () => {
  expect(after(5, () => 0)).toEqual({ time: T0 + 5 * HOUR, ahead: 0 });
  expect(after(100, (at) => at / 1000).time).toBe(T0 + 100.1 * HOUR);
});

test('one that jumps ahead is not believed for a day of running, and not at all when it comes back before', () => {
  expect(after(3, (at) => (at === HOUR ? YEARS : 0))).toEqual({ time: T0 + 3 * HOUR, ahead: 0 });
  const held = after(23, () => YEARS);
  expect(held.time).toBe(T0 + 23 * HOUR);
  expect(heldText(held, T0 + 23 * HOUR + YEARS)).toBe(
    'the clock is 5110 d ahead of the history; for 1 h more nothing is removed for being that old',
  );
  expect(after(24, () => YEARS)).toEqual({ time: T0 + YEARS + DAY, ahead: 0 });
});

test('one that is set back is believed at once: nothing is removed too early by that', () => {
  expect(after(1, () => -YEARS).time).toBe(T0 + HOUR - YEARS);
});

test('a machine that sleeps every night is at most some days behind, and that is not told', () => {
  // Eight hours of running a day.
  let judged: Judged = { time: T0, ahead: 0 };
  let most = 0;
  for (let day = 0; day < 30; day++) {
    for (let at = 0; at < 8 * HOUR; at += 10 * MINUTE) {
      const clock = T0 + day * DAY + at;
      judged = judge(judged, clock, 10 * MINUTE);
      most = Math.max(most, clock - judged.time);
    }
  }
  expect(most).toBeLessThanOrEqual(3 * DAY);
  expect(heldText({ time: T0, ahead: 0 }, T0 + 16 * HOUR)).toBeNull();
});

test('it is never ahead of the clock, nor of what has passed by more than an hour before a day is over', () => {
  const jump = fc.integer({ min: -YEARS, max: YEARS });
  fc.assert(
    fc.property(fc.array(fc.tuple(jump, fc.integer({ min: 0, max: HOUR })), { maxLength: 22 }), (steps) => {
      let judged: Judged = { time: T0, ahead: 0 };
      for (const [off, elapsed] of steps) {
        const before = judged;
        const clock = T0 + off;
        judged = judge(before, clock, elapsed);
        expect(judged.time).toBeLessThanOrEqual(clock);
        expect(judged.time).toBeLessThanOrEqual(before.time + elapsed + HOUR);
      }
    }),
  );
});
