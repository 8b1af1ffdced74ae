/** Writes columns; decode-column.ts reads them. */

import type { ByteWriter } from './bytes.ts';
import {
  CODER,
  CODER_SHIFT,
  FLAG_DOUBLE,
  FLAG_RUNS,
  FLAG_TIMES,
  MODE,
  ORDER_SHIFT,
  TWO_MIN,
  zigzag,
} from './column-format.ts';
import { writeResiduals } from './residuals.ts';
import { scaleColumn } from './scale.ts';

/** Differences between whole numbers that are no further apart than this are exact, and so are theirs. */
const MAX_SPREAD = 2 ** 50;
/** Twice a smaller number than this is one that a varint can hold. */
const MAX_WHOLE = 2 ** 52;
/** Numbers further apart than this may be longer than their bits' XOR. */
const WIDE_SPREAD = 2 ** 40;
/** Integers that a constant may be written as. */
const SHORT = 2 ** 31;

/** Holds the arrays that are needed on the way, for columns of up to `rows` rows. */
export class ColumnEncoder {
  readonly #out: ByteWriter;
  /** Values that are there, in order; the same memory as halves of them. */
  readonly #dense: Float64Array;
  readonly #bits: Uint32Array;
  readonly #whole: Float64Array;
  readonly #residuals: Float64Array;
  /** Lengths of runs of rows with and without values, in turn. */
  readonly #runs: number[] = [];

  constructor(out: ByteWriter, rows: number) {
    this.#out = out;
    this.#dense = new Float64Array(rows);
    this.#bits = new Uint32Array(this.#dense.buffer);
    this.#whole = new Float64Array(rows);
    this.#residuals = new Float64Array(rows);
  }

  /** Writes rows `from` and on. */
  write(values: Float64Array, from: number): void {
    const out = this.#out;
    const count = this.#gather(values, from);
    const at = out.length;
    // Written when the rest is known.
    out.byte(MODE.absent);
    if (count === 0) return;
    let tag = 0;
    if (this.#runs.length > 0) {
      tag = FLAG_RUNS;
      for (const run of this.#runs) out.varint(run);
    }
    if (this.#isConstant(count)) tag |= MODE.constant | this.#constant();
    else tag |= this.#integers(count) ?? this.#xor(count);
    out.bytes[at] = tag;
  }

  /** Copies the values that are there and notes where; returns how many. */
  #gather(values: Float64Array, from: number): number {
    const rows = values.length;
    const dense = this.#dense;
    const runs = this.#runs;
    runs.length = 0;
    let count = 0;
    let present = true;
    let since = from;
    for (let row = from; row < rows; row++) {
      const value = values[row]!;
      const there = !Number.isNaN(value);
      if (there) dense[count++] = value;
      if (there === present) continue;
      runs.push(row - since);
      since = row;
      present = there;
    }
    if (runs.length > 0) runs.push(rows - since);
    return count;
  }

  #isConstant(count: number): boolean {
    const bits = this.#bits;
    const [low, high] = [bits[0]!, bits[1]!];
    for (let i = 2; i < 2 * count; i += 2) if (bits[i] !== low || bits[i + 1] !== high) return false;
    return true;
  }

  #constant(): number {
    const value = this.#dense[0]!;
    if (Number.isInteger(value) && Math.abs(value) < SHORT && !Object.is(value, -0)) {
      this.#out.varint(zigzag(value));
      return 0;
    }
    this.#out.double(value);
    return FLAG_DOUBLE;
  }

  /** Null where the values are no whole numbers at any scale, or XOR is shorter. */
  #integers(count: number): number | null {
    const whole = this.#whole;
    const scale = scaleColumn(this.#dense, count, whole);
    if (!scale) return null;
    let [min, max] = [whole[0]!, whole[0]!];
    // Bits of all differences, by order.
    let [bits0, bits1, bits2] = [0, 0, 0];
    for (let i = 1; i < count; i++) {
      const value = whole[i]!;
      if (value < min) min = value;
      else if (value > max) max = value;
    }
    if (max - min > MAX_SPREAD || min <= -MAX_WHOLE || max >= MAX_WHOLE) return null;
    let before = 0;
    for (let i = 1; i < count; i++) {
      const difference = whole[i]! - whole[i - 1]!;
      bits0 += bitLength(whole[i]! - min);
      bits1 += bitLength(zigzag(difference));
      bits2 += bitLength(zigzag(difference - before));
      before = difference;
    }
    const least = Math.min(bits0, bits1, bits2);
    if (max - min > WIDE_SPREAD && least > this.#xorBits(count)) return null;
    const order = bits1 === least ? 1 : bits2 === least ? 2 : 0;
    const out = this.#out;
    out.byte(scale.times ? scale.ten | FLAG_TIMES : scale.ten);
    out.byte(scale.two - TWO_MIN);
    const coder = this.#differences(count, order, min);
    return MODE.integers | (coder << CODER_SHIFT) | (order << ORDER_SHIFT);
  }

  #differences(count: number, order: number, min: number): number {
    const out = this.#out;
    const whole = this.#whole;
    const residuals = this.#residuals;
    if (order === 0) {
      out.varint(zigzag(min));
      for (let i = 0; i < count; i++) residuals[i] = whole[i]! - min;
      return writeResiduals(out, residuals, count);
    }
    out.varint(zigzag(whole[0]!));
    if (order === 1) {
      for (let i = 1; i < count; i++) residuals[i - 1] = zigzag(whole[i]! - whole[i - 1]!);
      return writeResiduals(out, residuals, count - 1);
    }
    let before = whole[1]! - whole[0]!;
    out.varint(zigzag(before));
    for (let i = 2; i < count; i++) {
      const difference = whole[i]! - whole[i - 1]!;
      residuals[i - 2] = zigzag(difference - before);
      before = difference;
    }
    return writeResiduals(out, residuals, count - 2);
  }

  /** Bits that the values differ by from those before them. */
  #xorBits(count: number): number {
    const bits = this.#bits;
    let sum = 0;
    for (let i = 2; i < 2 * count; i += 2) {
      const high = bits[i + 1]! ^ bits[i - 1]!;
      sum += high === 0 ? 32 - Math.clz32(bits[i]! ^ bits[i - 2]!) : 64 - Math.clz32(high);
    }
    return sum;
  }

  #xor(count: number): number {
    const out = this.#out;
    const bits = this.#bits;
    const dense = this.#dense;
    out.double(dense[0]!);
    let changes = 0;
    for (let i = 2; i < 2 * count; i += 2) {
      if (bits[i] !== bits[i - 2] || bits[i + 1] !== bits[i - 1]) changes++;
    }
    if (6 * changes >= count) {
      this.#xorPlanes(count);
      return MODE.xor | (CODER.planes << CODER_SHIFT);
    }
    // The values themselves: what was there before comes again.
    let same = 0;
    for (let i = 1; i < count; i++) {
      if (bits[2 * i] === bits[2 * i - 2] && bits[2 * i + 1] === bits[2 * i - 1]) {
        same++;
        continue;
      }
      out.varint(same);
      out.double(dense[i]!);
      same = 0;
    }
    out.varint(same);
    return MODE.xor | (CODER.sparse << CODER_SHIFT);
  }

  /** One bit per byte of a double, low ones first: where any differs, that byte of all of them follows. */
  #xorPlanes(count: number): void {
    const out = this.#out;
    const bits = this.#bits;
    const at = out.length;
    let mask = 0;
    out.byte(0);
    out.reserve(8 * count);
    const { bytes } = out;
    let end = out.length;
    for (let plane = 0; plane < 8; plane++) {
      const half = plane >> 2;
      const shift = 8 * (plane & 3);
      let any = 0;
      for (let i = 1, k = 2 + half; i < count; i++, k += 2) {
        const byte = ((bits[k]! ^ bits[k - 2]!) >>> shift) & 0xff;
        any |= byte;
        bytes[end + i - 1] = byte;
      }
      if (any === 0) continue;
      mask |= 1 << plane;
      end += count - 1;
    }
    out.bytes[at] = mask;
    out.length = end;
  }
}

/** Of a number below 2^53. */
const bitLength = (value: number): number =>
  value < 4294967296 ? 32 - Math.clz32(value) : 64 - Math.clz32(value / 4294967296);
