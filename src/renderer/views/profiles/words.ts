/** What the lists of profiles say, in words: pure functions. */

import type { Exits, ProfileSummary, Regression } from '../../../shared/api/profiles.ts';
import { formatCount, NO_VALUE, threeDigits } from '../../format/units.ts';
import { formatElapsed } from '../../format/time.ts';

/** Below this part, two run times are called the same. */
const SAME = 0.05;
/** From so many times on, a factor says more than per cent. */
const FACTOR = 2;

/** A run time: seconds with a decimal below a minute, as a clock above. Milliseconds in. */
export function runTime(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return NO_VALUE;
  if (ms === 0) return '0 s';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${threeDigits(ms / 1000)} s`;
  return formatElapsed(ms);
}

export interface Trend {
  readonly tone: 'slower' | 'faster' | 'same' | 'unknown';
  readonly text: string;
  /** Direction of the run time, beside the words. */
  readonly arrow: '↗' | '↘' | '→' | '';
}

/** `ratio`: run time now to what is usual; null: too few runs to tell. */
export function trendOf(ratio: number | null): Trend {
  if (ratio === null || !Number.isFinite(ratio) || ratio <= 0) return { tone: 'unknown', text: NO_VALUE, arrow: '' };
  if (Math.abs(ratio - 1) < SAME) return { tone: 'same', text: 'steady', arrow: '→' };
  return ratio > 1
    ? { tone: 'slower', text: `${howMuch(ratio)} slower`, arrow: '↗' }
    : { tone: 'faster', text: `${howMuch(1 / ratio, 1 - ratio)} faster`, arrow: '↘' };
}

/** `12 %`, and from twice on `2.4 ×`. */
function howMuch(factor: number, part = factor - 1): string {
  return factor >= FACTOR ? `${threeDigits(factor)} ×` : `${Math.round(part * 100)} %`;
}

/** Longer or shorter than what it is compared with, as a clause: `38 % longer`, `2.4 × as long`, `as long`. */
export function longerText(ratio: number): string {
  if (Math.abs(ratio - 1) < 0.005) return 'as long';
  if (ratio >= FACTOR) return `${threeDigits(ratio)} × as long`;
  return ratio > 1 ? `${percentOf(ratio - 1)} longer` : `${percentOf(1 - ratio)} shorter`;
}

const percentOf = (part: number): string =>
  part >= 0.0995 ? `${Math.round(part * 100)} %` : `${(part * 100).toFixed(1).replace(/\.0$/, '')} %`;

/** `1 run`, `12 runs`. */
export const runsText = (count: number, shown: string = String(count)): string =>
  `${shown} ${count === 1 ? 'run' : 'runs'}`;

/** `38 % longer than the baseline`. */
export function regressionText(regression: Regression): string {
  return regressionParts(regression).join(' ');
}

/** The same, how much and than what. */
export function regressionParts({ ratio, against }: Regression): [much: string, against: string] {
  return [longerText(ratio), `${ratio >= FACTOR ? 'as' : 'than'} ${against === 'baseline' ? 'the baseline' : 'usual'}`];
}

const MOST_CODES = 2;

/** Which processes failed, `exit 137 in 4`; null: none that is known. */
export function exitText({ outcome, codes }: Exits): string | null {
  if (outcome !== 'failed') return null;
  const bad = codes.filter(({ code }) => code !== '0');
  const words = bad
    .slice(0, MOST_CODES)
    .map(({ code, count }) => (code === 'killed' ? `${count} killed` : `exit ${code.slice(0, 16)} in ${count}`));
  return words.length === 0 ? 'failed' : `${words.join(', ')}${bad.length > MOST_CODES ? ', …' : ''}`;
}

/** Where a profile came from when it is not of this engine; null: it is. */
export function originText(
  { id, engine }: Pick<ProfileSummary, 'id' | 'engine'>,
  names: ReadonlyMap<string, string> = new Map(),
): string | null {
  if (engine !== null) return `from ${names.get(engine) ?? `engine ${engine.slice(0, 8)}`}`;
  // Ids of files of another proxy begin with p and have 22 characters; those that are made here have 12.
  return /^p[\w-]{21}$/.test(id) ? 'imported' : null;
}

/** What became of rules of grouping that were saved. `runs`: so many are grouped anew. */
export const savedText = (toDefaults: boolean, runs: number): string =>
  `${toDefaults ? 'The default rules hold again' : 'The rules are saved'}${
    runs === 0 ? '.' : `: ${runsText(runs, formatCount(runs))} ${runs === 1 ? 'is' : 'are'} grouped anew.`
  }`;
