/** Names and sentences of an analysis. */

import type { FootprintAxis, Phase } from '../../../shared/api/profile-analysis.ts';
import type { SeriesValue } from '../../../shared/api/series.ts';
import { mpiCallName, parseMpi } from '../../../shared/model/mpi.ts';
import { leastWaiting, type MpiSummary } from '../../../shared/profiles/mpi-summary.ts';
import { seriesName } from '../export/words.ts';

/** A share of 0 to 1 as percent: `38 %`, `4.2 %`, `< 0.1 %`. */
export function percent(share: number): string {
  const value = 100 * share;
  if (value > 0 && value < 0.05) return '< 0.1 %';
  return `${value < 9.95 ? value.toFixed(1).replace(/\.0$/, '') : Math.round(value)} %`;
}

/** What was done: `MPI_Barrier`, `I/O read`. */
export function callOf(one: Pick<SeriesValue, 'family' | 'group' | 'operation'>): string {
  const call = parseMpi(one.family)?.call;
  if (call !== null && call !== undefined) return mpiCallName(call);
  return one.group === 'Program' ? one.operation : `${one.group} ${one.operation}`;
}

/** `MPI_Barrier, time`; labels as they are. */
export function nameOf(one: SeriesValue): string {
  const call = parseMpi(one.family)?.call;
  return call === null || call === undefined ? seriesName(one) : `${mpiCallName(call)}, ${one.quantity}`;
}

/** Ranks that are named one by one. */
const MOST_NAMED = 3;

/**
 * Which call took most, as its share of the ranks' run time, and who waits least: a rank that comes late to a call spends
 * least time in it, because the others are there already and wait for it.
 */
export function mpiWords(summary: MpiSummary, elapsed: number | null): string {
  const parts: string[] = [];
  const [top] = summary.calls;
  if (top?.time && elapsed !== null && summary.rankCount > 0) {
    parts.push(`${percent(top.time / (elapsed * summary.rankCount))} in ${top.name}`);
  }
  const least = leastWaiting(summary);
  if (least?.matters) {
    const [first, ...more] = least.ranks;
    if (more.length === 0) parts.push(`rank ${first} waits least: look there`);
    else if (more.length < MOST_NAMED) {
      parts.push(`ranks ${least.ranks.slice(0, -1).join(', ')} and ${least.ranks.at(-1)} wait least: look there`);
    } else parts.push(`rank ${first} and ${more.length} others wait least: look there`);
  }
  return parts.join('; ');
}

/** How a number stands against what is usual; `points`: it is a share, and differences are told in points of it. */
export function againstUsual(value: number, usual: number, points: boolean): string {
  if (points) {
    const by = 100 * (value - usual);
    if (Math.abs(by) < 0.5) return 'as usual';
    return `${Math.abs(by) < 9.95 ? Math.abs(by).toFixed(1).replace(/\.0$/, '') : Math.round(Math.abs(by))} points ${by > 0 ? 'more' : 'less'} than usual`;
  }
  if (usual === 0) return value === 0 ? 'as usual' : 'usually none';
  const change = value / usual - 1;
  if (Math.abs(change) < 0.005) return 'as usual';
  return `${percent(Math.abs(change))} ${change > 0 ? 'more' : 'less'} than usual`;
}

/**
 * What to know first: a run time that is not as usual and where it went, else what else is not, else where the time went.
 *
 * @param where As {@link mpiWords} says it; empty: not known.
 */
export function headlineOf(
  axes: readonly FootprintAxis[],
  phases: readonly Phase[],
  { where, interrupted }: { readonly where: string; readonly interrupted: boolean },
): string {
  const time = axes.find(({ id }) => id === 'time');
  const isOff = ({ verdict }: FootprintAxis): boolean => verdict === 'bad' || verdict === 'watch';
  const worst = axes.find(({ verdict }) => verdict === 'bad') ?? axes.find(isOff);
  const asUsual = time?.verdict === 'good' ? `run time ${time.words}` : '';
  let told: string;
  if (time && isOff(time)) told = where === '' ? `run time ${time.words}` : `run time ${time.words}: ${where}`;
  else if (worst) told = `${asUsual === '' ? '' : `${asUsual}, but `}${lower(worst.name)} ${worst.words}`;
  else if (where !== '') told = asUsual === '' ? where : `${asUsual}: ${where}`;
  else if (asUsual !== '') told = asUsual;
  else {
    const longest = phases.toSorted((a, b) => b.to - b.from - (a.to - a.from))[0];
    told = longest ? `most of the time ${longest.words}` : 'nothing was measured that says more than the run time';
  }
  const sentence = `${interrupted ? 'the engine stopped before the run ended; until then ' : ''}${told}`;
  return `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`;
}

/** Within a sentence; MPI and CPU stay what they are. */
const lower = (name: string): string =>
  /^[A-Z][a-z]/.test(name) ? `${name.charAt(0).toLowerCase()}${name.slice(1)}` : name;
