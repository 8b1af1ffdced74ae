/** Writes blocks; block.ts reads them. docs/store.md describes the bytes. */

import { ByteWriter } from './bytes.ts';
import { checksumOf } from './checksum.ts';
import { MODE } from './column-format.ts';
import { predict, writeDerived, type Derivation } from './derive.ts';
import { ColumnEncoder } from './encode-column.ts';
import {
  AT,
  CHUNK_BYTES,
  HEADER_BYTES,
  MAGIC,
  MAX_BLOCK_BYTES,
  MAX_COLUMNS,
  MAX_PARTS,
  MAX_ROWS,
  VERSION,
  type BlockIdentity,
  type BlockRows,
  type BlockShape,
} from './format.ts';
import { writeRows } from './rows.ts';
import { pack } from './zstd.ts';

/** Parts of a series in tiers: min, max, increase or sum, elapsed time or count, last. */
const TIER_PARTS = 5;

/** Values of a step, a millisecond or two. */
const STEP_VALUES = 16_384;

/** The rows as a block. Throws RangeError for rows that no block can have. */
export function encodeBlock(identity: BlockIdentity, shape: BlockShape, rows: BlockRows): Uint8Array<ArrayBuffer> {
  for (const steps = encodeSteps(identity, shape, rows); ;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** The same in steps: thousands of series take longer than anybody should wait. */
export function* encodeSteps(
  identity: BlockIdentity,
  shape: BlockShape,
  rows: BlockRows,
): Generator<void, Uint8Array<ArrayBuffer>> {
  const n = rows.times.length;
  check(shape, rows);
  const counters = rows.counterCounts[n - 1]!;
  const gauges = rows.gaugeCounts[n - 1]!;
  const index = new ByteWriter();
  writeRows(new ColumnEncoder(index, n), rows, shape.tier === 0);
  const chunks = new ChunkWriter(index, n);
  const counterColumn = rows.counter.bind(rows);
  const gaugeColumn = rows.gauge.bind(rows);
  for (const [counts, parts, column] of [
    [rows.counterCounts, shape.counterParts, counterColumn],
    [rows.gaugeCounts, shape.gaugeParts, gaugeColumn],
  ] as const) {
    let from = 0;
    let values = 0;
    for (let place = 0; place < counts[n - 1]!; place++) {
      while (counts[from]! <= place) from++;
      chunks.series(place, parts, from, column);
      values += parts * n;
      if (values < STEP_VALUES) continue;
      values = 0;
      yield;
    }
  }
  chunks.flush();

  const packedIndex = pack(index.written);
  const length = chunks.packed.reduce((sum, chunk) => sum + chunk.length, HEADER_BYTES + packedIndex.length);
  if (length > MAX_BLOCK_BYTES) throw new RangeError('the rows are more than a block can have');
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(AT.magic, MAGIC, true);
  bytes[AT.version] = VERSION;
  bytes[AT.tier] = shape.tier;
  bytes[AT.counterParts] = shape.counterParts;
  bytes[AT.gaugeParts] = shape.gaugeParts;
  view.setUint32(AT.length, length, true);
  view.setFloat64(AT.scope, identity.scope, true);
  view.setFloat64(AT.first, rows.times[0]!, true);
  view.setFloat64(AT.last, rows.times[n - 1]!, true);
  view.setUint32(AT.epoch, identity.epoch, true);
  view.setUint32(AT.rows, n, true);
  view.setUint32(AT.counters, counters, true);
  view.setUint32(AT.gauges, gauges, true);
  view.setUint32(AT.chunks, chunks.packed.length, true);
  view.setUint32(AT.indexPacked, packedIndex.length, true);
  view.setUint32(AT.indexBytes, index.length, true);
  let at = HEADER_BYTES;
  for (const part of [packedIndex, ...chunks.packed]) {
    bytes.set(part, at);
    at += part.length;
  }
  view.setUint32(AT.checksum, checksumOf(bytes), true);
  return bytes;
}

function check({ counterParts, gaugeParts, tier }: BlockShape, rows: BlockRows): void {
  const { times, counterCounts, gaugeCounts } = rows;
  const n = times.length;
  if (n === 0 || n > MAX_ROWS) throw new RangeError(`a block has 1 to ${MAX_ROWS} rows, not ${n}`);
  if (counterParts > MAX_PARTS || gaugeParts > MAX_PARTS)
    throw new RangeError(`a series has at most ${MAX_PARTS} parts`);
  if (counterCounts[n - 1]! * counterParts + gaugeCounts[n - 1]! * gaugeParts > MAX_COLUMNS) {
    throw new RangeError(`a block has at most ${MAX_COLUMNS} columns`);
  }
  const perRow = tier === 0 ? n : 0;
  const lengths = [rows.intervals.length, rows.sequences.length, rows.gaps.length];
  if (counterCounts.length !== n || gaugeCounts.length !== n || lengths.some((length) => length !== perRow)) {
    throw new RangeError('the columns of the rows have different lengths');
  }
  for (let i = 0; i < n; i++) {
    if (!Number.isFinite(times[i]) || (i > 0 && times[i]! <= times[i - 1]!)) throw new RangeError('times must grow');
    if (i > 0 && (counterCounts[i]! < counterCounts[i - 1]! || gaugeCounts[i]! < gaugeCounts[i - 1]!)) {
      throw new RangeError('series that are known stay known');
    }
  }
}

/** What is tried for a part of a series that has `parts`, the cheapest first. */
function derivationsOf(part: number, parts: number): Derivation[] {
  if (part === parts - 1) return [];
  const same: Derivation = { mode: MODE.same, bases: [parts - 1] };
  if (parts !== TIER_PARTS) return [same];
  // A counter's increase, and its smallest and largest rate: increase over elapsed time.
  if (part === 2) return [same, { mode: MODE.growth, bases: [parts - 1] }];
  return part < 2 ? [same, { mode: MODE.quotient, bases: [2, 3] }] : [same];
}

/** Gathers columns until they fill a chunk. */
class ChunkWriter {
  readonly packed: Uint8Array[] = [];
  readonly #index: ByteWriter;
  readonly #rows: number;
  readonly #lengths = new ByteWriter();
  readonly #columns = new ByteWriter(2 * CHUNK_BYTES);
  readonly #encoder: ColumnEncoder;
  /** The parts of one series: what they follow from must be at hand. */
  readonly #parts: Float64Array[] = [];
  readonly #predicted: Float64Array;
  readonly #derivations: Derivation[][][] = [];
  #series = 0;

  constructor(index: ByteWriter, rows: number) {
    this.#index = index;
    this.#rows = rows;
    this.#encoder = new ColumnEncoder(this.#columns, rows);
    this.#predicted = new Float64Array(rows);
  }

  /** Writes a series that is known from row `from` on. */
  series(place: number, parts: number, from: number, column: (place: number, part: number) => Float64Array): void {
    const columns = this.#columns;
    const derivations = (this.#derivations[parts] ??= Array.from({ length: parts }, (_, i) => derivationsOf(i, parts)));
    for (let part = 0; part < parts; part++) {
      (this.#parts[part] ??= new Float64Array(this.#rows)).set(column(place, part).subarray(0, this.#rows));
    }
    for (let part = 0; part < parts; part++) {
      const start = columns.length;
      this.#column(this.#parts[part]!, from, derivations[part]!);
      this.#lengths.varint(columns.length - start);
    }
    this.#series++;
    if (columns.length + this.#lengths.length >= CHUNK_BYTES) this.flush();
  }

  #column(values: Float64Array, from: number, derivations: readonly Derivation[]): void {
    if (derivations.length > 0 && !isConstant(values, from)) {
      const base = (part: number): Float64Array => this.#parts[part]!;
      for (const derivation of derivations) {
        predict(derivation, base, this.#predicted, from);
        if (writeDerived(this.#columns, derivation, values, this.#predicted, from)) return;
      }
    }
    this.#encoder.write(values, from);
  }

  flush(): void {
    if (this.#series === 0) return;
    const chunk = new Uint8Array(this.#lengths.length + this.#columns.length);
    chunk.set(this.#lengths.written);
    chunk.set(this.#columns.written, this.#lengths.length);
    const packed = pack(chunk);
    this.packed.push(packed);
    this.#index.varint(this.#series);
    this.#index.varint(chunk.length);
    this.#index.varint(packed.length);
    this.#lengths.length = 0;
    this.#columns.length = 0;
    this.#series = 0;
  }
}

function isConstant(values: Float64Array, from: number): boolean {
  const first = values[from];
  for (let row = from + 1; row < values.length; row++) if (!Object.is(values[row], first)) return false;
  return true;
}
