import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  fitSpan,
  LEAST_RANGE_MS,
  panSpan,
  parseRange,
  popZoom,
  pushZoom,
  rangeParams,
  sameRange,
  syncZoom,
  WINDOWS,
  withRoom,
  zoomSpan,
} from '../../../../src/renderer/charts/range.ts';
import type { TimeRange, ZoomStack } from '../../../../src/renderer/charts/range.ts';

const fixed = (from: number, to: number): TimeRange => ({ kind: 'fixed', from, to });
const live = (window: number | null): TimeRange => ({ kind: 'live', window });
const times = fc.double({ min: 1, max: 4e12, noNaN: true });
const widths = fc.double({ min: LEAST_RANGE_MS, max: 1e12, noNaN: true });

describe('arithmetic of ranges', () => {
  test('a zoom leaves the time under the pointer where it is', () => {
    fc.assert(
      fc.property(
        times,
        widths,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0.1, max: 10, noNaN: true }),
        (from, width, share, factor) => {
          const at = from + share * width;
          const next = zoomSpan({ from, to: from + width }, factor, at);
          expect(next.to - next.from).toBeCloseTo(Math.max(LEAST_RANGE_MS, width * factor), 0);
          expect((at - next.from) / (next.to - next.from)).toBeCloseTo(share, 3);
        },
      ),
    );
  });

  test('a range narrows to a second and no further, and moves by a share of its width', () => {
    expect(zoomSpan({ from: 10_000, to: 20_000 }, 0.5)).toEqual({ from: 12_500, to: 17_500 });
    expect(zoomSpan({ from: 10_000, to: 20_000 }, 2, 20_000)).toEqual({ from: 0, to: 20_000 });
    const least = zoomSpan({ from: 10_000, to: 11_500 }, 0.1);
    expect(least.to - least.from).toBe(LEAST_RANGE_MS);
    expect(panSpan({ from: 10_000, to: 20_000 }, -0.25)).toEqual({ from: 7500, to: 17_500 });
  });

  test('a range fits into its limits and keeps its width as long as it can', () => {
    const limits = { from: 1000, to: 101_000 };
    expect(fitSpan({ from: -5000, to: 5000 }, limits)).toEqual({ from: 1000, to: 11_000 });
    expect(fitSpan({ from: 99_000, to: 109_000 }, limits)).toEqual({ from: 91_000, to: 101_000 });
    expect(fitSpan({ from: -1e6, to: 1e6 }, limits)).toEqual(limits);
    fc.assert(
      fc.property(times, widths, times, widths, (from, width, low, room) => {
        const inside = fitSpan({ from, to: from + width }, { from: low, to: low + room });
        expect(inside.from).toBeGreaterThanOrEqual(low);
        expect(inside.to).toBeLessThanOrEqual(low + room + 0.01);
        expect(inside.to - inside.from).toBeGreaterThanOrEqual(LEAST_RANGE_MS - 0.01);
      }),
    );
  });

  test('less than a minute is asked for with what is around it', () => {
    expect(withRoom({ from: 100_000, to: 101_000 })).toEqual({ from: 40_000, to: 161_000 });
    expect(withRoom({ from: 100_000, to: 200_000 })).toEqual({ from: 100_000, to: 200_000 });
  });

  test('every window stands in the address and comes back', () => {
    for (const [, window] of WINDOWS) {
      const params = new URLSearchParams();
      for (const [name, value] of Object.entries(rangeParams(live(window))))
        if (value !== null) params.set(name, value);
      expect(parseRange(params)).toEqual(live(window));
    }
  });
});

describe('steps of a zoom', () => {
  test('each step out leads to the wider range before it, the first one to what was live', () => {
    const shown = [live(86_400_000), fixed(0, 3_600_000), fixed(600_000, 660_000), fixed(610_000, 611_000)];
    let stack: ZoomStack = [];
    for (const range of shown.slice(0, -1)) stack = pushZoom(stack, range);
    let at = shown.at(-1)!;
    const back: TimeRange[] = [];
    for (let step = popZoom(stack, at); step; step = popZoom(stack, at)) {
      ({ range: at, stack } = step);
      back.push(at);
    }
    expect(back).toEqual(shown.slice(0, -1).reverse());
    expect(stack).toEqual([]);
  });

  test('a step out never narrows: what was narrower is passed over', () => {
    const stack = [live(null), fixed(0, 1000), fixed(0, 5000)];
    expect(popZoom(stack, fixed(0, 20_000))).toEqual({ range: live(null), stack: [] });
    expect(popZoom([fixed(0, 1000)], fixed(0, 20_000))).toBeNull();
    expect(popZoom([], fixed(0, 20_000))).toBeNull();
  });

  test('the same range stands once, and the way back of the browser takes it off', () => {
    const one = pushZoom([], fixed(1000, 9000));
    expect(pushZoom(one, fixed(1000.2, 8999.9))).toBe(one);
    expect(syncZoom(one, fixed(1000, 9000))).toEqual([]);
    expect(syncZoom(one, fixed(2000, 3000))).toBe(one);
    let many: ZoomStack = [];
    for (let i = 0; i < 1000; i++) many = pushZoom(many, fixed(i, i + 5000));
    expect(many.length).toBeLessThanOrEqual(100);
    expect(many.at(-1)).toEqual(fixed(999, 5999));
  });

  test('ranges are the same to the millisecond', () => {
    expect(sameRange(live(null), live(null))).toBe(true);
    expect(sameRange(live(null), live(5))).toBe(false);
    expect(sameRange(live(5), fixed(0, 5))).toBe(false);
    expect(sameRange(fixed(1, 2000), fixed(1.4, 2000.4))).toBe(true);
    expect(sameRange(fixed(1, 2000), fixed(2, 2000))).toBe(false);
  });
});
