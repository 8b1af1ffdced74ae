/** What is said of a group out of the durations of its runs. */

import { GROUP_DURATIONS, type ProfileGroup } from '../../../shared/api/profiles.ts';
import { median } from '../../../shared/profiles/statistics.ts';
import { regressionOf, type CardNumbers, type Reference } from './card.ts';

/** So many runs before one are what is usual, and fewer than these say nothing. */
export const USUAL_RUNS = 10;
export const LEAST_USUAL = 3;
/** Of a trend: the newest so many against so many before; fewer than LEAST_USUAL of either say nothing. */
const TREND_NEW = 5;
const TREND_OLD = 20;
/** Of a group so many runs are looked at. */
export const LOOKED_AT = 120;

export interface GroupRun extends CardNumbers {
  readonly id: string;
  readonly baseline: boolean;
}

/** `before`: durations of usable runs of its group and size, any order. */
export function usual(before: readonly number[]): Reference | null {
  return before.length < LEAST_USUAL ? null : { against: 'usual', duration: median(before)!, run: null };
}

export function baselineFor(run: { readonly size: number }, baseline: GroupRun | null): Reference | null {
  if (!baseline?.usable || baseline.size !== run.size) return null;
  return { against: 'baseline', duration: baseline.duration, run: baseline.id };
}

/** `group`: runs of no known command have nothing in common. `runs`: newest first, at most {@link LOOKED_AT}. */
export function groupFigures(
  group: string,
  runs: readonly GroupRun[],
  baseline: GroupRun | null,
): Pick<ProfileGroup, 'durations' | 'median' | 'trend' | 'regressions'> {
  const known = runs.filter(({ duration }) => duration >= 0);
  const shown = known.slice(0, GROUP_DURATIONS);
  const size = runs[0]?.size;
  const alike = known.filter((run) => run.size === size && run.usable).map(({ duration }) => duration);
  const [fresh, old] = [alike.slice(0, TREND_NEW), alike.slice(TREND_NEW, TREND_NEW + TREND_OLD)];
  const [now, then] = [median(fresh), median(old)];
  const hasTrend =
    group !== '' && fresh.length >= LEAST_USUAL && old.length >= LEAST_USUAL && then !== null && then > 0;
  const regressions = shown.filter((run, i) => {
    if (group === '' || run.id === baseline?.id) return false;
    const before = known.slice(i + 1).filter((other) => other.usable && other.size === run.size);
    const to = baselineFor(run, baseline) ?? usual(before.slice(0, USUAL_RUNS).map(({ duration }) => duration));
    return regressionOf(run, to) !== null;
  });
  return {
    durations: shown.map(({ id, start, duration, size: of }) => ({ run: id, start, duration, size: of })).reverse(),
    median: median(shown.filter((run) => run.size === size).map(({ duration }) => duration)),
    trend: hasTrend ? now! / then : null,
    regressions: regressions.length,
  };
}
