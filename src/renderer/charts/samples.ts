import type { Series } from '../../shared/model/described-series.ts';
import type { History } from '../data/history.ts';
import type { ScopeBuffer } from '../data/scopeBuffer.ts';

/** Where the numbers of a scope are: what was fetched, and after its end the live samples. */
export interface Samples {
  readonly buffer: ScopeBuffer | null;
  readonly history: History | null;
}

/** A value per point; null leaves the line out there. */
export type Points = (number | null)[];

export interface Plot {
  /** ms since the epoch, growing. */
  readonly xs: number[];
  readonly ys: Points[];
  /** Smallest and largest within each point's bucket, where points stand for more than one sample. */
  readonly lows: Points[];
  readonly highs: Points[];
  /** Points of `xs` that have lows and highs: the first ones. 0: none. */
  bucketed: number;
  /** Points that no line reaches from the one before, growing: the time between the two was not observed. */
  readonly breaks: number[];
}

export const emptyPlot = (): Plot => ({ xs: [], ys: [], lows: [], highs: [], bucketed: 0, breaks: [] });

const orNull = (value: number): number | null => (Number.isFinite(value) ? value : null);

/**
 * Fills `plot` with the points of some series of one scope in [from, to]. Counters as rates per second, or as totals.
 * Arrays are reused: this runs once per chart and second.
 */
export function readPlot(
  samples: Samples,
  series: readonly Series[],
  from: number,
  to: number,
  totals: boolean,
  plot: Plot,
): void {
  plot.ys.length = plot.lows.length = plot.highs.length = series.length;
  plot.breaks.length = 0;
  for (let i = 0; i < series.length; i++) {
    plot.ys[i] ??= [];
    plot.lows[i] ??= [];
    plot.highs[i] ??= [];
  }
  const stored = readHistory(samples.history, series, from, to, totals, plot);
  const live = readRing(samples.buffer, series, stored.end, from, to, totals, plot, stored.count);
  plot.xs.length = live;
  for (const column of [...plot.ys, ...plot.lows, ...plot.highs]) column.length = live;
}

function readHistory(
  history: History | null,
  series: readonly Series[],
  from: number,
  to: number,
  totals: boolean,
  plot: Plot,
): { count: number; end: number } {
  plot.bucketed = 0;
  if (!history) return { count: 0, end: -Infinity };
  const keys = series.map((one) => one.key);
  const pieces = history.pieces(keys, from, to);
  if (pieces.length === 0) return { count: 0, end: -Infinity };
  let n = 0;
  for (const { layer, first, last } of pieces) {
    const { times, step } = layer;
    const columns = keys.map((key) => layer.series.get(key));
    for (let i = first; i < last; i++) {
      const time = times[i]!;
      // Where two answers meet, the bucket of one may reach into the other.
      if (n > 0 && time <= plot.xs[n - 1]!) continue;
      if (n > 0 && i > first && step === 0 && isHole(times, i)) plot.breaks.push(n);
      plot.xs[n] = time;
      for (let s = 0; s < series.length; s++) {
        const data = columns[s];
        const asTotal = totals && series[s]!.kind === 'counter';
        plot.ys[s]![n] = (asTotal ? data?.last[i] : data?.avg[i]) ?? null;
        plot.lows[s]![n] = (asTotal ? data?.last[i] : data?.min[i]) ?? null;
        plot.highs[s]![n] = (asTotal ? data?.last[i] : data?.max[i]) ?? null;
      }
      n++;
    }
    if (step > 0) plot.bucketed = n;
  }
  return { count: n, end: history.to };
}

/** Samples at least this many times as far apart as those around them were not taken in between. */
const HOLE = 3;

function isHole(times: readonly number[], at: number): boolean {
  const gap = times[at]! - times[at - 1]!;
  const before = at > 1 ? times[at - 1]! - times[at - 2]! : 0;
  const after = at + 1 < times.length ? times[at + 1]! - times[at]! : 0;
  const around = Math.max(before, after);
  return around > 0 && gap > HOLE * around;
}

function readRing(
  buffer: ScopeBuffer | null,
  series: readonly Series[],
  after: number,
  from: number,
  to: number,
  totals: boolean,
  plot: Plot,
  start: number,
): number {
  if (!buffer) return start;
  const ring = buffer.ring;
  const first = Math.max(ring.position(from), after > -Infinity ? ring.position(after + 1) : 0);
  let n = start;
  // One sample before the window, so that the line enters it from the edge.
  for (let at = start === 0 && first > 0 ? first - 1 : first; at < ring.count; at++) {
    const time = ring.time(at);
    if (time > to) break;
    // The value after a gap is as good as any other; only the way to it is not known.
    if (ring.span(at) === 0 && at > 0 && n > 0) plot.breaks.push(n);
    plot.xs[n] = time;
    for (let s = 0; s < series.length; s++) {
      const one = series[s]!;
      const column = buffer.column(one.key);
      const rate = one.kind === 'counter' && !totals;
      const value = column < 0 ? NaN : rate ? ring.rate(column, at) : ring.value(column, at);
      plot.ys[s]![n] = orNull(value);
      plot.lows[s]![n] = plot.highs[s]![n] = null;
    }
    n++;
  }
  return n;
}

/** Of what is shown of one series. All null when nothing is. */
export interface Stats {
  readonly min: number | null;
  readonly avg: number | null;
  readonly max: number | null;
  readonly last: number | null;
}

const NOTHING: Stats = { min: null, avg: null, max: null, last: null };

/** Running min, average, max and last of a series' values. */
class Tally {
  #min = Infinity;
  #max = -Infinity;
  #sum = 0;
  #count = 0;
  #last = NaN;

  add(value: number | null | undefined, low: number | null | undefined, high: number | null | undefined): void {
    if (value === null || value === undefined || !Number.isFinite(value)) return;
    this.#min = Math.min(this.#min, low ?? value);
    this.#max = Math.max(this.#max, high ?? value);
    this.#sum += value;
    this.#count++;
    this.#last = value;
  }

  result(): Stats {
    if (this.#count === 0) return NOTHING;
    return { min: this.#min, avg: this.#sum / this.#count, max: this.#max, last: this.#last };
  }
}

/** Min, average, max and last of one series over [from, to], from the same numbers that charts show. */
export function readStats(samples: Samples, one: Series, from: number, to: number, totals: boolean): Stats {
  const tally = new Tally();
  const asTotal = totals && one.kind === 'counter';
  const layer = samples.history?.best([one.key], from, to);
  let after = -Infinity;
  const data = layer?.series.get(one.key);
  if (layer && data && samples.history) {
    after = samples.history.to;
    const { times, step } = layer;
    for (let i = 0; i < times.length; i++) {
      // The first bucket may begin before the range that it was asked for.
      if (times[i]! + step < from || times[i]! > to) continue;
      if (asTotal) tally.add(data.last[i], null, null);
      else tally.add(data.avg[i], data.min[i], data.max[i]);
    }
  }
  const buffer = samples.buffer;
  const c = buffer ? buffer.column(one.key) : -1;
  if (buffer && c >= 0) {
    const ring = buffer.ring;
    for (let at = Math.max(ring.position(from), ring.position(after + 1)); at < ring.count; at++) {
      if (ring.time(at) > to) break;
      const value = one.kind === 'counter' && !asTotal ? ring.rate(c, at) : ring.value(c, at);
      tally.add(value, null, null);
    }
  }
  return tally.result();
}
