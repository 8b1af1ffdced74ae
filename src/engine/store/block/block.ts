/** Reads blocks; encode.ts writes them. Nothing is decoded but what is asked for. docs/store.md describes the bytes. */

import { ByteReader } from './bytes.ts';
import { checksumOf } from './checksum.ts';
import { readColumn } from './decode-column.ts';
import {
  AT,
  BlockError,
  HEADER_BYTES,
  MAGIC,
  MAX_COLUMNS,
  MAX_PARTS,
  MAX_ROWS,
  VERSION,
  type BlockIdentity,
  type BlockRows,
  type BlockShape,
  type Tier,
} from './format.ts';
import { readRows, type ReadRows } from './rows.ts';
import { unpack } from './zstd.ts';

/** Bytes of unpacked chunks that a block keeps: whoever reads on finds the next columns there. */
const KEPT_BYTES = 1 << 20;

/** Where a chunk is. */
interface Place {
  /** Number of its first series, counters before gauges. */
  readonly first: number;
  readonly series: number;
  readonly at: number;
  readonly packed: number;
  readonly bytes: number;
}

interface Chunk {
  readonly bytes: Uint8Array;
  /** Where each column begins, and where the last one ends. */
  readonly starts: Uint32Array;
}

/** A block that is read. What the rows have in common is shared with all who read it: do not change it. */
export class Block implements BlockRows {
  readonly identity: BlockIdentity;
  readonly shape: BlockShape;
  readonly rows: number;
  /** Time of the first and the last row, milliseconds since the epoch. */
  readonly first: number;
  readonly last: number;
  readonly times: Float64Array;
  readonly intervals: Float64Array;
  readonly sequences: Uint32Array;
  readonly gaps: Uint8Array;
  readonly counterCounts: Uint32Array;
  readonly gaugeCounts: Uint32Array;
  /** Series that the last row knows. */
  readonly counters: number;
  readonly gauges: number;
  readonly #bytes: Uint8Array;
  readonly #rows: ReadRows;
  readonly #places: readonly Place[];
  readonly #chunks = new Map<Place, Chunk>();
  #kept = 0;

  /**
   * Throws {@link BlockError} for anything that is not a whole block. The bytes are kept, not copied. `like`: rows of
   * another block that may be the same, as those of the ranks of a run are; then they are not made again.
   */
  static open(bytes: Uint8Array, like: ReadRows | null = null): Block {
    if (bytes.length < HEADER_BYTES) throw new BlockError('length', 'shorter than the header of a block');
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (view.getUint32(AT.magic, true) !== MAGIC) throw new BlockError('magic', 'not a block');
    const version = bytes[AT.version]!;
    if (version !== VERSION) throw new BlockError('version', `block version ${version} is not known here`);
    if (view.getUint32(AT.length, true) !== bytes.length) throw new BlockError('length', 'the block is not whole');
    if (view.getUint32(AT.checksum, true) !== checksumOf(bytes)) {
      throw new BlockError('checksum', 'the checksum of the block does not fit');
    }
    return new Block(bytes, view, like);
  }

  private constructor(bytes: Uint8Array, view: DataView, like: ReadRows | null) {
    const tier = bytes[AT.tier]!;
    const [counterParts, gaugeParts] = [bytes[AT.counterParts]!, bytes[AT.gaugeParts]!];
    if (tier > 2) throw new BlockError('content', 'the block is of no known tier');
    this.shape = { tier: tier as Tier, counterParts, gaugeParts };
    this.identity = { scope: view.getFloat64(AT.scope, true), epoch: view.getUint32(AT.epoch, true) };
    this.rows = view.getUint32(AT.rows, true);
    this.counters = view.getUint32(AT.counters, true);
    this.gauges = view.getUint32(AT.gauges, true);
    const columns = this.counters * counterParts + this.gauges * gaugeParts;
    const series = this.counters + this.gauges;
    const tooLarge = this.rows > MAX_ROWS || columns > MAX_COLUMNS || series > MAX_COLUMNS;
    if (tooLarge || counterParts > MAX_PARTS || gaugeParts > MAX_PARTS) {
      throw new BlockError('limit', 'the block is larger than any that is written');
    }
    if (this.rows === 0) throw new BlockError('content', 'the block has no rows');
    const start = HEADER_BYTES + view.getUint32(AT.indexPacked, true);
    if (start > bytes.length) throw new BlockError('content', 'the block ends inside its index');
    const index = new ByteReader(unpack(bytes.subarray(HEADER_BYTES, start), view.getUint32(AT.indexBytes, true)));
    const rows = readRows(index, this.rows, tier === 0, like);
    this.#rows = rows;
    this.times = rows.times;
    this.intervals = rows.intervals;
    this.sequences = rows.sequences;
    this.gaps = rows.gaps;
    this.counterCounts = rows.counterCounts;
    this.gaugeCounts = rows.gaugeCounts;
    this.first = view.getFloat64(AT.first, true);
    this.last = view.getFloat64(AT.last, true);
    const end = this.rows - 1;
    const known = this.counterCounts[end] === this.counters && this.gaugeCounts[end] === this.gauges;
    if (!known || this.times[0] !== this.first || this.times[end] !== this.last) {
      throw new BlockError('content', 'the header of the block and its rows differ');
    }
    this.#bytes = bytes;
    this.#places = readPlaces(index, view.getUint32(AT.chunks, true), start);
    const tail = this.#places.at(-1);
    const [covered, length] = tail ? [tail.first + tail.series, tail.at + tail.packed] : [0, start];
    if (covered !== series || length !== bytes.length || index.at !== index.end) {
      throw new BlockError('content', 'the chunks of the block are not what its header says');
    }
  }

  /** What a block with the same rows need not make again. */
  get readRows(): ReadRows {
    return this.#rows;
  }

  /** One part of one counter: a value per row, NaN where there is none. The array is the caller's. */
  counter(place: number, part: number): Float64Array<ArrayBuffer> {
    if (!isIndex(place, this.counters) || !isIndex(part, this.shape.counterParts)) {
      throw new RangeError(`the block has no counter ${place} with a part ${part}`);
    }
    return this.#reader(place, this.counterCounts, place)(part);
  }

  /** One part of one gauge: a value per row, NaN where there is none. The array is the caller's. */
  gauge(place: number, part: number): Float64Array<ArrayBuffer> {
    if (!isIndex(place, this.gauges) || !isIndex(part, this.shape.gaugeParts)) {
      throw new RangeError(`the block has no gauge ${place} with a part ${part}`);
    }
    return this.#reader(this.counters + place, this.gaugeCounts, place)(part);
  }

  /** All parts of one counter: cheaper than one after another, since some follow from others. */
  counterParts(place: number): Float64Array<ArrayBuffer>[] {
    if (!isIndex(place, this.counters)) throw new RangeError(`the block has no counter ${place}`);
    const read = this.#reader(place, this.counterCounts, place);
    return Array.from({ length: this.shape.counterParts }, (_, part) => read(part));
  }

  /** All parts of one gauge. */
  gaugeParts(place: number): Float64Array<ArrayBuffer>[] {
    if (!isIndex(place, this.gauges)) throw new RangeError(`the block has no gauge ${place}`);
    const read = this.#reader(this.counters + place, this.gaugeCounts, place);
    return Array.from({ length: this.shape.gaugeParts }, (_, part) => read(part));
  }

  /** Reads parts of one series, each once, however many are asked for or follow from it. */
  #reader(series: number, counts: Uint32Array, place: number): (part: number) => Float64Array<ArrayBuffer> {
    const chunkPlace = this.#placeOf(series);
    const { bytes, starts } = this.#chunk(chunkPlace);
    const column = this.#columnsBefore(series) - this.#columnsBefore(chunkPlace.first);
    const from = firstAbove(counts, place);
    const parts = series < this.counters ? this.shape.counterParts : this.shape.gaugeParts;
    const done: (Float64Array<ArrayBuffer> | undefined)[] = [];
    const read = (one: number): Float64Array<ArrayBuffer> => {
      const known = done[one];
      if (known) return known;
      const values = new Float64Array(this.rows);
      const reader = new ByteReader(bytes, starts[column + one], starts[column + one + 1]);
      readColumn(reader, values, from, (base) => {
        // Only from later ones: none can follow from itself.
        if (base <= one || base >= parts) throw new BlockError('content', 'a column follows from one that it cannot');
        return read(base);
      });
      if (reader.at !== reader.end) throw new BlockError('content', 'a column is longer than its rows');
      done[one] = values;
      return values;
    };
    return read;
  }

  #columnsBefore(series: number): number {
    const counters = Math.min(series, this.counters);
    return counters * this.shape.counterParts + (series - counters) * this.shape.gaugeParts;
  }

  #placeOf(series: number): Place {
    const places = this.#places;
    let [low, high] = [0, places.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (places[middle]!.first <= series) low = middle;
      else high = middle - 1;
    }
    return places[low]!;
  }

  #chunk(place: Place): Chunk {
    const kept = this.#chunks.get(place);
    if (kept) return kept;
    const bytes = unpack(this.#bytes.subarray(place.at, place.at + place.packed), place.bytes);
    const columns = this.#columnsBefore(place.first + place.series) - this.#columnsBefore(place.first);
    const chunk = { bytes, starts: readStarts(bytes, columns) };
    for (const old of this.#chunks.keys()) {
      if (this.#kept + bytes.length <= KEPT_BYTES) break;
      this.#kept -= old.bytes;
      this.#chunks.delete(old);
    }
    this.#chunks.set(place, chunk);
    this.#kept += bytes.length;
    return chunk;
  }
}

function readPlaces(index: ByteReader, count: number, start: number): Place[] {
  const places: Place[] = [];
  let first = 0;
  let at = start;
  // Ends with the index at the latest: nothing is allocated for what is only claimed.
  for (let i = 0; i < count; i++) {
    const [series, bytes, packed] = [index.varint(), index.varint(), index.varint()];
    if (series === 0) throw new BlockError('content', 'a chunk of the block is empty');
    places.push({ first, series, at, packed, bytes });
    first += series;
    at += packed;
  }
  return places;
}

function readStarts(bytes: Uint8Array, columns: number): Uint32Array {
  // Each takes a byte for its length and one for itself.
  if (2 * columns > bytes.length) throw new BlockError('content', 'a chunk has fewer columns than it says');
  const reader = new ByteReader(bytes);
  const starts = new Uint32Array(columns + 1);
  let at = 0;
  for (let i = 0; i < columns; i++) {
    starts[i] = at;
    at += reader.varint();
    if (at > bytes.length) throw new BlockError('content', 'a chunk is shorter than its columns');
  }
  starts[columns] = at;
  if (reader.at + at !== bytes.length) throw new BlockError('content', 'a chunk is longer than its columns');
  for (let i = 0; i <= columns; i++) starts[i]! += reader.at;
  return starts;
}

const isIndex = (value: number, below: number): boolean => Number.isInteger(value) && value >= 0 && value < below;

/** The first row that knows more than `place` series: counts never fall, and the last one does. */
function firstAbove(counts: Uint32Array, place: number): number {
  let [low, high] = [0, counts.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (counts[middle]! > place) high = middle;
    else low = middle + 1;
  }
  return low;
}
