/** From frames, one after another, to columns: what a block is made of. */

import { GAUGE_WIDTH } from '../../shared/model/values.ts';
import type { BlockRows, RowColumns } from './block/index.ts';
import type { Replay } from './replay.ts';
import type { TimedFrame } from './tail.ts';

/** Values of a step, a millisecond or two. */
const STEP_VALUES = 65_536;

/** All values at every time of some frames. Damaged frames are left out, with the differences that need them. */
export class FrameRows implements BlockRows {
  readonly times: Float64Array;
  readonly intervals: Float64Array;
  readonly sequences: Uint32Array;
  readonly gaps: Uint8Array;
  readonly counterCounts: Uint32Array;
  readonly gaugeCounts: Uint32Array;
  readonly #columns: readonly Float64Array[];
  readonly #counters: number;

  private constructor(rows: RowColumns, counters: number, columns: readonly Float64Array[]) {
    this.times = rows.times;
    this.intervals = rows.intervals;
    this.sequences = rows.sequences;
    this.gaps = rows.gaps;
    this.counterCounts = rows.counterCounts;
    this.gaugeCounts = rows.gaugeCounts;
    this.#counters = counters;
    this.#columns = columns;
  }

  /** `replay`: has the frames before these. Yields between steps. */
  static *of(frames: readonly TimedFrame[], replay: Replay): Generator<void, FrameRows> {
    const most = frames.length;
    const times = new Float64Array(most);
    const intervals = new Float64Array(most);
    const sequences = new Uint32Array(most);
    const gaps = new Uint8Array(most);
    const counterCounts = new Uint32Array(most);
    const gaugeCounts = new Uint32Array(most);
    const counters: Float64Array[] = [];
    const gauges: Float64Array[] = [];
    let n = 0;
    let values = 0;
    for (const { bytes } of frames) {
      const frame = replay.apply(bytes);
      if (!frame) continue;
      const { state } = replay;
      times[n] = frame.time;
      intervals[n] = frame.interval;
      sequences[n] = frame.sequence;
      gaps[n] = frame.gap ? 1 : 0;
      counterCounts[n] = state.counterCount;
      gaugeCounts[n] = state.gaugeCount;
      grow(counters, state.counterCount, most, n);
      grow(gauges, GAUGE_WIDTH * state.gaugeCount, most, n);
      for (let i = 0; i < state.counterCount; i++) counters[i]![n] = state.counters[i]!;
      for (let i = 0; i < GAUGE_WIDTH * state.gaugeCount; i++) gauges[i]![n] = state.gauges[i]!;
      n++;
      values += counters.length + gauges.length;
      if (values < STEP_VALUES) continue;
      values = 0;
      yield;
    }
    const columns = [...counters, ...gauges];
    const rows = {
      times: times.subarray(0, n),
      intervals: intervals.subarray(0, n),
      sequences: sequences.subarray(0, n),
      gaps: gaps.subarray(0, n),
      counterCounts: counterCounts.subarray(0, n),
      gaugeCounts: gaugeCounts.subarray(0, n),
    };
    const filled = n === most ? columns : columns.map((column) => column.subarray(0, n));
    return new FrameRows(rows, counters.length, filled);
  }

  get rows(): number {
    return this.times.length;
  }

  counter(place: number): Float64Array {
    return this.#columns[place]!;
  }

  gauge(place: number, part: number): Float64Array {
    return this.#columns[this.#counters + GAUGE_WIDTH * place + part]!;
  }
}

/** More columns of `rows` rows, unknown in the first `unknown` ones: in one piece, since each is a burden by itself. */
function grow(columns: Float64Array[], count: number, rows: number, unknown: number): void {
  const more = count - columns.length;
  if (more <= 0) return;
  const all = new Float64Array(more * rows);
  for (let i = 0; i < more; i++) columns.push(all.subarray(i * rows, (i + 1) * rows).fill(NaN, 0, unknown));
}

/** First row with a time of at least this; the number of rows when there is none. */
export function firstRow(times: Float64Array, time: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle]! < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
