/** Names by their bytes, as the wire has them, and what a client has described of them. */

export { escapedName, HASH_SEED, hashBytes, hashStep, NameTable } from '../live/name-table.ts';

/** Small integers to small integers, for a client's own places: open addressing, never removed. */
export class IntMap {
  #keys = new Int32Array(16);
  #values = new Int32Array(16);
  #count = 0;

  get size(): number {
    return this.#count;
  }

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
    // A client describes most of its scope's names, in order: such keys do not meet, so little room is left free.
    if (8 * ++this.#count > 7 * this.#keys.length) {
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
