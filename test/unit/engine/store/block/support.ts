/** Rows of blocks: of every shape, of values of every kind. */

import fc from 'fast-check';
import {
  encodeBlock,
  type Block,
  type BlockRows,
  type BlockShape,
} from '../../../../../src/engine/store/block/index.ts';

export const RAW: BlockShape = { tier: 0, counterParts: 1, gaugeParts: 4 };
export const MINUTE: BlockShape = { tier: 1, counterParts: 5, gaugeParts: 5 };
export const HOUR: BlockShape = { tier: 2, counterParts: 5, gaugeParts: 5 };

/** Rows as plain columns: series after series, part after part. */
export interface Input extends Omit<BlockRows, 'counter' | 'gauge'> {
  readonly shape: BlockShape;
  readonly counters: readonly Float64Array[];
  readonly gauges: readonly Float64Array[];
}

export function rowsOf(input: Input): BlockRows {
  const { shape, counters, gauges } = input;
  return {
    ...input,
    counter: (place, part) => counters[place * shape.counterParts + part]!,
    gauge: (place, part) => gauges[place * shape.gaugeParts + part]!,
  };
}

export const encoded = (input: Input): Uint8Array<ArrayBuffer> =>
  encodeBlock({ scope: 7, epoch: 3 }, input.shape, rowsOf(input));

/** Rows of a raw block of one second's period whose series are there from the first row on. */
export function regular(counters: readonly Float64Array[], gauges: readonly Float64Array[], shape = RAW): Input {
  const rows = (counters[0] ?? gauges[0])!.length;
  const perRow = shape.tier === 0 ? rows : 0;
  return {
    shape,
    counters,
    gauges,
    times: Float64Array.from({ length: rows }, (_, i) => 1.8e12 + 1000 * i),
    intervals: new Float64Array(perRow).fill(1000),
    sequences: Uint32Array.from({ length: perRow }, (_, i) => i),
    gaps: new Uint8Array(perRow),
    counterCounts: new Uint32Array(rows).fill(counters.length / shape.counterParts),
    gaugeCounts: new Uint32Array(rows).fill(gauges.length / shape.gaugeParts),
  };
}

/** Every column that a block must give back: NaN where its series is not yet there. */
export function* expectedColumns(
  input: Input,
): Generator<[kind: 'counter' | 'gauge', place: number, part: number, Float64Array]> {
  const { shape } = input;
  for (const [kind, columns, parts, counts] of [
    ['counter', input.counters, shape.counterParts, input.counterCounts],
    ['gauge', input.gauges, shape.gaugeParts, input.gaugeCounts],
  ] as const) {
    for (const [i, column] of columns.entries()) {
      const place = Math.floor(i / parts);
      yield [kind, place, i % parts, column.map((value, row) => (counts[row]! > place ? value : NaN))];
    }
  }
}

/** Index of the first value that is not the same, bit for bit (any NaN is NaN); -1: none. */
export function firstDifference(a: Float64Array, b: Float64Array): number {
  if (a.length !== b.length) return Math.min(a.length, b.length);
  return a.findIndex((value, i) => !Object.is(value, b[i]));
}

/** The first column that is not what went in, in words; null: all are. */
export function wrongColumn(block: Block, input: Input): string | null {
  for (const name of ['times', 'intervals', 'sequences', 'gaps', 'counterCounts', 'gaugeCounts'] as const) {
    if (firstDifference(Float64Array.from(block[name]), Float64Array.from(input[name])) >= 0) return name;
  }
  for (const [kind, place, part, expected] of expectedColumns(input)) {
    const row = firstDifference(block[kind](place, part), expected);
    if (row >= 0)
      return `${kind} ${place}, part ${part}, row ${row}: ${block[kind](place, part)[row]}, not ${expected[row]}`;
  }
  return null;
}

const exactly = (length: number): fc.ArrayConstraints => ({ minLength: length, maxLength: length });

const special = fc.constantFrom(
  ...[NaN, Infinity, -Infinity, 0, -0, 1, -1, 0.1, Number.MIN_VALUE, -Number.MIN_VALUE, Number.MAX_VALUE],
  ...[2 ** 31, 2 ** 32, 2 ** 50, 2 ** 52, 2 ** 53, 2 ** 53 + 2, 2 ** 63, 2 ** 64, -(2 ** 53), 2.2250738585072014e-308],
);

/** Cumulative sums from `start`. */
const sums = (start: number, steps: readonly number[]): number[] => {
  let total = start;
  return steps.map((step) => (total += step));
};

/** A column of one of the kinds that programs and nodes have, or of anything. */
const column = (rows: number): fc.Arbitrary<Float64Array> => {
  const list = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(one, exactly(rows));
  const any = fc.oneof(fc.double(), special);
  const steps = (max: number): fc.Arbitrary<number[]> => list(fc.oneof(fc.constant(0), fc.nat(max)));
  const kinds: fc.Arbitrary<number[]>[] = [
    list(any),
    list(fc.double()),
    list(special),
    any.map((value) => Array.from({ length: rows }, () => value)),
    fc.tuple(any, any, fc.nat(rows)).map(([a, b, at]) => Array.from({ length: rows }, (_, i) => (i < at ? a : b))),
    fc.tuple(fc.nat(), steps(5000)).map(([start, all]) => sums(start, all)),
    // Beyond 2^53 doubles have gaps: nanoseconds of a machine that is up for long.
    fc.tuple(fc.maxSafeInteger(), steps(1e9)).map(([start, all]) => sums(start * 1000, all)),
    fc
      .tuple(fc.nat(), steps(300), fc.integer({ min: 1, max: 12 }))
      .map(([start, all, ten]) => sums(start, all).map((n) => n / 10 ** ten)),
    fc
      .tuple(fc.nat(), steps(300), fc.integer({ min: 1, max: 12 }))
      .map(([start, all, ten]) => sums(start, all).map((n) => n * (1 / 10 ** ten))),
    fc
      .tuple(fc.nat(), steps(1e6), fc.integer({ min: -80, max: 80 }))
      .map(([start, all, two]) => sums(start, all).map((n) => n * 2 ** two)),
    list(fc.float()),
    list(fc.integer()),
    list(fc.oneof({ weight: 9, arbitrary: fc.constant(NaN) }, fc.nat(1000))),
    fc
      .tuple(fc.double({ noNaN: true }), list(fc.double({ min: 0, max: 1, noNaN: true })))
      .map(([start, all]) => sums(start, all)),
  ];
  return fc.oneof(...kinds).map((values) => Float64Array.from(values));
};

/** One series: parts of which some follow from others, here and there not. */
function series(rows: number, parts: number): fc.Arbitrary<Float64Array[]> {
  const free = fc.array(column(rows), exactly(parts));
  const follow = fc
    .tuple(free, fc.array(fc.nat(3), exactly(parts)), fc.array(fc.tuple(fc.nat(rows), special), { maxLength: 3 }))
    .map(([columns, ways, exceptions]) => {
      const last = columns[parts - 1]!;
      for (let part = parts - 2; part >= 0; part--) {
        const values = columns[part]!;
        if (ways[part] === 0) values.set(last);
        else if (ways[part] === 1) values.forEach((_, i) => (values[i] = last[i]! - (last[i - 1] ?? 0)));
        else if (ways[part] === 2 && part < 2 && parts === 5)
          values.forEach((_, i) => (values[i] = columns[2]![i]! / columns[3]![i]!));
        for (const [row, value] of exceptions) if (row < rows) values[row] = value;
      }
      return columns;
    });
  return fc.oneof(free, follow);
}

/** How many series each row knows: never fewer, all of them in the last. */
const counts = (rows: number, all: number): fc.Arbitrary<Uint32Array> =>
  fc.array(fc.nat(all), exactly(rows)).map((list) => {
    const grown = Uint32Array.from(list.toSorted((a, b) => a - b));
    grown[rows - 1] = all;
    return grown;
  });

const growing = (rows: number): fc.Arbitrary<Float64Array> => {
  const regularTimes = fc
    .tuple(fc.integer({ min: 0, max: 4e12 }), fc.array(fc.integer({ min: 990, max: 1010 }), exactly(rows)))
    .map(([start, steps]) => sums(start, steps));
  const anyTimes = fc
    .uniqueArray(
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((time) => time + 0),
      exactly(rows),
    )
    .map((times) => times.toSorted((a, b) => a - b));
  return fc.oneof(regularTimes, anyTimes).map((times) => Float64Array.from(times));
};

const shapes: fc.Arbitrary<BlockShape> = fc.oneof(
  fc.constantFrom(RAW, MINUTE, HOUR),
  fc.record({
    tier: fc.constantFrom(0, 1, 2),
    counterParts: fc.integer({ min: 1, max: 6 }),
    gaugeParts: fc.integer({ min: 1, max: 6 }),
  }),
);

export const inputs: fc.Arbitrary<Input> = fc
  .tuple(shapes, fc.integer({ min: 1, max: 30 }), fc.nat(3), fc.nat(2))
  .chain(([shape, rows, counters, gauges]) => {
    const perRow = shape.tier === 0 ? rows : 0;
    const many = (one: number, parts: number): fc.Arbitrary<Float64Array[]> =>
      fc.array(series(rows, parts), exactly(one)).map((all) => all.flat());
    return fc.record({
      shape: fc.constant(shape),
      times: growing(rows),
      intervals: fc
        .array(fc.oneof(fc.constant(1000), fc.double()), exactly(perRow))
        .map((all) => Float64Array.from(all)),
      sequences: fc.array(fc.nat(0xffff_ffff), exactly(perRow)).map((all) => Uint32Array.from(all)),
      gaps: fc.array(fc.nat(1), exactly(perRow)).map((all) => Uint8Array.from(all)),
      counterCounts: counts(rows, counters),
      gaugeCounts: counts(rows, gauges),
      counters: many(counters, shape.counterParts),
      gauges: many(gauges, shape.gaugeParts),
    });
  });
