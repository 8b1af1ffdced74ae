/**
 * Reads one shared table: the file that a program counts in, byte by byte in docs/protocol.md. Pure over bytes: where they
 * come from is a function, and what they mean goes to a sink.
 *
 * A copy of a file that is being written is no snapshot. So an entry is taken from the read after the one that first
 * showed it, and a gauge only when a second look finds its sequence unchanged. What cannot be true is a fault: nothing of
 * the file is read from then on. Nothing here trusts an offset or a length before it was checked.
 */

import { growFloat64, growInt32, NO_DOUBLES, NO_INTS } from '../live/columns.ts';

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

/** Copies `length` bytes from the file's start plus `at` to the start of `into`; returns how many there were. */
export type ReadAt = (into: Uint8Array, length: number, at: number) => number;

/** What takes a table's values. Handles are the sink's own, and never negative. */
export interface TableSink {
  /** Handle for the values of this name, or -1 when it is not wanted. */
  describe(name: string, doc: string, kind: 'counter' | 'gauge'): number;
  counter(handle: number, increase: number): void;
  gauge(handle: number, min: number, max: number, hits: number, total: number): void;
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

  /** At least so many bytes. What was in it is lost. */
  reserve(length: number): void {
    if (this.bytes.length >= length) return;
    const room = 2 ** Math.ceil(Math.log2(Math.max(length, HEADER)));
    const memory = new ArrayBuffer(room);
    this.bytes = new Uint8Array(memory);
    this.ints = new Uint32Array(memory);
    this.doubles = new Float64Array(memory);
  }
}

const copy = new Scratch();
const again = new Scratch();
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What the first {@link HEADER} bytes of a table say, or null when they are none of this version and machine. */
export function readHeader(bytes: Uint8Array): TableHeader | null {
  if (bytes.length < HEADER || MAGIC.some((byte, i) => bytes[i] !== byte)) return null;
  // A copy at the start of its memory: typed arrays read the machine's own byte order, which `order` asks for.
  const memory = bytes.slice(0, 88).buffer;
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
    state,
    used,
  };
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

export class TableReader {
  readonly #readAt: ReadAt;
  readonly #sink: TableSink;
  /** Segments are known up to here; so much is read each time. */
  #used = HEADER;
  /** Offset of the first entry of each group of 256. */
  #entries = NO_INTS;
  #groups = 0;
  /** By group: places of the first value of each bank, in units of 8 bytes. */
  readonly #banks: number[][] = [];
  readonly #strings: Part[] = [];
  readonly #gauges: Part[] = [];

  /** Entries that are taken, and those that the last read showed as published. */
  #taken = 0;
  #seen = 0;
  #kinds = NO_INTS;
  #handles = NO_INTS;
  /** Last value: two halves of an integer (low, high), a double (and 0), or a gauge's sequence (low, high). */
  #last = NO_DOUBLES;
  /** Offsets of gauges; 0 for counters. */
  #places = NO_INTS;
  #state = 1;
  #faulty = false;

  constructor(readAt: ReadAt, sink: TableSink) {
    this.#readAt = readAt;
    this.#sink = sink;
  }

  /** The program has said that all values are final. */
  get left(): boolean {
    return this.#state === 2;
  }

  /** Bytes that are read each time. */
  get size(): number {
    return this.#used;
  }

  get entries(): number {
    return this.#taken;
  }

  /**
   * Reads the table and hands on what changed; false when it breaks the format, from then on always.
   * @param counts false: counters are noted as they stand, and only what comes later is handed on.
   */
  read(counts = true): boolean {
    if (this.#faulty) return false;
    this.#faulty = !this.#read(counts);
    return !this.#faulty;
  }

  /** Reads until everything is taken that was there before the call. */
  readAll(counts = true): boolean {
    // The second one takes the entries that the first one has seen.
    return this.read(counts) && this.read(counts);
  }

  #read(counts: boolean): boolean {
    if (!this.#load()) return false;
    const { ints } = copy;
    const used = ints[20]! + ints[21]! * U32;
    if (!isEnd(used) || used < this.#used || (ints[18] !== 1 && ints[18] !== 2)) return false;
    // Before the values: those of a program that leaves meanwhile are read once more.
    this.#state = ints[18];
    if (used > this.#used) {
      const from = this.#used;
      this.#used = used;
      if (!this.#load() || !this.#segments(from)) return false;
    }
    if (!this.#takeEntries() || !this.#seePublished()) return false;
    return this.#counters(counts) && this.#takeGauges();
  }

  #load(): boolean {
    copy.reserve(this.#used);
    return this.#readAt(copy.bytes, this.#used, 0) === this.#used;
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
        if (first % GROUP !== 0 || first >= MAX_ENTRIES || count !== GROUP || room < GROUP * 8) return false;
        (this.#banks[first / GROUP] ??= []).push(at / 8);
        return true;
      case KIND.gauges:
        if (room < count * GAUGE) return false;
        this.#gauges.push({ from: at, to: at + count * GAUGE });
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

  #seePublished(): boolean {
    const end = GROUP * this.#groups;
    while (this.#seen < end) {
      const published = copy.ints[this.#entryAt(this.#seen) / 4];
      if (published === 0) return true;
      if (published !== 1) return false;
      this.#seen++;
    }
    return true;
  }

  #takeEntries(): boolean {
    for (; this.#taken < this.#seen; this.#taken++) if (!this.#takeEntry(this.#taken)) return false;
    return true;
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
    this.#kinds = growInt32(this.#kinds, number + 1);
    this.#handles = growInt32(this.#handles, number + 1);
    this.#places = growInt32(this.#places, number + 1);
    this.#last = growFloat64(this.#last, 2 * number + 2);
    this.#kinds[number] = kind;
    this.#places[number] = gauge;
    this.#handles[number] = this.#sink.describe(name, doc, kind === GAUGE_ENTRY ? 'gauge' : 'counter');
    return true;
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

  #counters(counts: boolean): boolean {
    for (let group = 0; GROUP * group < this.#taken; group++) {
      const banks = this.#banks[group];
      if (banks === undefined) continue;
      const first = GROUP * group;
      const end = Math.min(first + GROUP, this.#taken);
      for (let number = first; number < end; number++) {
        if (this.#handles[number]! < 0) continue;
        const kind = this.#kinds[number];
        if (kind === INTEGER) this.#integer(number, banks, number - first, counts);
        else if (kind === DOUBLE) this.#double(number, banks, number - first, counts);
      }
    }
    return true;
  }

  /** Halves are summed apart, each exactly: a double holds no 64 bits. */
  #integer(number: number, banks: readonly number[], place: number, counts: boolean): void {
    const { ints } = copy;
    let low = 0;
    let high = 0;
    for (let b = 0; b < banks.length; b++) {
      const at = 2 * (banks[b]! + place);
      low += ints[at]!;
      high += ints[at + 1]!;
    }
    if (low >= U32) {
      high += Math.floor(low / U32);
      low %= U32;
    }
    if (high >= U32) high %= U32;
    const last = this.#last;
    const increase = (high - last[2 * number + 1]!) * U32 + (low - last[2 * number]!);
    // One that seems to shrink is looked at again the next time.
    if (!(increase > 0)) return;
    last[2 * number] = low;
    last[2 * number + 1] = high;
    if (counts) this.#sink.counter(this.#handles[number]!, increase);
  }

  #double(number: number, banks: readonly number[], place: number, counts: boolean): void {
    let sum = 0;
    for (let b = 0; b < banks.length; b++) sum += copy.doubles[banks[b]! + place]!;
    const increase = sum - this.#last[2 * number]!;
    if (!(increase > 0) || sum === Infinity) return;
    this.#last[2 * number] = sum;
    if (counts) this.#sink.counter(this.#handles[number]!, increase);
  }

  /** Gauges whose sequence moved are looked at twice. */
  #takeGauges(): boolean {
    if (this.#gauges.length === 0) return true;
    let from = Infinity;
    let to = 0;
    for (let number = 0; number < this.#taken; number++) {
      if (!this.#moved(number)) continue;
      from = Math.min(from, this.#places[number]!);
      to = Math.max(to, this.#places[number]! + GAUGE);
    }
    if (to === 0) return true;
    again.reserve(to - from);
    if (this.#readAt(again.bytes, to - from, from) !== to - from) return false;
    for (let number = 0; number < this.#taken; number++) if (this.#moved(number)) this.#gauge(number, from);
    return true;
  }

  #moved(number: number): boolean {
    const at = this.#places[number]! / 4;
    if (at === 0 || this.#handles[number]! < 0) return false;
    const low = copy.ints[at]!;
    return (low & 1) === 0 && (low !== this.#last[2 * number] || copy.ints[at + 1]! !== this.#last[2 * number + 1]);
  }

  #gauge(number: number, from: number): void {
    const place = this.#places[number]!;
    const low = copy.ints[place / 4]!;
    const high = copy.ints[place / 4 + 1]!;
    const second = (place - from) / 4;
    // Torn: the next tick looks again.
    if (again.ints[second] !== low || again.ints[second + 1] !== high) return;
    this.#last[2 * number] = low;
    this.#last[2 * number + 1] = high;
    const at = place / 8;
    const [min, max, hits, total] = [1, 2, 3, 4].map((i) => copy.doubles[at + i]!) as [number, number, number, number];
    // As the legacy messages have it: no observation can give other ones.
    const finite = Number.isFinite(min) && Number.isFinite(max) && Number.isFinite(hits) && Number.isFinite(total);
    if (finite && hits >= 0 && (hits === 0 || min <= max)) {
      this.#sink.gauge(this.#handles[number]!, min, max, hits, total);
    }
  }
}
