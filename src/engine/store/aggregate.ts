/**
 * From samples to what a chart needs: every sample as a point of its own when they are few, else equal buckets.
 *
 * The rate of a counter between two samples is increase / elapsed and belongs to the bucket of the later sample. A
 * smaller total than before is a restart of the counter: the new total is the increase. Over a gap there is no rate. A
 * bucket's avg is all its increase over all its elapsed time, so that samples at uneven distances weigh what they last;
 * min and max are of the single rates, so that no spike hides.
 *
 * A counter that is NaN was not sampled at that time (history keeps detail every ten seconds): what it has grown by is
 * spread evenly over the time since it was last known.
 *
 * Samples are visited once, in order, and nothing is kept but the buckets: memory is points × series.
 */

import type { RangeResult } from '../../shared/api/query.ts';
import type { Columns } from '../../shared/frame.ts';
import { parseMetric } from '../../shared/model/metric.ts';
import { scopeKind } from '../../shared/model/scope.ts';
import type { SeriesDef } from '../../shared/model/series.ts';
import { GAUGE_WIDTH, type Kind } from '../../shared/model/values.ts';

/** Most points × series of one answer (about 32 MB of columns). More series means wider buckets. */
const MAX_CELLS = 1_000_000;

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NICE_STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
];

/** Smallest nice width in ms with which at most `points` buckets hold every time from 0 to `span`, both included. */
export function niceStep(span: number, points: number): number {
  // Not `>=`: a span that is not a number ends the search too.
  const enough = (step: number): boolean => !(Math.floor(span / step) >= points);
  const nice = NICE_STEPS.find(enough);
  if (nice !== undefined) return nice;
  for (let days = 1; ; days *= 2) if (enough(days * DAY)) return days * DAY;
}

/** Points an answer of this many series may have. */
export function pointLimit(maxPoints: number, seriesCount: number): number {
  return Math.max(2, Math.min(Math.floor(maxPoints), Math.floor(MAX_CELLS / Math.max(1, seriesCount))));
}

/** A series of an answer. */
export interface RangeTarget {
  readonly key: string;
  readonly name: string;
  readonly kind: Kind;
}

/**
 * Series asked for by key, in that order; no keys: all of them. Several schemas are one scope over several starts of
 * the engine, newest first: a series is then what the newest says.
 */
export function chooseTargets(schemas: readonly (readonly SeriesDef[])[], keys: readonly string[]): RangeTarget[] {
  const known = new Map<string, RangeTarget>();
  for (const schema of schemas) {
    for (const { name, kind } of schema) {
      const { key } = parseMetric(name);
      if (!known.has(key)) known.set(key, { key, name, kind });
    }
  }
  if (keys.length === 0) return [...known.values()];
  return [...new Set(keys)].flatMap((key) => known.get(key) ?? []);
}

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
}

export interface RangePlan {
  readonly scope: string;
  /** First and last time, both included, ms. */
  readonly from: number;
  readonly to: number;
  /** As {@link pointLimit} gives it. */
  readonly limit: number;
  /** Samples between from and to; any number above `limit` stands for too many. */
  readonly samples: number;
  readonly targets: readonly RangeTarget[];
}

export class RangeBuilder {
  readonly #plan: RangePlan;
  readonly #step: number;
  readonly #points: number;
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
    const raw = plan.samples <= plan.limit || plan.from > plan.to;
    this.#step = raw ? 0 : niceStep(plan.to - plan.from, plan.limit);
    this.#points = raw ? plan.samples : Math.floor((plan.to - plan.from) / this.#step) + 1;
    const cells = this.#points * plan.targets.length;
    this.#times = Float64Array.from({ length: this.#points }, (_, i) => (raw ? NaN : plan.from + i * this.#step));
    this.#min = new Float64Array(raw ? 0 : cells).fill(NaN);
    this.#max = new Float64Array(raw ? 0 : cells).fill(NaN);
    this.#last = new Float64Array(cells).fill(NaN);
    this.#sum = new Float64Array(cells);
    this.#weight = new Float64Array(cells);
    this.#places = new Int32Array(plan.targets.length).fill(-1);
    this.#previous = new Float64Array(plan.targets.length).fill(NaN);
    this.#previousTime = new Float64Array(plan.targets.length).fill(NaN);
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
    this.#remember(time, columns);
  }

  /** Samples in order of time. A gap: the time before this sample was not observed. */
  add(time: number, gap: boolean, columns: Columns): void {
    const point = this.#step === 0 ? this.#next : Math.floor((time - this.#plan.from) / this.#step);
    // More samples than announced, or one outside the range: left out rather than written elsewhere.
    if (point < 0 || point >= this.#points) return;
    if (this.#step === 0) this.#times[this.#next++] = time;
    if (gap) this.#previousTime.fill(NaN);
    const { targets } = this.#plan;
    for (let s = 0; s < targets.length; s++) {
      const place = this.#places[s]!;
      if (place < 0) continue;
      const cell = s * this.#points + point;
      if (targets[s]!.kind === 'counter') {
        if (place >= columns.counterCount) continue;
        const total = columns.counters[place]!;
        if (!Number.isFinite(total)) continue;
        const before = this.#previous[s]!;
        const since = this.#previousTime[s]!;
        const grown = total < before ? total : total - before;
        if (since < this.#time) this.#spread(s, grown, total, time, point);
        else if (time > since) this.#value(cell, grown, (time - since) / SECOND);
        this.#last[cell] = total;
      } else {
        if (place >= columns.gaugeCount) continue;
        const at = GAUGE_WIDTH * place;
        const hits = columns.gauges[at + 2]!;
        const value = hits > 0 ? columns.gauges[at + 3]! / hits : NaN;
        this.#value(cell, value, 1);
        if (Number.isFinite(value)) this.#last[cell] = value;
      }
    }
    this.#remember(time, columns);
  }

  finish(): RangeColumns {
    const { scope, from, to, targets } = this.#plan;
    const avg = this.#sum;
    for (let i = 0; i < avg.length; i++) avg[i] = this.#weight[i]! > 0 ? avg[i]! / this.#weight[i]! : NaN;
    const found = this.#step === 0 ? this.#next : this.#points;
    // Fewer samples came than were counted (they were removed meanwhile): the columns are packed anew.
    const fit = (column: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> =>
      found === this.#points || column.length === 0 ? column : packed(column, this.#points, found);
    return {
      ...{ scope, from, to, targets, step: this.#step },
      ...{ times: this.#times.slice(0, found), min: this.#min, max: this.#max, avg: fit(avg), last: fit(this.#last) },
    };
  }

  /** Adds a value, or an increase with the seconds it took. Not finite (no sample before, an overflow): nothing. */
  #value(cell: number, amount: number, weight: number): void {
    const value = amount / weight;
    if (!Number.isFinite(value)) return;
    this.#sum[cell]! += amount;
    this.#weight[cell]! += weight;
    if (this.#step === 0) return;
    if (!(this.#min[cell]! <= value)) this.#min[cell] = value;
    if (!(this.#max[cell]! >= value)) this.#max[cell] = value;
  }

  /** A counter's growth over several samples, up to the one at `time`: as if it had been even. */
  #spread(s: number, grown: number, total: number, time: number, point: number): void {
    const { from } = this.#plan;
    const row = s * this.#points;
    const since = this.#previousTime[s]!;
    const perMs = grown / (time - since);
    // 0 after a restart.
    const start = total - grown;
    if (this.#step === 0) {
      for (let p = point; p >= 0 && this.#times[p]! > since; p--) {
        this.#value(row + p, perMs * SECOND, 1);
        this.#last[row + p] = start + perMs * (this.#times[p]! - since);
      }
      return;
    }
    for (let p = Math.max(0, Math.floor((since - from) / this.#step)); p <= point; p++) {
      const end = Math.min(time, from + (p + 1) * this.#step);
      const ms = end - Math.max(since, from + p * this.#step);
      if (!(ms > 0)) continue;
      this.#value(row + p, perMs * ms, ms / SECOND);
      this.#last[row + p] = start + perMs * (end - since);
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

export function toRangeResult(columns: RangeColumns): RangeResult {
  const { scope, from, to, step, targets, times } = columns;
  const points = times.length;
  const part = (column: Float64Array, s: number): (number | null)[] => {
    const out: (number | null)[] = [];
    for (let i = s * points; i < (s + 1) * points; i++) {
      const value = column[i]!;
      out.push(Number.isFinite(value) ? value : null);
    }
    return out;
  };
  return {
    ...{ scope, from, to, step, times: Array.from(times) },
    series: targets.map(({ key, name, kind }, s) => {
      const avg = part(columns.avg, s);
      const own = step !== 0;
      const min = own ? part(columns.min, s) : avg;
      return { key, name, kind, min, avg, max: own ? part(columns.max, s) : avg, last: part(columns.last, s) };
    }),
  };
}
