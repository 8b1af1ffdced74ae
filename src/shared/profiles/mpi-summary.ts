/** What people ask of a run's MPI, from its counters: pure functions, times in seconds, sizes in bytes. */

import type { RankValues } from '../api/profiles.ts';
import type { Run } from '../api/runs.ts';
import type { SeriesValue } from '../api/series.ts';
import { mpiCallName, mpiKind, parseMpi } from '../model/mpi.ts';
import type { MpiKind, MpiMetric, MpiQuantity } from '../model/mpi.ts';

/** A run's values at one time, as the live ranks and a profile have them. */
export interface MpiSource {
  readonly run: Run;
  /** Of the values, ms since the epoch. */
  readonly time: number;
  readonly series: readonly SeriesValue[];
  readonly ranks: readonly RankValues[];
}

/** Numbers of some calls together. Null: not measured. */
export interface MpiNumbers {
  readonly calls: number | null;
  readonly time: number | null;
  readonly bytes: number | null;
}

export interface CallRow extends MpiNumbers {
  readonly call: string;
  readonly name: string;
  readonly kind: MpiKind;
}

/** Seconds by what was done in them; nothing is negative. */
export interface Parts {
  readonly waiting: number;
  readonly transfer: number;
  readonly other: number;
}

export interface RankRow extends MpiNumbers {
  readonly rank: number;
  readonly node: string;
  /** Of the run's elapsed time, 0 to 1 and more with several threads in MPI; null: not known. */
  readonly share: number | null;
  /** Seconds in communication, in which a rank may wait for others: waiting and transfer. Null: not measured per call. */
  readonly waited: number | null;
}

export interface MpiSummary {
  /** Seconds from the run's start to these values; null: not known. */
  readonly elapsed: number | null;
  /** Ranks that have called MPI, folded ones too. */
  readonly rankCount: number;
  readonly total: MpiNumbers;
  /** Of the ranks' time; null: not known. */
  readonly share: number | null;
  readonly parts: Parts | null;
  /** Most time first, then calls, then name. */
  readonly calls: readonly CallRow[];
  /** By rank; without those that are folded into one entry. */
  readonly ranks: readonly RankRow[];
  /** Ranks that are folded into one entry. */
  readonly folded: number;
  /** Part of the run's time in MPI that the ranks' own values hold; below 1 after a restart of the engine. Null: no time. */
  readonly covered: number | null;
}

/** Host of the entry that ranks beyond the limit are folded into. */
export const FOLDED = '(folded)';

type Field = keyof MpiNumbers;

const FIELDS: ReadonlyMap<MpiQuantity, Field> = new Map([
  ['hits', 'calls'],
  ['time', 'time'],
  ['size', 'bytes'],
] as const);

interface Column {
  readonly index: number;
  readonly metric: MpiMetric;
  /** Null: of all calls together. */
  readonly kind: MpiKind | null;
}

/** The columns of MPI. A gauge is no total of anything. */
function columnsOf(series: readonly SeriesValue[]): Column[] {
  return series.flatMap((one, index) => {
    const metric = one.kind === 'counter' ? parseMpi(one.family) : null;
    return metric === null ? [] : [{ index, metric, kind: metric.call === null ? null : mpiKind(metric.call) }];
  });
}

/** Sums of some columns: of each call, and the totals over all calls as the program had them. */
class Tally {
  readonly #each: Record<Field, number | null> = { calls: null, time: null, bytes: null };
  readonly #totals: Record<Field, number | null> = { calls: null, time: null, bytes: null };
  readonly #kinds: Record<MpiKind, number> = { waiting: 0, transfer: 0, other: 0 };
  #wait: number | null = null;

  add({ metric: { call, quantity }, kind }: Column, value: number | null): void {
    if (value === null) return;
    if (quantity === 'wait') this.#wait = (this.#wait ?? 0) + value;
    const field = FIELDS.get(quantity);
    if (field === undefined) return;
    const into = call === null ? this.#totals : this.#each;
    into[field] = (into[field] ?? 0) + value;
    if (field === 'time' && kind !== null) this.#kinds[kind] += value;
  }

  /** Totals first: a call that another one makes inside counts as a call, but its time only once. */
  get numbers(): MpiNumbers {
    const [each, totals] = [this.#each, this.#totals];
    return {
      calls: totals.calls ?? each.calls,
      time: totals.time ?? each.time,
      bytes: totals.bytes ?? each.bytes,
    };
  }

  /** Parts of the time, which add up to it. Null when it is known for all calls together only. */
  get parts(): Parts | null {
    const { time } = this.numbers;
    if (time === null || this.#each.time === null) return null;
    const waiting = Math.min(time, Math.max(0, this.#wait ?? this.#kinds.waiting));
    const transfer = Math.min(time - waiting, Math.max(0, this.#kinds.transfer));
    return { waiting, transfer, other: Math.max(0, time - waiting - transfer) };
  }
}

function callRows(columns: readonly Column[], series: readonly SeriesValue[]): CallRow[] {
  const tallies = new Map<string, Tally>();
  for (const column of columns) {
    const { index, metric } = column;
    if (metric.call === null) continue;
    let tally = tallies.get(metric.call);
    if (!tally) tallies.set(metric.call, (tally = new Tally()));
    tally.add(column, series[index]!.value);
  }
  return [...tallies]
    .map(([call, tally]) => ({ call, name: mpiCallName(call), kind: mpiKind(call), ...tally.numbers }))
    .filter((row) => [row.calls, row.time, row.bytes].some((value) => value !== null && value > 0))
    .sort((a, b) => (b.time ?? 0) - (a.time ?? 0) || (b.calls ?? 0) - (a.calls ?? 0) || (a.name < b.name ? -1 : 1));
}

const tallyOf = (columns: readonly Column[], valueOf: (index: number) => number | null): Tally => {
  const tally = new Tally();
  for (const column of columns) tally.add(column, valueOf(column.index));
  return tally;
};

export function summarize({ run, time, series, ranks }: MpiSource): MpiSummary {
  const columns = columnsOf(series);
  const whole = tallyOf(columns, (index) => series[index]!.value);
  const elapsed = run.start_time > 0 && time > run.start_time ? (time - run.start_time) / 1000 : null;
  const rows: RankRow[] = [];
  let apart = 0;
  let held = 0;
  let folded = 0;
  for (const { rank, node, values } of ranks) {
    const tally = tallyOf(columns, (index) => values[index] ?? null);
    const { calls, time: spent, bytes } = tally.numbers;
    held += spent ?? 0;
    apart++;
    if (node === FOLDED) {
      apart--;
      folded = 1;
      continue;
    }
    // A client that never called MPI is no rank of it: a launcher, a script.
    if (!(calls ?? 0) && !(spent ?? 0) && !(bytes ?? 0)) continue;
    const { parts } = tally;
    const waited = parts ? parts.waiting + parts.transfer : null;
    const share = spent !== null && elapsed !== null ? spent / elapsed : null;
    rows.push({ rank, node, calls, time: spent, bytes, share, waited });
  }
  rows.sort((a, b) => a.rank - b.rank);
  if (folded > 0) folded = Math.max(1, run.ranks - apart);
  const total = whole.numbers;
  const rankCount = rows.length + folded;
  return {
    elapsed,
    rankCount,
    total,
    share: total.time !== null && elapsed !== null && rankCount > 0 ? total.time / (elapsed * rankCount) : null,
    parts: whole.parts,
    calls: callRows(columns, series),
    ranks: rows,
    folded,
    covered: total.time !== null && total.time > 0 ? Math.min(1, held / total.time) : null,
  };
}

/** One call's numbers on each rank of a summary, in its order. */
export function ranksOfCall({ series, ranks }: MpiSource, call: string, summary: MpiSummary): RankRow[] {
  const columns = columnsOf(series).filter(({ metric }) => metric.call === call);
  const byRank = new Map(ranks.filter(({ node }) => node !== FOLDED).map((one) => [one.rank, one]));
  return summary.ranks.map((row) => {
    const values = byRank.get(row.rank)?.values ?? [];
    const { calls, time, bytes } = tallyOf(columns, (index) => values[index] ?? null).numbers;
    // Who has never made the call has spent no time in it.
    const [some, spent, moved] = [calls ?? 0, time ?? 0, bytes];
    return {
      ...row,
      calls: some,
      time: spent,
      bytes: moved,
      share: summary.elapsed === null ? null : spent / summary.elapsed,
    };
  });
}

export type Measure = 'time' | 'bytes' | 'calls';

export interface Balance {
  readonly count: number;
  readonly min: number;
  readonly minRank: number;
  readonly max: number;
  readonly maxRank: number;
  readonly mean: number;
  /** max / mean; 1: all alike. Null when the mean is 0. */
  readonly ratio: number | null;
}

/** How a number is spread over ranks; null when no rank has it. The lowest of equal ranks is named. */
export function balanceOf(rows: readonly RankRow[], measure: Measure | 'waited'): Balance | null {
  let [count, sum, min, max, minRank, maxRank] = [0, 0, Infinity, -Infinity, 0, 0];
  for (const row of rows) {
    const value = row[measure];
    if (value === null) continue;
    count++;
    sum += value;
    if (value < min) [min, minRank] = [value, row.rank];
    if (value > max) [max, maxRank] = [value, row.rank];
  }
  if (count === 0) return null;
  // Rounding must not put the mean of equal numbers outside of them.
  const mean = Math.min(max, Math.max(min, sum / count));
  return { count, min, minRank, max, maxRank, mean, ratio: mean > 0 ? max / mean : null };
}

export interface Least {
  readonly ranks: readonly number[];
  /** Seconds the first of them waited, and what the ranks waited on average. */
  readonly waited: number;
  readonly mean: number;
  /** Whether the difference is worth a look: others wait for these. */
  readonly matters: boolean;
}

/** Differences below this part of the mean, or of the elapsed time, are noise. */
const NOISE_OF_MEAN = 0.1;
const NOISE_OF_ELAPSED = 0.01;
/** Ranks this near to the least one, as part of its distance from the mean, are as bad. */
const AS_LOW = 0.1;

/** Who waits least: the rank that the others wait for, if the difference matters. Null: unknown, or there is one rank. */
export function leastWaiting({ ranks, elapsed }: Pick<MpiSummary, 'ranks' | 'elapsed'>): Least | null {
  const balance = balanceOf(ranks, 'waited');
  if (!balance || balance.count < 2) return null;
  const distance = balance.mean - balance.min;
  const matters =
    balance.mean > 0 &&
    distance > NOISE_OF_MEAN * balance.mean &&
    (elapsed === null || distance >= NOISE_OF_ELAPSED * elapsed);
  const low = ranks.filter((row) => row.waited !== null && row.waited <= balance.min + AS_LOW * distance);
  const first = [balance.minRank, ...low.map((row) => row.rank).filter((rank) => rank !== balance.minRank)];
  return { ranks: first, waited: balance.min, mean: balance.mean, matters };
}
