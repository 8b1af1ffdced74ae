import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bucketCount, bucketWidth, OneWindow, Windows, type WindowKind } from '../../../../src/engine/alarms/window.ts';

/** What a window is, by the book: the values of all buckets that are in it. */
function plainly(
  kind: WindowKind,
  window: number,
  seen: readonly { clock: number; value: number }[],
  clock: number,
): number {
  const width = bucketWidth(window);
  const oldest = Math.floor(clock / width) - bucketCount(window) + 1;
  const values = seen.filter((one) => Math.floor(one.clock / width) >= oldest).map(({ value }) => value);
  const sum = values.reduce((all, value) => all + value, 0);
  if (kind === 'increase') return sum;
  if (values.length === 0) return NaN;
  return kind === 'avg' ? sum / values.length : kind === 'min' ? Math.min(...values) : Math.max(...values);
}

test('a window is what its buckets hold, whatever comes when', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<WindowKind>('increase', 'min', 'max', 'avg'),
      fc.integer({ min: 1, max: 300 }).map((seconds) => 1000 * seconds),
      fc.array(
        fc.record({ after: fc.integer({ min: 1, max: 20_000 }), value: fc.option(fc.integer(), { nil: NaN }) }),
        {
          maxLength: 80,
        },
      ),
      (kind, window, steps) => {
        const windows = new Windows(kind, window);
        windows.grow(1, 0);
        const one = new OneWindow(kind, window);
        one.take(0, NaN);
        const [partial, whole] = [new Float64Array(1), new Float64Array(1)];
        const seen: { clock: number; value: number }[] = [];
        let clock = 0;
        for (const { after, value } of steps) {
          clock += after;
          windows.advance(clock);
          if (!Number.isNaN(value)) {
            windows.add(0, value);
            seen.push({ clock, value });
          }
          windows.read(clock, partial, whole);
          one.take(clock, value);
          expect([one.partial, one.whole]).toEqual([partial[0], whole[0]]);
          const expected = plainly(kind, window, seen, clock);
          if (Number.isNaN(expected)) expect(partial[0]).toBeNaN();
          else expect(partial[0]).toBeCloseTo(expected, 3);
          expect(whole[0]).toEqual(clock >= window - bucketWidth(window) ? partial[0] : NaN);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('series that come later have windows of their own, full later', () => {
  const windows = new Windows('max', 3000);
  const [partial, whole] = [new Float64Array(3), new Float64Array(3)];
  windows.grow(1, 0);
  for (let clock = 0; clock <= 4000; clock += 1000) {
    if (clock === 2000) windows.grow(3, clock);
    windows.advance(clock);
    windows.add(0, clock);
    if (clock >= 2000) windows.add(2, -clock);
  }
  windows.read(4000, partial, whole);
  expect([...partial]).toEqual([4000, NaN, -2000]);
  expect([...whole]).toEqual([4000, NaN, -2000]);
  windows.clear(4000);
  windows.read(4000, partial, whole);
  expect([...partial]).toEqual([NaN, NaN, NaN]);
});

test('memory is bounded, however long the window is', () => {
  for (const window of [1000, 60_000, 3_600_000, 21_600_000]) expect(bucketCount(window)).toBeLessThanOrEqual(60);
  expect(bucketWidth(1000)).toBe(1000);
});
