/**
 * Finds what a name stands for from the bytes of the name, without making a string of them.
 *
 * Keys are names as JSON spells them between quotes, with its escapes: what comes over the wire can be compared as it
 * is, and an answer in JSON can be written from it. Names lie one after another in one array, so that a hundred thousand
 * of them are no hundred thousand objects. Entries are never removed.
 */

import { capacity, freeArray, growInt32, NO_INTS } from './columns.ts';

/** Different at each start, so that nobody can prepare names that all fall into one slot. */
const SEED = (Math.random() * 0x7fffffff) | 1;

/** Hash of bytes[start, end). */
export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = SEED;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash;
}

/** One step of {@link hashBytes}, for callers that walk the bytes anyway. */
export const hashStep = (hash: number, byte: number): number => Math.imul(hash ^ byte, 0x01000193);
export const HASH_SEED = SEED;

const encoder = new TextEncoder();

/** A name as JSON spells it between quotes. */
export const escapedName = (name: string): Uint8Array => encoder.encode(JSON.stringify(name).slice(1, -1));

const BACKSLASH = 0x5c;
const NO_BYTES = Buffer.alloc(0);
const NO_VIEW = new DataView(new ArrayBuffer(0));

export class NameTable {
  /** Number of entries; entry numbers are 0 … count - 1. */
  count = 0;
  #arena: Buffer = NO_BYTES;
  #view = NO_VIEW;
  #used = 0;
  #starts: Int32Array = NO_INTS;
  #hashes: Int32Array = NO_INTS;
  /** Open addressing: entry + 1, 0 is empty. At most half full. */
  #slots: Int32Array = NO_SLOTS;

  /** All names, one after another; replaced when it grows. */
  get bytes(): Buffer {
    return this.#arena;
  }

  /** Where an entry's name begins in `bytes`. */
  start(entry: number): number {
    return this.#starts[entry]!;
  }

  hash(entry: number): number {
    return this.#hashes[entry]!;
  }

  /** Entry of a name, or -1. `hash` is {@link hashBytes} of the same bytes. */
  find(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    const length = end - start;
    for (let at = (hash ^ (hash >>> 15)) & mask; ; at = (at + 1) & mask) {
      const entry = slots[at]! - 1;
      if (entry < 0) return -1;
      if (this.#hashes[entry] !== hash) continue;
      const from = this.#starts[entry]!;
      if (this.#starts[entry + 1]! - from !== length) continue;
      const arena = this.#arena;
      let i = 0;
      while (i < length && arena[from + i] === bytes[start + i]) i++;
      if (i === length) return entry;
    }
  }

  /** Adds a name that {@link find} does not know. */
  add(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const length = end - start;
    if (this.#used + length > this.#arena.length) {
      const next = Buffer.allocUnsafeSlow(Math.max(256, capacity(this.#arena.length, this.#used + length)));
      next.set(this.#arena.subarray(0, this.#used));
      freeArray(this.#arena);
      this.#arena = next;
      this.#view = new DataView(next.buffer);
    }
    // Not `set` of a part: an object for the part costs more than a short name's bytes.
    const arena = this.#arena;
    for (let i = start, to = this.#used; i < end; i++, to++) arena[to] = bytes[i]!;
    const entry = this.count++;
    this.#starts = growInt32(this.#starts, this.count + 1);
    this.#hashes = growInt32(this.#hashes, this.count);
    this.#used += length;
    this.#starts[entry + 1] = this.#used;
    this.#hashes[entry] = hash;
    if (2 * this.count > this.#slots.length) this.#rehash();
    else this.#place(entry);
    return entry;
  }

  /** Length of an entry's name in bytes. */
  length(entry: number): number {
    return this.#starts[entry + 1]! - this.#starts[entry]!;
  }

  /**
   * The name of an entry stands at `at`. Compares eight bytes at a time: as doubles, which is exact for equality, except
   * that bytes which make a NaN are never equal. So false may also mean "compare the slow way". The name's length from
   * `at` on must be inside the view.
   */
  standsAt(entry: number, view: DataView, at: number): boolean {
    const own = this.#view;
    const start = this.#starts[entry]!;
    const length = this.#starts[entry + 1]! - start;
    if (length < 8) {
      for (let i = 0; i < length; i++) if (own.getUint8(start + i) !== view.getUint8(at + i)) return false;
      return true;
    }
    const last = length - 8;
    for (let i = 0; i < last; i += 8) if (own.getFloat64(start + i) !== view.getFloat64(at + i)) return false;
    return own.getFloat64(start + last) === view.getFloat64(at + last);
  }

  /** The name of an entry, as text. */
  name(entry: number): string {
    const start = this.start(entry);
    const end = start + this.length(entry);
    const { bytes } = this;
    const text = bytes.toString('utf8', start, end);
    for (let i = start; i < end; i++) {
      if (bytes[i] === BACKSLASH) return JSON.parse(`"${text}"`) as string;
    }
    return text;
  }

  #rehash(): void {
    const before = this.#slots;
    this.#slots = new Int32Array(Math.max(16, 2 * before.length));
    freeArray(before);
    for (let entry = 0; entry < this.count; entry++) this.#place(entry);
  }

  #place(entry: number): void {
    const mask = this.#slots.length - 1;
    const hash = this.#hashes[entry]!;
    let at = (hash ^ (hash >>> 15)) & mask;
    while (this.#slots[at] !== 0) at = (at + 1) & mask;
    this.#slots[at] = entry + 1;
  }
}

/** Of a table without entries: shared, never written. */
const NO_SLOTS = new Int32Array(1);
