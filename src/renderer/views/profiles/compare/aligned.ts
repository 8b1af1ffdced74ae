/** Courses of several runs over one axis that begins with each run. */

import type { RangeResult } from '../../../../shared/api/query.ts';

/** The course of one run: ms since its start, and the values there; a counter's as its rate. */
export interface Course {
  readonly run: string;
  readonly xs: readonly number[];
  readonly ys: readonly (number | null)[];
}

/** Of a run that began at `start`, the answer for one of its series. */
export function courseOf(run: string, start: number, { times, step, series }: RangeResult): Course {
  const values = series[0]?.avg ?? [];
  // A bucket's value is that of its middle, so that runs with wider buckets are not ahead of the others.
  const middle = step / 2;
  return { run, xs: times.map((time) => time - start + middle), ys: times.map((_, i) => values[i] ?? null) };
}

/** Columns over one axis, as uPlot has them: undefined where a run has no point, null where it has no value. */
export interface Aligned {
  readonly xs: number[];
  readonly ys: (number | null | undefined)[][];
}

/** All courses over the union of their times. */
export function align(courses: readonly Course[]): Aligned {
  const xs = [...new Set(courses.flatMap((course) => course.xs))].sort((a, b) => a - b);
  const place = new Map(xs.map((x, i) => [x, i]));
  const ys = courses.map((course) => {
    const column = new Array<number | null | undefined>(xs.length).fill(undefined);
    course.xs.forEach((x, i) => (column[place.get(x)!] = course.ys[i] ?? null));
    return column;
  });
  return { xs, ys };
}

/** The last value at or before a place, as a legend shows it; undefined places are those of other runs. */
export function valueAt(column: readonly (number | null | undefined)[], index: number): number | null {
  for (let i = Math.min(index, column.length - 1); i >= 0; i--) {
    const value = column[i];
    if (value !== undefined) return value;
  }
  return null;
}

/** Largest value of all, for one scale over several plots; null: there is none. */
export function topOf(columns: readonly (readonly (number | null | undefined)[])[]): number | null {
  let top: number | null = null;
  for (const column of columns)
    for (const value of column) if (typeof value === 'number' && (top === null || value > top)) top = value;
  return top;
}
