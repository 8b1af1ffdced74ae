/** A comparison in words: pure functions. */

import type { Compared, ComparedSeries } from '../../../../shared/api/profile-compare.ts';
import type { ProfileSummary } from '../../../../shared/api/profiles.ts';
import { formatValue, threeDigits } from '../../../format/units.ts';
import { longerText, runTime } from '../words.ts';
import { furthest, ranked, seriesName } from './model.ts';
import type { RankChange } from './model.ts';

/** Of the run time. */
export const percent = (part: number): string =>
  `${part !== 0 && Math.abs(part) < 0.0995 ? (part * 100).toFixed(1).replace(/\.0$/, '') : Math.round(part * 100)} %`;

/** `38 % more`, `3.1 × as much`, `half as much` as a number of per cent; `new` where there was nothing. */
export function changeText(before: number, after: number): string {
  if (before === after) return 'the same';
  if (before === 0) return 'none before';
  const ratio = after / before;
  if (!(ratio > 0)) return `${formatSigned(after - before)} against ${threeDigits(before)}`;
  if (ratio >= 2) return `${threeDigits(ratio)} × as much`;
  return ratio > 1 ? `${percent(ratio - 1)} more` : `${percent(1 - ratio)} less`;
}

const formatSigned = (value: number): string => `${value > 0 ? '+' : '−'}${threeDigits(Math.abs(value))}`;

export interface Difference {
  readonly name: string;
  /** `3.1 × as much: 41 s, 13.2 s in the baseline`. */
  readonly text: string;
  /** `31 % of the run time, was 3 %`; null: it is no time. */
  readonly share: string | null;
  /** Of the furthest run to the baseline's, for a bar: -1 to 1 and more. */
  readonly change: number;
  readonly shareChange: number | null;
  /** The run that is meant. */
  readonly run: ProfileSummary;
}

/** How one series differs between the baseline and the run that is furthest from it, or the given one. */
export function differenceOf(compared: Compared, series: ComparedSeries, at: number | null = null): Difference | null {
  const base = compared.runs.findIndex(({ id }) => id === compared.baseline);
  const other = at ?? furthest(series, base);
  const [before, after] = [series.values[base], other === null ? null : series.values[other]];
  if (other === null || before === null || before === undefined || after === null || after === undefined) return null;
  const run = compared.runs[other];
  if (!run) return null;
  const [was, is] = [series.share_of_time?.[base] ?? null, series.share_of_time?.[other] ?? null];
  const value = (number: number): string => formatValue(number, series.unit);
  return {
    name: seriesName(series),
    text: `${changeText(before, after)}: ${value(after)}, ${value(before)} in the baseline`,
    share: was === null || is === null ? null : `${percent(is)} of the run time, was ${percent(was)}`,
    change: before === 0 ? Math.sign(after) : (after - before) / Math.abs(before),
    shareChange: was === null || is === null ? null : is - was,
    run,
  };
}

/** Below this part of the run time a call does not explain anything. */
const EXPLAINS = 0.02;

/**
 * What one run did against the baseline: how long it took, and in which calls the time is. `label`: names of runs.
 */
export function headline(compared: Compared, at: number, label: (run: ProfileSummary) => string): string[] {
  const { runs, baseline, series } = compared;
  const base = runs.find(({ id }) => id === baseline);
  const run = runs[at];
  if (!base || !run) return [];
  const out: string[] = [];
  if (run.duration === null || base.duration === null || base.duration <= 0) {
    out.push(`How long ${run.duration === null ? label(run) : label(base)} took is not known.`);
  } else {
    const longer = longerText(run.duration / base.duration);
    const link = / as long$|^as long$/.test(longer) ? 'as' : 'than';
    out.push(
      `${label(run)} took ${runTime(run.duration)}, ${longer} ${link} the baseline ${label(base)} (${runTime(base.duration)}).`,
    );
  }
  const slower = ranked(series, 'share')
    .map((one) => ({ one, difference: differenceOf(compared, one, at) }))
    .filter(({ difference }) => Math.abs(difference?.shareChange ?? 0) >= EXPLAINS)
    .sort((a, b) => Math.abs(b.difference!.shareChange!) - Math.abs(a.difference!.shareChange!));
  const [most] = slower;
  if (most?.difference) {
    const { name, share, text } = most.difference;
    out.push(`What changed most of its time: ${name}, ${text}; that is ${share}.`);
  }
  return out;
}

/** Differences below this part of all the change are noise. */
const STANDS_OUT = 1.5;

/** Which rank changed most, in words; null: it is not known of two ranks. `value`: with its unit. */
export function rankSentence(changes: readonly RankChange[], value: (number: number) => string): string | null {
  const known = changes.filter(({ before, after }) => before !== null && after !== null);
  if (known.length < 2) return null;
  const grew = known.map((one) => ({ ...one, by: one.after! - one.before! }));
  const most = grew.reduce((a, b) => (Math.abs(b.by) > Math.abs(a.by) ? b : a));
  if (most.by === 0) return 'It is the same on every rank.';
  const others = grew.filter(({ rank }) => rank !== most.rank);
  const mean = others.reduce((sum, { by }) => sum + by, 0) / others.length;
  const where = most.node === '' ? '' : ` on ${most.node}`;
  if (Math.abs(most.by) < STANDS_OUT * Math.abs(mean)) {
    const all = grew.reduce((sum, { by }) => sum + by, 0) / grew.length;
    return `On the ranks it changed by ${signed(all, value)} on average, most on rank ${most.rank} (${signed(most.by, value)}).`;
  }
  const which = `Rank ${most.rank}${where} changed most: ${value(most.after!)}, ${value(most.before!)} in the baseline`;
  return `${which}; the others by ${signed(mean, value)} on average.`;
}

const signed = (by: number, value: (number: number) => string): string => `${by < 0 ? '−' : '+'}${value(Math.abs(by))}`;

/** Which rank changed least where the others changed: in calls that wait, it is the one that the others wait for. */
export function leastSentence(changes: readonly RankChange[], value: (number: number) => string): string | null {
  const grew = changes
    .filter(({ before, after }) => before !== null && after !== null)
    .map((one) => ({ ...one, by: one.after! - one.before! }));
  if (grew.length < 3) return null;
  const mean = grew.reduce((sum, { by }) => sum + by, 0) / grew.length;
  const least = grew.reduce((a, b) => (b.by < a.by ? b : a));
  if (mean <= 0 || least.by > mean / 2) return null;
  const where = least.node === '' ? '' : ` on ${least.node}`;
  return `Rank ${least.rank}${where} waits no longer than before (${signed(least.by, value)}, the ranks’ mean is ${signed(mean, value)}): the others wait for it. Look there.`;
}
