/**
 * The series of one scope: what they are called, and where they stand. All names are bytes in one array, and what else
 * is known of a series is a few integers: at two million series an object for each would take more than all the rest.
 *
 * A series is found by its canonical key or by any spelling that somebody used. Its place is 2 × index + (1 for a gauge).
 */

import { parseMetric } from '../../shared/model/metric.ts';
import type { SeriesDef } from '../../shared/model/series.ts';
import type { Kind } from '../../shared/model/values.ts';
import { NO_INTS, SAME, TWICE, ZEROS } from './columns.ts';
import { SharedNames } from './name-pool.ts';
import { escapedName, hashBytes, NameTable } from './name-table.ts';

export const placeOf = (kind: Kind, index: number): number => 2 * index + (kind === 'gauge' ? 1 : 0);

/** One kind's series by index. */
interface Column {
  count: number;
  /** Entry of the canonical key. */
  keys: Int32Array;
  /** Entry of the description. */
  docs: Int32Array;
}

export class SeriesTable {
  /** Keys and spellings. */
  readonly names: NameTable;
  readonly #columns: Record<Kind, Column> = {
    counter: { count: 0, keys: NO_INTS, docs: NO_INTS },
    gauge: { count: 0, keys: NO_INTS, docs: NO_INTS },
  };
  /** By entry of `names`. */
  #places: Int32Array = NO_INTS;
  /** Place to the entry of its first spelling, where that is not the key. */
  #spellings: Map<number, number> | null = null;
  /** Descriptions: many series share one. A table of them is made for the second one. */
  #docs: NameTable | null = null;
  #firstDoc: string | null = null;
  #lastDoc = '';
  #lastDocEntry = -1;
  readonly #shares: boolean;

  /** `shares`: other tables have the same names. */
  constructor(shares = false) {
    this.#shares = shares;
    this.names = this.#newNames();
  }

  #newNames(): NameTable {
    return this.#shares ? new SharedNames() : new NameTable();
  }

  count(kind: Kind): number {
    return this.#columns[kind].count;
  }

  /** Place of an entry of `names`. */
  place(entry: number): number {
    return this.#places[entry]!;
  }

  /** Place of a series by its canonical key or a spelling that is known here; -1: none. */
  find(name: string): number {
    const bytes = escapedName(name);
    const entry = this.names.find(bytes, 0, bytes.length, hashBytes(bytes, 0, bytes.length));
    return entry < 0 ? -1 : this.#places[entry]!;
  }

  /** Appends a series whose key is not known here. Returns its index. */
  add(kind: Kind, key: string, name: string, doc: string): number {
    const column = this.#columns[kind];
    const index = column.count++;
    const place = placeOf(kind, index);
    column.keys = SAME.append(column.keys, index, this.addSpelling(escapedName(key), place));
    if (name !== key) (this.#spellings ??= new Map()).set(place, this.addSpelling(escapedName(name), place));
    column.docs = ZEROS.append(column.docs, index, this.#docEntry(doc));
    return index;
  }

  /** Another name, as JSON spells it, for the series at this place. Returns its entry. */
  addSpelling(bytes: Uint8Array, place: number): number {
    const hash = hashBytes(bytes, 0, bytes.length);
    const known = this.names.find(bytes, 0, bytes.length, hash);
    if (known >= 0) return known;
    const entry = this.names.add(bytes, 0, bytes.length, hash);
    this.#places = TWICE.append(this.#places, entry, place);
    return entry;
  }

  #docEntry(doc: string): number {
    if (this.#firstDoc === null) this.#firstDoc = doc;
    if (this.#docs === null && doc === this.#firstDoc) return 0;
    if (this.#lastDocEntry >= 0 && doc === this.#lastDoc) return this.#lastDocEntry;
    if (this.#docs === null) {
      this.#docs = this.#newNames();
      addTo(this.#docs, this.#firstDoc);
    }
    this.#lastDocEntry = addTo(this.#docs, doc);
    this.#lastDoc = doc;
    return this.#lastDocEntry;
  }

  /** Entry of the canonical key. */
  keyEntry(kind: Kind, index: number): number {
    return this.#columns[kind].keys[index]!;
  }

  /** Entry of the name as it was first spelled. */
  nameEntry(kind: Kind, index: number): number {
    const { keys } = this.#columns[kind];
    return this.#spellings?.get(placeOf(kind, index)) ?? keys[index]!;
  }

  key(kind: Kind, index: number): string {
    return this.names.name(this.keyEntry(kind, index));
  }

  name(kind: Kind, index: number): string {
    return this.names.name(this.nameEntry(kind, index));
  }

  family(kind: Kind, index: number): string {
    return parseMetric(this.key(kind, index)).family;
  }

  doc(kind: Kind, index: number): string {
    return this.#docs === null ? this.#firstDoc! : this.#docs.name(this.#columns[kind].docs[index]!);
  }

  def(kind: Kind, index: number): SeriesDef {
    return { kind, index, name: this.name(kind, index), doc: this.doc(kind, index) };
  }

  /** Definitions from one index up to another, made one at a time. */
  *defs(kind: Kind, from: number, to: number): Generator<SeriesDef, void> {
    for (let index = from; index < to; index++) yield this.def(kind, index);
  }
}

/** Entry of a text, which is added if need be. */
function addTo(table: NameTable, text: string): number {
  const bytes = escapedName(text);
  const hash = hashBytes(bytes, 0, bytes.length);
  const known = table.find(bytes, 0, bytes.length, hash);
  return known >= 0 ? known : table.add(bytes, 0, bytes.length, hash);
}

/**
 * Series that were appended to a table between two moments: counters, then gauges. Holds no copy, since a table only
 * grows; each walk makes the definitions anew.
 */
export class SeriesSlice {
  readonly fixed = true;
  readonly table: SeriesTable;
  readonly #counters: readonly [from: number, to: number];
  readonly #gauges: readonly [from: number, to: number];

  constructor(
    table: SeriesTable,
    counters: readonly [from: number, to: number],
    gauges: readonly [from: number, to: number],
  ) {
    this.table = table;
    this.#counters = counters;
    this.#gauges = gauges;
  }

  get length(): number {
    return this.#counters[1] - this.#counters[0] + this.#gauges[1] - this.#gauges[0];
  }

  *[Symbol.iterator](): Generator<SeriesDef, void> {
    yield* this.table.defs('counter', ...this.#counters);
    yield* this.table.defs('gauge', ...this.#gauges);
  }
}
