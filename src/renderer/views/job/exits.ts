/** How a run's processes ended, in words. */

import type { SeriesValue } from '../../../shared/api/series.ts';
import { formatCount } from '../../format/units.ts';

const EXITS = 'vigie_exit_total';
const KILLED = 'killed';
/** Exit codes that are named; further ones are put together. */
const MOST_NAMED = 3;

const processes = (count: number): string => `${formatCount(count)} ${count === 1 ? 'process' : 'processes'}`;

/** `exit 7 in 2 processes; 1 killed`; null when none failed, and when nothing is known. */
export function exitWords(series: readonly SeriesValue[]): string | null {
  const counts = new Map<string, number>();
  for (const { family, kind, labels, value } of series) {
    const code = labels['code'];
    if (family !== EXITS || kind !== 'counter' || code === undefined || code === '0' || !value) continue;
    counts.set(code, (counts.get(code) ?? 0) + value);
  }
  const killed = counts.get(KILLED) ?? 0;
  counts.delete(KILLED);
  const codes = [...counts].sort(([a, n], [b, m]) => m - n || Number(a) - Number(b));
  const named = codes.slice(0, codes.length > MOST_NAMED + 1 ? MOST_NAMED : MOST_NAMED + 1);
  const words = named.map(([code, count]) => `exit ${code.slice(0, 16)} in ${processes(count)}`);
  const rest = codes.slice(named.length).reduce((sum, [, count]) => sum + count, 0);
  if (rest > 0) words.push(`other exit codes in ${processes(rest)}`);
  if (killed > 0) words.push(`${formatCount(killed)} killed`);
  return words.length > 0 ? words.join('; ') : null;
}
