/**
 * What was measured of some series in the last so many ms, in buckets: a bounded number per series, however long the
 * window is. A window of more than a minute is therefore right to a sixtieth of its length.
 */

import { NO_DOUBLES } from '../live/columns.ts';

/** Most buckets of a window. */
const MAX_BUCKETS = 60;
/** Narrowest bucket, ms. */
const MIN_WIDTH = 1000;

export type WindowKind = 'increase' | 'min' | 'max' | 'avg';

export const bucketWidth = (window: number): number => Math.max(MIN_WIDTH, window / MAX_BUCKETS);
export const bucketCount = (window: number): number => Math.ceil(window / bucketWidth(window));

/** Numbers that a window keeps for each series. */
export const windowCells = (kind: WindowKind, window: number): number =>
  (bucketCount(window) + 1) * (kind === 'avg' ? 2 : 1) + 1;

/** The windows of the series of one segment. Times are of the observed clock, ms. */
export class Windows {
  readonly #kind: WindowKind;
  readonly #window: number;
  readonly #width: number;
  readonly #buckets: number;
  /** Bucket by bucket, each with a cell per series. */
  #cells: Float64Array = NO_DOUBLES;
  #counts: Float64Array = NO_DOUBLES;
  /** Since when each series is watched. */
  #from: Float64Array = NO_DOUBLES;
  #room = 0;
  #count = 0;
  /** Number of the newest bucket. */
  #newest = -1;
  /** All buckets but the newest together. */
  #closed: Float64Array = NO_DOUBLES;
  #closedCounts: Float64Array = NO_DOUBLES;
  #isClosed = false;

  constructor(kind: WindowKind, window: number) {
    this.#kind = kind;
    this.#window = window;
    this.#width = bucketWidth(window);
    this.#buckets = bucketCount(window);
  }

  get #empty(): number {
    return this.#kind === 'min' ? Infinity : this.#kind === 'max' ? -Infinity : 0;
  }

  /** Forgets all: what was before is too long ago. */
  clear(clock: number): void {
    this.#cells.fill(this.#empty);
    this.#counts.fill(0);
    this.#from.fill(clock);
    this.#isClosed = false;
  }

  /** Makes room for more series, which are watched from now on. */
  grow(count: number, clock: number): void {
    if (count <= this.#count) return;
    if (count > this.#room) {
      const room = Math.max(count, Math.min(2 * this.#room, this.#room + 10_000));
      this.#cells = this.#wider(this.#cells, room, this.#empty);
      if (this.#kind === 'avg') this.#counts = this.#wider(this.#counts, room, 0);
      const from = new Float64Array(room);
      from.set(this.#from.subarray(0, this.#count));
      this.#from = from;
      this.#room = room;
    }
    this.#from.fill(clock, this.#count, count);
    this.#count = count;
    this.#isClosed = false;
  }

  #wider(cells: Float64Array, room: number, empty: number): Float64Array {
    const next = new Float64Array(this.#buckets * room).fill(empty);
    for (let b = 0; b < this.#buckets && this.#room > 0; b++) {
      next.set(cells.subarray(b * this.#room, (b + 1) * this.#room), b * room);
    }
    return next;
  }

  /** Begins the buckets up to this time. Before the values of a sample are added. */
  advance(clock: number): void {
    const number = Math.floor(clock / this.#width);
    if (number > this.#newest) this.#isClosed = false;
    const first = Math.max(this.#newest + 1, number - this.#buckets + 1);
    for (let b = first; b <= number; b++) {
      const at = (b % this.#buckets) * this.#room;
      this.#cells.fill(this.#empty, at, at + this.#room);
      if (this.#kind === 'avg') this.#counts.fill(0, at, at + this.#room);
    }
    this.#newest = Math.max(this.#newest, number);
  }

  /** A value of a series into the newest bucket: of `increase` how much it grew. Not NaN. */
  add(series: number, value: number): void {
    const at = (this.#newest % this.#buckets) * this.#room + series;
    const before = this.#cells[at]!;
    switch (this.#kind) {
      case 'min':
        this.#cells[at] = Math.min(before, value);
        break;
      case 'max':
        this.#cells[at] = Math.max(before, value);
        break;
      case 'avg':
        this.#counts[at]!++;
        this.#cells[at] = before + value;
        break;
      case 'increase':
        this.#cells[at] = before + value;
    }
  }

  /** Sums up all buckets but the newest: they change only when one begins. */
  #close(): void {
    const [room, count, kind] = [this.#room, this.#count, this.#kind];
    const open = this.#newest % this.#buckets;
    if (this.#closed.length < room) {
      this.#closed = new Float64Array(room);
      if (kind === 'avg') this.#closedCounts = new Float64Array(room);
    }
    const [closed, counts, cells] = [this.#closed, this.#closedCounts, this.#cells];
    closed.fill(this.#empty);
    counts.fill(0);
    for (let b = 0; b < this.#buckets; b++) {
      if (b === open) continue;
      for (let i = 0, at = b * room; i < count; i++, at++) {
        const value = cells[at]!;
        if (kind === 'increase' || kind === 'avg') closed[i]! += value;
        else if (kind === 'min' ? value < closed[i]! : value > closed[i]!) closed[i] = value;
        if (kind === 'avg') counts[i]! += this.#counts[at]!;
      }
    }
    this.#isClosed = true;
  }

  /**
   * The windows' results as far as they are known, and the same with NaN for those that were not watched for a whole
   * window yet. NaN: nothing was measured in it.
   */
  read(clock: number, partial: Float64Array, whole: Float64Array): void {
    const [count, kind, empty] = [this.#count, this.#kind, this.#empty];
    if (!this.#isClosed) this.#close();
    const at = (this.#newest % this.#buckets) * this.#room;
    const since = clock - this.#window + this.#width;
    for (let i = 0; i < count; i++) {
      const before = this.#closed[i]!;
      const now = this.#cells[at + i]!;
      let value: number;
      if (kind === 'increase') value = before + now;
      else if (kind === 'avg') value = (before + now) / (this.#closedCounts[i]! + this.#counts[at + i]!);
      else {
        value = kind === 'min' ? Math.min(before, now) : Math.max(before, now);
        if (value === empty) value = NaN;
      }
      partial[i] = value;
      whole[i] = this.#from[i]! <= since ? value : NaN;
    }
  }
}

/** The window of a single series, for going through millions of samples: the same as {@link Windows} with one. */
export class OneWindow {
  /** As far as it is known; NaN: nothing was measured in it. */
  partial = NaN;
  /** The same, NaN until the window was watched as a whole. */
  whole = NaN;
  readonly #kind: WindowKind;
  readonly #width: number;
  /** From the first sample on. */
  readonly #full: number;
  #from = NaN;
  readonly #cells: Float64Array;
  readonly #counts: Float64Array;
  readonly #empty: number;
  #newest = -1;
  /** Where the next bucket begins. */
  #edge = -Infinity;
  /** All buckets but the newest, and the newest. */
  #closed: number;
  #closedCount = 0;
  #open: number;
  #openCount = 0;

  constructor(kind: WindowKind, window: number) {
    this.#kind = kind;
    this.#width = bucketWidth(window);
    this.#full = window - this.#width;
    this.#empty = kind === 'min' ? Infinity : kind === 'max' ? -Infinity : 0;
    this.#cells = new Float64Array(bucketCount(window)).fill(this.#empty);
    this.#counts = new Float64Array(this.#cells.length);
    this.#closed = this.#open = this.#empty;
  }

  /** Forgets all, as {@link Windows.clear}: the next value is the first one. */
  clear(): void {
    this.#cells.fill(this.#empty);
    this.#counts.fill(0);
    this.#newest = -1;
    this.#edge = -Infinity;
    this.#open = this.#closed = this.#empty;
    this.#openCount = this.#closedCount = 0;
  }

  /** `value`: NaN: there is none. `clock` never falls. */
  take(clock: number, value: number): void {
    if (clock >= this.#edge) this.#turn(clock);
    if (value === value) {
      this.#openCount++;
      this.#open = this.#both(this.#open, value);
    }
    const both = this.#both(this.#closed, this.#open);
    if (this.#kind === 'increase') this.partial = both;
    else if (this.#kind === 'avg') this.partial = both / (this.#closedCount + this.#openCount);
    else this.partial = both === this.#empty ? NaN : both;
    this.whole = clock - this.#from >= this.#full ? this.partial : NaN;
  }

  #both(a: number, b: number): number {
    if (this.#kind === 'min') return a < b ? a : b;
    if (this.#kind === 'max') return a > b ? a : b;
    return a + b;
  }

  /** Begins the bucket of a time. */
  #turn(clock: number): void {
    const [cells, counts] = [this.#cells, this.#counts];
    const size = cells.length;
    const number = Math.floor(clock / this.#width);
    if (this.#newest >= 0) {
      cells[this.#newest % size] = this.#open;
      counts[this.#newest % size] = this.#openCount;
    } else this.#from = clock;
    for (let b = Math.max(this.#newest + 1, number - size + 1); b <= number; b++) {
      cells[b % size] = this.#empty;
      counts[b % size] = 0;
    }
    this.#newest = number;
    this.#edge = (number + 1) * this.#width;
    this.#open = this.#closed = this.#empty;
    this.#openCount = this.#closedCount = 0;
    for (let i = 0; i < size; i++) {
      this.#closed = this.#both(this.#closed, cells[i]!);
      this.#closedCount += counts[i]!;
    }
  }
}
