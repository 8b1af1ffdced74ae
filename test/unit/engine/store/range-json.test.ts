import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RangeColumns } from '../../../../src/engine/store/aggregate.ts';
import { rangeJson } from '../../../../src/engine/store/range-json.ts';
import { toRangeResult } from '../../../../src/engine/store/range-result.ts';
import type { RangeFunction } from '../../../../src/shared/api/query.ts';

function atOnce<T>(steps: Generator<void, T>): { value: T; steps: number } {
  for (let n = 1; ; n++) {
    const step = steps.next();
    if (step.done) return { value: step.value, steps: n };
  }
}

const FUNCTIONS: readonly RangeFunction[] = ['min', 'max', 'avg', 'last', 'sum', 'count', 'rate', 'increase'];

function columnsOf(points: number, series: number, raw: boolean, value: (at: number) => number): RangeColumns {
  const column = (salt: number): Float64Array<ArrayBuffer> =>
    Float64Array.from({ length: points * series }, (_, i) => value(5 * i + salt));
  return {
    ...{ scope: 'node/"ä"\n', from: 1.5, to: 1e15, step: raw ? 0 : 60_000 },
    targets: Array.from({ length: series }, (_, s) => ({
      ...{
        key: `k${s}{a="\\"☃"}`,
        name: `k${s}{ a = "x" }`,
        kind: s % 2 === 0 ? ('counter' as const) : ('gauge' as const),
      },
    })),
    times: Float64Array.from({ length: points }, (_, i) => 1.8e12 + i / 3),
    min: raw ? new Float64Array(0) : column(0),
    max: raw ? new Float64Array(0) : column(1),
    ...{ avg: column(2), last: column(3), weight: column(4) },
  };
}

test('it is what JSON.stringify makes of the answer, to the letter', () => {
  const value = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(NaN, Infinity, -0, 5e-324, 1e21, 1e-7));
  fc.assert(
    fc.property(
      ...[fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 4 }), fc.boolean()],
      ...[fc.array(value, { minLength: 1, maxLength: 50 }), fc.subarray([...FUNCTIONS])],
      (points, series, raw, values, functions) => {
        const columns = columnsOf(points, series, raw, (at) => values[at % values.length]!);
        const text = new TextDecoder().decode(atOnce(rangeJson(columns, functions)).value);
        expect(text).toBe(JSON.stringify(toRangeResult(columns, functions)));
      },
    ),
  );
});

test('a large one comes in steps', () => {
  const { value, steps } = atOnce(rangeJson(columnsOf(2000, 50, false, (at) => at / 7)));
  expect(steps).toBeGreaterThan(10);
  expect(JSON.parse(new TextDecoder().decode(value))).toMatchObject({ step: 60_000 });
});
