/** One series of many scopes over time, each a row on one grid of columns: what a heatmap shows. */

import { JoinedIntervals } from '../../shared/model/intervals.ts';
import type { ScopeId } from '../../shared/model/scope.ts';
import type { Kind } from '../../shared/model/values.ts';
import type { ColumnRows, RangeColumns } from './aggregate.ts';

export interface MatrixQuery {
  /** All scopes whose ids begin with this, `rank/ID/`. */
  readonly below: string;
  /** Canonical key. */
  readonly series: string;
  /** ms since the epoch; the last column ends at `to`. */
  readonly from: number;
  readonly to: number;
  readonly columns: number;
  /** Counters of these scopes were 0 then, ms since the epoch: what the first sample counts from. */
  readonly since?: number;
}

export interface Matrix {
  readonly kind: Kind;
  /** Of each row. */
  readonly scopes: readonly ScopeId[];
  /** Row after row: a counter's mean rate per second in the column, a gauge's mean; NaN: no sample. */
  readonly values: Float32Array<ArrayBuffer>;
  /** Of each row: time of the last sample that was read and, of counters, the total then; NaN: none. */
  readonly lastTime: Float64Array<ArrayBuffer>;
  readonly lastTotal: Float64Array<ArrayBuffer>;
  /** Of each row of counters: the last interval that stands for itself, with the short ones after it, ms; NaN: none. */
  readonly lastLength: Float64Array<ArrayBuffer>;
  /** What the total grew by in it. */
  readonly lastGrown: Float64Array<ArrayBuffer>;
}

/** Most rows. */
const MAX_ROWS = 4096;
/** A gauge says something about the time before its sample, up to this much, ms: ranks are kept every ten seconds. */
const GAUGE_REACH = 15_000;
/** What lies in the last column may be told by a sample behind it, ms. */
export const LATE = 20_000;

/** So many samples of a row are read one by one; of more, means of equal parts. */
export const samplesFor = (columns: number): number => Math.max(400, 2 * columns);

/** The row that is being made. */
interface Row {
  readonly scope: ScopeId;
  lastTime: number;
  lastTotal: number;
  /** Time of the gauge's sample before; -Infinity: there is none. */
  before: number;
  /** Since when the counter's growth is not counted yet; NaN: not known. */
  since: number;
}

/** A row that is made. */
interface DoneRow extends Pick<Row, 'scope' | 'lastTime' | 'lastTotal'> {
  readonly values: Float32Array;
  readonly lastLength: number;
  readonly lastGrown: number;
}

export class MatrixBuilder {
  readonly #query: MatrixQuery;
  readonly #step: number;
  readonly #rows: DoneRow[] = [];
  /** Of one row: values × seconds, and seconds. */
  readonly #sums: Float64Array;
  readonly #weights: Float64Array;
  /** Of the row that is made, in ms. */
  readonly #intervals = new JoinedIntervals(1);
  /** Where the last interval that stands for itself begins. */
  #base = NaN;
  #kind: Kind | null = null;
  #row: Row = { scope: '', lastTime: NaN, lastTotal: NaN, before: -Infinity, since: NaN };

  constructor(query: MatrixQuery) {
    this.#query = query;
    this.#step = (query.to - query.from) / query.columns;
    this.#sums = new Float64Array(query.columns);
    this.#weights = new Float64Array(query.columns);
  }

  get isFull(): boolean {
    return this.#rows.length >= MAX_ROWS;
  }

  /** Begins a row; false: it is of another kind than the first, or there is no room. {@link end} has to follow. */
  begin(scope: ScopeId, kind: Kind): boolean {
    if (this.isFull) return false;
    this.#kind ??= kind;
    if (kind !== this.#kind) return false;
    this.#sums.fill(0);
    this.#weights.fill(0);
    this.#intervals.forgetAll();
    this.#row = { scope, lastTime: NaN, lastTotal: NaN, before: -Infinity, since: NaN };
    return true;
  }

  end(): void {
    const values = new Float32Array(this.#query.columns);
    for (let c = 0; c < values.length; c++) {
      values[c] = this.#weights[c]! > 0 ? this.#sums[c]! / this.#weights[c]! : NaN;
    }
    const { scope, lastTime, lastTotal } = this.#row;
    const [lastLength, lastGrown] = [this.#intervals.length(0), this.#intervals.grown(0)];
    this.#rows.push({ scope, values, lastTime, lastTotal, lastLength, lastGrown });
  }

  /** Samples of a block in order of time, from before the range on. What it has after `until` does not count. */
  addRows(rows: ColumnRows, place: number, until: number): void {
    if (this.#kind === 'gauge') this.#gaugeRows(rows, place, until);
    else this.#counterRows(rows, place, until);
  }

  /** As RangeBuilder counts: a smaller total than before is a restart, over a gap there is no rate. */
  #counterRows(rows: ColumnRows, place: number, until: number): void {
    const row = this.#row;
    const { from, to } = this.#query;
    const { times, gaps, counterCounts } = rows;
    const totals = place < counterCounts[counterCounts.length - 1]! ? rows.counter(place, 0) : null;
    for (let r = 0; r < times.length; r++) {
      const time = times[r]!;
      if (time > until || time > to + LATE) return;
      if (gaps[r] === 1) {
        row.since = NaN;
        this.#intervals.forgetAll();
      }
      if (totals === null || counterCounts[r]! <= place) {
        // Clients tell increases: what is not there yet is 0.
        if (row.lastTotal !== row.lastTotal) row.since = time;
        continue;
      }
      const total = totals[r]!;
      if (total - total !== 0) continue;
      if (time >= from) {
        const before = row.lastTotal === row.lastTotal ? row.lastTotal : 0;
        if (row.since < time) {
          const grown = total < before ? total : total - before;
          this.#growth(row.since, time, grown);
        } else if (row.lastTotal !== row.lastTotal) {
          const begin = this.#began(time);
          if (begin === begin) this.#growth(begin, time, total);
        }
      }
      [row.lastTotal, row.lastTime, row.since] = [total, time, time];
    }
  }

  #gaugeRows(rows: ColumnRows, place: number, until: number): void {
    const row = this.#row;
    const { from, to } = this.#query;
    const { times, gaugeCounts } = rows;
    if (place >= gaugeCounts[gaugeCounts.length - 1]!) return;
    const [hits, totals] = [rows.gauge(place, 2), rows.gauge(place, 3)];
    for (let r = 0; r < times.length; r++) {
      const time = times[r]!;
      if (time > until || time > to + LATE) return;
      if (gaugeCounts[r]! <= place || !(hits[r]! > 0)) continue;
      const value = totals[r]! / hits[r]!;
      if (value - value !== 0) continue;
      if (time >= from) {
        this.#spread(Math.max(row.before, time - GAUGE_REACH), time, value);
        row.lastTime = time;
      }
      row.before = time;
    }
  }

  /** A scope's range of the one series. The first scope's kind is that of all; others are left out. */
  add(range: RangeColumns): void {
    const [target] = range.targets;
    if (!target || !this.begin(range.scope, target.kind)) return;
    const row = this.#row;
    const isCounter = target.kind === 'counter';
    for (let i = 0; i < range.times.length; i++) {
      const time = range.times[i]!;
      const end = time + range.step;
      let value = range.avg[i]!;
      let begin = time;
      if (range.step === 0) {
        if (!isCounter) begin = Math.max(row.before, time - GAUGE_REACH);
        else if (value === value) begin = time - 1000 * range.weight[i]!;
        else if (row.lastTotal !== row.lastTotal) {
          begin = this.#began(time);
          value = range.last[i]! / ((time - begin) / 1000);
        }
        if (isCounter) this.#note(time - begin, (value * (time - begin)) / 1000);
      }
      if (value === value) {
        this.#spread(begin, end, value);
        row.before = time;
      }
      const last = range.last[i]!;
      if (isCounter ? last === last : value === value) row.lastTime = end;
      if (isCounter && last === last) row.lastTotal = last;
    }
    this.end();
  }

  /** When a counter began whose first sample this is: all of it came since then. NaN: not known. */
  #began(time: number): number {
    const { since, from } = this.#query;
    return since === undefined || from > since || time <= since ? NaN : since;
  }

  /** What a counter grew by from one sample to the next. */
  #growth(begin: number, end: number, grown: number): void {
    const [intervals, ms] = [this.#intervals, end - begin];
    if (!intervals.isShort(0, ms)) {
      intervals.begin(0, ms, grown);
      this.#base = begin;
      return this.#spread(begin, end, (1000 * grown) / ms);
    }
    const [before, until] = [intervals.baseRate(0), this.#base + intervals.base(0)];
    this.#spread(begin, end, 1000 * intervals.join(0, ms, grown));
    this.#spread(this.#base, until, 1000 * (intervals.baseRate(0) - before), 0);
  }

  /** One that is told already: what is short has been joined. */
  #note(ms: number, grown: number): void {
    const intervals = this.#intervals;
    if (grown !== grown) intervals.forgetAll();
    else if (intervals.isShort(0, ms)) intervals.join(0, ms, grown);
    else intervals.begin(0, ms, grown);
  }

  /** `weight` 0: more or less of what has been told of this time. */
  #spread(begin: number, end: number, value: number, weight = 1): void {
    const { from, columns } = this.#query;
    const step = this.#step;
    const first = Math.max(0, Math.floor((begin - from) / step));
    for (let c = first; c < columns; c++) {
      const left = from + c * step;
      if (left >= end) return;
      const overlap = Math.min(end, left + step) - Math.max(begin, left);
      if (overlap <= 0) continue;
      this.#sums[c]! += overlap * value;
      this.#weights[c]! += weight * overlap;
    }
  }

  /** Null: no scope has the series. */
  finish(): Matrix | null {
    if (this.#kind === null) return null;
    const { columns } = this.#query;
    const values = new Float32Array(this.#rows.length * columns);
    for (const [i, row] of this.#rows.entries()) values.set(row.values, i * columns);
    return {
      kind: this.#kind,
      scopes: this.#rows.map(({ scope }) => scope),
      values,
      lastTime: Float64Array.from(this.#rows, ({ lastTime }) => lastTime),
      lastTotal: Float64Array.from(this.#rows, ({ lastTotal }) => lastTotal),
      lastLength: Float64Array.from(this.#rows, ({ lastLength }) => lastLength),
      lastGrown: Float64Array.from(this.#rows, ({ lastGrown }) => lastGrown),
    };
  }
}
