/** What a comparison shows of its answer: pure functions. */

import type { Compared, ComparedSeries } from '../../../../shared/api/profile-compare.ts';
import type { ProfileSummary } from '../../../../shared/api/profiles.ts';
import { withoutSums } from '../../../../shared/model/sums.ts';
import { ticksTo } from '../../../charts/ticks.ts';
import { formatDate, formatWhen } from '../../../format/time.ts';
import { formatValue } from '../../../format/units.ts';
import { runTime } from '../words.ts';

/** A number of each run: its run time, its size, when it began, or the value of a series. */
export interface Measure {
  readonly id: string;
  readonly name: string;
  readonly format: (value: number | null) => string;
  /** In the order of the runs. */
  readonly values: readonly (number | null)[];
  readonly series: ComparedSeries | null;
}

export const DURATION = 'duration';
export const SIZE = 'size';
export const START = 'start';

type Described = Pick<ComparedSeries, 'group' | 'operation' | 'quantity' | 'labels' | 'key'>;

/** `MPI Barrier time`, with labels behind it. */
export function seriesName({ group, operation, quantity, labels, key }: Described): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  const words = [group, operation, quantity === 'value' ? '' : quantity].filter((word) => word !== '').join(' ');
  return `${words === '' ? key : words}${pairs.length > 0 ? ` {${pairs.join(', ')}}` : ''}`;
}

/** By the id that an address has; what is not there any more is the run time. */
export function measureOf({ runs, series }: Compared, id: string, now: number): Measure {
  const found = series.find(({ key }) => key === id);
  if (found) {
    const format = (value: number | null): string => formatValue(value, found.unit);
    return { id, name: seriesName(found), format, values: found.values, series: found };
  }
  const plain = { id, series: null };
  const dash = (text: (value: number) => string) => (value: number | null) => (value === null ? '–' : text(value));
  if (id === SIZE) {
    return { ...plain, name: 'Size', format: dash(String), values: runs.map(({ size }) => (size > 0 ? size : null)) };
  }
  if (id === START) {
    const values = runs.map(({ start_time }) => (start_time > 0 ? start_time : null));
    return { ...plain, name: 'Start', format: dash((value) => formatWhen(value, now)), values };
  }
  return {
    id: DURATION,
    series: null,
    name: 'Run time',
    format: dash(runTime),
    values: runs.map((run) => run.duration),
  };
}

const SECOND = 1000;
/** Steps of a clock, in ms. */
const STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600].map((n) => n * SECOND),
  ...[2, 3, 6, 12, 24, 48, 168].map((n) => n * 3600 * SECOND),
];

/** Marks of an axis of run times from 0 to at least `top`, ms. */
export const timeTicks = (top: number): number[] => ticksTo(top, STEPS);

/** Job ids come back: where several runs have the same, the start tells them apart, and where that is the same too, the id. */
export function runLabels(runs: readonly ProfileSummary[], now: number): Map<string, string> {
  const named = (name: (run: ProfileSummary) => string): Map<string, number> => {
    const counts = new Map<string, number>();
    for (const run of runs) counts.set(name(run), (counts.get(name(run)) ?? 0) + 1);
    return counts;
  };
  const started = (run: ProfileSummary): string => `${run.jobid} (${formatWhen(run.start_time, now)})`;
  const [ids, starts] = [named(({ jobid }) => jobid), named(started)];
  return new Map(
    runs.map((run) => {
      const label =
        ids.get(run.jobid) === 1 ? run.jobid : starts.get(started(run)) === 1 ? started(run) : `${run.jobid} ${run.id}`;
      return [run.id, label];
    }),
  );
}

/** What changed most: relative, or of the run time. */
export type RankedBy = 'relative' | 'share';

/** Smaller than this part of the run time nobody feels. */
const LEAST_SHARE = 0.001;

/** Series in the order of how much they changed; those that did not, and sums of others, are left out. */
export function ranked(all: readonly ComparedSeries[], by: RankedBy): ComparedSeries[] {
  const series = withoutSums(all);
  const size = (one: ComparedSeries): number =>
    by === 'share' ? Math.abs(one.share_change ?? 0) : Math.abs(one.change ?? 0);
  if (by === 'share') {
    return series.filter((one) => size(one) >= LEAST_SHARE).sort((a, b) => size(b) - size(a));
  }
  // The engine's own order, which knows what is too small to matter.
  return series.filter((one) => one.change !== null && one.change !== 0);
}

/** Place of the run in which a series is furthest from the baseline; null: none has it beside the baseline. */
export function furthest({ values }: Pick<ComparedSeries, 'values'>, baseline: number): number | null {
  const base = values[baseline];
  if (base === null || base === undefined) return null;
  let found: number | null = null;
  let most = -1;
  values.forEach((value, i) => {
    if (i === baseline || value === null) return;
    const distance = Math.abs(value - base);
    if (distance > most) [found, most] = [i, distance];
  });
  return found;
}

/** Place of the run that one looks at first: the longest that is not the baseline. Null: there is no other. */
export function slowest(runs: readonly ProfileSummary[], baseline: number): number | null {
  let found: number | null = null;
  runs.forEach(({ duration }, i) => {
    if (i === baseline) return;
    if (found === null || (duration ?? -1) > (runs[found]!.duration ?? -1)) found = i;
  });
  return found;
}

export interface Box {
  readonly name: string;
  readonly count: number;
  readonly min: number;
  readonly low: number;
  readonly median: number;
  readonly high: number;
  readonly max: number;
}

/** A quantile of values that are sorted, between its neighbours. */
function quantile(sorted: readonly number[], part: number): number {
  const at = part * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!];
  return below + (above - below) * (at - Math.floor(at));
}

export type BoxBy = 'size' | 'day' | 'tag' | 'all';

function boxNames(run: ProfileSummary, by: BoxBy): string[] {
  switch (by) {
    case 'size':
      return [run.size > 0 ? String(run.size) : 'size not known'];
    case 'day':
      return [formatDate(run.start_time)];
    case 'tag':
      return run.tags.length > 0 ? [...run.tags] : ['no tag'];
    case 'all':
      return ['all runs'];
  }
}

const MOST_BOXES = 40;

/** How a measure is spread over the runs of each size, day or tag. */
export function boxesOf(runs: readonly ProfileSummary[], values: readonly (number | null)[], by: BoxBy): Box[] {
  const groups = new Map<string, number[]>();
  runs.forEach((run, i) => {
    const value = values[i];
    if (value === null || value === undefined) return;
    for (const name of boxNames(run, by)) {
      const group = groups.get(name);
      if (group) group.push(value);
      else groups.set(name, [value]);
    }
  });
  return [...groups]
    .sort(([a], [b]) => Number(a) - Number(b) || (a < b ? -1 : 1))
    .slice(0, MOST_BOXES)
    .map(([name, group]) => {
      const sorted = group.toSorted((a, b) => a - b);
      return {
        name,
        count: sorted.length,
        min: sorted[0]!,
        low: quantile(sorted, 0.25),
        median: quantile(sorted, 0.5),
        high: quantile(sorted, 0.75),
        max: sorted.at(-1)!,
      };
    });
}

/** A value of a description, and the places of the runs that have it; most runs first. */
export function distinct(values: readonly string[]): { readonly value: string; readonly runs: readonly number[] }[] {
  const places = new Map<string, number[]>();
  values.forEach((value, i) => {
    const list = places.get(value);
    if (list) list.push(i);
    else places.set(value, [i]);
  });
  return [...places].map(([value, runs]) => ({ value, runs })).sort((a, b) => b.runs.length - a.runs.length);
}

export interface RankChange {
  readonly rank: number;
  readonly node: string;
  readonly before: number | null;
  readonly after: number | null;
}

interface RankSource {
  readonly series: readonly { readonly key: string }[];
  readonly ranks: readonly {
    readonly rank: number;
    readonly node: string;
    readonly values: readonly (number | null)[];
  }[];
}

/** A series on each rank of two runs, by rank; ranks of one of them only are there too. */
export function rankChanges(before: RankSource, after: RankSource, key: string): RankChange[] {
  const valuesOf = ({ series, ranks }: RankSource): Map<number, { node: string; value: number | null }> => {
    const index = series.findIndex((one) => one.key === key);
    return new Map(ranks.map(({ rank, node, values }) => [rank, { node, value: values[index] ?? null }]));
  };
  const [old, now] = [valuesOf(before), valuesOf(after)];
  return [...new Set([...old.keys(), ...now.keys()])]
    .sort((a, b) => a - b)
    .map((rank) => ({
      rank,
      node: now.get(rank)?.node ?? old.get(rank)?.node ?? '',
      before: old.get(rank)?.value ?? null,
      after: now.get(rank)?.value ?? null,
    }))
    .filter(({ before: a, after: b }) => a !== null || b !== null);
}
