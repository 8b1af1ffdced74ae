/**
 * Buckets of a minute and of an hour, made from samples as blocks are sealed and from finer buckets after that; never
 * from what lies on the disk already. A bucket that straddles two blocks is in both, in part, and is put together when
 * it is read.
 */

import { BUCKET_PARTS, RangeBuilder, type ColumnRows, type RangeState } from './aggregate.ts';
import type { Block, BlockRows, BlockShape } from './block/index.ts';
import { MOMENT } from './block-table.ts';
import { TIER_WIDTH, type RangeTarget } from './range-plan.ts';
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
  /** By part, series after series, each `stride` long, of which those from `offset` on count. */
  readonly #parts: readonly Float64Array[];
  readonly #counters: number;
  readonly #stride: number;
  readonly #offset: number;

  constructor(
    times: Float64Array<ArrayBuffer>,
    counters: number,
    gauges: number,
    parts: readonly Float64Array[],
    stride = times.length,
    offset = 0,
  ) {
    this.times = times;
    this.counterCounts = new Uint32Array(times.length).fill(counters);
    this.gaugeCounts = new Uint32Array(times.length).fill(gauges);
    this.#counters = counters;
    this.#parts = parts;
    this.#stride = stride;
    this.#offset = offset;
  }

  counter(place: number, part: number): Float64Array {
    const begin = place * this.#stride + this.#offset;
    return this.#parts[part]!.subarray(begin, begin + this.times.length);
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

/** `state`: what the samples before have left; null: they are the first ones. Yields between steps. */
export function* minutesFrom(scope: string, rows: ColumnRows, state: RangeState | null): Generator<void, Minutes> {
  const n = rows.times.length;
  const [counters, gauges] = [rows.counterCounts[n - 1]!, rows.gaugeCounts[n - 1]!];
  const targets = Array.from({ length: counters + gauges }, (_, s) => (s < counters ? COUNTER : GAUGE));
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
  yield* builder.addRowsInSteps(rows, 0, n);
  const { min, max, sum, weight, last } = builder.parts;
  const buckets = withoutEmpty(starts, counters, gauges, { min, max, sum, weight, last });
  return { buckets, state: builder.state(counters) };
}

/** Leaves out buckets in which nothing is known of any series. */
function withoutEmpty(
  times: Float64Array<ArrayBuffer>,
  counters: number,
  gauges: number,
  { min, max, sum, weight, last }: RangeBuilder['parts'],
): BucketRows {
  const n = times.length;
  const parts = [min, max, sum, weight, last];
  let empty = Array.from({ length: n }, (_, r) => r);
  for (let row = 0; row < weight.length && empty.length > 0; row += n) {
    empty = empty.filter((r) => !(weight[row + r]! > 0) && Number.isNaN(last[row + r]!));
  }
  // A scope without a known value has its times all the same.
  if (empty.length === 0 || empty.length === n) return new BucketRows(times, counters, gauges, parts);
  const isEmpty = new Uint8Array(n);
  for (const r of empty) isEmpty[r] = 1;
  const [first, end] = [isEmpty.indexOf(0), isEmpty.lastIndexOf(0) + 1];
  // Mostly the first one, which the block before has: nothing is copied for that.
  if (end - first === n - empty.length)
    return new BucketRows(times.subarray(first, end), counters, gauges, parts, n, first);
  const kept = Int32Array.from(times.keys()).filter((r) => isEmpty[r] === 0);
  const fewer = parts.map((part) => {
    const out = new Float64Array((part.length / n) * kept.length);
    for (let at = 0, row = 0; at < out.length; row += n) {
      for (let i = 0; i < kept.length; i++) out[at++] = part[row + kept[i]!]!;
    }
    return out;
  });
  return new BucketRows(
    Float64Array.from(kept, (r) => times[r]!),
    counters,
    gauges,
    fewer,
  );
}

/** Buckets, one series at a time: all parts of it at once. Its arrays hold until the next one is asked for. */
export interface BucketSource {
  readonly times: Float64Array;
  readonly counters: number;
  readonly gauges: number;
  counterParts(place: number): readonly Float64Array[];
  gaugeParts(place: number): readonly Float64Array[];
}

/** Those that are at hand. */
export const sourceOf = (rows: BucketRows): BucketSource => ({
  times: rows.times,
  counters: rows.counterCounts.at(-1) ?? 0,
  gauges: rows.gaugeCounts.at(-1) ?? 0,
  counterParts: (place) => PARTS.map((part) => rows.counter(place, part)),
  gaugeParts: (place) => PARTS.map((part) => rows.gauge(place, part)),
});

/** Those of a block that begin up to a time. Throws BlockError as they are read. */
export const sourceOfBlock = (block: Block, last: number): BucketSource => ({
  times: block.times.subarray(0, firstRow(block.times, last + MOMENT)),
  counters: block.counters,
  gauges: block.gauges,
  counterParts: (place) => block.counterParts(place),
  gaugeParts: (place) => block.gaugeParts(place),
});

/**
 * Buckets of one scope out of several sources, in the order of time, put together into buckets of a width in ms; each
 * series as it is asked for, so that thousands of them are never held at once. Ask for all parts of a series before those
 * of the next one.
 */
export class MergedBuckets implements BlockRows {
  readonly times: Float64Array<ArrayBuffer>;
  readonly intervals = NO_NUMBERS;
  readonly sequences = NO_COUNTS;
  readonly gaps = NO_GAPS;
  readonly counterCounts: Uint32Array;
  readonly gaugeCounts: Uint32Array;
  readonly #sources: readonly { readonly source: BucketSource; readonly points: Int32Array | null }[];
  #parts: readonly Float64Array[];
  readonly #coarser: CoarserBuckets | null;
  /** Which series {@link #parts} are of: counters before gauges. */
  #series = -1;

  /** `coarserWidth`: what {@link coarser} is made of on the way; 0: nothing. */
  constructor(sources: readonly BucketSource[], width: number, coarserWidth: number) {
    const [only] = sources;
    if (sources.length === 1 && only && isAligned(only.times, width)) {
      // Most scopes that are sampled once a minute: there is nothing to put together.
      this.times = Float64Array.from(only.times);
      this.counterCounts = new Uint32Array(this.times.length).fill(only.counters);
      this.gaugeCounts = new Uint32Array(this.times.length).fill(only.gauges);
      this.#sources = [{ source: only, points: null }];
      this.#parts = [];
      this.#coarser =
        coarserWidth > 0 ? new CoarserBuckets(this.times, only.counters, only.gauges, coarserWidth) : null;
      return;
    }
    const starts = new Set<number>();
    let [counters, gauges] = [0, 0];
    for (const source of sources) {
      for (const time of source.times) starts.add(Math.floor(time / width) * width);
      // What is known of it has been told by the last one of its rows that count.
      counters = Math.max(counters, source.counters);
      gauges = Math.max(gauges, source.gauges);
    }
    this.times = Float64Array.from(starts).sort();
    const n = this.times.length;
    this.counterCounts = new Uint32Array(n).fill(counters);
    this.gaugeCounts = new Uint32Array(n).fill(gauges);
    const pointOf = new Map(Array.from(this.times, (time, i) => [time, i]));
    this.#sources = sources.map((source) => ({
      source,
      points: Int32Array.from(source.times, (time) => pointOf.get(Math.floor(time / width) * width)!),
    }));
    this.#parts = PARTS.map(() => new Float64Array(n));
    this.#coarser = coarserWidth > 0 ? new CoarserBuckets(this.times, counters, gauges, coarserWidth) : null;
  }

  /** Wider buckets of all series that were asked for. */
  get coarser(): BucketRows | null {
    return this.#coarser?.buckets ?? null;
  }

  counter(place: number, part: number): Float64Array {
    this.#merge(place, place, true);
    return this.#parts[part]!;
  }

  gauge(place: number, part: number): Float64Array {
    this.#merge((this.counterCounts[0] ?? 0) + place, place, false);
    return this.#parts[part]!;
  }

  #merge(series: number, place: number, isCounter: boolean): void {
    if (series === this.#series) return;
    if (this.#sources[0]?.points !== null) clear(this.#parts);
    for (const { source, points } of this.#sources) {
      if (place >= (isCounter ? source.counters : source.gauges)) continue;
      const parts = isCounter ? source.counterParts(place) : source.gaugeParts(place);
      if (points === null) this.#parts = parts;
      else addBuckets(parts, points, this.#parts, 0);
    }
    this.#series = series;
    this.#coarser?.add(series, this.#parts);
  }
}

/** Buckets that others fall into, all series of them. */
class CoarserBuckets {
  readonly #points: Int32Array;
  readonly #parts: readonly Float64Array[];
  readonly buckets: BucketRows;

  constructor(fine: Float64Array, counters: number, gauges: number, width: number) {
    const times: number[] = [];
    this.#points = Int32Array.from(fine, (time) => {
      const start = Math.floor(time / width) * width;
      if (times.at(-1) !== start) times.push(start);
      return times.length - 1;
    });
    this.#parts = PARTS.map(() => new Float64Array(times.length * (counters + gauges)));
    clear(this.#parts);
    this.buckets = new BucketRows(Float64Array.from(times), counters, gauges, this.#parts);
  }

  add(series: number, parts: readonly Float64Array[]): void {
    addBuckets(parts, this.#points, this.#parts, series * this.buckets.times.length);
  }
}

function clear(parts: readonly Float64Array[]): void {
  for (const [i, part] of parts.entries()) part.fill(i === 2 || i === 3 ? 0 : NaN);
}

/** Buckets that are of this width already, each once. */
const isAligned = (times: Float64Array, width: number): boolean =>
  times.every((time, i) => time % width === 0 && (i === 0 || time > times[i - 1]!));

/** Adds buckets to those of `into`, from `first` on, that they fall into. */
function addBuckets(
  from: readonly Float64Array[],
  points: Int32Array,
  into: readonly Float64Array[],
  first: number,
): void {
  const [mins, maxs, sums, weights, lasts] = from as Five;
  const [min, max, sum, weight, last] = into as Five;
  for (let r = 0; r < points.length; r++) {
    const cell = first + points[r]!;
    if (weights[r]! > 0) {
      sum[cell]! += sums[r]!;
      weight[cell]! += weights[r]!;
      if (!(min[cell]! <= mins[r]!)) min[cell] = mins[r]!;
      if (!(max[cell]! >= maxs[r]!)) max[cell] = maxs[r]!;
    }
    if (Number.isFinite(lasts[r]!)) last[cell] = lasts[r]!;
  }
}

type Five = readonly [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
const PARTS = Array.from({ length: BUCKET_PARTS }, (_, part) => part);
const COUNTER: RangeTarget = { key: '', name: '', kind: 'counter' };
const GAUGE: RangeTarget = { key: '', name: '', kind: 'gauge' };
