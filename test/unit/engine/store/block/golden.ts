/**
 * What stands in the golden blocks, made of operations that give the same doubles everywhere. Every way in which a column
 * can be written is in one of them. Do not change it: the files stay as they are.
 */

import { MINUTE, RAW, type Input } from './support.ts';

const ROWS = 96;

const column = (value: (row: number) => number): Float64Array =>
  Float64Array.from({ length: ROWS }, (_, row) => value(row));

/** Numbers from 0 to below `max` that look like noise. */
const noise = (row: number, max: number): number => (row * row * 7919 + row * 104_729) % max;

/** Sums of {@link noise}. */
function total(max: number): Float64Array {
  let sum = 0;
  return column((row) => (sum += noise(row, max)));
}

const mapped = (values: Float64Array, to: (value: number, row: number) => number): Float64Array => values.map(to);

function rowsOf(shape: Input['shape'], counters: Float64Array[], gauges: Float64Array[]): Input {
  const perRow = shape.tier === 0 ? ROWS : 0;
  const [counterCount, gaugeCount] = [counters.length / shape.counterParts, gauges.length / shape.gaugeParts];
  return {
    shape,
    counters,
    gauges,
    times: column((row) => 1_795_270_000_000 + 1000 * row + (noise(row, 5) === 0 ? 1 : 0)),
    intervals: new Float64Array(perRow).map((_, row) => 1000 + noise(row, 7) / 8),
    sequences: new Uint32Array(perRow).map((_, row) => 500 + row + (row > 40 ? 1 : 0)),
    gaps: new Uint8Array(perRow).map((_, row) => (row === 41 ? 1 : 0)),
    counterCounts: new Uint32Array(ROWS).map((_, row) => (row < 10 ? counterCount - 2 : counterCount)),
    gaugeCounts: new Uint32Array(ROWS).map((_, row) => (row < 20 ? 0 : gaugeCount)),
  };
}

export function goldenSamples(): Input {
  const ones = column(() => 1);
  const observed = (values: Float64Array): Float64Array[] => [values, values, ones, values];
  const counters = [
    column(() => NaN),
    column(() => 0),
    column(() => 12_345),
    column(() => 1 / 3),
    column(() => -0),
    column((row) => (row < 50 ? NaN : 9)),
    total(100),
    total(1e9),
    column((row) => 250 * row),
    column((row) => (row < 60 ? 4 : 4000)),
    mapped(total(300), (value) => value / 100),
    mapped(total(300), (value) => value * 0.01),
    mapped(total(300), (value) => value * 4096),
    mapped(total(1e9), (value) => value / 2 ** 38),
    mapped(total(1e6), (value, row) => (row % 10 === 0 ? value : NaN)),
    mapped(total(1e6), (value) => value * 2 ** 40 + 2 ** 63),
    column((row) => (row === 5 ? -7 : noise(row, 50))),
    column((row) => [Infinity, -Infinity, NaN, -0, 5e-324, 1.7976931348623157e308, 2 ** 53, Math.PI][row % 8]!),
    total(40),
  ];
  const gauges = [
    observed(mapped(total(1000), (value) => 1 / (value + 1))),
    observed(column((row) => (row < 70 ? 1 / 3 : 100 / 7))),
    observed(column((row) => noise(row, 60))),
    [column((row) => noise(row, 9)), column((row) => 10 + noise(row, 9)), column((row) => 2 + (row % 3)), total(77)],
    // Not set in the first rows.
    [
      column((row) => (row < 24 ? Infinity : row)),
      column((row) => (row < 24 ? -Infinity : row)),
      column((row) => (row < 24 ? 0 : 1)),
      column((row) => (row < 24 ? 0 : row)),
    ],
  ];
  return rowsOf(RAW, counters, gauges.flat());
}

export function goldenMinutes(): Input {
  const grown = (last: Float64Array): Float64Array =>
    mapped(last, (value, row) => (row === 0 ? 3 : value - last[row - 1]!));
  const single = (last: Float64Array, elapsed: Float64Array): Float64Array[] => {
    const increase = grown(last);
    const rate = mapped(increase, (value, row) => value / elapsed[row]!);
    return [rate, rate.with(33, 1e6), increase, elapsed, last];
  };
  const elapsed = column((row) => 60 + noise(row, 20) / 1000);
  const counters = [
    single(total(5000), elapsed),
    single(
      column(() => 8),
      column(() => 60),
    ),
    single(
      mapped(total(900), (value, row) => (row > 30 && row < 40 ? NaN : value)),
      elapsed,
    ),
    [column((row) => noise(row, 10) / 7), column((row) => 2 + noise(row, 10) / 7), total(10), elapsed, total(2)],
  ];
  const gauge = total(80);
  const gauges = [
    [gauge, gauge, gauge, column(() => 1), gauge],
    [
      column((row) => row),
      column((row) => row + 2),
      column((row) => 60 * row + 59),
      column(() => 60),
      column((row) => row + 1),
    ],
  ];
  return rowsOf(MINUTE, counters.flat(), gauges.flat());
}
