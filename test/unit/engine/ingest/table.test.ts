import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readHeader, TableReader, type ReadAt, type TableSink } from '../../../../src/engine/ingest/table.ts';
import { mixedTable, TableWriter } from '../../../support/table.ts';

const NONCE = '00112233445566778899aabbccddeeff';

class Sums implements TableSink {
  readonly names: string[] = [];
  readonly totals: number[] = [];
  readonly resumed: number[] = [];
  readonly gauges: number[][] = [];
  describe(name: string): number {
    this.totals.push(0);
    return this.names.push(name) - 1;
  }
  resume(handle: number, total: number): void {
    this.resumed[handle] = total;
  }
  counters(handles: Int32Array, increases: Float64Array, count: number): void {
    for (let i = 0; i < count; i++) {
      expect(increases[i]).toBeGreaterThan(0);
      this.totals[handles[i]!]! += increases[i]!;
    }
  }
  gauge(handle: number, ...values: number[]): void {
    expect(values.every(Number.isFinite)).toBe(true);
    this.gauges[handle] = values;
  }
}

const from =
  (bytes: () => Buffer): ReadAt =>
  (into, length, at) => {
    const file = bytes();
    return at < file.length ? file.copy(into, at, at, at + length) : 0;
  };

function opened() {
  const writer = new TableWriter(NONCE);
  const sums = new Sums();
  return {
    writer,
    sums,
    reader: new TableReader(
      from(() => writer.bytes),
      sums,
    ),
  };
}

describe('a valid table', () => {
  test('its header tells whose it is', () => {
    const { writer } = opened();
    expect(readHeader(writer.bytes)).toMatchObject({
      nonce: NONCE,
      pid: process.pid,
      startTime: 1n,
      state: 1,
      used: 4096,
    });
  });

  test('it tells the rank that the program says, at once or later', () => {
    const { writer, reader } = opened();
    reader.read();
    expect([readHeader(writer.bytes)?.world, reader.world]).toEqual([null, null]);
    for (const [rank, size, world] of [
      [3, 4, { rank: 3, size: 4 }],
      [0, 1, null],
      [4, 4, null],
      [-1, 4, null],
      [2 ** 31 - 2, 2 ** 31 - 1, { rank: 2 ** 31 - 2, size: 2 ** 31 - 1 }],
      [0, -5, null],
    ] as const) {
      writer.rank(rank, size);
      expect(reader.read()).toBe(true);
      expect([readHeader(writer.bytes)?.world, reader.world]).toEqual([world, world]);
    }
  });

  test('banks are summed, beyond 32 and 53 bits, and what grew is handed on', () => {
    const { writer, sums, reader } = opened();
    const [a, b] = [writer.add({ name: 'a', kind: 'integer' }), writer.add({ name: 'b', kind: 'double' })];
    const second = writer.bank();
    writer.integer(a, 0xffff_ffffn);
    writer.integer(a, 2n, second);
    writer.double(b, 1.5);
    writer.double(b, 2, second);
    expect(reader.read()).toBe(true);
    expect(sums.totals).toEqual([2 ** 32 + 1, 3.5]);
    writer.integer(a, 2n ** 60n + 1n);
    reader.read();
    writer.integer(a, 2n ** 60n + 8n);
    sums.totals[0] = 0;
    reader.read();
    expect(sums.totals[0]).toBe(7);
  });

  test('a counter that seems to shrink waits until it is there again', () => {
    const { writer, sums, reader } = opened();
    const [a, b] = [writer.add({ name: 'a', kind: 'integer' }), writer.add({ name: 'b', kind: 'double' })];
    for (const value of [10, 4, 12]) {
      writer.integer(a, BigInt(value));
      writer.double(b, value === 4 ? NaN : value);
      reader.read();
      expect(sums.totals).toEqual([value === 4 ? 10 : value, value === 4 ? 10 : value]);
    }
  });

  test('a torn gauge is left for the next time', () => {
    const { writer, sums, reader } = opened();
    const gauge = writer.add({ name: 'g', kind: 'gauge' });
    reader.read();
    expect(sums.gauges).toEqual([]);
    writer.gauge(gauge, 3n, [1, 2, 3, 4]);
    reader.read();
    expect(sums.gauges).toEqual([]);
    writer.gauge(gauge, 4n, [1, 2, 2, 3]);
    reader.read();
    expect(sums.gauges[0]).toEqual([1, 2, 2, 3]);
  });

  test('a gauge that is written between the two looks is not taken', () => {
    const writer = new TableWriter(NONCE);
    const gauge = writer.add({ name: 'g', kind: 'gauge' });
    const sums = new Sums();
    let meanwhile = (): void => undefined;
    let reads = 0;
    const reader = new TableReader((into, length, at) => {
      if (++reads === 2) meanwhile();
      return writer.bytes.copy(into, at, at, at + length);
    }, sums);
    reader.read();
    writer.gauge(gauge, 4n, [1, 1, 1, 1]);
    meanwhile = () => writer.gauge(gauge, 6n, [5, 5, 1, 5]);
    reads = 0;
    reader.read();
    expect([reads, sums.gauges]).toEqual([2, []]);
    reader.read();
    expect(sums.gauges[0]).toEqual([5, 5, 1, 5]);
  });

  test('between two changes only values are read', () => {
    const writer = new TableWriter(NONCE);
    for (let i = 0; i < 100; i++) writer.add({ name: `n${i}`, kind: 'integer' });
    let bytes = 0;
    const sums = new Sums();
    const reader = new TableReader((into, length, at) => {
      bytes += length;
      return writer.bytes.copy(into, at, at, at + length);
    }, sums);
    reader.read();
    bytes = 0;
    writer.integer(99, 3n);
    reader.read();
    expect([bytes, sums.totals[99]]).toEqual([256 * 8 + 48, 3]);
  });

  test('what a killed process had no time to tell of is found in the end', () => {
    const { writer, sums, reader } = opened();
    writer.add({ name: 'a', kind: 'integer' });
    reader.read();
    const number = writer.bytes.readUInt32LE(76);
    const late = writer.add({ name: 'late', kind: 'integer' });
    writer.integer(late, 4n);
    // The entry is there, the number of changes not yet.
    writer.bytes.writeUInt32LE(number, 76);
    writer.bytes.writeUInt32LE(number, writer.firstBank + 16);
    reader.read();
    expect(sums.names).toEqual(['a']);
    reader.read(true);
    expect([sums.names, sums.totals]).toEqual([
      ['a', 'late'],
      [0, 4],
    ]);
  });

  test('it grows: entries of later groups are noticed', () => {
    const { writer, sums, reader } = opened();
    for (let i = 0; i < 600; i++) {
      writer.integer(writer.add({ name: `n${i}`, kind: 'integer' }), BigInt(i));
      if (i % 50 === 0) expect(reader.read()).toBe(true);
    }
    reader.read();
    expect(sums.totals).toEqual(Array.from({ length: 600 }, (_, i) => i));
  });

  test('another reader goes on from the marks of one before', () => {
    const { writer, sums, reader } = opened();
    const a = writer.add({ name: 'a', kind: 'integer' });
    const b = writer.add({ name: 'b', kind: 'double' });
    const g = writer.add({ name: 'g', kind: 'gauge' });
    writer.integer(a, 2n ** 40n + 5n);
    writer.double(b, 2.5);
    writer.gauge(g, 2n, [1, 1, 1, 1]);
    reader.read();
    const marks = reader.marks();
    // Not taken before the restart.
    writer.integer(a, 2n ** 40n + 9n);
    writer.integer(writer.add({ name: 'late', kind: 'integer' }), 3n);
    const next = new Sums();
    const again = new TableReader(
      from(() => writer.bytes),
      next,
      marks,
    );
    again.read();
    expect(sums.totals).toEqual([2 ** 40 + 5, 2.5, 0]);
    expect(next.resumed).toEqual([2 ** 40 + 5, 2.5]);
    expect(next.totals).toEqual([4, 0, 0, 3]);
    expect(next.gauges[g]).toEqual([1, 1, 1, 1]);
  });

  test('marks that are cut off or of another table do no harm', () => {
    const { writer } = opened();
    writer.integer(writer.add({ name: 'a', kind: 'integer' }), 7n);
    writer.double(writer.add({ name: 'b', kind: 'double' }), 7);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (marks) => {
        const sums = new Sums();
        const reader = new TableReader(
          from(() => writer.bytes),
          sums,
          marks,
        );
        expect(reader.read()).toBe(true);
        for (const total of [...sums.totals, ...sums.resumed.filter((one) => one !== undefined)]) {
          expect(total >= 0 && total < Infinity).toBe(true);
        }
      }),
    );
  });
});

describe('a hostile table', () => {
  const valid = mixedTable(NONCE).bytes;
  const integrity = (bytes: () => Buffer, reads: number): void => {
    const reader = new TableReader(from(bytes), new Sums());
    let before = true;
    for (let i = 0; i < reads; i++) {
      const now = reader.read();
      expect(now && !before).toBe(false);
      before = now;
    }
  };

  test('flipped bits, cut ends and appended bytes never crash the reader', () => {
    const change = fc.tuple(fc.nat(valid.length - 1), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(
        fc.array(fc.array(change, { maxLength: 8 }), { maxLength: 4 }),
        fc.nat(2 * valid.length),
        (steps, end) => {
          let bytes: Buffer = Buffer.from(valid);
          const states = steps.map((changes) => {
            for (const [at, bits] of changes) bytes[at]! ^= bits;
            return Buffer.from(bytes);
          });
          states.push(Buffer.concat([bytes, bytes]).subarray(0, end));
          let step = 0;
          integrity(() => states[Math.min(step++, states.length - 1)]!, states.length + 2);
          for (const state of states) readHeader(state);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('integers of any size at places that matter', () => {
    // Header fields, segment headers and the first entries.
    const place = fc.oneof(fc.nat(21), fc.integer({ min: 1024, max: 1024 + 64 }), fc.nat(valid.length / 4 - 1));
    const value = fc.oneof(fc.constantFrom(0, 1, 64, 0xffff_ffff, 0x7fff_ffff, 4096, 0x0400_0000), fc.nat());
    fc.assert(
      fc.property(fc.array(fc.tuple(place, value), { minLength: 1, maxLength: 6 }), (changes) => {
        const bytes = Buffer.from(valid);
        for (const [at, number] of changes) bytes.writeUInt32LE(number, 4 * at);
        integrity(() => bytes, 3);
      }),
      { numRuns: 1000 },
    );
  });

  test('one that shrinks is a fault and stays one', () => {
    let bytes = valid;
    const reader = new TableReader(
      from(() => bytes),
      new Sums(),
    );
    expect(reader.read()).toBe(true);
    bytes = valid.subarray(0, valid.length - 64);
    expect(reader.read()).toBe(false);
    bytes = valid;
    expect(reader.read()).toBe(false);
  });
});
