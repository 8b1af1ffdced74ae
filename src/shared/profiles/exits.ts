/** How a run's processes ended, out of what they were seen to count: `vigie_exit_total{code=}`. */

import type { Exits, Profile } from '../api/profiles.ts';
import type { SeriesValue } from '../api/series.ts';

const FAMILY = 'vigie_exit_total';
/** Codes of a run that are told. */
const MOST_CODES = 32;
/** Ranks that are named. */
const MOST_RANKS = 4096;

const codeOf = ({ family, kind, labels }: SeriesValue): string | null =>
  family === FAMILY && kind === 'counter' ? (labels['code']?.slice(0, 16) ?? null) : null;

/** Most first; `unknown` when nobody told. */
export function exitsOf(series: readonly SeriesValue[]): Exits {
  const counts = new Map<string, number>();
  for (const one of series) {
    const code = codeOf(one);
    if (code !== null && one.value) counts.set(code, (counts.get(code) ?? 0) + one.value);
  }
  const codes = Array.from(counts, ([code, count]) => ({ code, count })).filter(({ count }) => count > 0);
  codes.sort((a, b) => b.count - a.count || a.code.localeCompare(b.code, 'en', { numeric: true }));
  const failed = codes.some(({ code }) => code !== '0');
  return { outcome: failed ? 'failed' : codes.length > 0 ? 'ok' : 'unknown', codes: codes.slice(0, MOST_CODES) };
}

/** With the ranks that ended with another code than 0. */
export function profileExits({ series, ranks }: Pick<Profile, 'series' | 'ranks'>): NonNullable<Profile['exits']> {
  const columns = series.flatMap((one, i) => {
    const code = codeOf(one);
    return code === null || code === '0' ? [] : [{ i, code }];
  });
  const failed: { rank: number; node: string; code: string }[] = [];
  if (columns.length > 0) {
    for (const { rank, node, values } of ranks) {
      const own = columns.find(({ i }) => (values[i] ?? 0) > 0);
      if (own && failed.length < MOST_RANKS) failed.push({ rank, node, code: own.code });
    }
  }
  return { ...exitsOf(series), ranks: failed };
}
