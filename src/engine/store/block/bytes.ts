/** Bytes that grow as they are written, and bytes that nobody vouches for as they are read. */

import { BlockError } from './format.ts';

const TWO_32 = 2 ** 32;

export class ByteWriter {
  bytes: Uint8Array<ArrayBuffer>;
  length = 0;
  #view: DataView<ArrayBuffer>;

  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.bytes.buffer);
  }

  /** Makes place for `count` more bytes. */
  reserve(count: number): void {
    const need = this.length + count;
    if (need <= this.bytes.length) return;
    const next = new Uint8Array(Math.max(need, 2 * this.bytes.length));
    next.set(this.bytes.subarray(0, this.length));
    this.bytes = next;
    this.#view = new DataView(next.buffer);
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  /** A whole number from 0 to 2^53 - 1: seven bits a byte, low ones first; the high bit says that more follow. */
  varint(value: number): void {
    this.reserve(8);
    let rest = value;
    while (rest >= TWO_32) {
      this.bytes[this.length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    let low = rest >>> 0;
    while (low >= 0x80) {
      this.bytes[this.length++] = (low & 0x7f) | 0x80;
      low >>>= 7;
    }
    this.bytes[this.length++] = low;
  }

  double(value: number): void {
    this.reserve(8);
    this.#view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  set(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** What was written; valid until the next write. */
  get written(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.length);
  }
}

/** Throws {@link BlockError} instead of reading past the end. */
export class ByteReader {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  byte(): number {
    if (this.at >= this.end) throw ended();
    return this.bytes[this.at++]!;
  }

  /** Not above 2^53 - 1. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      scale *= 128;
    }
    throw new BlockError('content', 'a number in the block is too long');
  }

  /** As many as `count`, one after another. */
  varints(into: Float64Array, count: number): void {
    const { bytes, end } = this;
    let { at } = this;
    for (let i = 0; i < count; i++) {
      // One and two bytes are nearly all there are.
      if (at + 2 > end) {
        this.at = at;
        into[i] = this.varint();
        ({ at } = this);
        continue;
      }
      const low = bytes[at]!;
      const high = bytes[at + 1]!;
      if (low < 0x80) {
        into[i] = low;
        at++;
      } else if (high < 0x80) {
        into[i] = (low & 0x7f) | (high << 7);
        at += 2;
      } else {
        this.at = at;
        into[i] = this.varint();
        ({ at } = this);
      }
    }
    this.at = at;
  }

  double(): number {
    const bytes = this.take(8);
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true);
  }

  /** The next `count` bytes, not copied. */
  take(count: number): Uint8Array {
    if (count > this.end - this.at) throw ended();
    const from = this.at;
    this.at += count;
    return this.bytes.subarray(from, this.at);
  }
}

const ended = (): BlockError => new BlockError('content', 'the block ends inside a column');
