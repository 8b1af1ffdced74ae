/** Names by their bytes, as the wire has them, and what a client has described of them. */

import { freeArray, NO_INTS } from '../live/columns.ts';

export { escapedName, HASH_SEED, hashBytes, hashStep, NameTable } from '../live/name-table.ts';

/**
 * Small integers to small integers, for a client's own places: open addressing, never removed. A client describes most of
 * its scope's names, in order: as long as that is so, only how many is kept.
 */
export class IntMap {
  #keys = NO_INTS;
  #values = NO_INTS;
  #count = 0;
  /** The keys are 0 … count - 1, and each has twice itself as its value. */
  #plain = true;

  get size(): number {
    return this.#count;
  }

  /** Value of a key ≥ 0, or -1. */
  get(key: number): number {
    if (this.#plain) return key < this.#count ? 2 * key : -1;
    const mask = this.#keys.length - 1;
    for (let at = key & mask; ; at = (at + 1) & mask) {
      const found = this.#keys[at]!;
      if (found === key + 1) return this.#values[at]!;
      if (found === 0) return -1;
    }
  }

  /** Sets a key that is not there yet. */
  add(key: number, value: number): void {
    if (this.#plain) {
      if (key === this.#count && value === 2 * key) {
        this.#count++;
        return;
      }
      this.#plain = false;
      this.#resize(2 ** Math.max(4, 32 - Math.clz32(2 * this.#count)));
      for (let i = 0; i < this.#count; i++) this.#insert(i + 1, 2 * i);
    }
    // Such keys hardly meet, so little room is left free.
    if (8 * ++this.#count > 7 * this.#keys.length) {
      const [keys, values] = [this.#keys, this.#values];
      this.#resize(2 * keys.length);
      for (let i = 0; i < keys.length; i++) if (keys[i] !== 0) this.#insert(keys[i]!, values[i]!);
      freeArray(keys);
      freeArray(values);
    }
    this.#insert(key + 1, value);
  }

  /** Keys and values, in no order. */
  *entries(): Generator<[key: number, value: number]> {
    if (this.#plain) for (let i = 0; i < this.#count; i++) yield [i, 2 * i];
    for (let i = 0; i < this.#keys.length; i++) if (this.#keys[i] !== 0) yield [this.#keys[i]! - 1, this.#values[i]!];
  }

  #resize(length: number): void {
    this.#keys = new Int32Array(length);
    this.#values = new Int32Array(length);
  }

  #insert(stored: number, value: number): void {
    const mask = this.#keys.length - 1;
    let at = (stored - 1) & mask;
    while (this.#keys[at] !== 0) at = (at + 1) & mask;
    this.#keys[at] = stored;
    this.#values[at] = value;
  }
}
