import { describe, expect, test } from 'vitest';
import { ScopeBuffer } from '../../../../src/renderer/data/scopeBuffer.ts';
import type { RangeResult } from '../../../../src/shared/api/query.ts';
import { decodeFrame, encodeFrame } from '../../../../src/shared/frame.ts';
import type { Frame } from '../../../../src/shared/frame.ts';
import { describeSeries } from '../../../../src/shared/model/series.ts';

const counter = (name: string, index: number) => describeSeries({ kind: 'counter', index, name, doc: '' });
const gauge = (name: string, index: number) => describeSeries({ kind: 'gauge', index, name, doc: '' });

interface FrameOf {
  readonly time: number;
  readonly sequence: number;
  readonly counters: readonly number[];
  readonly gauges?: readonly (readonly number[])[];
  readonly gap?: boolean;
}

function frame({ time, sequence, counters, gauges = [], gap = false }: FrameOf): Frame {
  const columns = {
    counterCount: counters.length,
    gaugeCount: gauges.length,
    counters: Float64Array.from(counters),
    gauges: Float64Array.from(gauges.flat()),
  };
  return decodeFrame(encodeFrame({ stream: 1, time, interval: 990, sequence, gap }, columns, null));
}

describe('ScopeBuffer', () => {
  test('keeps counters as totals and gauges as total / hits', () => {
    const buffer = new ScopeBuffer('run/x');
    buffer.begin();
    buffer.addSeries([counter('steps', 0), gauge('loss', 0)]);
    buffer.addFrame(frame({ time: 1000, sequence: 1, counters: [3], gauges: [[1, 9, 4, 10]] }), true);
    buffer.addFrame(frame({ time: 2000, sequence: 2, counters: [5], gauges: [[1, 9, 0, 0]] }), true);
    const { ring } = buffer;
    expect([ring.value(buffer.column('steps'), 0), ring.value(buffer.column('steps'), 1)]).toEqual([3, 5]);
    expect([ring.value(buffer.column('loss'), 0), ring.value(buffer.column('loss'), 1)]).toEqual([2.5, NaN]);
    // The next frame in sequence covers the interval that the engine measured, not the difference of wall clocks.
    expect(ring.span(1)).toBe(990);
  });

  test('a frame after skipped ones covers the time since the last; one after a gap covers none', () => {
    const buffer = new ScopeBuffer('run/x');
    buffer.addSeries([counter('steps', 0)]);
    buffer.addFrame(frame({ time: 1000, sequence: 1, counters: [1] }), true);
    buffer.addFrame(frame({ time: 4000, sequence: 4, counters: [4] }), true);
    buffer.addFrame(frame({ time: 9000, sequence: 5, counters: [5], gap: true }), true);
    buffer.breakLine();
    buffer.addFrame(frame({ time: 12000, sequence: 6, counters: [6] }), true);
    expect([0, 1, 2, 3].map((i) => buffer.ring.span(i))).toEqual([0, 3000, 0, 0]);
  });

  test('between two scrapes a target has no samples: its rates are over the time from one to the next', () => {
    const still = (time: number, sequence: number): Frame => {
      const columns = { counterCount: 1, gaugeCount: 0, counters: Float64Array.of(0), gauges: new Float64Array(0) };
      const bits = { counters: new Uint8Array(1), gauges: new Uint8Array(0) };
      return decodeFrame(encodeFrame({ stream: 1, time, interval: 1000, sequence, gap: false }, columns, bits));
    };
    const fill = (scope: string): number[] => {
      const buffer = new ScopeBuffer(scope);
      buffer.addSeries([counter('steps', 0)]);
      buffer.addFrame(frame({ time: 1000, sequence: 1, counters: [10] }), true);
      buffer.addFrame(still(2000, 2), true);
      buffer.addFrame(still(3000, 3), true);
      buffer.addFrame(frame({ time: 4000, sequence: 4, counters: [40] }), true);
      return Array.from({ length: buffer.ring.count }, (_, i) => Math.round(buffer.ring.rate(0, i)));
    };
    expect(fill('target/a')).toEqual([NaN, 10]);
    expect(fill('run/x')).toHaveLength(4);
  });

  test('an engine that numbers its series anew goes on in the same columns', () => {
    const buffer = new ScopeBuffer('run/x');
    buffer.begin();
    buffer.addSeries([counter('a', 0), counter('b', 1)]);
    buffer.addFrame(frame({ time: 1000, sequence: 7, counters: [10, 20] }), true);
    buffer.begin();
    buffer.addSeries([counter('b', 0), counter('c', 1), counter('a', 2)]);
    buffer.addFrame(frame({ time: 2000, sequence: 1, counters: [21, 1, 11] }), true);
    const last = (key: string): number => buffer.ring.value(buffer.column(key), 1);
    expect([last('a'), last('b'), last('c')]).toEqual([11, 21, 1]);
    expect(buffer.series.map((s) => s.key)).toEqual(['a', 'b', 'c']);
  });

  test('a counter that is stored now and then has its mean rate between; a gauge is not known there', () => {
    const buffer = new ScopeBuffer('node/h');
    buffer.addSeries([counter('core', 0), gauge('disk', 0)]);
    const none = [Infinity, -Infinity, 0, 0];
    buffer.addFrame(frame({ time: 1000, sequence: 1, counters: [10], gauges: [[1, 1, 1, 1]] }), true);
    buffer.addFrame(frame({ time: 2000, sequence: 2, counters: [NaN], gauges: [none] }), true);
    buffer.addFrame(frame({ time: 3000, sequence: 3, counters: [NaN], gauges: [none] }), true);
    buffer.addFrame(frame({ time: 4000, sequence: 4, counters: [40], gauges: [[1, 1, 1, 1]] }), true);
    const { ring } = buffer;
    const at = (key: string): number[] => [0, 1, 2, 3].map((i) => ring.value(buffer.column(key), i));
    expect(at('core')).toEqual([10, 20, 30, 40]);
    expect(at('disk')).toEqual([1, NaN, NaN, 1]);
  });

  test('an old frame is a value but no sample', () => {
    const buffer = new ScopeBuffer('run/x');
    buffer.addSeries([counter('a', 0)]);
    buffer.addFrame(frame({ time: 1000, sequence: 1, counters: [1] }), true);
    buffer.addFrame(frame({ time: 1000, sequence: 1, counters: [1] }), false);
    expect(buffer.ring.count).toBe(1);
  });

  test('history that the socket left out is put before the samples, and a hole in it stays one', () => {
    const buffer = new ScopeBuffer('run/x');
    buffer.addSeries([counter('a', 0), gauge('g', 0)]);
    buffer.addFrame(frame({ time: 50_000, sequence: 9, counters: [50], gauges: [[1, 1, 1, 1]] }), true);
    const column = (values: (number | null)[]) => ({ min: values, avg: values, max: values, last: values });
    buffer.backfill({
      scope: 'run/x',
      from: 0,
      to: 49_000,
      step: 0,
      times: [1000, 2000, 30_000, 31_000, 31_010],
      series: [
        { key: 'a', name: 'a', kind: 'counter', ...column([1, 2, 30, null, 32]) },
        { key: 'unknown', name: 'unknown', kind: 'counter', ...column([9, 9, 9, 9, 9]) },
      ],
    });
    const a = buffer.column('a');
    expect([0, 1, 2, 3, 4, 5].map((i) => buffer.ring.value(a, i))).toEqual([1, 2, 30, NaN, 32, 50]);
    // One short step, as after a restart, does not make holes of the others.
    expect([0, 1, 2, 3, 4].map((i) => buffer.ring.span(i))).toEqual([0, 1000, 0, 1000, 10]);
    expect(buffer.ring.value(buffer.column('g'), 0)).toBeNaN();
  });

  const totals = (times: number[], last: number[]): RangeResult => {
    const values = { min: last, avg: last, max: last, last };
    const series = [{ key: 'a', name: 'a', kind: 'counter' as const, ...values }];
    return { scope: 'run/x', from: times[0]!, to: times.at(-1)!, step: 0, times, series };
  };
  const rows = ({ ring }: ScopeBuffer): number[][] =>
    Array.from({ length: ring.count }, (_, i) => [ring.time(i), ring.span(i), ring.value(0, i)]);

  test('history that is quicker than the frame at its end leaves one sample, and the line goes on after it', () => {
    const buffer = new ScopeBuffer('run/x');
    buffer.addSeries([counter('a', 0)]);
    for (const n of [1, 2, 3]) buffer.addFrame(frame({ time: 1000 * n, sequence: n, counters: [n] }), true);
    buffer.begin();
    buffer.addSeries([counter('a', 0)]);
    buffer.breakLine();
    // A hole is one even where little else was asked for.
    buffer.backfill(totals([3000, 30_000], [3, 5]));
    buffer.addFrame(frame({ time: 30_000, sequence: 0, counters: [5] }), true);
    buffer.addFrame(frame({ time: 31_000, sequence: 1, counters: [6] }), true);
    expect(rows(buffer)).toEqual([
      [1000, 0, 1],
      [2000, 990, 2],
      [3000, 990, 3],
      [30_000, 0, 5],
      [31_000, 990, 6],
    ]);
  });

  test('a gap that history fills is none any more', () => {
    const buffer = new ScopeBuffer('run/x');
    buffer.addSeries([counter('a', 0)]);
    for (const n of [1, 2]) buffer.addFrame(frame({ time: 1000 * n, sequence: n, counters: [n] }), true);
    buffer.breakLine();
    for (const n of [6, 7]) buffer.addFrame(frame({ time: 1000 * n, sequence: n, counters: [n] }), true);
    expect(rows(buffer)[2]).toEqual([6000, 0, 6]);
    // 1500 was not sent to this page and 2000 is not stored: spans are those between the samples that are here.
    buffer.backfill(totals([1000, 1500, 3000, 4000, 5000, 6000], [1, 1.5, 3, 4, 5, 6]));
    expect(rows(buffer)).toEqual([
      [1000, 0, 1],
      [1500, 500, 1.5],
      [2000, 990, 2],
      [3000, 1000, 3],
      [4000, 1000, 4],
      [5000, 1000, 5],
      [6000, 1000, 6],
      [7000, 990, 7],
    ]);
  });
});
