import { labelValue } from './label.ts';

interface Entry<T> {
  /** The name's bytes as the kernel has it. */
  readonly name: Uint8Array;
  /** Null: not followed. */
  readonly item: T | null;
}

/**
 * What is known of the things that the lines of a file are about (interfaces, disks), by name. The order of lines rarely
 * changes, so that a name is compared once, as bytes, with the one that stood at its place the last time.
 */
export class Known<T> {
  readonly #max: number;
  readonly #make: (text: string) => T | null;
  readonly #entries = new Map<string, Entry<T>>();
  readonly #order: (Entry<T> | null)[] = [];

  /**
   * `max`: most names kept while the engine runs; new ones beyond it are not followed, because series once made stay.
   * `make`: called once per name, as a label's value; null for what is not followed.
   */
  constructor(max: number, make: (text: string) => T | null) {
    this.#max = max;
    this.#make = make;
  }

  /** The thing whose name stands in `bytes`, in line number `place`. */
  find(bytes: Uint8Array, from: number, to: number, place: number): T | null {
    const expected = this.#order[place];
    if (expected && sameBytes(expected.name, bytes, from, to)) return expected.item;
    const name = bytes.slice(from, to);
    const text = labelValue(name);
    let entry = this.#entries.get(text) ?? null;
    if (entry === null && this.#entries.size < this.#max) {
      entry = { name, item: this.#make(text) };
      this.#entries.set(text, entry);
    }
    this.#order[place] = entry;
    return entry?.item ?? null;
  }

  *items(): Generator<T, void> {
    for (const { item } of this.#entries.values()) if (item !== null) yield item;
  }
}

function sameBytes(name: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from !== name.length) return false;
  for (let i = 0; i < name.length; i++) if (bytes[from + i] !== name[i]) return false;
  return true;
}
