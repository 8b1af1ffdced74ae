import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RingTable } from '../../../../src/renderer/data/ring.ts';

const times = (ring: RingTable): number[] => Array.from({ length: ring.count }, (_, i) => ring.time(i));

describe('RingTable', () => {
  test('keeps the newest rows in order, whatever the capacity', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 60 }), (capacity, rows) => {
        const ring = new RingTable(capacity);
        const column = ring.addColumn();
        for (let i = 0; i < rows; i++) ring.append(1000 * i, 1000, () => 7 * i);
        const kept = Array.from({ length: Math.min(rows, capacity) }, (_, i) => rows - Math.min(rows, capacity) + i);
        expect(times(ring)).toEqual(kept.map((i) => 1000 * i));
        expect(kept.map((_, at) => ring.value(column, at))).toEqual(kept.map((i) => 7 * i));
        expect(ring.appended).toBe(rows);
        expect(ring.lastTime).toBe(rows > 0 ? 1000 * (rows - 1) : 0);
      }),
    );
  });

  test('position finds the first row at or after a time, also after wrapping', () => {
    const ring = new RingTable(4);
    for (let t = 1; t <= 6; t++) ring.append(t * 10, 10, () => 0);
    expect(times(ring)).toEqual([30, 40, 50, 60]);
    expect([0, 30, 31, 60, 61].map((t) => ring.position(t))).toEqual([0, 0, 1, 3, 4]);
  });

  test('a rate needs a sample before it, a known span and a total that did not fall', () => {
    const ring = new RingTable(3);
    const c = ring.addColumn();
    const rows: [time: number, span: number, total: number][] = [
      [1000, 1000, 5],
      [2000, 1000, 5],
      [4000, 2000, 11],
      [5000, 0, 20],
      [6000, 1000, 2],
    ];
    const rates: number[] = [];
    for (const [time, span, total] of rows) {
      ring.append(time, span, () => total);
      rates.push(ring.rate(c, ring.count - 1));
    }
    expect(rates).toEqual([NaN, 0, 3, NaN, NaN]);
    // The oldest row that is left has nothing before it.
    expect(ring.rate(c, 0)).toBeNaN();
  });

  test('a total that was not told for some rows grew steadily in between; not over a gap, nor when it fell', () => {
    const totals = (rows: readonly [span: number, total: number][]): number[] => {
      const ring = new RingTable(4);
      const c = ring.addColumn();
      rows.forEach(([span, total], i) => {
        ring.append(1000 * i, span, () => total);
        ring.bridge(c);
      });
      return Array.from({ length: ring.count }, (_, i) => ring.value(c, i));
    };
    const told = (span: number, last: number): [number, number][] => [
      [1000, 1],
      [1000, 10],
      [1000, NaN],
      [span, NaN],
      [1000, last],
    ];
    expect(totals(told(2000, 50))).toEqual([10, 20, 40, 50]);
    expect(totals(told(0, 50))).toEqual([10, NaN, NaN, 50]);
    expect(totals(told(2000, 5))).toEqual([10, NaN, NaN, 5]);
    expect(
      totals([
        [1000, NaN],
        [1000, NaN],
        [1000, NaN],
        [1000, 7],
      ]),
    ).toEqual([NaN, NaN, NaN, 7]);
  });

  test('of an interval of milliseconds there is no rate of its own', () => {
    const ring = new RingTable(4);
    const c = ring.addColumn();
    for (const [time, span, total] of [
      [1000, 0, 0],
      [2000, 1000, 10],
      [2004, 4, 20],
    ] as const) {
      ring.append(time, span, () => total);
    }
    expect([ring.rate(c, 1), ring.rate(c, 2)]).toEqual([10, expect.closeTo(20 / 1.004, 9)]);
  });

  test('a column added later is unknown for the rows before', () => {
    const ring = new RingTable(4);
    ring.append(1, 1, () => 0);
    const late = ring.addColumn();
    ring.append(2, 1, () => 42);
    expect([ring.value(late, 0), ring.value(late, 1)]).toEqual([NaN, 42]);
  });

  test('backfill puts older rows in place, without doubles, and keeps the newest', () => {
    const ring = new RingTable(4);
    const c = ring.addColumn();
    for (const time of [50, 60]) ring.append(time, 10, () => time);
    ring.backfill([10, 20, 30, 50].map((time) => ({ time, span: 10, values: [-time] })));
    expect(times(ring)).toEqual([20, 30, 50, 60]);
    expect([0, 1, 2, 3].map((i) => ring.value(c, i))).toEqual([-20, -30, 50, 60]);
    ring.append(70, 10, () => 70);
    expect(times(ring)).toEqual([30, 50, 60, 70]);
  });
});
