import type { Status } from '../../shared/api/status.ts';
import { parseDuration } from '../../shared/duration.ts';
import { formatShortSpan } from './time.ts';

/** The store writes in batches: it is always a little behind, and only more than this many ms or periods is a lag. */
const USUAL_LAG_MS = 5000;
const USUAL_LAG_PERIODS = 5;

/**
 * What the store does, after the word `store`; `notable` when it is not what one expects of it. An old status says
 * nothing about the lag, so none is named while the engine is not reachable.
 */
export function storeState(
  { store, time, period }: Pick<Status, 'store' | 'time' | 'period'>,
  reachable: boolean,
): { text: string; notable: boolean } {
  if (store.error !== null) return { text: `fails: ${store.error}`, notable: true };
  if (store.kind === 'memory') return { text: 'in memory only', notable: true };
  if (store.durable_until <= 0) return { text: 'nothing written yet', notable: false };
  const lag = time - store.durable_until;
  const usual = Math.max(USUAL_LAG_MS, USUAL_LAG_PERIODS * (parseDuration(period) ?? 0));
  if (!reachable || lag < usual) return { text: 'on disk', notable: false };
  return { text: `${formatShortSpan(lag)} behind`, notable: true };
}
