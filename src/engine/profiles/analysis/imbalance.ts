/** How unevenly the final values of a run's series lie on its ranks. */

import type { Imbalance } from '../../../shared/api/profile-analysis.ts';
import type { Profile } from '../../../shared/api/profiles.ts';
import { withoutSums } from '../../../shared/model/sums.ts';
import { elapsedOf } from '../../../shared/profiles/footprint.ts';
import { FOLDED } from '../../../shared/profiles/mpi-summary.ts';
import { nameOf } from './words.ts';

/** Series that are told. */
const MOST = 100;
/** A time of which no rank has this part of the run's time says nothing. */
const LEAST_PART = 0.01;

/** Most lost time first, then other things, most uneven first. Ranks that are folded into one entry do not count. */
export function imbalances(profile: Profile): Imbalance[] {
  const elapsed = elapsedOf(profile) ?? 0;
  const ranks = profile.ranks.filter(({ node }) => node !== FOLDED);
  const found: Imbalance[] = [];
  const telling = new Set(withoutSums(profile.series));
  for (const [place, one] of profile.series.entries()) {
    if (!telling.has(one) || one.family.endsWith('_build_info')) continue;
    let [count, sum, min, max, minRank, maxRank] = [0, 0, Infinity, -Infinity, 0, 0];
    for (const { rank, values } of ranks) {
      const value = values[place] ?? null;
      if (value === null) continue;
      count++;
      sum += value;
      if (value < min) [min, minRank] = [value, rank];
      if (value > max) [max, maxRank] = [value, rank];
    }
    // Of values below 0 a ratio says nothing.
    if (count < 2 || min < 0 || !(sum > 0)) continue;
    const isTime = one.kind === 'counter' && one.unit === 's';
    if (isTime && max < LEAST_PART * elapsed) continue;
    // Rounding must not put the mean of equal numbers outside of them.
    const mean = Math.min(max, Math.max(min, sum / count));
    found.push({
      ...{ key: one.key, name: nameOf(one), unit: one.unit, ranks: count, min, mean, max },
      ...{ min_rank: minRank, max_rank: maxRank, imbalance: max / mean - 1 },
      lost: isTime ? (max - mean) * count : null,
    });
  }
  found.sort((a, b) => (b.lost ?? -1) - (a.lost ?? -1) || b.imbalance - a.imbalance || (a.key < b.key ? -1 : 1));
  return found.slice(0, MOST);
}
