/**
 * Finds the series a name stands for from the bytes of the name, without making a string of them.
 *
 * Keys are names as JSON spells them between quotes, with its escapes: what comes over the wire can be compared as it
 * is. The table belongs to a scope and serves all its clients; entries are never removed.
 */

import { growInt32 } from '../live/columns.ts';

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

export class NameTable {
  /** Number of entries; entry numbers are 0 … count - 1. */
  count = 0;
  #arena: Uint8Array<ArrayBuffer> = new Uint8Array(1024);
  #view = new DataView(this.#arena.buffer);
  #used = 0;
  #starts: Int32Array = new Int32Array(16);
  #hashes: Int32Array = new Int32Array(16);
  /** Open addressing: entry + 1, 0 is empty. At most half full. */
  #slots: Int32Array = new Int32Array(32);

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
      const next = new Uint8Array(Math.max(this.#used + length, 2 * this.#arena.length));
      next.set(this.#arena.subarray(0, this.#used));
      this.#arena = next;
      this.#view = new DataView(next.buffer);
    }
    this.#arena.set(bytes.subarray(start, end), this.#used);
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
    const bytes = this.#arena.subarray(this.#starts[entry], this.#starts[entry + 1]);
    return JSON.parse(`"${new TextDecoder().decode(bytes)}"`) as string;
  }

  #rehash(): void {
    this.#slots = new Int32Array(2 * this.#slots.length);
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

/** Small integers to small integers, for a client's own places: open addressing, never removed. */
export class IntMap {
  #keys = new Int32Array(16);
  #values = new Int32Array(16);
  #count = 0;

  /** Value of a key ≥ 0, or -1. */
  get(key: number): number {
    const mask = this.#keys.length - 1;
    for (let at = key & mask; ; at = (at + 1) & mask) {
      const found = this.#keys[at]!;
      if (found === key + 1) return this.#values[at]!;
      if (found === 0) return -1;
    }
  }

  /** Sets a key that is not there yet. */
  add(key: number, value: number): void {
    if (2 * ++this.#count > this.#keys.length) {
      const [keys, values] = [this.#keys, this.#values];
      this.#keys = new Int32Array(2 * keys.length);
      this.#values = new Int32Array(2 * keys.length);
      for (let i = 0; i < keys.length; i++) if (keys[i] !== 0) this.#insert(keys[i]!, values[i]!);
    }
    this.#insert(key + 1, value);
  }

  /** Keys and values, in no order. */
  *entries(): Generator<[key: number, value: number]> {
    for (let i = 0; i < this.#keys.length; i++) if (this.#keys[i] !== 0) yield [this.#keys[i]! - 1, this.#values[i]!];
  }

  #insert(stored: number, value: number): void {
    const mask = this.#keys.length - 1;
    let at = (stored - 1) & mask;
    while (this.#keys[at] !== 0) at = (at + 1) & mask;
    this.#keys[at] = stored;
    this.#values[at] = value;
  }
}
