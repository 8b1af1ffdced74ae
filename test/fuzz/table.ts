/**
 * Shared tables that change between two looks in ways that no program would: the input is a script of writes, cuts and
 * reads over a valid table, one word and its numbers per line.
 */

import { HEADER, MAX_TABLE, readHeader, TableReader, type TableSink } from '../../src/engine/ingest/table.ts';
import { mixedTable } from '../support/table.ts';
import type { FuzzTarget } from './target.ts';

const NONCE = '00112233445566778899aabbccddeeff';
/** Largest file that a script makes. */
const MAX_FILE = 262_144;

const valid = mixedTable(NONCE);
valid.bank();

class Sink implements TableSink {
  described = 0;
  taken = 0;
  describe(name: string): number {
    if (name === '') throw new Error('a metric without a name');
    // Some are not wanted.
    return this.described++ % 5 === 4 ? -1 : this.described;
  }
  counters(handles: Int32Array, increases: Float64Array, count: number): void {
    for (let i = 0; i < count; i++) {
      const [handle, increase] = [handles[i]!, increases[i]!];
      if (handle < 0 || !(increase > 0) || increase === Infinity)
        throw new Error(`counter ${handle} grew by ${increase}`);
      this.taken++;
    }
  }
  gauge(handle: number, ...values: number[]): void {
    if (handle < 0 || !values.every(Number.isFinite)) throw new Error(`gauge ${handle} is ${values.join(' ')}`);
    this.taken++;
  }
  resume(handle: number, total: number): void {
    if (handle < 0 || !(total > 0) || total === Infinity) throw new Error(`counter ${handle} goes on from ${total}`);
  }
}

/** A file, and who reads it. */
class Play {
  #bytes: Buffer = Buffer.from(valid.bytes);
  readonly #sink = new Sink();
  #reader = this.#open(null);
  #sound = true;

  #open(marks: Uint8Array | null): TableReader {
    return new TableReader(
      (into, length, at) => {
        if (at < 0 || length < 0 || at + length > MAX_TABLE) throw new Error(`read ${length} bytes at ${at}`);
        return at < this.#bytes.length ? this.#bytes.copy(into, at, at, at + length) : 0;
      },
      this.#sink,
      marks,
    );
  }

  #write(at: number, value: number): void {
    if (at + 4 <= this.#bytes.length) this.#bytes.writeUInt32LE(value >>> 0, at);
  }

  /** Readers look at the number of changes only. */
  #changed(): void {
    for (const at of [76, valid.firstBank + 16]) if (at + 4 <= this.#bytes.length) this.#bytes[at]!++;
  }

  #read(all: boolean): void {
    const sound = this.#reader.read(all);
    if (sound && !this.#sound) throw new Error('read again after a fault');
    this.#sound = sound;
    if (this.#reader.size < HEADER || this.#reader.size > MAX_TABLE) throw new Error('a size that cannot be');
  }

  do(word: string, a: number, b: number): void {
    if (word === 'write') this.#write(4 * a, b);
    else if (word === 'flip' && a < this.#bytes.length) this.#bytes[a]! ^= b & 0xff;
    else if (word === 'cut') this.#bytes = this.#bytes.subarray(0, a);
    else if (word === 'grow') this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(Math.min(a, MAX_FILE), b & 0xff)]);
    else if (word === 'replace') this.#bytes = Buffer.from(valid.bytes);
    else if (word === 'repeat') this.#bytes = Buffer.concat([this.#bytes, this.#bytes.subarray(a)]);
    else if (word === 'again') {
      this.#reader = this.#open(this.#reader.marks());
      this.#sound = true;
    } else if (word === 'changed') this.#changed();
    else if (word === 'read') this.#read(a === 1);
    if (this.#bytes.length > MAX_FILE) this.#bytes = this.#bytes.subarray(0, MAX_FILE);
  }

  end(): string {
    readHeader(this.#bytes);
    this.#read(true);
    const { described, taken } = this.#sink;
    const some = (n: number, few: number): string => (n === 0 ? 'none' : n <= few ? 'few' : 'many');
    return `${this.#sound} ${some(described, 8)} ${some(taken, 8)} ${some(this.#reader.size - valid.bytes.length, 0)}`;
  }
}

export const table: FuzzTarget = {
  name: 'table',
  words: [
    ...['\n', '\n', ' ', 'read\n', 'read 1\n', 'changed\n', 'changed\nread\n', 'replace\n', 'again\n'],
    ...['write ', 'flip ', 'cut ', 'grow ', 'repeat '],
    // Header: version, state, changes, used. Segments and entries from 1024 on, in units of 4 bytes.
    ...['write 2 2\n', 'write 18 2\n', 'write 18 3\n', 'write 20 ', 'write 21 1\n', 'write 1024 ', 'write 1025 '],
    ...['write 1040 0\n', 'write 1041 3\n', 'write 1042 ', 'write 1046 5000\n', 'write 1048 64\n'],
    ...['0', '1', '2', '3', '4', '64', '255', '256', '4096', '16448', '65536', '4294967295', '2147483647'],
    ...[`${valid.bytes.length}`, `${valid.firstBank}`, `${valid.firstBank / 4 + 16}`, `${valid.bytes.length / 4}`],
    ...['write 20 65536\nchanged\nread\n', 'cut 4096\nread\n', 'grow 4096 1\n', 'repeat 4096\n'],
  ],
  check(input) {
    const play = new Play();
    for (const line of Buffer.from(input).toString('latin1').split('\n')) {
      const [word = '', a = '0', b = '0'] = line.split(' ');
      play.do(word, Number(a) >>> 0, Number(b) >>> 0);
    }
    return play.end();
  },
};
