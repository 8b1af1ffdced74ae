/** One answer out of what the own store has and what was read back from a destination, in front of it. */

import type { RangeResult, RangeSeries } from '../../shared/api/query.ts';

/** Time of the first bucket or sample of which anything is known; Infinity: nothing is. */
export function firstKnown({ times, series }: RangeResult): number {
  for (const [i, time] of times.entries()) {
    if (series.some(({ avg, last }) => (avg[i] ?? null) !== null || (last[i] ?? null) !== null)) return time;
  }
  return Infinity;
}

const PARTS = ['min', 'avg', 'max', 'last'] as const;

/** Samples that are points of their own, in buckets of `step` from `from` on; each weighs the same. */
export function rebucket(result: RangeResult, from: number, to: number, step: number): RangeResult {
  const points = Math.max(1, Math.ceil((to - from) / step));
  const times = Array.from({ length: points }, (_, i) => from + i * step);
  const series = result.series.map((own): RangeSeries => {
    const column = (): (number | null)[] => new Array<number | null>(points).fill(null);
    const out = {
      key: own.key,
      name: own.name,
      kind: own.kind,
      min: column(),
      avg: column(),
      max: column(),
      last: column(),
    };
    const counts = new Uint32Array(points);
    for (const [i, time] of result.times.entries()) {
      const at = Math.min(points - 1, Math.floor((time - from) / step));
      if (at < 0) continue;
      const [min, avg, max, last] = PARTS.map((part) => own[part][i] ?? null);
      if (min !== null && min !== undefined) out.min[at] = Math.min(out.min[at] ?? Infinity, min);
      if (max !== null && max !== undefined) out.max[at] = Math.max(out.max[at] ?? -Infinity, max);
      if (avg !== null && avg !== undefined)
        out.avg[at] = (out.avg[at] ?? 0) + (avg - (out.avg[at] ?? 0)) / ++counts[at]!;
      if (last !== null && last !== undefined) out.last[at] = last;
    }
    return out;
  });
  return { ...result, from, to, step, times, series };
}

/** Puts what was read back where the own store has nothing. Both have the same step, on the grid of `own`. */
export function mergeBack(own: RangeResult, back: RangeResult): RangeResult {
  const byKey = new Map(back.series.map((series) => [series.key, series]));
  const origin = own.times[0] ?? own.from;
  const places = new Map(back.times.map((time, i) => [Math.round((time - origin) / own.step), i]));
  const series = own.series.map((ours): RangeSeries => {
    const theirs = byKey.get(ours.key);
    const part = (name: (typeof PARTS)[number]): (number | null)[] =>
      own.times.map((_, i) => {
        const place = places.get(i);
        return ours[name][i] ?? (place === undefined ? null : (theirs?.[name][place] ?? null));
      });
    return { ...ours, min: part('min'), avg: part('avg'), max: part('max'), last: part('last') };
  });
  return { ...own, series };
}
