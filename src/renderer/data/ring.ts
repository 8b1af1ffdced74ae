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

  value(column: number, position: number): number {
    return this.#columns[column]![this.#slot(position)]!;
  }

  get lastTime(): number {
    return this.#count > 0 ? this.time(this.#count - 1) : 0;
  }

  /**
   * Increase per second of a counter's column, or NaN when it is not known: at the first sample, after a gap, and where
   * the total fell (the counter started again).
   */
  rate(column: number, position: number): number {
    if (position === 0) return NaN;
    const slot = this.#slot(position);
    const span = this.#spans[slot]!;
    const values = this.#columns[column]!;
    const increase = values[slot]! - values[slot === 0 ? this.capacity - 1 : slot - 1]!;
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
   * here are left out; when there is not room for all, the newest rows stay.
   */
  backfill(
    rows: readonly { readonly time: number; readonly span: number; readonly values: readonly number[] }[],
  ): void {
    const have = new Set<number>();
    const merged: { time: number; span: number; values: readonly number[] }[] = [];
    for (let i = 0; i < this.#count; i++) {
      have.add(this.time(i));
      merged.push({ time: this.time(i), span: this.span(i), values: this.#columns.map((_, c) => this.value(c, i)) });
    }
    for (const row of rows) if (!have.has(row.time)) merged.push(row);
    merged.sort((a, b) => a.time - b.time);
    this.#count = 0;
    this.#start = 0;
    for (const row of merged.slice(-this.capacity)) this.append(row.time, row.span, (c) => row.values[c] ?? NaN);
  }
}
