import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Pace } from '../../../../../src/engine/alarms/notify/pace.ts';

test('half of them may come at once, the rest comes evenly', () => {
  const pace = new Pace(10);
  expect(pace.allowed(0)).toBe(5);
  for (let i = 0; i < 5; i++) pace.note(0);
  expect(pace.allowed(0)).toBe(0);
  expect(pace.next(0)).toBe(6000);
  expect(pace.allowed(5999)).toBe(0);
  expect(pace.allowed(6000)).toBe(1);
  pace.note(6000);
  expect(pace.next(6000)).toBe(12_000);
});

test('one a minute', () => {
  const pace = new Pace(1);
  expect(pace.allowed(0)).toBe(1);
  pace.note(0);
  expect(pace.next(10)).toBe(60_000);
  expect(pace.allowed(59_999)).toBe(0);
  expect(pace.allowed(60_000)).toBe(1);
});

test('a clock that is set back lets the next one through', () => {
  const pace = new Pace(1);
  pace.note(1_000_000);
  expect(pace.allowed(0)).toBe(1);
});

test('never more than the limit in any minute, and never stuck', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 30 }),
      fc.array(fc.tuple(fc.integer({ min: 0, max: 30_000 }), fc.integer({ min: 1, max: 40 })), { maxLength: 60 }),
      (limit, steps) => {
        const pace = new Pace(limit);
        const made: number[] = [];
        let now = 0;
        for (const [wait, wanted] of steps) {
          now += wait;
          for (let i = Math.min(wanted, pace.allowed(now)); i > 0; i--) {
            pace.note(now);
            made.push(now);
          }
          const next = pace.next(now);
          expect(next).toBeLessThanOrEqual(now + 60_000);
          if (next > now) expect(pace.allowed(next)).toBeGreaterThan(0);
        }
        for (const time of made) {
          expect(made.filter((other) => other <= time && other > time - 60_000).length).toBeLessThanOrEqual(limit);
        }
      },
    ),
  );
});
