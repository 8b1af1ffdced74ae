import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Block, encodeBlock } from '../../../../../src/engine/store/block/index.ts';
import { encoded, firstDifference, inputs, MINUTE, RAW, regular, rowsOf, wrongColumn } from './support.ts';

const column = (rows: number, value: (row: number) => number): Float64Array =>
  Float64Array.from({ length: rows }, (_, row) => value(row));

describe('a block', () => {
  test('gives back every number, whatever it is and wherever its series begins', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const block = Block.open(encoded(input));
        expect(block.shape).toEqual(input.shape);
        expect(block.identity).toEqual({ scope: 7, epoch: 3 });
        expect([block.rows, block.first, block.last]).toEqual([input.times.length, input.times[0], input.times.at(-1)]);
        expect([block.counters, block.gauges]).toEqual([input.counterCounts.at(-1), input.gaugeCounts.at(-1)]);
        expect(wrongColumn(block, input)).toBeNull();
      }),
      { numRuns: 400 },
    );
  });

  test('is the same with the rows of another block at hand, which it shares where they are its own', () => {
    fc.assert(
      fc.property(inputs, inputs, (input, other) => {
        const bytes = encoded(input);
        const same = Block.open(bytes).readRows;
        const shared = Block.open(bytes, same);
        expect(shared.times).toBe(same.times);
        expect(wrongColumn(shared, input)).toBeNull();
        const block = Block.open(bytes, Block.open(encoded(other)).readRows);
        for (const rows of ['times', 'intervals', 'sequences', 'gaps', 'counterCounts', 'gaugeCounts'] as const) {
          expect(block[rows]).toEqual(same[rows]);
        }
        expect(wrongColumn(block, input)).toBeNull();
      }),
      { numRuns: 100 },
    );
  });

  test('gives all parts of a series at once as one after another', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const block = Block.open(encoded(input));
        const { counterParts, gaugeParts } = block.shape;
        for (let place = 0; place < block.counters; place++) {
          const parts = Array.from({ length: counterParts }, (_, part) => block.counter(place, part));
          expect(block.counterParts(place)).toEqual(parts);
        }
        for (let place = 0; place < block.gauges; place++) {
          const parts = Array.from({ length: gaugeParts }, (_, part) => block.gauge(place, part));
          expect(block.gaugeParts(place)).toEqual(parts);
        }
        expect(() => block.counterParts(block.counters)).toThrow(RangeError);
        expect(() => block.gaugeParts(block.gauges)).toThrow(RangeError);
      }),
      { numRuns: 50 },
    );
  });

  test('takes the same array for each column that it is made of', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const rows = rowsOf(input);
        const one = new Float64Array(input.times.length);
        const reused = (values: Float64Array): Float64Array => {
          one.set(values);
          return one;
        };
        const bytes = encodeBlock({ scope: 7, epoch: 3 }, input.shape, {
          ...rows,
          counter: (place, part) => reused(rows.counter(place, part)),
          gauge: (place, part) => reused(rows.gauge(place, part)),
        });
        expect(bytes).toEqual(encoded(input));
      }),
      { numRuns: 50 },
    );
  });

  test('does not depend on what stands where a series is not yet there', () => {
    const input = regular([column(9, (row) => row * row)], []);
    input.counterCounts.fill(0, 0, 5);
    const bytes = encoded(input);
    input.counters[0]!.fill(NaN, 0, 5);
    expect(encoded(input)).toEqual(bytes);
    expect([...Block.open(bytes).counter(0, 0)]).toEqual([NaN, NaN, NaN, NaN, NaN, 25, 36, 49, 64]);
  });

  test('of many series has many chunks, which are read in any order', () => {
    const noise = (seed: number) => column(512, (row) => Math.sin(seed * 1000 + row * 1.7) * 1e9);
    const input = regular(
      Array.from({ length: 70 }, (_, i) => noise(i)),
      Array.from({ length: 4 * 400 }, (_, i) => noise(i >> 2)),
    );
    const block = Block.open(encoded(input));
    const order = Array.from({ length: 400 }, (_, i) => (i * 211) % 400);
    for (const place of order) {
      expect(firstDifference(block.gauge(place, place % 4), input.gauges[4 * place]!)).toBe(-1);
      expect(firstDifference(block.counter(place % 70, 0), input.counters[place % 70]!)).toBe(-1);
    }
  });

  test('keeps its bytes when what it gave is changed', () => {
    const input = regular([column(8, (row) => row)], []);
    const block = Block.open(encoded(input));
    block.counter(0, 0).fill(-1);
    expect(wrongColumn(block, input)).toBeNull();
  });

  test('is read from the middle of a buffer', () => {
    const input = regular([column(8, (row) => row / 3)], []);
    const bytes = encoded(input);
    const buffer = new Uint8Array(bytes.length + 10);
    buffer.set(bytes, 3);
    expect(wrongColumn(Block.open(buffer.subarray(3, 3 + bytes.length)), input)).toBeNull();
  });

  test('has no other series and parts', () => {
    const block = Block.open(encoded(regular([column(2, () => 1)], [])));
    for (const [place, part] of [
      [1, 0],
      [-1, 0],
      [0, 1],
      [0, -1],
      [0.5, 0],
      [NaN, 0],
    ] as const) {
      expect(() => block.counter(place, part)).toThrow(RangeError);
      expect(() => block.gauge(place, part)).toThrow(RangeError);
    }
  });
});

describe('rows that no block can have', () => {
  const good = regular([column(3, () => 1)], []);
  test.each([
    ['none', { times: new Float64Array(0) }],
    ['times that stand still', { times: Float64Array.of(1, 2, 2) }],
    ['a time that is no number', { times: Float64Array.of(1, NaN, 2) }],
    ['fewer counts', { counterCounts: Uint32Array.of(1, 1) }],
    ['series that disappear', { counterCounts: Uint32Array.of(1, 0, 1) }],
    ['gaps in a tier', { shape: MINUTE }],
    ['no intervals', { intervals: new Float64Array(0) }],
    ['too many parts', { shape: { ...RAW, counterParts: 17 } }],
    ['too many columns', { gaugeCounts: new Uint32Array(3).fill(2 ** 23) }],
  ])('%s', (_, wrong) => {
    expect(() => encoded({ ...good, ...wrong })).toThrow(RangeError);
  });
});

/** Bytes per value of five hundred series of 512 rows; what all rows have in common and the directory count. */
function bytesPerValue(values: (series: number, row: number) => number): number {
  const all = Array.from({ length: 500 }, (_, i) => column(512, (row) => values(i, row)));
  return encoded(regular(all, [])).length / 256_000;
}

describe('what is small', () => {
  test('a series that does not change takes about a byte', () => {
    expect(512 * bytesPerValue((series) => series % 7)).toBeLessThan(2);
  });

  test('so does one that grows steadily', () => {
    expect(512 * bytesPerValue((series, row) => 1000 * (series % 7) + 5 * row)).toBeLessThan(3);
  });

  test('and one that was never sampled', () => {
    expect(512 * bytesPerValue(() => NaN)).toBeLessThan(1);
  });

  test('one that is there every ten rows takes what those rows take', () => {
    const sampled = bytesPerValue((series, row) => (row % 10 === 0 ? series + row : NaN));
    expect(sampled).toBeLessThan(0.02);
  });

  test('hundredths take what whole numbers take', () => {
    const noise = (series: number, row: number): number => Math.floor(1000 * row + 200 * Math.sin(series + row * row));
    const whole = bytesPerValue(noise);
    expect(bytesPerValue((series, row) => noise(series, row) / 100)).toBeLessThan(1.01 * whole);
    expect(bytesPerValue((series, row) => noise(series, row) * 0.01)).toBeLessThan(1.01 * whole);
    expect(bytesPerValue((series, row) => noise(series, row) * 4096)).toBeLessThan(1.01 * whole);
  });

  test('a gauge that was observed once per sample takes what its total takes', () => {
    const total = column(512, (row) => Math.sin(row));
    const one = new Float64Array(512).fill(1);
    const alone = encoded(regular([total], [])).length;
    expect(encoded(regular([], [total, total, one, total])).length).toBeLessThan(alone + 20);
  });

  test('so does a bucket of a tier that has one sample', () => {
    const rows = 240;
    const last = column(rows, (row) => 1000 * row + Math.floor(500 * Math.sin(row)));
    const increase = last.map((value, row) => value - (last[row - 1] ?? -1000));
    const elapsed = column(rows, (row) => 60 + (row % 3) / 1000);
    const rate = increase.map((value, row) => value / elapsed[row]!);
    const alone = encoded(regular([last, elapsed], [])).length;
    const input = regular([rate, rate, increase, elapsed, last], [], MINUTE);
    const bytes = encoded(input);
    expect(wrongColumn(Block.open(bytes), input)).toBeNull();
    expect(bytes.length).toBeLessThan(alone + 20);
  });
});
