import { describe, expect, test } from 'vitest';
import { Board } from '../../../../src/renderer/charts/board.ts';
import { valueRange } from '../../../../src/renderer/charts/valueRange.ts';
import { parseRange, rangeParams } from '../../../../src/renderer/charts/range.ts';
import { RedrawLoop } from '../../../../src/renderer/charts/redraw.ts';
import { emptyPlot, readPlot, readStats } from '../../../../src/renderer/charts/samples.ts';
import { History } from '../../../../src/renderer/data/history.ts';
import { ScopeBuffer } from '../../../../src/renderer/data/scopeBuffer.ts';
import type { RangeResult } from '../../../../src/shared/api/query.ts';
import { describeSeries } from '../../../../src/shared/model/series.ts';

const steps = describeSeries({ kind: 'counter', index: 0, name: 'steps', doc: '' });

/** A counter that grows by its second's number, one sample a second from `first` to `last`. */
function ringOf(first: number, last: number): ScopeBuffer {
  const buffer = new ScopeBuffer('run/x');
  buffer.addSeries([steps]);
  for (let t = first; t <= last; t++) buffer.ring.append(1000 * t, t === first ? 0 : 1000, () => (t * (t + 1)) / 2);
  return buffer;
}

function answer(step: number, times: number[]): RangeResult {
  const column = (f: (t: number) => number) => times.map((t) => f(t / 1000));
  const series = { key: 'steps', name: 'steps', kind: 'counter' as const };
  return {
    ...{ scope: 'run/x', from: times[0]!, to: times[times.length - 1]! + step, step, times },
    series: [
      {
        ...series,
        min: column((t) => t - 1),
        avg: column((t) => t),
        max: column((t) => t + 1),
        last: column((t) => 100 * t),
      },
    ],
  };
}

function historyOf(...results: RangeResult[]): History {
  const history = new History();
  for (const result of results) history.add(result);
  return history;
}

describe('points of a chart', () => {
  test('rates or totals of the ring, entering the range from the sample before it', () => {
    const samples = { buffer: ringOf(1, 6), history: null };
    const plot = emptyPlot();
    readPlot(samples, [steps], 3000, 5000, false, plot);
    expect([plot.xs, plot.ys[0]]).toEqual([
      [2000, 3000, 4000, 5000],
      [2, 3, 4, 5],
    ]);
    readPlot(samples, [steps], 5000, 9000, true, plot);
    expect([plot.xs, plot.ys[0]]).toEqual([
      [4000, 5000, 6000],
      [10, 15, 21],
    ]);
    expect(plot.bucketed).toBe(0);
  });

  test('history first, then only what the ring has after it', () => {
    const samples = { buffer: ringOf(4, 8), history: historyOf(answer(0, [1000, 2000, 3000, 4000, 5000])) };
    const plot = emptyPlot();
    readPlot(samples, [steps], 2000, 7000, false, plot);
    expect([plot.xs, plot.ys[0]]).toEqual([
      [1000, 2000, 3000, 4000, 5000, 6000, 7000],
      [1, 2, 3, 4, 5, 6, 7],
    ]);
  });

  test('buckets have a band; a finer answer takes the place of a coarser one', () => {
    const history = historyOf(answer(2000, [2000, 4000]));
    const plot = emptyPlot();
    readPlot({ buffer: null, history }, [steps], 0, 9000, false, plot);
    expect([plot.lows[0], plot.ys[0], plot.highs[0], plot.bucketed]).toEqual([[1, 3], [2, 4], [3, 5], 2]);
    expect(history.coarse).toBe(true);
    history.add(answer(0, [2000, 3000, 4000, 5000, 6000]));
    expect(history.coarse).toBe(false);
    readPlot({ buffer: null, history }, [steps], 0, 9000, true, plot);
    expect([plot.ys[0], plot.bucketed]).toEqual([[200, 300, 400, 500, 600], 0]);
  });

  test('stored samples with nothing between them are not joined, also where their distance changes', () => {
    const history = historyOf(
      answer(0, [60_000, 120_000, 180_000, 181_000, 182_000, 600_000, 601_000, 602_000, 662_000, 722_000]),
    );
    const plot = emptyPlot();
    readPlot({ buffer: null, history }, [steps], 0, 900_000, false, plot);
    expect(plot.breaks).toEqual([5]);
  });

  test('a sample after a gap has its value; only the line to it is left out', () => {
    const buffer = new ScopeBuffer('run/x');
    const loss = describeSeries({ kind: 'gauge', index: 0, name: 'loss', doc: '' });
    buffer.addSeries([steps, loss]);
    for (const [time, span, total] of [
      [1000, 0, 1],
      [2000, 1000, 3],
      [9000, 0, 4],
      [10_000, 1000, 9],
    ] as const) {
      buffer.ring.append(time, span, (column) => (column === 0 ? total : total / 10));
    }
    const plot = emptyPlot();
    readPlot({ buffer, history: null }, [steps, loss], 0, 20_000, true, plot);
    expect([plot.xs, plot.ys, plot.breaks]).toEqual([
      [1000, 2000, 9000, 10_000],
      [
        [1, 3, 4, 9],
        [0.1, 0.3, 0.4, 0.9],
      ],
      [2],
    ]);
    readPlot({ buffer, history: null }, [steps, loss], 0, 20_000, false, plot);
    expect([plot.ys, plot.breaks]).toEqual([
      [
        [null, 2, null, 5],
        [0.1, 0.3, 0.4, 0.9],
      ],
      [2],
    ]);
    // The line enters the range from the sample before it, and nothing is before that.
    readPlot({ buffer, history: null }, [steps], 10_000, 20_000, true, plot);
    expect([plot.xs, plot.breaks]).toEqual([[9000, 10_000], []]);
  });

  test('a series that is not there is a line without points', () => {
    const other = describeSeries({ kind: 'gauge', index: 0, name: 'other', doc: '' });
    const plot = emptyPlot();
    readPlot({ buffer: ringOf(1, 3), history: null }, [other, steps], 0, 9000, false, plot);
    expect(plot.ys).toEqual([
      [null, null, null],
      [null, 2, 3],
    ]);
    readPlot({ buffer: null, history: null }, [steps], 0, 9000, false, plot);
    expect([plot.xs, plot.ys]).toEqual([[], [[]]]);
  });
});

describe('numbers of the series table', () => {
  test('are those of the chart: min and max of the buckets, last of the ring', () => {
    const samples = { buffer: ringOf(1, 8), history: historyOf(answer(2000, [2000, 4000])) };
    expect(readStats(samples, steps, 1000, 8000, false)).toEqual({ min: 1, avg: (2 + 4 + 7 + 8) / 4, max: 8, last: 8 });
    expect(readStats(samples, steps, 1000, 5000, true)).toEqual({ min: 200, avg: 300, max: 400, last: 400 });
    expect(readStats({ buffer: null, history: null }, steps, 0, 1, false)).toEqual({
      min: null,
      avg: null,
      max: null,
      last: null,
    });
  });

  test('a series that only shows zeros is idle; a counter that just appeared is not', () => {
    const board = new Board(() => 0);
    const still = new ScopeBuffer('run/x');
    still.addSeries([steps]);
    for (let t = 1; t < 5; t++) still.ring.append(1000 * t, 1000, () => 7);
    board.samples.set('run/x', { buffer: still, history: null });
    expect(board.activity('run/x', steps)).toEqual({ idle: true, size: 0 });
    board.totals = true;
    expect(board.activity('run/x', steps).idle).toBe(false);
    board.totals = false;
    board.samples.set('run/x', { buffer: ringOf(3, 3), history: null });
    expect(board.activity('run/x', steps).idle).toBe(false);
  });
});

describe('the shown range', () => {
  test('follows the newest sample and does not stretch a young run', () => {
    const board = new Board(() => 1e9);
    board.range = { kind: 'live', window: 300_000 };
    expect(board.shown().to).toBe(1e9);
    board.samples.set('run/x', { buffer: ringOf(1000, 1010), history: null });
    expect(board.shown()).toEqual({ from: 950_000, to: 1_010_000 });
    board.samples.set('run/x', { buffer: ringOf(1000, 1400), history: null });
    expect(board.shown()).toEqual({ from: 1_100_000, to: 1_400_000 });
    board.range = { kind: 'fixed', from: 5, to: 9 };
    expect(board.shown()).toMatchObject({ from: 5, to: 9 });
  });

  test('goes into the URL and back; nonsense is the default', () => {
    for (const range of [
      { kind: 'live', window: 300_000 },
      { kind: 'live', window: null },
      { kind: 'fixed', from: 1000, to: 9000 },
    ] as const) {
      const params = new URLSearchParams();
      for (const [name, value] of Object.entries(rangeParams(range))) if (value !== null) params.set(name, value);
      expect(parseRange(params)).toEqual(range);
    }
    for (const query of [
      'from=9&to=1',
      'from=x&to=y',
      'last=never',
      'from=1',
      'from=-5&to=5',
      'from=NaN&to=Infinity',
    ]) {
      expect(parseRange(new URLSearchParams(query))).toEqual({ kind: 'live', window: 300_000 });
    }
  });

  test('zero is on the axis unless values are negative', () => {
    expect(valueRange(3, 100)).toEqual([0, 108]);
    expect(valueRange(0, 0)).toEqual([0, 1]);
    expect(valueRange(null, null)).toEqual([0, 1]);
    const [low, high] = valueRange(-10, -5);
    expect(low).toBeLessThan(-10);
    expect(high).toBeGreaterThan(0);
  });
});

describe('RedrawLoop', () => {
  test('one pass draws what is visible and stale, each once; the rest when it is seen', () => {
    const frames: (() => void)[] = [];
    const loop = new RedrawLoop((call) => frames.push(call));
    const drawn: string[] = [];
    const item = (name: string, visible: boolean) => ({ visible, stale: true, draw: () => drawn.push(name) });
    const seen = item('seen', true);
    const hidden = item('hidden', false);
    loop.add(seen);
    const remove = loop.add(hidden);
    for (let i = 0; i < 5; i++) loop.invalidate();
    expect(frames).toHaveLength(1);
    frames.shift()!();
    expect(drawn).toEqual(['seen']);
    loop.show(hidden, true);
    frames.shift()!();
    expect(drawn).toEqual(['seen', 'hidden']);
    remove();
    loop.invalidate();
    frames.shift()!();
    expect(drawn).toEqual(['seen', 'hidden', 'seen']);
  });
});
