import type { ScopeId } from '../../../shared/model/scope.ts';
import type { Api } from '../../data/api.ts';

/** Nothing is kept for longer. */
const LONGEST_MS = 100 * 365 * 86_400_000;
const POINTS = 400;
/** Near enough for the start of a range. */
const NEAR_MS = 60_000;

/**
 * When the history of a scope begins, ms since the epoch: looked for in ever narrower buckets, which are few numbers each
 * time. Null: nothing is stored.
 */
export async function oldestSample(
  api: Pick<Api, 'query'>,
  scope: ScopeId,
  keys: readonly string[],
  now: number,
  signal?: AbortSignal,
): Promise<number | null> {
  let [from, to] = [Math.max(1, now - LONGEST_MS), now];
  let found: number | null = null;
  for (;;) {
    const { times, step, series } = await api.query({ scope, series: keys, from, to, maxPoints: POINTS }, signal);
    const at = times.findIndex((_, i) => series.some(({ last }) => last[i] !== null && last[i] !== undefined));
    if (at < 0) return found;
    found = Math.max(1, times[at]!);
    if (step <= NEAR_MS || step >= to - from) return found;
    [from, to] = [found, Math.min(now, found + step)];
  }
}
