/**
 * Reads one shared table: the file that a program counts in, byte by byte in docs/protocol.md. Pure over bytes: where they
 * come from is a function, and what they mean goes to a sink.
 *
 * Most of the time only values are read: the first bank tells whether anything else has changed. A copy of a file that is
 * being written is no snapshot: an entry is taken from a read after the one that showed it, and a gauge only when a second
 * look finds its sequence unchanged. What cannot be true is a fault: nothing of the file is read from then on. Nothing here
 * trusts an offset or a length before it was checked.
 */

import { growInt32, NO_INTS } from '../live/columns.ts';

/** Bytes of the header; the first segment begins there. */
export const HEADER = 4096;
/** Largest table, in bytes. */
export const MAX_TABLE = 67_108_864;
export const MAX_ENTRIES = 65_536;
/** Entries of a segment, and values of a bank. */
export const GROUP = 256;
export const ENTRY = 48;
export const SEGMENT = 64;
export const GAUGE = 64;
const MAX_TEXT = 4096;
const ORDER = 0x01020304;
const U32 = 2 ** 32;
const MAGIC = new TextEncoder().encode('VIGIETBL');

const KIND = { entries: 1, bank: 2, gauges: 3, strings: 4 } as const;
const INTEGER = 1;
const DOUBLE = 2;
const GAUGE_ENTRY = 3;

/** Copies `length` bytes of the file from `at` on to the same place of `into`; returns how many there were. */
export type ReadAt = (into: Uint8Array, length: number, at: number) => number;

/** What takes a table's values. Handles are the sink's own, and never negative. */
export interface TableSink {
  /** Handle for the values of this name, or -1 when it is not wanted. */
  describe(name: string, doc: string, kind: 'counter' | 'gauge'): number;
  /** The first `count` of these have grown. Both arrays are the reader's, and change afterwards. */
  counters(handles: Int32Array, increases: Float64Array, count: number): void;
  gauge(handle: number, min: number, max: number, hits: number, total: number): void;
  /** So much of a counter was handed on before, in an earlier life of the engine. */
  resume(handle: number, total: number): void;
}

/** Which process of how many this is. */
export interface World {
  readonly rank: number;
  readonly size: number;
}

export interface TableHeader {
  /** 32 lower-case hexadecimal digits. */
  readonly nonce: string;
  readonly pid: number;
  readonly uid: number;
  /** Field 22 of /proc/PID/stat, in clock ticks after boot. */
  readonly startTime: bigint;
  /** When the table was made, ms since the epoch. */
  readonly made: number;
  /** What the program has said; null: nothing. */
  readonly world: World | null;
  /** 1 in use, 2 left in order. */
  readonly state: number;
  /** End of the last segment. */
  readonly used: number;
}

/** Reused by all tables: they are read one after the other, never two at once. */
class Scratch {
  bytes = new Uint8Array(0);
  ints = new Uint32Array(0);
  doubles = new Float64Array(0);

  /** Reads a part of the file to its own place here. What is elsewhere means nothing. */
  load(readAt: ReadAt, from: number, to: number): boolean {
    if (this.bytes.length < to) {
      const memory = new ArrayBuffer(2 ** Math.ceil(Math.log2(Math.max(to, HEADER))));
      this.bytes = new Uint8Array(memory);
      this.ints = new Uint32Array(memory);
      this.doubles = new Float64Array(memory);
    }
    return readAt(this.bytes, to - from, from) === to - from;
  }
}

const copy = new Scratch();
const again = new Scratch();
/** Counters of a group that have grown. */
const grown = { handles: new Int32Array(GROUP), increases: new Float64Array(GROUP) };
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What the first {@link HEADER} bytes of a table say, or null when they are none of this version and machine. */
export function readHeader(bytes: Uint8Array): TableHeader | null {
  if (bytes.length < HEADER || MAGIC.some((byte, i) => bytes[i] !== byte)) return null;
  // A copy at the start of its memory: typed arrays read the machine's own byte order, which `order` asks for.
  const memory = new Uint8Array(bytes.subarray(0, 88)).buffer;
  const ints = new Uint32Array(memory);
  const longs = new BigUint64Array(memory);
  if (ints[2] !== 1 || ints[3] !== ORDER || ints[4] !== HEADER || ints[5] !== ENTRY) return null;
  const state = ints[18]!;
  const used = ints[20]! + ints[21]! * U32;
  if ((state !== 1 && state !== 2) || !isEnd(used)) return null;
  return {
    nonce: Buffer.from(memory, 24, 16).toString('hex'),
    pid: ints[10]!,
    uid: ints[11]!,
    startTime: longs[6]!,
    made: ints[16]! + ints[17]! * U32,
    world: worldOf(ints),
    state,
    used,
  };
}

/** Of a world of one the rank tells nothing: programs that were started side by side would all be the first. */
function worldOf(ints: Uint32Array): World | null {
  const [rank, size] = [ints[14]! | 0, ints[15]! | 0];
  return size > 1 && rank >= 0 && rank < size ? { rank, size } : null;
}

const isEnd = (used: number): boolean => used >= HEADER && used <= MAX_TABLE && used % SEGMENT === 0;

interface Part {
  readonly from: number;
  readonly to: number;
}

/** These bytes lie in one of the parts, which are in rising order: a hostile table has a million of them. */
function lieWithin(parts: readonly Part[], at: number, length: number): boolean {
  let [low, high] = [0, parts.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (parts[middle]!.from <= at) low = middle + 1;
    else high = middle;
  }
  const part = parts[low - 1];
  return part !== undefined && at + length <= part.to;
}

/** So many bytes between two values are copied rather than asked for apart: a call costs as much. */
const GAP = 16_384;
/** Of the header: what a reader looks at again. */
const WATCHED = { from: 56, to: 88, changes: 76 / 4 } as const;
/** Where the number of changes stands in the segment of a bank. */
const CHANGES = 16;
/** Values per entry that are kept to go on from: 8 bytes. */
const VALUE = 8;

export class TableReader {
  readonly #readAt: ReadAt;
  readonly #sink: TableSink;
  /** What was handed on in an earlier life, by entry. */
  readonly #resumed: DataView | null;
  /** Segments are known up to here. */
  #used = HEADER;
  /** Offset of the first entry of each group of 256. */
  #entries = NO_INTS;
  #groups = 0;
  /** By group: places of the first value of each bank, in units of 8 bytes. */
  readonly #banks: number[][] = [];
  readonly #strings: Part[] = [];
  readonly #gauges: Part[] = [];
  /** What is read each time, in rising order. */
  readonly #parts: { from: number; to: number }[] = [];
  /** Where the number of changes stands that is looked at, in units of 4 bytes: in the first bank when there is one. */
  #watch = WATCHED.changes;
  #changes = -1;

  #taken = 0;
  #kinds = NO_INTS;
  #handles = NO_INTS;
  /** By entry, 64 bits as two halves (low, high): a counter's last sum, as the file has it, or a gauge's sequence. */
  #last = new Uint32Array(0);
  /** The same memory: counters of doubles. */
  #lastDoubles = new Float64Array(0);
  /** Entries that are gauges, and their offsets. */
  readonly #gaugeEntries: number[] = [];
  readonly #gaugePlaces: number[] = [];
  #state = 1;
  #world: World | null = null;
  #faulty = false;

  /** `resumed`: what {@link marks} told in an earlier life. */
  constructor(readAt: ReadAt, sink: TableSink, resumed: Uint8Array | null = null) {
    this.#readAt = readAt;
    this.#sink = sink;
    this.#resumed = resumed && new DataView(resumed.buffer, resumed.byteOffset, resumed.byteLength);
  }

  /** The program has said that all values are final. */
  get left(): boolean {
    return this.#state === 2;
  }

  /** The rank that the program has said; null: none. */
  get world(): World | null {
    return this.#world;
  }

  /** Bytes that are known of the file. */
  get size(): number {
    return this.#used;
  }

  get entries(): number {
    return this.#taken;
  }

  /** What was handed on of each entry until now, 8 bytes each, for a reader that goes on from there. A copy. */
  marks(): Uint8Array<ArrayBuffer> {
    const marks = new Uint32Array(this.#last.subarray(0, 2 * this.#taken));
    // A gauge is looked at again.
    for (const number of this.#gaugeEntries) marks.fill(0, 2 * number, 2 * number + 2);
    return new Uint8Array(marks.buffer);
  }

  /** What was handed on of each counter until now. */
  forEachCounter(visit: (handle: number, total: number) => void): void {
    for (let number = 0; number < this.#taken; number++) {
      const [kind, handle] = [this.#kinds[number], this.#handles[number]!];
      if (kind === GAUGE_ENTRY || handle < 0) continue;
      const integer = this.#last[2 * number + 1]! * U32 + this.#last[2 * number]!;
      visit(handle, kind === INTEGER ? integer : this.#lastDoubles[number]!);
    }
  }

  /**
   * Reads the table and hands on what changed; false when it breaks the format, from then on always.
   * @param all Trusts no number of changes: a process that was killed may not have come to write it.
   */
  read(all = false): boolean {
    if (this.#faulty) return false;
    this.#faulty = !this.#read(all);
    return !this.#faulty;
  }

  #read(all: boolean): boolean {
    if (!this.#load()) return false;
    const changed = all || copy.ints[this.#watch] !== this.#changes;
    if (changed && !(this.#follow() && this.#load())) return false;
    this.#counters();
    return this.#takeGauges();
  }

  #load(): boolean {
    const parts = this.#parts;
    if (this.#watch === WATCHED.changes && !copy.load(this.#readAt, WATCHED.from, WATCHED.to)) return false;
    for (let p = 0; p < parts.length; p++) {
      if (!copy.load(this.#readAt, parts[p]!.from, parts[p]!.to)) return false;
    }
    return true;
  }

  /** Learns what is new in the table, beside values. */
  #follow(): boolean {
    // What comes meanwhile changes the number again.
    const changes = copy.ints[this.#watch]!;
    if (!copy.load(this.#readAt, WATCHED.from, WATCHED.to)) return false;
    const { ints } = copy;
    const used = ints[20]! + ints[21]! * U32;
    if (!isEnd(used) || used < this.#used || (ints[18] !== 1 && ints[18] !== 2)) return false;
    this.#state = ints[18];
    this.#world = worldOf(ints);
    const from = this.#used;
    this.#used = used;
    if (used > from && !(copy.load(this.#readAt, from, used) && this.#segments(from))) return false;
    if (!this.#takeEntries()) return false;
    this.#changes = changes;
    return true;
  }

  /** These bytes are values. Called in the order of the file. */
  #readEachTime(from: number, to: number): void {
    const last = this.#parts.at(-1);
    if (last && from - last.to <= GAP) last.to = to;
    else this.#parts.push({ from, to });
  }

  #segments(from: number): boolean {
    const { ints } = copy;
    for (let at = from; at < this.#used;) {
      const i = at / 4;
      const [kind, length, first, count] = [ints[i]!, ints[i + 1]!, ints[i + 2]!, ints[i + 3]!];
      if (length < SEGMENT || length % SEGMENT !== 0 || at + length > this.#used) return false;
      if (!this.#segment(kind, at + SEGMENT, length - SEGMENT, first, count)) return false;
      at += length;
    }
    return true;
  }

  #segment(kind: number, at: number, room: number, first: number, count: number): boolean {
    switch (kind) {
      case KIND.entries:
        if (first !== GROUP * this.#groups || first >= MAX_ENTRIES) return false;
        if (count !== GROUP || room < GROUP * ENTRY) return false;
        this.#entries = growInt32(this.#entries, this.#groups + 1);
        this.#entries[this.#groups++] = at;
        return true;
      case KIND.bank:
        if (first % GROUP !== 0 || first >= MAX_ENTRIES || count !== GROUP || room < GROUP * VALUE) return false;
        (this.#banks[first / GROUP] ??= []).push(at / VALUE);
        if (this.#watch === WATCHED.changes) {
          this.#watch = (at - SEGMENT + CHANGES) / 4;
          this.#readEachTime(at - SEGMENT + CHANGES, at);
        }
        this.#readEachTime(at, at + GROUP * VALUE);
        return true;
      case KIND.gauges:
        if (room < count * GAUGE) return false;
        if (count === 0) return true;
        this.#gauges.push({ from: at, to: at + count * GAUGE });
        this.#readEachTime(at, at + count * GAUGE);
        return true;
      case KIND.strings:
        this.#strings.push({ from: at, to: at + room });
        return true;
      default:
        return true;
    }
  }

  #entryAt(number: number): number {
    return this.#entries[Math.floor(number / GROUP)]! + ENTRY * (number % GROUP);
  }

  /** Takes what is published: all that a look shows is taken from a second one. */
  #takeEntries(): boolean {
    const end = GROUP * this.#groups;
    if (this.#taken === end) return true;
    const from = this.#entryAt(this.#taken);
    const to = this.#entryAt(end - 1) + ENTRY;
    if (!copy.load(this.#readAt, from, to)) return false;
    let seen = this.#taken;
    for (; seen < end; seen++) {
      const published = copy.ints[this.#entryAt(seen) / 4];
      if (published === 0) break;
      if (published !== 1) return false;
    }
    if (seen === this.#taken) return true;
    // Names too: they lie anywhere.
    if (!copy.load(this.#readAt, HEADER, this.#used)) return false;
    this.#grow(seen);
    for (; this.#taken < seen; this.#taken++) if (!this.#takeEntry(this.#taken)) return false;
    return true;
  }

  #grow(entries: number): void {
    this.#kinds = growInt32(this.#kinds, entries);
    this.#handles = growInt32(this.#handles, entries);
    if (this.#lastDoubles.length >= entries) return;
    const doubles = new Float64Array(Math.max(entries, 2 * this.#lastDoubles.length));
    const last = new Uint32Array(doubles.buffer);
    last.set(this.#last);
    [this.#last, this.#lastDoubles] = [last, doubles];
  }

  #takeEntry(number: number): boolean {
    const { ints } = copy;
    const i = this.#entryAt(number) / 4;
    const kind = ints[i + 1]!;
    const name = this.#text(ints[i + 2]! + ints[i + 3]! * U32, ints[i + 6]!);
    const doc = this.#text(ints[i + 4]! + ints[i + 5]! * U32, ints[i + 7]!);
    const gauge = ints[i + 8]! + ints[i + 9]! * U32;
    if (ints[i] !== 1 || kind < INTEGER || kind > GAUGE_ENTRY) return false;
    if (name === null || name === '' || doc === null) return false;
    if (kind === GAUGE_ENTRY ? !this.#isGauge(gauge) : gauge !== 0) return false;
    const handle = this.#sink.describe(name, doc, kind === GAUGE_ENTRY ? 'gauge' : 'counter');
    this.#kinds[number] = kind;
    this.#handles[number] = handle;
    if (handle < 0) return true;
    if (kind === GAUGE_ENTRY) {
      this.#gaugeEntries.push(number);
      this.#gaugePlaces.push(gauge);
    } else this.#resume(number, kind, handle);
    return true;
  }

  #resume(number: number, kind: number, handle: number): void {
    const at = VALUE * number;
    if (this.#resumed === null || at + VALUE > this.#resumed.byteLength) return;
    const [low, high] = [this.#resumed.getUint32(at, true), this.#resumed.getUint32(at + 4, true)];
    this.#last[2 * number] = low;
    this.#last[2 * number + 1] = high;
    const total = kind === INTEGER ? high * U32 + low : this.#lastDoubles[number]!;
    if (total > 0 && total < Infinity) this.#sink.resume(handle, total);
    else this.#last.fill(0, 2 * number, 2 * number + 2);
  }

  #isGauge(at: number): boolean {
    return at % GAUGE === 0 && lieWithin(this.#gauges, at, GAUGE);
  }

  #text(at: number, length: number): string | null {
    if (length > MAX_TEXT) return null;
    if (length === 0) return '';
    if (!lieWithin(this.#strings, at, length)) return null;
    try {
      return utf8.decode(copy.bytes.subarray(at, at + length));
    } catch {
      return null;
    }
  }

  #counters(): void {
    for (let group = 0; GROUP * group < this.#taken; group++) {
      const banks = this.#banks[group];
      if (banks === undefined) continue;
      const first = GROUP * group;
      const end = Math.min(first + GROUP, this.#taken);
      const count = banks.length === 1 ? this.#single(first, end, banks[0]!) : this.#summed(first, end, banks);
      if (count > 0) this.#sink.counters(grown.handles, grown.increases, count);
    }
  }

  /** Most tables: what has the same bits as before is passed over at once. Returns how many have {@link grown}. */
  #single(first: number, end: number, bank: number): number {
    const { ints, doubles } = copy;
    const last = this.#last;
    const kinds = this.#kinds;
    let count = 0;
    for (let number = first, at = 2 * bank; number < end; number++, at += 2) {
      const low = ints[at]!;
      const high = ints[at + 1]!;
      if (low === last[2 * number] && high === last[2 * number + 1]) continue;
      const kind = kinds[number];
      if (kind === INTEGER) count = this.#integer(number, low, high, count);
      else if (kind === DOUBLE) count = this.#double(number, doubles[at / 2]!, count);
    }
    return count;
  }

  /** Halves are summed apart, each exactly: a double holds no 64 bits. */
  #summed(first: number, end: number, banks: readonly number[]): number {
    const { ints, doubles } = copy;
    let count = 0;
    for (let number = first; number < end; number++) {
      const kind = this.#kinds[number];
      if (kind === INTEGER) {
        let low = 0;
        let high = 0;
        for (let b = 0; b < banks.length; b++) {
          const at = 2 * (banks[b]! + number - first);
          low += ints[at]!;
          high += ints[at + 1]!;
        }
        if (low >= U32) {
          high += Math.floor(low / U32);
          low %= U32;
        }
        count = this.#integer(number, low, high >= U32 ? high % U32 : high, count);
      } else if (kind === DOUBLE) {
        let sum = 0;
        for (let b = 0; b < banks.length; b++) sum += doubles[banks[b]! + number - first]!;
        count = this.#double(number, sum, count);
      }
    }
    return count;
  }

  #integer(number: number, low: number, high: number, count: number): number {
    const last = this.#last;
    const increase = (high - last[2 * number + 1]!) * U32 + (low - last[2 * number]!);
    const handle = this.#handles[number]!;
    // One that seems to shrink is looked at again the next time.
    if (!(increase > 0) || handle < 0) return count;
    last[2 * number] = low;
    last[2 * number + 1] = high;
    grown.handles[count] = handle;
    grown.increases[count] = increase;
    return count + 1;
  }

  #double(number: number, sum: number, count: number): number {
    const increase = sum - this.#lastDoubles[number]!;
    const handle = this.#handles[number]!;
    if (!(increase > 0) || sum === Infinity || handle < 0) return count;
    this.#lastDoubles[number] = sum;
    grown.handles[count] = handle;
    grown.increases[count] = increase;
    return count + 1;
  }

  /** Gauges whose sequence moved are looked at twice. */
  #takeGauges(): boolean {
    const places = this.#gaugePlaces;
    let from = Infinity;
    let to = 0;
    for (let g = 0; g < places.length; g++) {
      if (!this.#moved(g)) continue;
      from = Math.min(from, places[g]!);
      to = Math.max(to, places[g]! + GAUGE);
    }
    if (to === 0) return true;
    if (!again.load(this.#readAt, from, to)) return false;
    for (let g = 0; g < places.length; g++) if (this.#moved(g)) this.#gauge(g);
    return true;
  }

  #moved(g: number): boolean {
    const at = this.#gaugePlaces[g]! / 4;
    const number = this.#gaugeEntries[g]!;
    const low = copy.ints[at]!;
    return (low & 1) === 0 && (low !== this.#last[2 * number] || copy.ints[at + 1]! !== this.#last[2 * number + 1]);
  }

  #gauge(g: number): void {
    const place = this.#gaugePlaces[g]!;
    const number = this.#gaugeEntries[g]!;
    const low = copy.ints[place / 4]!;
    const high = copy.ints[place / 4 + 1]!;
    // Torn: the next tick looks again.
    if (again.ints[place / 4] !== low || again.ints[place / 4 + 1] !== high) return;
    this.#last[2 * number] = low;
    this.#last[2 * number + 1] = high;
    const at = place / 8;
    const { doubles } = copy;
    const [min, max, hits, total] = [doubles[at + 1]!, doubles[at + 2]!, doubles[at + 3]!, doubles[at + 4]!];
    // As the legacy messages have it: no observation can give other ones.
    const finite = Number.isFinite(min) && Number.isFinite(max) && Number.isFinite(hits) && Number.isFinite(total);
    if (finite && hits >= 0 && (hits === 0 || min <= max)) {
      this.#sink.gauge(this.#handles[number]!, min, max, hits, total);
    }
  }
}
