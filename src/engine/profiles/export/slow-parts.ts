/** Where a run's time went, by its last values. */

import type { Profile } from '../../../shared/api/profiles.ts';
import type { SeriesValue } from '../../../shared/api/series.ts';
import { seriesName } from './words.ts';

export interface SlowPart {
  readonly series: SeriesValue;
  readonly name: string;
  /** Seconds, of all ranks together. */
  readonly seconds: number;
  /** Of the time that all ranks had, 0 to 1; NaN: the run's length is not known. */
  readonly share: number;
  /** Seconds of the ranks; null: they are not known. */
  readonly ranks: {
    readonly min: number;
    readonly max: number;
    readonly avg: number;
    readonly minRank: number;
    readonly maxRank: number;
  } | null;
}

/** Sums of other series: they would count twice. */
const isSum = ({ family }: SeriesValue): boolean => family.startsWith('total___');

/** Times of calls, longest first. */
export function slowParts({ run, series, ranks }: Profile, now: number): SlowPart[] {
  const lasted = run.start_time > 0 ? ((run.end_time || now) - run.start_time) / 1000 : NaN;
  const all = lasted * Math.max(1, run.ranks);
  return series
    .flatMap((one, place): SlowPart[] => {
      const { value, kind, unit, quantity } = one;
      if (kind !== 'counter' || unit !== 's' || quantity !== 'time' || !(value! > 0) || isSum(one)) return [];
      return [
        {
          ...{ series: one, name: seriesName(one).replace(/, time$/, ''), seconds: value!, share: value! / all },
          ranks: spreadOf(ranks.flatMap(({ rank, values }) => [[rank, values[place] ?? NaN] as const])),
        },
      ];
    })
    .sort((a, b) => b.seconds - a.seconds);
}

function spreadOf(values: readonly (readonly [rank: number, value: number])[]): SlowPart['ranks'] {
  const known = values.filter(([, value]) => Number.isFinite(value));
  if (known.length < 2) return null;
  let [min, max] = [known[0]!, known[0]!];
  let sum = 0;
  for (const one of known) {
    if (one[1] < min[1]) min = one;
    if (one[1] > max[1]) max = one;
    sum += one[1];
  }
  return { min: min[1], max: max[1], avg: sum / known.length, minRank: min[0], maxRank: max[0] };
}

/** In words: what to look at. Null: nothing stands out. */
export function advice([first]: readonly SlowPart[]): string | null {
  if (!first || !(first.share >= 0.05)) return null;
  const share = `${Math.round(first.share * 100)} % of the ranks' time is in ${first.name}`;
  const { ranks } = first;
  if (!ranks || !(ranks.avg > 0) || ranks.max - ranks.min < 0.2 * ranks.avg) return `${share}.`;
  // Who waits least is who the others wait for.
  const waits = /barrier|wait|recv|reduce|bcast|gather|scatter|alltoall/i.test(first.series.operation);
  return waits
    ? `${share}; rank ${ranks.minRank} waits least: look there.`
    : `${share}; rank ${ranks.maxRank} takes longest: look there.`;
}
