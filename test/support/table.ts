/** Writes shared tables as docs/protocol.md has them, for programs that tests play. */

import { closeSync, constants, openSync, writeSync } from 'node:fs';

const HEADER = 4096;
const GROUP = 256;

export interface Written {
  readonly name: string;
  readonly kind: 'integer' | 'double' | 'gauge';
}

/** A table in memory: `bytes` is the file. */
export class TableWriter {
  bytes: Buffer = Buffer.alloc(HEADER);
  readonly nonce: string;
  #entries = 0;
  readonly #groups: number[] = [];
  readonly #places: number[] = [];
  readonly #banks: number[] = [];
  /** Offset of the segment of the bank that came first; 0: there is none. */
  firstBank = 0;

  constructor(nonce: string, { pid = process.pid, start = 1n, made = Date.now() } = {}) {
    this.nonce = nonce;
    this.bytes.write('VIGIETBL');
    for (const [at, value] of [
      [8, 1],
      [12, 0x01020304],
      [16, HEADER],
      [20, 48],
      [40, pid],
      [44, process.getuid!()],
      [72, 1],
    ]) {
      this.bytes.writeUInt32LE(value!, at);
    }
    this.bytes.write(nonce, 24, 'hex');
    this.bytes.writeBigUInt64LE(start, 48);
    this.bytes.writeInt32LE(-1, 56);
    this.bytes.writeInt32LE(-1, 60);
    this.bytes.writeBigUInt64LE(BigInt(made), 64);
    this.bytes.writeBigUInt64LE(BigInt(HEADER), 80);
  }

  /** Appends a segment; returns the offset of what is in it. */
  segment(kind: number, size: number, first = 0, count = 0): number {
    const at = this.bytes.length;
    const length = 64 + Math.ceil(size / 64) * 64;
    this.bytes = Buffer.concat([this.bytes, Buffer.alloc(length)]);
    [kind, length, first, count].forEach((value, i) => this.bytes.writeUInt32LE(value, at + 4 * i));
    this.bytes.writeBigUInt64LE(BigInt(this.bytes.length), 80);
    if (kind === 2) this.firstBank ||= at;
    this.changed();
    return at + 64;
  }

  /** Something other than a value is new. */
  changed(): void {
    const changes = (this.bytes.readUInt32LE(76) + 1) >>> 0;
    this.bytes.writeUInt32LE(changes, 76);
    if (this.firstBank > 0) this.bytes.writeUInt32LE(changes, this.firstBank + 16);
  }

  /** Returns the entry's number. */
  add({ name, kind }: Written): number {
    const number = this.#entries++;
    const group = Math.floor(number / GROUP);
    this.#groups[group] ??= this.segment(1, GROUP * 48, GROUP * group, GROUP);
    this.#banks[group] ??= this.bank(group);
    const text = Buffer.from(name);
    const strings = this.segment(4, text.length);
    text.copy(this.bytes, strings);
    const place = kind === 'gauge' ? this.segment(3, 64, 0, 1) : 0;
    this.#places.push(place);
    const at = this.#groups[group] + 48 * (number % GROUP);
    this.bytes.writeUInt32LE({ integer: 1, double: 2, gauge: 3 }[kind], at + 4);
    this.bytes.writeBigUInt64LE(BigInt(strings), at + 8);
    this.bytes.writeUInt32LE(text.length, at + 24);
    this.bytes.writeBigUInt64LE(BigInt(place), at + 32);
    this.bytes.writeUInt32LE(1, at);
    this.changed();
    return number;
  }

  /** One more bank for a group of 256 entries; returns its offset. */
  bank(group = 0): number {
    return this.segment(2, GROUP * 8, GROUP * group, GROUP);
  }

  #value(number: number, bank?: number): number {
    return (bank ?? this.#banks[Math.floor(number / GROUP)]!) + 8 * (number % GROUP);
  }

  integer(number: number, value: bigint, bank?: number): void {
    this.bytes.writeBigUInt64LE(value, this.#value(number, bank));
  }

  double(number: number, value: number, bank?: number): void {
    this.bytes.writeDoubleLE(value, this.#value(number, bank));
  }

  gauge(number: number, sequence: bigint, values: readonly number[]): void {
    const at = this.#places[number]!;
    this.bytes.writeBigUInt64LE(sequence, at);
    values.forEach((value, i) => this.bytes.writeDoubleLE(value, at + 8 + 8 * i));
  }

  /** The program says its rank. */
  rank(rank: number, size: number): void {
    this.bytes.writeInt32LE(rank, 56);
    this.bytes.writeInt32LE(size, 60);
    this.changed();
  }

  leave(): void {
    this.bytes.writeUInt32LE(2, 72);
    this.changed();
  }

  /** Writes the file, in place when it is there. */
  save(path: string): void {
    const descriptor = openSync(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
    writeSync(descriptor, this.bytes, 0, this.bytes.length, 0);
    closeSync(descriptor);
  }
}

/** A table with all kinds of things in it: nine metrics, each third one an integer, a double, a gauge. */
export function mixedTable(nonce: string): TableWriter {
  const writer = new TableWriter(nonce);
  for (let i = 0; i < 9; i++) {
    const kind = (['integer', 'double', 'gauge'] as const)[i % 3]!;
    const entry = writer.add({ name: `metric_${i}`, kind });
    if (kind === 'integer') writer.integer(entry, 7n);
    else if (kind === 'double') writer.double(entry, 0.5);
    else writer.gauge(entry, 2n, [1, 1, 1, 1]);
  }
  return writer;
}
