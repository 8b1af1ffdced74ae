import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BINARY_STEPS, ticksTo } from '../../../../src/renderer/charts/ticks.ts';

const MIB = 2 ** 20;

test('marks of a byte axis are round in KiB and MiB', () => {
  expect(ticksTo(9.7 * MIB, BINARY_STEPS)).toEqual([0, 2, 4, 6, 8, 10].map((n) => n * MIB));
  expect(ticksTo(10.1 * MIB, BINARY_STEPS)).toEqual([0, 4, 8, 12].map((n) => n * MIB));
  expect(ticksTo(0, BINARY_STEPS)).toEqual([0, 1]);
});

test('there are few of them, and the last is not below the largest value', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e30, noNaN: true }), (top) => {
      const ticks = ticksTo(top, BINARY_STEPS);
      expect(ticks.length).toBeGreaterThanOrEqual(2);
      expect(ticks.length).toBeLessThanOrEqual(7);
      // Beyond all steps it is divided, which rounds.
      expect(ticks.at(-1)).toBeGreaterThanOrEqual(top * (1 - 1e-12));
    }),
  );
});
