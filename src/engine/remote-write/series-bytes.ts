/** The encoded labels of one scope's series, made once for each series, and which series the destination knows. */

import { formatMetric, parseMetric } from '../../shared/model/metric.ts';
import type { Kind } from '../../shared/model/values.ts';
import { growBits, growInt32, NO_BITS, NO_INTS } from '../live/columns.ts';
import type { Scope } from '../live/scope.ts';
import { placeOf } from '../live/series-table.ts';
import { encodeLabels, seriesLabels } from './labels.ts';

/** Bytes of labels that all scopes of a destination may keep. What comes later is encoded anew each time. */
export class LabelBudget {
  left = 128 * 1024 * 1024;
}

const NO_BYTES = new Uint8Array(0);

class Column {
  bytes: Uint8Array = NO_BYTES;
  /** End of each series' labels in `bytes`. */
  ends: Int32Array = NO_INTS;
  count = 0;
  /** Series of which the last thing that was sent is a value. */
  present: Uint8Array = NO_BITS;
}

export interface SeriesBytesOptions {
  readonly scope: Scope;
  readonly labels: ReadonlyMap<string, string>;
  readonly keep: (family: string) => boolean;
  readonly budget: LabelBudget;
}

export class SeriesBytes {
  readonly scope: Scope;
  /** What `locate` found. */
  bytes: Uint8Array = NO_BYTES;
  start = 0;
  end = 0;
  readonly #options: SeriesBytesOptions;
  readonly #columns: Record<Kind, Column> = { counter: new Column(), gauge: new Column() };
  /** Place of the series that stands for a name, once its labels without a value are left out. */
  readonly #emptied = new Map<string, number>();
  #kept = 0;

  constructor(options: SeriesBytesOptions) {
    this.#options = options;
    this.scope = options.scope;
  }

  /** Finds a series' labels; false: it is not sent. Series are asked for in order the first time. */
  locate(kind: Kind, index: number): boolean {
    const column = this.#columns[kind];
    if (index >= column.count) {
      const made = this.#encode(kind, index);
      if (this.#options.budget.left < made.length || index > column.count) {
        [this.bytes, this.start, this.end] = [made, 0, made.length];
        return made.length > 0;
      }
      this.#append(column, made);
    }
    this.bytes = column.bytes;
    this.start = index === 0 ? 0 : column.ends[index - 1]!;
    this.end = column.ends[index]!;
    return this.end > this.start;
  }

  #append(column: Column, made: Uint8Array): void {
    const start = column.count === 0 ? 0 : column.ends[column.count - 1]!;
    if (start + made.length > column.bytes.length) {
      const grown = new Uint8Array(Math.max(1024, start + made.length, Math.ceil(1.5 * column.bytes.length)));
      grown.set(column.bytes);
      column.bytes = grown;
    }
    column.bytes.set(made, start);
    column.ends = growInt32(column.ends, column.count + 1);
    column.ends[column.count++] = start + made.length;
    this.#options.budget.left -= made.length;
    this.#kept += made.length;
  }

  #encode(kind: Kind, index: number): Uint8Array {
    const { scope, labels, keep } = this.#options;
    const key = scope.table.key(kind, index);
    if (!keep(scope.table.family(kind, index))) return NO_BYTES;
    const named = seriesLabels(key, labels);
    // Two series that differ in labels without a value only are one to the destination: the first one is sent.
    if (named.emptied ? !this.#isFirst(kind, index, key) : this.#emptied.has(key)) return NO_BYTES;
    return encodeLabels(named.labels);
  }

  #isFirst(kind: Kind, index: number, key: string): boolean {
    const { family, labels } = parseMetric(key);
    const bare = formatMetric(
      family,
      labels.filter(([, value]) => value !== ''),
    );
    const place = placeOf(kind, index);
    const known = this.#emptied.get(bare);
    if (known !== undefined) return known === place;
    if (this.scope.find(bare)) return false;
    this.#emptied.set(bare, place);
    return true;
  }

  isPresent(kind: Kind, index: number): boolean {
    return ((this.#columns[kind].present[index >>> 3] ?? 0) & (1 << (index & 7))) !== 0;
  }

  setPresent(kind: Kind, index: number, present: boolean): void {
    const column = this.#columns[kind];
    column.present = growBits(column.present, index + 1);
    const bit = 1 << (index & 7);
    if (present) column.present[index >>> 3]! |= bit;
    else column.present[index >>> 3]! &= ~bit;
  }

  /** Gives back what it kept. */
  close(): void {
    this.#options.budget.left += this.#kept;
    this.#kept = 0;
  }
}
