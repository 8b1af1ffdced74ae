import { isShort } from '../../shared/model/intervals.ts';

/**
 * The last samples of one scope: a ring of times with one column per series, all in typed arrays, outside React.
 * Position 0 is the oldest sample.
 */
export class RingTable {
  readonly capacity: number;
  /** Rows taken since the start, also those that were overwritten; tells readers whether something changed. */
  appended = 0;
  #count = 0;
  #start = 0;
  #times: Float64Array;
  #spans: Float64Array;
  readonly #columns: Float64Array[] = [];

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#times = new Float64Array(capacity);
    this.#spans = new Float64Array(capacity);
  }

  get count(): number {
    return this.#count;
  }

  get columnCount(): number {
    return this.#columns.length;
  }

  /** Adds a column that is NaN for every row so far; returns its index. */
  addColumn(): number {
    this.#columns.push(new Float64Array(this.capacity).fill(NaN));
    return this.#columns.length - 1;
  }

  #slot(position: number): number {
    const slot = this.#start + position;
    return slot < this.capacity ? slot : slot - this.capacity;
  }

  /** ms since the epoch. */
  time(position: number): number {
    return this.#times[this.#slot(position)]!;
  }

  /** ms that the sample covers since the one before it; 0: the time before it was not observed. */
  span(position: number): number {
    return this.#spans[this.#slot(position)]!;
  }

  /** Of all samples, the oldest first. */
  spans(): number[] {
    return Array.from({ length: this.#count }, (_, position) => this.span(position));
  }

  value(column: number, position: number): number {
    return this.#columns[column]![this.#slot(position)]!;
  }

  get lastTime(): number {
    return this.#count > 0 ? this.time(this.#count - 1) : 0;
  }

  /**
   * Increase per second of a counter's column, or NaN when it is not known: at the first sample, after a gap, and where
   * the total fell (the counter started again). A span much shorter than the one before it has the mean rate of the two.
   */
  rate(column: number, position: number): number {
    if (position === 0) return NaN;
    const slot = this.#slot(position);
    const span = this.#spans[slot]!;
    const values = this.#columns[column]!;
    const before = slot === 0 ? this.capacity - 1 : slot - 1;
    const increase = values[slot]! - values[before]!;
    const longer = position > 1 ? this.#spans[before]! : NaN;
    if (span > 0 && increase >= 0 && isShort(span, longer)) {
      const both = values[slot]! - values[before === 0 ? this.capacity - 1 : before - 1]!;
      if (both >= increase) return (both * 1000) / (span + longer);
    }
    return span > 0 && increase >= 0 ? (increase * 1000) / span : NaN;
  }

  /** Takes a row; times must grow. `read` is asked for each column's value. */
  append(time: number, span: number, read: (column: number) => number): void {
    let slot: number;
    if (this.#count < this.capacity) {
      slot = this.#slot(this.#count++);
    } else {
      slot = this.#start;
      this.#start = this.#start + 1 === this.capacity ? 0 : this.#start + 1;
    }
    this.#times[slot] = time;
    this.#spans[slot] = span;
    for (let c = 0; c < this.#columns.length; c++) this.#columns[c]![slot] = read(c);
    this.appended++;
  }

  /**
   * A counter's total that is known again: in the rows since it was known last, as far as they were observed, it grew
   * steadily. Then they have the mean rate instead of none.
   */
  bridge(column: number): void {
    const values = this.#columns[column]!;
    const last = this.#count - 1;
    const known = (position: number): boolean => !Number.isNaN(values[this.#slot(position)]!);
    if (last < 2 || !known(last) || known(last - 1)) return;
    let at = last;
    do if (this.span(at) === 0) return;
    while (--at > 0 && !known(at));
    const [from, to] = [this.value(column, at), this.value(column, last)];
    // Not known before, or it started again.
    if (!(to >= from)) return;
    let whole = 0;
    for (let i = at + 1; i <= last; i++) whole += this.span(i);
    let gone = 0;
    for (let i = at + 1; i < last; i++) {
      gone += this.span(i);
      values[this.#slot(i)] = from + ((to - from) * gone) / whole;
    }
  }

  /** First position whose time is at or after `time`; `count` when there is none. */
  position(time: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.time(middle) < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * Puts older rows where they belong, for history that could not be sent on the socket. Rows whose time is already
   * here are left out, but for their span where the one here had nothing before it; when there is not room for all, the
   * newest rows stay.
   */
  backfill(
    rows: readonly { readonly time: number; readonly span: number; readonly values: readonly number[] }[],
  ): void {
    const given = new Map(rows.map((row) => [row.time, row]));
    const merged: { time: number; span: number; known: boolean; values: readonly number[] }[] = [];
    for (let i = 0; i < this.#count; i++) {
      const time = this.time(i);
      const own = this.span(i);
      const values = this.#columns.map((_, c) => this.value(c, i));
      merged.push({ time, span: own || (given.get(time)?.span ?? 0), known: own > 0, values });
      given.delete(time);
    }
    for (const row of given.values()) merged.push({ ...row, known: false });
    merged.sort((x, y) => x.time - y.time);
    merged.forEach((row, i) => {
      // The one before may be a sample that was here and not among the rows.
      if (!row.known && i > 0) row.span = Math.min(row.span, row.time - merged[i - 1]!.time);
    });
    this.#count = 0;
    this.#start = 0;
    for (const row of merged.slice(-this.capacity)) this.append(row.time, row.span, (c) => row.values[c] ?? NaN);
  }
}
