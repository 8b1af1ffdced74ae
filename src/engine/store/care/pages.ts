/**
 * The rows of an SQLite file, read page by page without its trees: what is left when SQLite itself refuses a damaged
 * file. Every leaf page is looked at, so that a page that cannot be read costs its own rows and no others. Which table a
 * row belongs to is not known here. The format: https://www.sqlite.org/fileformat2.html
 */

import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';

export type SqlValue = null | number | string | Uint8Array<ArrayBuffer>;

export interface FoundRow {
  /** Null in an index or a table without row ids. */
  readonly rowid: number | null;
  readonly values: readonly SqlValue[];
}

export interface ScanCounts {
  pages: number;
  rows: number;
  /** Cells that could not be read. */
  lost: number;
}

const LEAF_TABLE = 0x0d;
const LEAF_INDEX = 0x0a;
const WAL_HEADER = 32;
const WAL_FRAME = 24;
/** A row that claims more is not one. */
const MAX_ROW = 1024 * 1024 * 1024;
const MAX_COLUMNS = 64;

class Unreadable extends Error {}

/** A file's pages as its last commit left them: those in its log stand over those in the file. */
class Pages {
  readonly size: number;
  /** Bytes of a page that hold data. */
  readonly usable: number;
  readonly count: number;
  readonly #fd: number;
  readonly #log: number | null;
  /** Page → place in the log. */
  readonly #inLog = new Map<number, number>();

  constructor(path: string) {
    this.#fd = openSync(path, 'r');
    const header = Buffer.alloc(100);
    readSync(this.#fd, header, 0, 100, 0);
    const size = header.readUInt16BE(16);
    // A header that cannot be is taken for what our files have.
    this.size = size === 1 ? 65536 : size >= 512 && (size & (size - 1)) === 0 ? size : 4096;
    const reserved = header[20]!;
    this.usable = reserved <= 64 ? this.size - reserved : this.size;
    this.#log = existsSync(`${path}-wal`) ? openSync(`${path}-wal`, 'r') : null;
    if (this.#log !== null) this.#readLog(this.#log);
    const pages = Math.ceil(fstatSync(this.#fd).size / this.size);
    this.count = Math.max(pages, ...this.#inLog.keys());
  }

  close(): void {
    closeSync(this.#fd);
    if (this.#log !== null) closeSync(this.#log);
  }

  read(page: number, into: Buffer): void {
    const at = this.#inLog.get(page);
    into.fill(0);
    if (at === undefined) readSync(this.#fd, into, 0, this.size, (page - 1) * this.size);
    else readSync(this.#log!, into, 0, this.size, at);
  }

  /** Frames up to the last commit whose checksums hold. */
  #readLog(fd: number): void {
    const header = Buffer.alloc(WAL_HEADER);
    if (readSync(fd, header, 0, WAL_HEADER, 0) < WAL_HEADER) return;
    const magic = header.readUInt32BE(0);
    if ((magic & 0xfffffffe) >>> 0 !== 0x377f0682 || header.readUInt32BE(8) !== this.size) return;
    const big = (magic & 1) === 1;
    let sum = checksum(header.subarray(0, 24), [0, 0], big);
    if (!isSum(header, 24, sum)) return;
    const frame = Buffer.alloc(WAL_FRAME + this.size);
    let uncommitted: [page: number, at: number][] = [];
    for (let at = WAL_HEADER; readSync(fd, frame, 0, frame.length, at) === frame.length; at += frame.length) {
      if (!frame.subarray(8, 16).equals(header.subarray(16, 24))) return;
      sum = checksum(frame.subarray(WAL_FRAME), checksum(frame.subarray(0, 8), sum, big), big);
      if (!isSum(frame, 16, sum)) return;
      uncommitted.push([frame.readUInt32BE(0), at + WAL_FRAME]);
      if (frame.readUInt32BE(4) === 0) continue;
      for (const [page, place] of uncommitted) this.#inLog.set(page, place);
      uncommitted = [];
    }
  }
}

type Sum = readonly [number, number];

function checksum(bytes: Buffer, [a, b]: Sum, big: boolean): Sum {
  let [s0, s1] = [a, b];
  for (let i = 0; i < bytes.length; i += 8) {
    const x = big ? bytes.readUInt32BE(i) : bytes.readUInt32LE(i);
    const y = big ? bytes.readUInt32BE(i + 4) : bytes.readUInt32LE(i + 4);
    s0 = (s0 + x + s1) >>> 0;
    s1 = (s1 + y + s0) >>> 0;
  }
  return [s0, s1];
}

const isSum = (bytes: Buffer, at: number, [a, b]: Sum): boolean =>
  bytes.readUInt32BE(at) === a && bytes.readUInt32BE(at + 4) === b;

/**
 * All rows of all leaf pages, in the order of the pages. Rows of pages that SQLite has given up may be among them, unless
 * the file's own list of those can be read. `counts` is kept up to date.
 */
export function* scanRows(path: string, counts: ScanCounts): Generator<FoundRow, void> {
  const pages = new Pages(path);
  try {
    const page = Buffer.alloc(pages.size);
    const free = freePages(pages, page);
    for (let number = 1; number <= pages.count; number++) {
      if (free.has(number)) continue;
      pages.read(number, page);
      counts.pages++;
      const start = number === 1 ? 100 : 0;
      const type = page[start];
      if (type !== LEAF_TABLE && type !== LEAF_INDEX) continue;
      const cells = page.readUInt16BE(start + 3);
      for (let i = 0; i < cells && start + 10 + 2 * i <= pages.usable; i++) {
        try {
          const row = readCell(pages, page, page.readUInt16BE(start + 8 + 2 * i), type === LEAF_TABLE);
          counts.rows++;
          yield row;
        } catch (error) {
          if (!(error instanceof Unreadable) && !(error instanceof RangeError)) throw error;
          counts.lost++;
        }
      }
    }
  } finally {
    pages.close();
  }
}

function freePages(pages: Pages, page: Buffer): Set<number> {
  const free = new Set<number>();
  pages.read(1, page);
  for (let trunk = page.readUInt32BE(32); trunk > 1 && trunk <= pages.count && !free.has(trunk);) {
    free.add(trunk);
    pages.read(trunk, page);
    const leaves = Math.min(page.readUInt32BE(4), pages.usable / 4 - 2);
    for (let i = 0; i < leaves; i++) free.add(page.readUInt32BE(8 + 4 * i));
    trunk = page.readUInt32BE(0);
  }
  return free;
}

/** Value and length of a varint; the value is exact up to 2^53. */
function varint(bytes: Buffer, at: number): [value: number, end: number] {
  let value = 0;
  for (let i = 0; i < 8; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) throw new Unreadable();
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return [value, at + i + 1];
  }
  // Nine bytes: a negative number, which no key or length of ours is.
  throw new Unreadable();
}

function readCell(pages: Pages, page: Buffer, at: number, table: boolean): FoundRow {
  if (at < 8 || at >= pages.usable) throw new Unreadable();
  let [size, from] = varint(page, at);
  let rowid: number | null = null;
  if (table) [rowid, from] = varint(page, from);
  if (size > MAX_ROW) throw new Unreadable();
  return { rowid, values: readRecord(payload(pages, page, from, size, table)) };
}

function payload(pages: Pages, page: Buffer, from: number, size: number, table: boolean): Buffer {
  const usable = pages.usable;
  const most = table ? usable - 35 : Math.floor(((usable - 12) * 64) / 255) - 23;
  if (size <= most) {
    if (from + size > usable) throw new Unreadable();
    return page.subarray(from, from + size);
  }
  const least = Math.floor(((usable - 12) * 32) / 255) - 23;
  const fit = least + ((size - least) % (usable - 4));
  const local = fit <= most ? fit : least;
  if (from + local + 4 > usable || size > pages.count * usable) throw new Unreadable();
  const whole = Buffer.alloc(size);
  page.copy(whole, 0, from, from + local);
  const other = Buffer.alloc(pages.size);
  let next = page.readUInt32BE(from + local);
  for (let at = local; at < size; at += usable - 4) {
    // Each turn fills a part, so that a chain which bites its tail ends all the same.
    if (next < 2 || next > pages.count) throw new Unreadable();
    pages.read(next, other);
    next = other.readUInt32BE(0);
    other.copy(whole, at, 4, 4 + Math.min(usable - 4, size - at));
  }
  return whole;
}

/** Bytes of the integers with serial types 1 to 6. */
const INTEGER_BYTES = [0, 1, 2, 3, 4, 6, 8];

function readRecord(bytes: Buffer): SqlValue[] {
  let [headerEnd, at] = varint(bytes, 0);
  if (headerEnd > bytes.length) throw new Unreadable();
  const values: SqlValue[] = [];
  let body = headerEnd;
  while (at < headerEnd) {
    const [type, next] = varint(bytes, at);
    at = next;
    if (values.length >= MAX_COLUMNS) throw new Unreadable();
    const length = type >= 12 ? (type - (type % 2 === 0 ? 12 : 13)) / 2 : type === 7 ? 8 : (INTEGER_BYTES[type] ?? 0);
    if (body + length > bytes.length) throw new Unreadable();
    values.push(readValue(bytes, type, body, length));
    body += length;
  }
  if (body !== bytes.length) throw new Unreadable();
  return values;
}

function readValue(bytes: Buffer, type: number, at: number, length: number): SqlValue {
  if (type === 0) return null;
  if (type === 6) return Number(bytes.readBigInt64BE(at));
  if (type < 6) return bytes.readIntBE(at, length);
  if (type === 7) return bytes.readDoubleBE(at);
  if (type === 8 || type === 9) return type - 8;
  if (type < 12) throw new Unreadable();
  return type % 2 === 0 ? new Uint8Array(bytes.subarray(at, at + length)) : bytes.toString('utf8', at, at + length);
}
