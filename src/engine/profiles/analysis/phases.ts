/**
 * Phases of a run: stretches in which it did the same kind of thing.
 *
 * The run is cut into windows of equal length. Of each, a vector: of a time, the share of the ranks' time; of other
 * counters half of rate / largest rate, because how much is moved says less than where the time goes. At first each
 * window is a phase. Then, again and again, the two neighbours that are most alike become one (Ward: the least growth of
 * the sum of squared distances from the mean), until all neighbours differ by a fifth in something, last long enough, and
 * are few enough.
 */

import type { Phase } from '../../../shared/api/profile-analysis.ts';
import type { SeriesValue } from '../../../shared/api/series.ts';
import { parseMpi } from '../../../shared/model/mpi.ts';
import { withoutSums } from '../../../shared/model/sums.ts';
import { CPU_SECONDS } from '../../../shared/profiles/footprint.ts';
import { amount } from '../export/words.ts';
import { callOf, nameOf, percent } from './words.ts';

export const MOST_PHASES = 12;
export const MOST_WINDOWS = 240;
/** Neighbours that differ less than this in everything are one phase. */
const DIFFERENT = 0.2;
/** A phase lasts at least so many windows, and this part of the run. */
const LEAST_WINDOWS = 2;
const LEAST_PART = 0.02;
/** Of what is moved or counted, against times. */
const COUNT_WEIGHT = 0.5;
/** Series that are looked at: times, bytes, other counters. */
const MOST_TIMES = 48;
const MOST_BYTES = 16;
const MOST_COUNTS = 16;
/** Series that are told of a phase. */
const MOST_TOP = 5;

/** Counters that tell one thing from another; those over all calls only where there are none of single calls. */
export function phaseSeries(series: readonly SeriesValue[]): SeriesValue[] {
  const counters = series.filter(
    ({ kind, value, family }) =>
      kind === 'counter' && value !== null && value > 0 && !/_build_info$|^vigie_exit_total$/.test(family),
  );
  const telling = withoutSums(counters);
  telling.sort((a, b) => b.value! - a.value! || (a.key < b.key ? -1 : 1));
  // CPU time is spent within what the others tell.
  const isTime = ({ unit, family }: SeriesValue): boolean => unit === 's' && family !== CPU_SECONDS;
  const times = telling.filter(isTime).slice(0, MOST_TIMES);
  const bytes = telling.filter(({ unit }) => unit === 'B').slice(0, MOST_BYTES);
  // Calls say little beside the time in them.
  const counts = times.length > 0 ? [] : telling.filter((one) => !isTime(one) && one.unit !== 'B');
  return [...times, ...bytes, ...counts.slice(0, MOST_COUNTS)];
}

/** Windows of a run, and the rates per second of some series in them. */
export interface Windows {
  readonly from: number;
  /** ms. */
  readonly step: number;
  readonly count: number;
  readonly series: readonly SeriesValue[];
  /** Series after series; NaN: not known, and taken as in the window before. */
  readonly rates: Float64Array;
  /** Processes whose times are added up in a rate. */
  readonly processes: number;
}

interface Stretch {
  readonly first: number;
  readonly count: number;
  readonly mean: Float64Array;
}

/** Where phases begin, in windows; the first is 0. Vectors are those of {@link vectorsOf}. */
export function changePoints(vectors: readonly Float64Array[]): number[] {
  if (vectors.length === 0) return [];
  let stretches: Stretch[] = vectors.map((mean, first) => ({ first, count: 1, mean }));
  const least = Math.max(LEAST_WINDOWS, Math.ceil(LEAST_PART * vectors.length));
  while (stretches.length > 1) {
    const tooMany = stretches.length > MOST_PHASES;
    let [best, at] = [Infinity, -1];
    for (let i = 0; i + 1 < stretches.length; i++) {
      const [a, b] = [stretches[i]!, stretches[i + 1]!];
      const [square, most] = distance(a.mean, b.mean);
      const isOne = tooMany || most < DIFFERENT || a.count < least || b.count < least;
      const cost = (square * a.count * b.count) / (a.count + b.count);
      if (isOne && cost < best) [best, at] = [cost, i];
    }
    if (at < 0) break;
    stretches = stretches.toSpliced(at, 2, joined(stretches[at]!, stretches[at + 1]!));
  }
  return stretches.map(({ first }) => first);
}

function distance(a: Float64Array, b: Float64Array): [square: number, most: number] {
  let [square, most] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    square += difference * difference;
    if (difference > most) most = difference;
  }
  return [square, most];
}

function joined(a: Stretch, b: Stretch): Stretch {
  const count = a.count + b.count;
  return { first: a.first, count, mean: a.mean.map((value, i) => (value * a.count + b.mean[i]! * b.count) / count) };
}

/** One vector for each window. */
export function vectorsOf(windows: Windows): Float64Array[] {
  const { series, count, processes } = windows;
  const rates = filled(windows);
  const vectors = Array.from({ length: count }, () => new Float64Array(series.length));
  for (const [s, { unit }] of series.entries()) {
    let largest = 0;
    for (let w = 0; w < count; w++) largest = Math.max(largest, rates[s * count + w]!);
    const scale = unit === 's' ? 1 / Math.max(1, processes) : largest > 0 ? COUNT_WEIGHT / largest : 0;
    for (let w = 0; w < count; w++) vectors[w]![s] = Math.min(1, rates[s * count + w]! * scale);
  }
  return vectors;
}

/** Without NaN. */
function filled({ series, count, rates }: Windows): Float64Array {
  const out = Float64Array.from(rates);
  for (let s = 0; s < series.length; s++) {
    let known = 0;
    for (let w = s * count; w < (s + 1) * count; w++) {
      if (out[w] === out[w]) known = out[w]!;
      else out[w] = known;
    }
  }
  return out;
}

/** In order; none where there are no windows or no series. `to`: end of the run. */
export function phasesOf(windows: Windows, to: number): Phase[] {
  const { from, step, count, series } = windows;
  if (count === 0 || series.length === 0) return [];
  const vectors = vectorsOf(windows);
  const starts = changePoints(vectors);
  const rates = filled(windows);
  const meanOf = (s: number, first: number, end: number): number => {
    let sum = 0;
    for (let w = first; w < end; w++) sum += rates[s * count + w]!;
    return sum / (end - first);
  };
  return starts.map((first, i) => {
    const end = starts[i + 1] ?? count;
    const parts = series.map((one, s) => {
      const rate = meanOf(s, first, end);
      let [here, all] = [0, 0];
      for (const [w, vector] of vectors.entries()) {
        all += vector[s]!;
        if (w >= first && w < end) here += vector[s]!;
      }
      here /= end - first;
      return { one, rate, weight: here, apart: here - all / count };
    });
    const telling = parts.filter(({ rate }) => rate > 0);
    telling.sort((a, b) => (starts.length > 1 ? b.apart - a.apart : 0) || b.weight - a.weight);
    return {
      from: from + first * step,
      to: end === count ? to : from + end * step,
      words: phaseWords(parts, windows),
      top: telling
        .slice(0, MOST_TOP)
        .map(({ one, rate }) => ({ key: one.key, name: nameOf(one), unit: one.unit, rate })),
    };
  });
}

/** Half of the time is most of it; less than a tenth is not told. */
const MOSTLY = 0.5;
const TOLD = 0.1;
/** Of the largest rate, halved as in the vectors: what moves so much is told. */
const MOVES = 0.25;
const QUIET = 0.02;

interface Part {
  readonly one: SeriesValue;
  readonly rate: number;
  /** As in the vectors. */
  readonly weight: number;
}

function phaseWords(parts: readonly Part[], { processes }: Windows): string {
  const words: string[] = [];
  const times = parts.filter(({ one }) => one.unit === 's').toSorted((a, b) => b.weight - a.weight);
  const [top] = times;
  const mpi = times.filter(({ one }) => parseMpi(one.family)).reduce((sum, { weight }) => sum + weight, 0);
  if (top && top.weight >= MOSTLY) words.push(`mostly in ${callOf(top.one)}`);
  else if (mpi >= MOSTLY && top) words.push(`mostly in MPI, ${percent(top.weight)} in ${callOf(top.one)}`);
  else if (top && top.weight >= TOLD) words.push(`${percent(top.weight)} in ${callOf(top.one)}`);
  for (const verb of ['read', 'write'] as const) {
    const moved = parts.filter(
      ({ one }) => one.unit === 'B' && isIo(one) && one.operation.toLowerCase().includes(verb),
    );
    const rate = moved.reduce((sum, each) => sum + each.rate, 0);
    if (rate > 0 && moved.some(({ weight }) => weight >= MOVES)) words.push(`${verb}s ${amount(rate, 'B', true)}`);
  }
  if (words.length > 0) return words.join(', ');
  const strongest = parts.toSorted((a, b) => b.weight - a.weight)[0];
  if (!strongest || strongest.weight < QUIET)
    return times.some(({ one }) => parseMpi(one.family)) ? 'outside of MPI' : 'quiet';
  if (times.length > 0 && processes > 0) {
    if (mpi > 0) return 'mostly outside of MPI';
    return times.every(({ one }) => isIo(one)) ? 'mostly outside of I/O' : `little in ${callOf(times[0]!.one)}`;
  }
  return `${nameOf(strongest.one)}: ${amount(strongest.rate, strongest.one.unit, true)}`;
}

const isIo = ({ group }: SeriesValue): boolean => group === 'I/O' || group === 'System calls';
