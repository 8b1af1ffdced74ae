/** The own store's answer, and in front of it what only a destination still has. What fails there fails nothing here. */

import type { RangeQuery, RangeResult } from '../../shared/api/query.ts';
import type { Kind } from '../../shared/model/values.ts';
import { niceStep, pointLimit } from '../store/range-plan.ts';
import { firstKnown, mergeBack, rebucket } from './merge-back.ts';
import type { RemoteWrite } from './remote-write.ts';

export interface KnownSeries {
  readonly key: string;
  readonly name: string;
  readonly kind: Kind;
}

export interface QueryBack {
  readonly remote: Pick<RemoteWrite, 'readable' | 'readBack'>;
  readonly query: Pick<RangeQuery, 'scope' | 'from' | 'to' | 'maxPoints' | 'step'>;
  /** What the own store has; null: nothing of this scope. */
  readonly own: RangeResult | null;
  /** Series that are asked for; of those of `own` it is known already. */
  readonly series: readonly KnownSeries[];
  /** Nothing is asked for from before this time, ms since the epoch. */
  readonly since: number;
  readonly signal: AbortSignal;
}

/** `own` as it is when nothing is missing in it, or when nothing can be read. */
export async function queryBack({ remote, query, own, series, since, signal }: QueryBack): Promise<RangeResult | null> {
  const { scope, from, to } = query;
  const wanted = own && own.series.length > 0 ? own.series : series;
  if (!remote.readable || wanted.length === 0) return own;
  const local = own ?? { scope, from, to, step: 0, times: [], series: [] };
  const known = firstKnown(local);
  // Of the own grid, so that both fit together. It may begin a little earlier than asked.
  const gridded = local.step > 0 && local.times[0] !== undefined;
  const step = gridded ? local.step : niceStep(from, to, pointLimit(query.maxPoints, wanted.length), query.step ?? 0);
  const origin = gridded ? local.times[0]! : from;
  const start = origin + step * Math.max(0, Math.floor((since - origin) / step));
  const end = Math.min(to, Number.isFinite(known) ? origin + step * Math.ceil((known - origin) / step) : to);
  // Less than a bucket, or a little at the beginning of what just began, is not worth a question.
  if (end - start < 2 * step) return own;
  try {
    const back = await remote.readBack({ scope, series: wanted.map(pick), from: start, to: end, step }, signal);
    if (!back || firstKnown(back) === Infinity) return own;
    const whole = { ...local, series: local.series.length > 0 ? local.series : wanted.map(emptySeries) };
    return mergeBack(gridded ? whole : rebucket(whole, from, to, step), back);
  } catch (error) {
    if (signal.aborted) throw error;
    const note = error instanceof Error ? error.message : String(error);
    return { ...(own ?? { ...local, series: wanted.map(emptySeries) }), note };
  }
}

const pick = ({ key, name, kind }: KnownSeries): KnownSeries => ({ key, name, kind });

const emptySeries = ({ key, name, kind }: KnownSeries): RangeResult['series'][number] => ({
  ...{ key, name, kind },
  ...{ min: [], avg: [], max: [], last: [] },
});
