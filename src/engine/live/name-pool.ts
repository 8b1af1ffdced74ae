/**
 * Names that many tables have, each once: a thousand exporters of one kind say the same. A table holds numbers of the pool
 * instead of bytes; what no table holds any more is given back when it is as much as the rest.
 */

import { capacity, freeArray, growInt32, NO_INTS } from './columns.ts';
import { NameTable } from './name-table.ts';

/** Names that nobody uses, up to which nothing is moved for their sake. */
const SPARE = 4096;
const NO_BYTES = Buffer.alloc(0);
const NO_VIEW = new DataView(new ArrayBuffer(0));

export class NamePool {
  #arena: Buffer = NO_BYTES;
  #view = NO_VIEW;
  #used = 0;
  /** By number. A number stays while anybody uses it, also when its bytes are moved. */
  #starts = NO_INTS;
  #lengths = NO_INTS;
  #hashes = NO_INTS;
  /** How often a name is used; 0: by nobody, but it may still be found. Below 0: there is no such name. */
  #uses = NO_INTS;
  #count = 0;
  #unused = 0;
  readonly #free: number[] = [];
  /** Open addressing: number + 1, 0 is empty. At most half full. */
  #slots = new Int32Array(16);

  get bytes(): Buffer {
    return this.#arena;
  }

  /** Names that it has, used or not. */
  get size(): number {
    return this.#count - this.#free.length;
  }

  start(id: number): number {
    return this.#starts[id]!;
  }

  length(id: number): number {
    return this.#lengths[id]!;
  }

  hash(id: number): number {
    return this.#hashes[id]!;
  }

  /** Number of a name, or -1. */
  find(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    const length = end - start;
    for (let at = (hash ^ (hash >>> 15)) & mask; ; at = (at + 1) & mask) {
      const id = slots[at]! - 1;
      if (id < 0) return -1;
      if (this.#hashes[id] !== hash || this.#lengths[id] !== length) continue;
      const from = this.#starts[id]!;
      const arena = this.#arena;
      let i = 0;
      while (i < length && arena[from + i] === bytes[start + i]) i++;
      if (i === length) return id;
    }
  }

  /** Number of a name that is used once more from now on. */
  take(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const known = this.find(bytes, start, end, hash);
    if (known < 0) return this.#add(bytes, start, end, hash);
    if (this.#uses[known]!++ === 0) this.#unused--;
    return known;
  }

  #add(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const length = end - start;
    if (this.#used + length > this.#arena.length) this.#move(capacity(this.#arena.length, this.#used + length));
    const arena = this.#arena;
    for (let i = start, to = this.#used; i < end; i++, to++) arena[to] = bytes[i]!;
    const id = this.#free.pop() ?? this.#count++;
    this.#starts = growInt32(this.#starts, this.#count);
    this.#lengths = growInt32(this.#lengths, this.#count);
    this.#hashes = growInt32(this.#hashes, this.#count);
    this.#uses = growInt32(this.#uses, this.#count);
    this.#starts[id] = this.#used;
    this.#lengths[id] = length;
    this.#hashes[id] = hash;
    this.#uses[id] = 1;
    this.#used += length;
    if (2 * this.size > this.#slots.length) this.#rehash();
    else this.#place(id);
    return id;
  }

  /** These names are used once less. */
  release(ids: Int32Array, count: number): void {
    for (let i = 0; i < count; i++) if (--this.#uses[ids[i]!]! === 0) this.#unused++;
    if (this.#unused <= SPARE || 2 * this.#unused <= this.size) return;
    for (let id = 0; id < this.#count; id++) {
      if (this.#uses[id] !== 0) continue;
      this.#uses[id] = -1;
      this.#free.push(id);
    }
    this.#unused = 0;
    let bytes = 0;
    for (let id = 0; id < this.#count; id++) if (this.#uses[id]! > 0) bytes += this.#lengths[id]!;
    this.#move(bytes);
    this.#rehash();
  }

  /** Into an array of this size, without what is between them. */
  #move(size: number): void {
    const before = this.#arena;
    const next = Buffer.allocUnsafeSlow(Math.max(256, size));
    let used = 0;
    for (let id = 0; id < this.#count; id++) {
      if (this.#uses[id]! < 0) continue;
      const start = this.#starts[id]!;
      const length = this.#lengths[id]!;
      before.copy(next, used, start, start + length);
      this.#starts[id] = used;
      used += length;
    }
    freeArray(before);
    this.#arena = next;
    this.#view = new DataView(next.buffer);
    this.#used = used;
  }

  #rehash(): void {
    freeArray(this.#slots);
    this.#slots = new Int32Array(Math.max(16, 2 ** (33 - Math.clz32(this.size))));
    for (let id = 0; id < this.#count; id++) if (this.#uses[id]! >= 0) this.#place(id);
  }

  #place(id: number): void {
    const mask = this.#slots.length - 1;
    const hash = this.#hashes[id]!;
    let at = (hash ^ (hash >>> 15)) & mask;
    while (this.#slots[at] !== 0) at = (at + 1) & mask;
    this.#slots[at] = id + 1;
  }

  /** See {@link NameTable.standsAt}. */
  standsAt(id: number, view: DataView, at: number): boolean {
    const own = this.#view;
    const start = this.#starts[id]!;
    const length = this.#lengths[id]!;
    if (length < 8) {
      for (let i = 0; i < length; i++) if (own.getUint8(start + i) !== view.getUint8(at + i)) return false;
      return true;
    }
    const last = length - 8;
    for (let i = 0; i < last; i += 8) if (own.getFloat64(start + i) !== view.getFloat64(at + i)) return false;
    return own.getFloat64(start + last) === view.getFloat64(at + last);
  }
}

/** Numbers that a table holds. */
interface Held {
  ids: Int32Array;
  count: number;
}

const shared = new NamePool();
/** A table has no end that anybody tells: what it held is given back once it is collected. */
const tables = new FinalizationRegistry<Held>(({ ids, count }) => shared.release(ids, count));

/** A table whose names' bytes are shared with all others of this kind. */
export class SharedNames extends NameTable {
  readonly #pool: NamePool;
  readonly #held: Held = { ids: NO_INTS, count: 0 };
  #ids = NO_INTS;
  /** Open addressing by number: entry + 1, 0 is empty. At most half full. */
  #entries = NO_ENTRIES;

  /** `pool`: another one than that of the engine. */
  constructor(pool: NamePool = shared) {
    super();
    this.#pool = pool;
    if (pool === shared) tables.register(this, this.#held);
  }

  override get bytes(): Buffer {
    return this.#pool.bytes;
  }

  override start(entry: number): number {
    return this.#pool.start(this.#ids[entry]!);
  }

  override length(entry: number): number {
    return this.#pool.length(this.#ids[entry]!);
  }

  override hash(entry: number): number {
    return this.#pool.hash(this.#ids[entry]!);
  }

  override find(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const id = this.#pool.find(bytes, start, end, hash);
    if (id < 0) return -1;
    const entries = this.#entries;
    const mask = entries.length - 1;
    for (let at = spread(id) & mask; ; at = (at + 1) & mask) {
      const entry = entries[at]! - 1;
      if (entry < 0 || this.#ids[entry] === id) return entry;
    }
  }

  override add(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const entry = this.count++;
    this.#ids = this.#held.ids = growInt32(this.#ids, this.count);
    this.#ids[entry] = this.#pool.take(bytes, start, end, hash);
    this.#held.count = this.count;
    if (2 * this.count <= this.#entries.length) this.#place(entry);
    else {
      const before = this.#entries;
      this.#entries = new Int32Array(Math.max(16, 2 * before.length));
      if (before !== NO_ENTRIES) freeArray(before);
      for (let each = 0; each < this.count; each++) this.#place(each);
    }
    return entry;
  }

  #place(entry: number): void {
    const mask = this.#entries.length - 1;
    let at = spread(this.#ids[entry]!) & mask;
    while (this.#entries[at] !== 0) at = (at + 1) & mask;
    this.#entries[at] = entry + 1;
  }

  override standsAt(entry: number, view: DataView, at: number): boolean {
    return this.#pool.standsAt(this.#ids[entry]!, view, at);
  }

  /** It is not used any more; else its names are given back when it is collected. */
  release(): void {
    this.#pool.release(this.#ids, this.count);
    this.#ids = this.#held.ids = NO_INTS;
    this.count = this.#held.count = 0;
    this.#entries = NO_ENTRIES;
  }
}

/** Of a table without entries: shared, never written. */
const NO_ENTRIES = new Int32Array(1);

const spread = (id: number): number => {
  const mixed = Math.imul(id, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
};
