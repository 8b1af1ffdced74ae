/** A history as it is answered. */

import type { RangeFunction, RangeResult, RangeSeries } from '../../shared/api/query.ts';
import type { Kind } from '../../shared/model/values.ts';
import type { RangeColumns } from './aggregate.ts';

/** The columns that each series of an answer has, in their order. */
export const MIN_MAX_AVG_LAST = ['min', 'avg', 'max', 'last'] as const;

/** What is asked for beside them, by cell. */
export function moreColumns(
  { avg, weight }: RangeColumns,
  kind: Kind,
  functions: readonly RangeFunction[],
): [name: 'increase' | 'rate' | 'sum' | 'count', value: (at: number) => number][] {
  const grown = (i: number): number => avg[i]! * weight[i]!;
  const all = {
    counter: [
      ['increase', grown],
      ['rate', (i: number) => avg[i]!],
    ],
    gauge: [
      ['sum', grown],
      ['count', (i: number) => weight[i]!],
    ],
  } as const;
  return all[kind].filter(([name]) => functions.includes(name)).map(([name, value]) => [name, value]);
}

export function toRangeResult(columns: RangeColumns, functions: readonly RangeFunction[] = []): RangeResult {
  const { scope, from, to, step, targets, times } = columns;
  const points = times.length;
  const part = (value: (at: number) => number, s: number): (number | null)[] => {
    const out: (number | null)[] = [];
    for (let i = s * points; i < (s + 1) * points; i++) {
      const here = value(i);
      out.push(Number.isFinite(here) ? here : null);
    }
    return out;
  };
  const column = (values: Float64Array, s: number): (number | null)[] => part((i) => values[i]!, s);
  const more = (kind: Kind, s: number): Partial<RangeSeries> =>
    Object.fromEntries(moreColumns(columns, kind, functions).map(([name, value]) => [name, part(value, s)]));
  return {
    ...{ scope, from, to, step, times: Array.from(times) },
    series: targets.map(({ key, name, kind }, s) => {
      const avg = column(columns.avg, s);
      const own = step !== 0;
      const [min, max] = own ? [column(columns.min, s), column(columns.max, s)] : [avg, avg];
      return { key, name, kind, min, avg, max, last: column(columns.last, s), ...more(kind, s) };
    }),
  };
}
