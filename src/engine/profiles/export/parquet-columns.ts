/**
 * Columns of a group of rows as the pages of Parquet that they become. Nothing in here has an object for each row: numbers
 * lie in typed arrays, which are the page's bytes as they are, and texts are runs, since a series has the same ones in all
 * of its rows.
 */

import { ByteWriter } from 'hyparquet-writer';

/** As the format numbers them. */
export const TYPE = { int32: 1, int64: 2, double: 5, bytes: 6 } as const;
export type PhysicalType = (typeof TYPE)[keyof typeof TYPE];

/** All of one column in one group. What it lies in is good until the column gets its next row. */
export interface Chunk {
  readonly rows: number;
  readonly nulls: number;
  /** Of each row whether it has a value, RLE; of a column that always has one: nothing. */
  readonly levels: Uint8Array;
  /** The values that there are, or where they are in the dictionary. */
  readonly values: Uint8Array;
  /** Its distinct values; null: `values` are the values themselves. */
  readonly dictionary: { readonly count: number; readonly values: Uint8Array } | null;
  /** Eight bytes each; null: it says nothing of them. */
  readonly bounds: { readonly min: Uint8Array; readonly max: Uint8Array } | null;
}

const NOTHING = new Uint8Array();

/** Little-endian, as every processor is that Node is built for here, and as the format has it. */
const bytesOf = ({ buffer, byteOffset }: Float64Array | BigInt64Array, count: number): Uint8Array =>
  new Uint8Array(buffer, byteOffset, 8 * count);

export class Times {
  readonly #values: BigInt64Array;
  #rows = 0;

  constructor(rows: number) {
    this.#values = new BigInt64Array(rows);
  }

  add(times: BigInt64Array): void {
    this.#values.set(times, this.#rows);
    this.#rows += times.length;
  }

  take(): Chunk {
    const [values, rows] = [this.#values, this.#rows];
    this.#rows = 0;
    let [min, max] = [values[0]!, values[0]!];
    for (let i = 1; i < rows; i++) {
      if (values[i]! < min) min = values[i]!;
      if (values[i]! > max) max = values[i]!;
    }
    const bytes = (value: bigint): Uint8Array => bytesOf(BigInt64Array.of(value), 1);
    const bounds = { min: bytes(min), max: bytes(max) };
    return { rows, nulls: 0, levels: NOTHING, values: bytesOf(values, rows), dictionary: null, bounds };
  }
}

export class Numbers {
  /** Without those that are not known. */
  readonly #values: Float64Array;
  readonly #known: Uint8Array;
  readonly #levels = new ByteWriter();
  #rows = 0;
  #count = 0;

  constructor(rows: number) {
    this.#values = new Float64Array(rows);
    this.#known = new Uint8Array(rows);
  }

  /** Some rows of a column; NaN: not known. Null: so many rows of which none is known. */
  add(column: Float64Array | null, from: number, to: number): void {
    const [begin, end] = [this.#rows, (this.#rows += to - from)];
    if (column === null) {
      this.#known.fill(0, begin, end);
      return;
    }
    const [values, known] = [this.#values, this.#known];
    let count = this.#count;
    for (let i = from, at = begin; i < to; i++, at++) {
      const value = column[i]!;
      // Written in any case: what is not known is overwritten by what comes next.
      values[count] = value;
      const isKnown = value === value ? 1 : 0;
      known[at] = isKnown;
      count += isKnown;
    }
    this.#count = count;
  }

  take(): Chunk {
    const [rows, count] = [this.#rows, this.#count];
    [this.#rows, this.#count] = [0, 0];
    this.#levels.index = 0;
    writeLevels(this.#levels, this.#known.subarray(0, rows));
    const values = bytesOf(this.#values, count);
    return { rows, nulls: rows - count, levels: this.#levels.getBytes(), values, dictionary: null, bounds: null };
  }
}

/** Zeros and ones: as runs, or where these are short as bits. */
function writeLevels(out: ByteWriter, levels: Uint8Array): void {
  const { length } = levels;
  let runs = 1;
  for (let i = 1; i < length; i++) if (levels[i] !== levels[i - 1]) runs++;
  if (16 * runs > length) {
    const groups = Math.ceil(length / 8);
    out.appendVarInt((groups << 1) | 1);
    for (let group = 0; group < groups; group++) {
      let bits = 0;
      for (let i = 8 * group, end = Math.min(length, i + 8); i < end; i++) bits |= levels[i]! << (i & 7);
      out.appendUint8(bits);
    }
    return;
  }
  for (let at = 0; at < length;) {
    let end = at + 1;
    while (end < length && levels[end] === levels[at]) end++;
    out.appendVarInt((end - at) << 1);
    out.appendUint8(levels[at]!);
    at = end;
  }
}

/** Texts, or whole numbers below 2^31, by where they are in a dictionary. */
export class Words {
  readonly #isOptional: boolean;
  readonly #places = new Map<string | number, number>();
  /** Place and rows, in turn; -1: not known. */
  #runs: number[] = [];
  #rows = 0;
  #nulls = 0;

  constructor(isOptional: boolean) {
    this.#isOptional = isOptional;
  }

  /** The same in so many rows. Null: not known. */
  add(word: string | number | null, rows: number): void {
    this.#rows += rows;
    if (word === null) this.#nulls += rows;
    const place = word === null ? -1 : (this.#places.get(word) ?? this.#places.size);
    if (place === this.#places.size) this.#places.set(word!, place);
    const last = this.#runs.length - 2;
    if (this.#runs[last] === place) this.#runs[last + 1]! += rows;
    else this.#runs.push(place, rows);
  }

  take(): Chunk {
    const [rows, nulls, runs] = [this.#rows, this.#nulls, this.#runs];
    const dictionary = new ByteWriter();
    const encoder = new TextEncoder();
    for (const word of this.#places.keys()) {
      if (typeof word === 'number') {
        dictionary.appendInt32(word);
        continue;
      }
      const bytes = encoder.encode(word);
      dictionary.appendUint32(bytes.length);
      dictionary.appendBytes(bytes);
    }
    const count = this.#places.size;
    // Bits of a place: at least one, as not every reader knows of none.
    const width = Math.max(1, 32 - Math.clz32(count - 1));
    const [levels, values] = [new ByteWriter(), new ByteWriter()];
    values.appendUint8(width);
    for (let i = 0; i < runs.length; i += 2) {
      const [place, length] = [runs[i]!, runs[i + 1]!];
      if (this.#isOptional) {
        levels.appendVarInt(length << 1);
        levels.appendUint8(place < 0 ? 0 : 1);
      }
      if (place < 0) continue;
      values.appendVarInt(length << 1);
      for (let bits = 0; bits < width; bits += 8) values.appendUint8((place >> bits) & 0xff);
    }
    this.#places.clear();
    [this.#runs, this.#rows, this.#nulls] = [[], 0, 0];
    return {
      ...{ rows, nulls, levels: levels.getBytes(), values: values.getBytes(), bounds: null },
      dictionary: { count, values: dictionary.getBytes() },
    };
  }
}
