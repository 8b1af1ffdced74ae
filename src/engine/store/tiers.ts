/**
 * Buckets of a minute and of an hour, made from samples as blocks are sealed and from finer buckets after that; never
 * from what lies on the disk already. A bucket that straddles two blocks is in both, in part, and is put together when
 * it is read.
 */

import type { Kind } from '../../shared/model/values.ts';
import { BUCKET_PARTS, RangeBuilder, type ColumnRows, type RangeState } from './aggregate.ts';
import type { BlockShape } from './block/index.ts';
import { MOMENT } from './block-table.ts';
import { TIER_WIDTH } from './range-plan.ts';
import { firstRow } from './rows.ts';

export const RAW_SHAPE: BlockShape = { tier: 0, counterParts: 1, gaugeParts: 4 };
export const tierShape = (tier: 1 | 2): BlockShape => ({ tier, counterParts: BUCKET_PARTS, gaugeParts: BUCKET_PARTS });

const MINUTE = TIER_WIDTH[1];
/** Growth that is spread evenly over a longer time than this is not told minute by minute, ms. */
const MAX_HOLE = 3_600_000;

const NO_NUMBERS = new Float64Array(0);
const NO_COUNTS = new Uint32Array(0);
const NO_GAPS = new Uint8Array(0);

/** Buckets, column by column: what a tier's block is made of. */
export class BucketRows implements ColumnRows {
  readonly times: Float64Array<ArrayBuffer>;
  readonly intervals = NO_NUMBERS;
  readonly sequences = NO_COUNTS;
  readonly gaps = NO_GAPS;
  readonly counterCounts: Uint32Array;
  readonly gaugeCounts: Uint32Array;
  /** By part, series after series. */
  readonly #parts: readonly Float64Array[];
  readonly #counters: number;

  constructor(times: Float64Array<ArrayBuffer>, counters: number, gauges: number, parts: readonly Float64Array[]) {
    this.times = times;
    this.counterCounts = new Uint32Array(times.length).fill(counters);
    this.gaugeCounts = new Uint32Array(times.length).fill(gauges);
    this.#counters = counters;
    this.#parts = parts;
  }

  counter(place: number, part: number): Float64Array {
    const n = this.times.length;
    return this.#parts[part]!.subarray(place * n, (place + 1) * n);
  }

  gauge(place: number, part: number): Float64Array {
    return this.counter(this.#counters + place, part);
  }
}

/** Minutes in which there are samples or, before one, a stretch that is not too long. */
function minutesOf(times: Float64Array, since: number): Float64Array<ArrayBuffer> {
  const starts: number[] = [];
  let before = Math.floor(Math.max(since, times[0]! - MAX_HOLE) / MINUTE);
  for (const time of times) {
    const minute = Math.floor(time / MINUTE);
    if (minute === starts.at(-1)) continue;
    const from = (minute - before) * MINUTE <= MAX_HOLE ? before + (starts.length === 0 ? 0 : 1) : minute;
    for (let each = Math.min(from, minute); each <= minute; each++) starts.push(each);
    before = minute;
  }
  return Float64Array.from(starts, (minute) => minute * MINUTE);
}

export interface Minutes {
  readonly buckets: BucketRows;
  /** What the next samples' rates count from. */
  readonly state: RangeState;
}

/** `state`: what the samples before have left; null: they are the first ones. */
export function minutesFrom(scope: string, rows: ColumnRows, state: RangeState | null): Minutes {
  const n = rows.times.length;
  const [counters, gauges] = [rows.counterCounts[n - 1]!, rows.gaugeCounts[n - 1]!];
  const target = (kind: Kind): { key: string; name: string; kind: Kind } => ({ key: '', name: '', kind });
  const targets = [
    ...Array.from({ length: counters }, () => target('counter')),
    ...Array.from({ length: gauges }, () => target('gauge')),
  ];
  const [from, to] = [rows.times[0]!, rows.times[n - 1]!];
  // Growth since a counter was last known goes back into minutes that earlier blocks have in part.
  const since = state ? state.previousTime.reduce((least, time) => (time < least ? time : least), state.time) : NaN;
  const starts = minutesOf(rows.times, since);
  const plan = { scope, from, to, limit: Infinity, samples: Infinity, targets, step: MINUTE, starts };
  const builder = new RangeBuilder(plan);
  if (state) {
    // A counter that was not known yet counts from what such ones count from.
    const known = state.previous.length;
    builder.resume(known === counters ? state : builder.widened(state, counters));
  }
  builder.bindInOrder(counters);
  builder.addRows(rows, 0, n);
  const { min, max, sum, weight, last } = builder.parts;
  const all = new BucketRows(starts, counters, gauges, [min, max, sum, weight, last]);
  return { buckets: withoutEmpty(all, [min, max, sum, weight, last]), state: builder.state(counters) };
}

/** Leaves out buckets in which nothing is known of any series. */
function withoutEmpty(all: BucketRows, parts: readonly Float64Array[]): BucketRows {
  const n = all.times.length;
  const [, , , weight, last] = parts as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
  const used = new Uint8Array(n);
  let unused = n;
  for (let row = 0; row < weight.length && unused > 0; row += n) {
    for (let r = 0; r < n; r++) {
      if (used[r] === 1 || !(weight[row + r]! > 0 || !Number.isNaN(last[row + r]!))) continue;
      used[r] = 1;
      unused--;
    }
  }
  if (unused === 0) return all;
  const kept = [...used.keys()].filter((r) => used[r] === 1);
  // A scope without a known value has its times all the same.
  if (kept.length === n || kept.length === 0) return all;
  const series = weight.length / n;
  const fewer = parts.map((part) => {
    const out = new Float64Array(series * kept.length);
    for (let s = 0; s < series; s++) for (const [i, r] of kept.entries()) out[s * kept.length + i] = part[s * n + r]!;
    return out;
  });
  const times = Float64Array.from(kept, (r) => all.times[r]!);
  return new BucketRows(times, all.counterCounts[0]!, all.gaugeCounts[0]!, fewer);
}

/** Those that begin up to a time. */
export function rowsUpTo(rows: ColumnRows, last: number): ColumnRows {
  const n = firstRow(rows.times, last + MOMENT);
  if (n === rows.times.length) return rows;
  return {
    times: rows.times.subarray(0, n),
    gaps: rows.gaps,
    counterCounts: rows.counterCounts.subarray(0, n),
    gaugeCounts: rows.gaugeCounts.subarray(0, n),
    counter: (place, part) => rows.counter(place, part),
    gauge: (place, part) => rows.gauge(place, part),
  };
}

/** Puts buckets of one scope together, in the order of time, into buckets of a width in ms. */
export function mergeBuckets(sources: readonly ColumnRows[], width: number): BucketRows {
  const starts = new Set<number>();
  let [counters, gauges] = [0, 0];
  for (const { times, counterCounts, gaugeCounts } of sources) {
    for (const time of times) starts.add(Math.floor(time / width) * width);
    counters = Math.max(counters, counterCounts.at(-1) ?? 0);
    gauges = Math.max(gauges, gaugeCounts.at(-1) ?? 0);
  }
  const times = Float64Array.from([...starts].sort((a, b) => a - b));
  const pointOf = new Map(Array.from(times, (time, i) => [time, i]));
  const n = times.length;
  const cells = n * (counters + gauges);
  const [min, max, last] = [new Float64Array(cells), new Float64Array(cells), new Float64Array(cells)];
  for (const part of [min, max, last]) part.fill(NaN);
  const [sum, weight] = [new Float64Array(cells), new Float64Array(cells)];
  for (const source of sources) {
    const points = Int32Array.from(source.times, (time) => pointOf.get(Math.floor(time / width) * width)!);
    const own = source.counterCounts.at(-1) ?? 0;
    const series = own + (source.gaugeCounts.at(-1) ?? 0);
    for (let s = 0; s < series; s++) {
      const row = n * (s < own ? s : counters + s - own);
      const part = (p: number): Float64Array => (s < own ? source.counter(s, p) : source.gauge(s - own, p));
      const [mins, maxs, sums, weights, lasts] = [part(0), part(1), part(2), part(3), part(4)];
      for (let r = 0; r < points.length; r++) {
        const cell = row + points[r]!;
        if (weights[r]! > 0) {
          sum[cell]! += sums[r]!;
          weight[cell]! += weights[r]!;
          if (!(min[cell]! <= mins[r]!)) min[cell] = mins[r]!;
          if (!(max[cell]! >= maxs[r]!)) max[cell] = maxs[r]!;
        }
        if (Number.isFinite(lasts[r]!)) last[cell] = lasts[r]!;
      }
    }
  }
  return new BucketRows(times, counters, gauges, [min, max, sum, weight, last]);
}
