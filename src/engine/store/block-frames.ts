/** From columns back to frames: what readers of single samples get, as if it had never been a block. */

import { bitmapBytes, encodeFrame, setBit, type Columns } from '../../shared/frame.ts';
import type { SeriesDef } from '../../shared/model/series.ts';
import { GAUGE_WIDTH } from '../../shared/model/values.ts';
import type { Block } from './block/index.ts';
import type { Snapshot } from './store.ts';
import { snapshotOf } from './replay.ts';

const same = (a: number, b: number): boolean => a === b || (a !== a && b !== b);

/** The values of one row of a block after another. */
class Row implements Columns {
  counterCount = 0;
  gaugeCount = 0;
  readonly counters: Float64Array;
  readonly gauges: Float64Array;
  readonly #counterColumns: Float64Array[];
  readonly #gaugeColumns: Float64Array[];
  readonly #block: Block;

  constructor(block: Block) {
    this.#block = block;
    const [counters, gauges] = [block.counterCounts.at(-1)!, block.gaugeCounts.at(-1)!];
    this.#counterColumns = Array.from({ length: counters }, (_, place) => block.counter(place, 0));
    this.#gaugeColumns = Array.from({ length: GAUGE_WIDTH * gauges }, (_, i) =>
      block.gauge(Math.floor(i / GAUGE_WIDTH), i % GAUGE_WIDTH),
    );
    this.counters = new Float64Array(counters).fill(NaN);
    this.gauges = new Float64Array(GAUGE_WIDTH * gauges).fill(NaN);
  }

  /** Goes to a row; marks in `bits` what is not what it was before. */
  go(row: number, before: Columns, bits: { readonly counters: Uint8Array; readonly gauges: Uint8Array }): void {
    this.counterCount = this.#block.counterCounts[row]!;
    this.gaugeCount = this.#block.gaugeCounts[row]!;
    const [counters, gauges] = [before.counterCount, before.gaugeCount];
    for (let i = 0; i < this.counterCount; i++) {
      const value = this.#counterColumns[i]![row]!;
      if (i >= counters || !same(before.counters[i]!, value)) setBit(bits.counters, i);
      this.counters[i] = value;
    }
    for (let i = 0; i < GAUGE_WIDTH * this.gaugeCount; i++) {
      const value = this.#gaugeColumns[i]![row]!;
      const gauge = Math.floor(i / GAUGE_WIDTH);
      if (gauge >= gauges || !same(before.gauges[i]!, value)) setBit(bits.gauges, gauge);
      this.gauges[i] = value;
    }
  }
}

const NOTHING: Columns = {
  counterCount: 0,
  gaugeCount: 0,
  counters: new Float64Array(0),
  gauges: new Float64Array(0),
};

/** Frames of a block's rows. `before`: the values at the row before; null: the first frame is full. */
export function blockFrames(
  block: Block,
  start: number,
  end: number,
  before: Columns | null,
): { frames: Uint8Array<ArrayBuffer>[]; values: Columns } {
  const row = new Row(block);
  const frames: Uint8Array<ArrayBuffer>[] = [];
  for (let r = start; r < end; r++) {
    const bits = {
      counters: new Uint8Array(bitmapBytes(block.counterCounts[r]!)),
      gauges: new Uint8Array(bitmapBytes(block.gaugeCounts[r]!)),
    };
    const previous = r === start ? (before ?? NOTHING) : row;
    row.go(r, previous, bits);
    const [time, interval] = [block.times[r]!, block.intervals[r]!];
    const header = { stream: 0, time, interval, sequence: block.sequences[r]!, gap: block.gaps[r] === 1 };
    frames.push(encodeFrame(header, row, r === start && before === null ? null : bits));
  }
  return { frames, values: row };
}

/** What is known at a row of a block of samples. */
export function blockSnapshot(block: Block, row: number, schema: readonly SeriesDef[]): Snapshot {
  const values = new Row(block);
  const bits = {
    counters: new Uint8Array(bitmapBytes(block.counterCounts[row]!)),
    gauges: new Uint8Array(bitmapBytes(block.gaugeCounts[row]!)),
  };
  values.go(row, NOTHING, bits);
  const { counterCount, gaugeCount, counters, gauges } = values;
  return snapshotOf({ time: block.times[row]!, counterCount, gaugeCount, counters, gauges }, schema);
}

/** The same of a block of buckets: of a gauge only its last value is known. */
export function bucketSnapshot(block: Block, row: number, time: number, schema: readonly SeriesDef[]): Snapshot {
  const [counterCount, gaugeCount] = [block.counterCounts[row]!, block.gaugeCounts[row]!];
  const last = (column: Float64Array): number => {
    for (let r = row; r >= 0; r--) if (!Number.isNaN(column[r]!)) return column[r]!;
    return NaN;
  };
  const counters = Float64Array.from({ length: counterCount }, (_, place) => last(block.counter(place, 4)));
  const gauges = new Float64Array(GAUGE_WIDTH * gaugeCount);
  for (let place = 0; place < gaugeCount; place++) {
    const value = last(block.gauge(place, 4));
    gauges.set(Number.isNaN(value) ? [NaN, NaN, 0, 0] : [value, value, 1, value], GAUGE_WIDTH * place);
  }
  return snapshotOf({ time, counterCount, gaugeCount, counters, gauges }, schema);
}
