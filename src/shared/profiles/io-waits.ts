/** How long a run waited for files, pipes and sockets to be ready (`poll`, `select`, …): pure functions, times in seconds. */

import type { RankValues } from '../api/profiles.ts';
import type { SeriesValue } from '../api/series.ts';
import { parseIo } from '../model/io.ts';
import { FOLDED } from './mpi-summary.ts';

/** Sums over threads, so that time may be more than the run's. Null: not measured. */
export interface WaitNumbers {
  readonly calls: number | null;
  readonly time: number | null;
}

export interface WaitCall extends WaitNumbers {
  readonly call: string;
}

export interface IoWaits extends WaitNumbers {
  /** Those that were made; most time first, then calls, then name. */
  readonly top: readonly WaitCall[];
}

export interface WaitRank extends WaitNumbers {
  readonly rank: number;
  readonly node: string;
  /** In which this rank waited longest; null: their time was not measured. */
  readonly most: string | null;
}

/** All calls that wait, over all ranks; null: none was made. */
export function ioWaitsOf(series: readonly SeriesValue[]): IoWaits | null {
  return waitsOf(
    series,
    series.map(({ value }) => value),
  );
}

/** Each rank that waited, most time first. `series` are those of the ranks' values. Folded ranks are none. */
export function ioWaitsOfRanks(series: readonly SeriesValue[], ranks: readonly RankValues[]): WaitRank[] {
  return ranks
    .flatMap(({ rank, node, values }): WaitRank[] => {
      const waits = node === FOLDED ? null : waitsOf(series, values);
      if (!waits) return [];
      const { calls, time, top } = waits;
      return [{ rank, node, calls, time, most: time === null ? null : (top[0]?.call ?? null) }];
    })
    .sort((a, b) => (b.time ?? 0) - (a.time ?? 0) || (b.calls ?? 0) - (a.calls ?? 0) || a.rank - b.rank);
}

function waitsOf(series: readonly SeriesValue[], values: readonly (number | null)[]): IoWaits | null {
  const found = new Map<string, { calls: number | null; time: number | null }>();
  series.forEach(({ kind, family, labels }, place) => {
    const value = values[place] ?? null;
    const metric = kind === 'counter' && value !== null ? parseIo(family, labels) : null;
    if (metric?.what !== 'wait') return;
    const numbers = found.get(metric.call) ?? { calls: null, time: null };
    numbers[metric.quantity] = (numbers[metric.quantity] ?? 0) + value!;
    found.set(metric.call, numbers);
  });
  const top = [...found]
    .map(([call, numbers]) => ({ call, ...numbers }))
    .filter(({ calls, time }) => (calls ?? 0) > 0 || (time ?? 0) > 0)
    .sort((a, b) => (b.time ?? 0) - (a.time ?? 0) || (b.calls ?? 0) - (a.calls ?? 0) || (a.call < b.call ? -1 : 1));
  const sum = (quantity: 'calls' | 'time'): number | null =>
    top.reduce<number | null>((all, one) => (one[quantity] === null ? all : (all ?? 0) + one[quantity]), null);
  return top.length === 0 ? null : { calls: sum('calls'), time: sum('time'), top };
}
