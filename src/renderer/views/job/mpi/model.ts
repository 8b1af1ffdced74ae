/** What the view of a run's MPI draws beside what is known of it (src/shared/profiles/mpi-summary.ts). */

import type { Measure, RankRow } from '../../../../shared/profiles/mpi-summary.ts';

export { balanceOf, leastWaiting, ranksOfCall, summarize } from '../../../../shared/profiles/mpi-summary.ts';
export type {
  Balance,
  CallRow,
  Measure,
  MpiSource,
  MpiSummary,
  RankRow,
} from '../../../../shared/profiles/mpi-summary.ts';

/** A group of neighbouring ranks in a strip of bars. */
export interface Bin {
  /** `12`, or `12–15`. */
  readonly label: string;
  readonly first: number;
  readonly last: number;
  readonly min: number;
  readonly mean: number;
  readonly max: number;
}

/** Ranks in at most `most` bars of the same number of ranks each. A rank without the number counts as 0. */
export function binRanks(rows: readonly RankRow[], measure: Measure, most: number): Bin[] {
  const width = Math.max(1, Math.ceil(rows.length / most));
  const bins: Bin[] = [];
  for (let at = 0; at < rows.length; at += width) {
    const part = rows.slice(at, at + width);
    const values = part.map((row) => row[measure] ?? 0);
    const [first, last] = [part[0]!.rank, part.at(-1)!.rank];
    const [min, max] = [Math.min(...values), Math.max(...values)];
    const mean = Math.min(max, Math.max(min, values.reduce((sum, value) => sum + value, 0) / values.length));
    bins.push({ label: first === last ? String(first) : `${first}–${last}`, first, last, min, mean, max });
  }
  return bins;
}
