/**
 * From samples to what a chart needs: every sample as a point of its own when they are few, else equal buckets.
 *
 * The rate of a counter between two samples is increase / elapsed and belongs to the bucket of the later sample. A
 * smaller total than before is a restart of the counter: the new total is the increase. Over a gap there is no rate. A
 * bucket's avg is all its increase over all its elapsed time, so that samples at uneven distances weigh what they last;
 * min and max are of the single rates, so that no spike hides. An interval much shorter than the one before it is joined to
 * that one (shared/model/intervals.ts), where both are in the range. Buckets of whole minutes are made of what blocks have
 * of each minute, which cannot be taken apart: there a bucket of which only a moment was observed is joined to the one before.
 *
 * A counter that is NaN was not sampled at that time (history keeps detail every ten seconds): what it has grown by is
 * spread evenly over the time since it was last known.
 *
 * Samples are visited once, in order, and nothing is kept but the buckets: memory is points × series.
 */

import type { Columns } from '../../shared/frame.ts';
import { isShort, JoinedIntervals } from '../../shared/model/intervals.ts';
import { parseMetric } from '../../shared/model/metric.ts';
import { scopeKind } from '../../shared/model/scope.ts';
import type { SeriesDef } from '../../shared/model/series.ts';
import { GAUGE_WIDTH } from '../../shared/model/values.ts';
import { gridOf, isAligned, type Grid, type RangePlan, type RangeTarget } from './range-plan.ts';

const SECOND = 1000;
/** A bucket of whole minutes is taken to be of so many intervals: a moment is much shorter than one of these. */
const MOMENTS = 60;
/** Values of a step. */
const STEP_VALUES = 65_536;

/** A {@link RangeResult} as columns, series after series; NaN stands for null. Cheap to hand to another thread. */
export interface RangeColumns {
  readonly scope: string;
  readonly from: number;
  readonly to: number;
  readonly step: number;
  readonly targets: readonly RangeTarget[];
  readonly times: Float64Array<ArrayBuffer>;
  /** min, max: empty when every sample is a point of its own; they are the avg then. */
  readonly min: Float64Array<ArrayBuffer>;
  readonly avg: Float64Array<ArrayBuffer>;
  readonly max: Float64Array<ArrayBuffer>;
  readonly last: Float64Array<ArrayBuffer>;
  /** Elapsed seconds of counters, number of values of gauges. */
  readonly weight: Float64Array<ArrayBuffer>;
}

/** Rows of samples or of a tier's buckets, column by column, as blocks have them. */
export interface ColumnRows {
  readonly times: Float64Array;
  readonly gaps: Uint8Array;
  readonly counterCounts: Uint32Array;
  readonly gaugeCounts: Uint32Array;
  counter(place: number, part: number): Float64Array;
  gauge(place: number, part: number): Float64Array;
}

/** What the first rates of a range count from. */
export interface RangeState {
  /** Of the last sample, ms; NaN: there was none. */
  readonly time: number;
  /** Last known total of each counter and its time; NaN: none. */
  readonly previous: Float64Array;
  readonly previousTime: Float64Array;
}

/** Parts of a bucket's counters (all of rates but the last, which is a total) and gauges, in order. */
export const BUCKET_PARTS = 5;

export class RangeBuilder {
  readonly #plan: RangePlan;
  readonly grid: Grid;
  readonly #step: number;
  readonly #points: number;
  /** Short intervals are joined as they come. */
  readonly #joins: boolean;
  /** The buckets do not follow one another closely. */
  readonly #sparse: boolean;
  readonly #times: Float64Array<ArrayBuffer>;
  readonly #min: Float64Array<ArrayBuffer>;
  readonly #max: Float64Array<ArrayBuffer>;
  readonly #last: Float64Array<ArrayBuffer>;
  /** Increase of counters, sum of gauges. */
  readonly #sum: Float64Array<ArrayBuffer>;
  /** Elapsed seconds of counters, number of values of gauges. */
  readonly #weight: Float64Array<ArrayBuffer>;
  /** Place of each target in the samples that come; -1 where it is not among them. */
  readonly #places: Int32Array;
  /** Last known total of each counter, and its time; NaN: none. */
  readonly #previous: Float64Array;
  readonly #previousTime: Float64Array;
  /** Lengths in seconds; of whole minutes there are none. */
  readonly #intervals: JoinedIntervals;
  /** Point of each counter's last interval that stands for itself. */
  readonly #basePoint: Int32Array;
  /** Of the last sample. */
  #time = NaN;
  #next = 0;
  /**
   * What a counter stood at before its first sample: clients of a run tell increases, so theirs began at 0 with the run.
   * A node's counters are the kernel's totals since long ago.
   */
  readonly #unseen: number;

  constructor(plan: RangePlan) {
    this.#plan = plan;
    const kind = scopeKind(plan.scope);
    this.#unseen = kind === 'run' || kind === 'rank' ? 0 : NaN;
    this.grid = gridOf(plan);
    const { step, points, origin } = this.grid;
    const raw = step === 0;
    this.#step = step;
    this.#joins = !isAligned(step);
    this.#points = points;
    const cells = this.#points * plan.targets.length;
    this.#sparse = plan.starts !== undefined;
    this.#times = plan.starts ?? Float64Array.from({ length: this.#points }, (_, i) => (raw ? NaN : origin + i * step));
    this.#min = new Float64Array(raw ? 0 : cells).fill(NaN);
    this.#max = new Float64Array(raw ? 0 : cells).fill(NaN);
    this.#last = new Float64Array(cells).fill(NaN);
    this.#sum = new Float64Array(cells);
    this.#weight = new Float64Array(cells);
    this.#places = new Int32Array(plan.targets.length).fill(-1);
    this.#previous = new Float64Array(plan.targets.length).fill(NaN);
    this.#previousTime = new Float64Array(plan.targets.length).fill(NaN);
    this.#intervals = new JoinedIntervals(plan.targets.length);
    this.#basePoint = new Int32Array(plan.targets.length);
  }

  get targets(): readonly RangeTarget[] {
    return this.#plan.targets;
  }

  /** Tells where the samples that follow have their series. */
  bind(schema: readonly SeriesDef[]): void {
    const byKey = new Map(this.#plan.targets.map((target, i) => [target.key, i]));
    this.#places.fill(-1);
    for (const { kind, index, name } of schema) {
      const i = byKey.get(parseMetric(name).key);
      if (i !== undefined && this.#plan.targets[i]!.kind === kind) this.#places[i] = index;
    }
  }

  /** Samples before the range, in order, the last one at least: what its first rates count from. */
  base(time: number, gap: boolean, columns: Columns): void {
    if (gap) this.#previousTime.fill(NaN);
    this.#intervals.forgetAll();
    this.#remember(time, columns);
  }

  /** Samples in order of time. A gap: the time before this sample was not observed. */
  add(time: number, gap: boolean, columns: Columns): void {
    const point = this.#step === 0 ? this.#next : this.#pointOf(time);
    // More samples than announced, or one outside the range: left out rather than written elsewhere.
    if (point < 0 || point >= this.#points) return;
    if (this.#step === 0) this.#times[this.#next++] = time;
    if (gap) this.forget();
    const { targets } = this.#plan;
    for (let s = 0; s < targets.length; s++) {
      const place = this.#places[s]!;
      if (place < 0) continue;
      const cell = s * this.#points + point;
      if (targets[s]!.kind === 'counter') {
        if (place < columns.counterCount) this.#counter(s, columns.counters[place]!, time, point);
      } else {
        if (place >= columns.gaugeCount) continue;
        const at = GAUGE_WIDTH * place;
        this.#gauge(cell, columns.gauges[at + 2]!, columns.gauges[at + 3]!);
      }
    }
    this.#remember(time, columns);
  }

  /** Rows of samples, as {@link add} takes them one by one. */
  addRows(rows: ColumnRows, start: number, end: number): void {
    for (const _ of this.addRowsInSteps(rows, start, end));
  }

  /** The same, in steps of about a millisecond. */
  *addRowsInSteps(rows: ColumnRows, start: number, end: number): Generator<void, void> {
    const { times } = rows;
    const points = new Int32Array(Math.max(0, end - start));
    for (let r = start; r < end; r++) {
      const point = this.#step === 0 ? this.#next : this.#pointOf(times[r]!);
      points[r - start] = point >= 0 && point < this.#points ? point : -1;
      if (this.#step === 0 && point < this.#points) this.#times[this.#next++] = times[r]!;
    }
    const before = this.#time;
    let values = 0;
    for (let s = 0; s < this.#places.length; s++) {
      const place = this.#places[s]!;
      if (this.#plan.targets[s]!.kind === 'gauge') this.#gaugeRows(s, place, rows, start, end, points);
      else this.#counterRows(s, place, rows, start, end, points, before);
      values += end - start;
      if (values < STEP_VALUES) continue;
      values = 0;
      yield;
    }
    if (end > start) this.#time = times[end - 1]!;
  }

  /** Rows of samples before the range, the last of them last. */
  baseRows(rows: ColumnRows, start: number, end: number): void {
    for (const _ of this.baseRowsInSteps(rows, start, end));
  }

  /** The same, in steps of about a millisecond. */
  *baseRowsInSteps(rows: ColumnRows, start: number, end: number): Generator<void, void> {
    const before = this.#time;
    let values = 0;
    for (let s = 0; s < this.#places.length; s++) {
      if (this.#plan.targets[s]!.kind !== 'counter') continue;
      this.#counterRows(s, this.#places[s]!, rows, start, end, null, before);
      values += end - start;
      if (values < STEP_VALUES) continue;
      values = 0;
      yield;
    }
    if (end > start) this.#time = rows.times[end - 1]!;
  }

  /** Buckets of a tier, none wider than a point. `last`: time of the last sample in them. */
  addBuckets(rows: ColumnRows, start: number, end: number, last: number): void {
    for (let s = 0; s < this.#places.length; s++) {
      const place = this.#places[s]!;
      const isCounter = this.#plan.targets[s]!.kind === 'counter';
      const known = isCounter ? rows.counterCounts : rows.gaugeCounts;
      const has = place >= 0 && end > start && place < known[end - 1]!;
      let total = isCounter && !has ? this.#unseen : NaN;
      if (has) {
        const [min, max, sum, weight, lasts] = Array.from({ length: BUCKET_PARTS }, (_, part) =>
          isCounter ? rows.counter(place, part) : rows.gauge(place, part),
        ) as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
        for (let r = start; r < end; r++) {
          if (known[r]! <= place) continue;
          const point = this.#pointOf(rows.times[r]!);
          if (point < 0 || point >= this.#points) continue;
          const cell = s * this.#points + point;
          if (weight[r]! > 0) {
            this.#sum[cell]! += sum[r]!;
            this.#weight[cell]! += weight[r]!;
            if (!(this.#min[cell]! <= min[r]!)) this.#min[cell] = min[r]!;
            if (!(this.#max[cell]! >= max[r]!)) this.#max[cell] = max[r]!;
          }
          if (Number.isFinite(lasts[r]!)) this.#last[cell] = total = lasts[r]!;
        }
      }
      if (!isCounter || Number.isNaN(total)) continue;
      this.#previous[s] = total;
      this.#previousTime[s] = last;
      this.#intervals.forget(s);
    }
    this.#time = last;
  }

  /** What was known does not count: what counts instead is told next. */
  forget(): void {
    this.#previousTime.fill(NaN);
    this.#intervals.forgetAll();
  }

  /** Goes on where another builder of the same targets has ended. */
  resume({ time, previous, previousTime }: RangeState): void {
    this.#time = time;
    this.#previous.set(previous);
    this.#previousTime.set(previousTime);
  }

  /** A state of fewer counters, with what those that were not known then count from. */
  widened({ time, previous, previousTime }: RangeState, counters: number): RangeState {
    const wide = new Float64Array(counters).fill(this.#unseen);
    const wideTime = new Float64Array(counters).fill(time);
    wide.set(previous.subarray(0, counters));
    wideTime.set(previousTime.subarray(0, counters));
    return { time, previous: wide, previousTime: wideTime };
  }

  /** Of the first `count` targets. */
  state(count: number): RangeState {
    const [previous, previousTime] = [this.#previous.slice(0, count), this.#previousTime.slice(0, count)];
    return { time: this.#time, previous, previousTime };
  }

  /** Every target has its own place: counters first, then gauges, as in a schema. */
  bindInOrder(counters: number): void {
    for (let s = 0; s < this.#places.length; s++) this.#places[s] = s < counters ? s : s - counters;
  }

  #pointOf(time: number): number {
    if (!this.#sparse) return Math.floor((time - this.grid.origin) / this.#step);
    const point = this.#firstAfter(time);
    return point < this.#points && this.#times[point]! <= time ? point : -1;
  }

  /** First bucket that ends after a time. */
  #firstAfter(time: number): number {
    if (!this.#sparse) return Math.max(0, Math.floor((time - this.grid.origin) / this.#step));
    let [low, high] = [0, this.#points];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#times[middle]! + this.#step <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** `points` of the rows; null: they are before the range. `before`: time of the sample before them. */
  #counterRows(
    s: number,
    place: number,
    rows: ColumnRows,
    start: number,
    end: number,
    points: Int32Array | null,
    before: number,
  ): void {
    const { times, gaps, counterCounts } = rows;
    const column = place >= 0 && end > start && place < counterCounts[end - 1]! ? rows.counter(place, 0) : null;
    const first = s * this.#points;
    // Of the innermost loop of all: nothing but numbers in it, and no call that would make objects of them.
    const sums = this.#sum;
    const weights = this.#weight;
    const lasts = this.#last;
    const mins = this.#min;
    const maxs = this.#max;
    const wide = this.#step !== 0;
    let previous = this.#previous[s]!;
    let since = this.#previousTime[s]!;
    let last = before;
    const intervals = this.#intervals;
    const joins = this.#joins;
    let base = points === null ? NaN : intervals.base(s);
    let joined = intervals.joined(s);
    let baseGrown = intervals.grown(s);
    let basePoint = this.#basePoint[s]!;
    for (let r = start; r < end; r++) {
      const time = times[r]!;
      if (gaps[r] === 1) since = base = NaN;
      if (column === null || counterCounts[r]! <= place) {
        previous = this.#unseen;
        since = time;
        base = NaN;
      } else {
        const total = column[r]!;
        const point = points === null ? -1 : points[r - start]!;
        if (point >= 0 && total - total === 0) {
          const grown = total < previous ? total : total - previous;
          const cell = first + point;
          if (since < last) {
            this.#spread(s, grown, total, since, time, point);
            base = NaN;
          } else if (time > since) {
            const seconds = (time - since) / SECOND;
            const value = grown / seconds;
            if (isShort(seconds, base, joined)) {
              if (joined === 0) this.#begin(s, basePoint, base, baseGrown);
              joined += seconds;
              this.#join(s, point, seconds, grown);
            } else if (value - value === 0) {
              if (joins) base = seconds;
              joined = 0;
              baseGrown = grown;
              basePoint = point;
              sums[cell]! += grown;
              weights[cell]! += seconds;
              if (wide) {
                if (!(mins[cell]! <= value)) mins[cell] = value;
                if (!(maxs[cell]! >= value)) maxs[cell] = value;
              }
            }
          }
          lasts[cell] = total;
        }
        if (total === total) {
          previous = total;
          since = time;
          if (point < 0) base = NaN;
        }
      }
      last = time;
    }
    this.#previous[s] = previous;
    this.#previousTime[s] = since;
    if (base !== base || !this.#joins) intervals.forget(s);
    else if (joined === 0) this.#begin(s, basePoint, base, baseGrown);
  }

  #gaugeRows(s: number, place: number, rows: ColumnRows, start: number, end: number, points: Int32Array): void {
    const { gaugeCounts } = rows;
    if (place < 0 || end <= start || place >= gaugeCounts[end - 1]!) return;
    const [hits, totals] = [rows.gauge(place, 2), rows.gauge(place, 3)];
    const first = s * this.#points;
    const sums = this.#sum;
    const weights = this.#weight;
    const lasts = this.#last;
    for (let r = start; r < end; r++) {
      const point = points[r - start]!;
      if (point < 0 || gaugeCounts[r]! <= place || !(hits[r]! > 0)) continue;
      const value = totals[r]! / hits[r]!;
      if (value - value !== 0) continue;
      const cell = first + point;
      sums[cell]! += value;
      weights[cell]!++;
      lasts[cell] = value;
      this.#widen(cell, value);
    }
  }

  /** A counter's total at a time, which falls into a point. */
  #counter(s: number, total: number, time: number, point: number): void {
    if (!Number.isFinite(total)) return;
    const cell = s * this.#points + point;
    const before = this.#previous[s]!;
    const since = this.#previousTime[s]!;
    const grown = total < before ? total : total - before;
    const seconds = (time - since) / SECOND;
    if (since < this.#time) {
      this.#spread(s, grown, total, since, time, point);
      this.#intervals.forget(s);
    } else if (time > since && this.#intervals.isShort(s, seconds)) this.#join(s, point, seconds, grown);
    else if (time > since && Number.isFinite(grown / seconds)) {
      if (this.#joins) this.#begin(s, point, seconds, grown);
      this.#value(cell, grown, seconds);
    }
    this.#last[cell] = total;
  }

  /** An interval that stands for itself. */
  #begin(s: number, point: number, seconds: number, grown: number): void {
    this.#intervals.begin(s, seconds, grown);
    this.#basePoint[s] = point;
  }

  /** One that is joined to it. */
  #join(s: number, point: number, seconds: number, grown: number): void {
    const told = this.#intervals.join(s, seconds, grown) * seconds;
    const base = s * this.#points + this.#basePoint[s]!;
    this.#value(s * this.#points + point, told, seconds);
    this.#sum[base]! += grown - told;
    this.#widen(base, this.#intervals.baseRate(s));
  }

  #gauge(cell: number, hits: number, total: number): void {
    const value = hits > 0 ? total / hits : NaN;
    this.#value(cell, value, 1);
    if (Number.isFinite(value)) this.#last[cell] = value;
  }

  /** What the buckets hold, series after series, before it is made into averages. */
  get parts(): Readonly<Record<'min' | 'max' | 'sum' | 'weight' | 'last', Float64Array>> {
    return { min: this.#min, max: this.#max, sum: this.#sum, weight: this.#weight, last: this.#last };
  }

  finish(): RangeColumns {
    const { scope, from, to, targets } = this.#plan;
    const avg = this.#sum;
    if (!this.#joins) this.#joinBuckets();
    for (let i = 0; i < avg.length; i++) avg[i] = this.#weight[i]! > 0 ? avg[i]! / this.#weight[i]! : NaN;
    const found = this.#step === 0 ? this.#next : this.#points;
    // Fewer samples came than were counted (they were removed meanwhile): the columns are packed anew.
    const fit = (column: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> =>
      found === this.#points || column.length === 0 ? column : packed(column, this.#points, found);
    return {
      ...{ scope, from, to, targets, step: this.#step },
      ...{ times: this.#times.slice(0, found), min: this.#min, max: this.#max, avg: fit(avg), last: fit(this.#last) },
      weight: fit(this.#weight),
    };
  }

  /** Buckets of which only a moment was observed, each with the one before it. */
  #joinBuckets(): void {
    const intervals = new JoinedIntervals(1);
    for (const [s, { kind }] of this.#plan.targets.entries()) {
      if (kind !== 'counter') continue;
      intervals.forgetAll();
      let base = 0;
      for (let cell = s * this.#points; cell < (s + 1) * this.#points; cell++) {
        const [seconds, grown] = [this.#weight[cell]!, this.#sum[cell]!];
        if (!(seconds > 0)) intervals.forgetAll();
        else if (intervals.isShort(0, MOMENTS * seconds)) {
          const rate = intervals.join(0, seconds, grown);
          this.#min[cell] = this.#max[cell] = rate;
          this.#sum[cell] = rate * seconds;
          this.#sum[base]! += grown - rate * seconds;
          this.#widen(base, intervals.baseRate(0));
        } else {
          intervals.begin(0, seconds, grown);
          base = cell;
        }
      }
    }
  }

  /** Adds a value, or an increase with the seconds it took. Not finite (no sample before, an overflow): nothing. */
  #value(cell: number, amount: number, weight: number): void {
    const value = amount / weight;
    if (!Number.isFinite(value)) return;
    this.#sum[cell]! += amount;
    this.#weight[cell]! += weight;
    this.#widen(cell, value);
  }

  #widen(cell: number, value: number): void {
    if (this.#step === 0) return;
    if (!(this.#min[cell]! <= value)) this.#min[cell] = value;
    if (!(this.#max[cell]! >= value)) this.#max[cell] = value;
  }

  /** A counter's growth from `since` over several samples, up to the one at `time`: as if it had been even. */
  #spread(s: number, grown: number, total: number, since: number, time: number, point: number): void {
    const row = s * this.#points;
    const perMs = grown / (time - since);
    // 0 after a restart.
    const begin = total - grown;
    if (this.#step === 0) {
      for (let p = point; p >= 0 && this.#times[p]! > since; p--) {
        this.#value(row + p, perMs * SECOND, 1);
        this.#last[row + p] = begin + perMs * (this.#times[p]! - since);
      }
      return;
    }
    for (let p = this.#firstAfter(since); p <= point; p++) {
      const start = this.#times[p]!;
      const end = Math.min(time, start + this.#step);
      const ms = end - Math.max(since, start);
      if (!(ms > 0)) continue;
      this.#value(row + p, perMs * ms, ms / SECOND);
      this.#last[row + p] = begin + perMs * (end - since);
    }
  }

  #remember(time: number, columns: Columns): void {
    this.#time = time;
    const { targets } = this.#plan;
    for (let s = 0; s < targets.length; s++) {
      const place = this.#places[s]!;
      if (targets[s]!.kind !== 'counter') continue;
      const total = place >= 0 && place < columns.counterCount ? columns.counters[place]! : this.#unseen;
      // Not sampled: the next total counts from the last known one.
      if (Number.isNaN(total) && place >= 0 && place < columns.counterCount) continue;
      this.#previous[s] = total;
      this.#previousTime[s] = time;
    }
  }
}

/** The first `to` of every `from` numbers. */
function packed(column: Float64Array<ArrayBuffer>, from: number, to: number): Float64Array<ArrayBuffer> {
  const rows = column.length / from;
  const out = new Float64Array(rows * to);
  for (let r = 0; r < rows; r++) out.set(column.subarray(r * from, r * from + to), r * to);
  return out;
}
