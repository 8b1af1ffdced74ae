/** What the own store has no more is read from where samples are sent to. */

import type { ServerResponse } from 'node:http';
import type { RangeQuery, RangeResult } from '../../../shared/api/query.ts';
import { parseMetric } from '../../../shared/model/metric.ts';
import type { EngineContext } from '../../context.ts';
import { queryBack, type KnownSeries } from '../../remote-write/query-back.ts';

/** `own`, completed if it can be. Given up when the one who asked is gone. */
export async function withReadBack(
  engine: EngineContext,
  query: RangeQuery,
  own: RangeResult | null,
  asked: ServerResponse,
): Promise<RangeResult | null> {
  const remote = engine.remoteWrite;
  if (!remote?.readable) return own;
  const run = query.scope.startsWith('run/') ? await engine.run(query.scope.slice('run/'.length)) : null;
  const series = own && own.series.length > 0 ? [] : await knownSeries(engine, query);
  const gone = new AbortController();
  const leave = (): void => gone.abort();
  asked.once('close', leave);
  try {
    return await queryBack({ ...{ remote, query, own, series }, since: run?.start_time ?? 0, signal: gone.signal });
  } finally {
    asked.off('close', leave);
  }
}

/** Series that are asked for, as the live scope or the run's profile knows them. */
async function knownSeries(engine: EngineContext, { scope, series }: RangeQuery): Promise<KnownSeries[]> {
  const live = engine.scope(scope);
  const profile = live || !scope.startsWith('run/') ? null : await engine.store.profile(scope.slice('run/'.length));
  const known = (live?.allDefs() ?? profile?.series ?? []).map(({ name, kind }) => ({
    ...{ key: parseMetric(name).key, name, kind },
  }));
  if (series.length === 0) return known;
  const wanted = new Set(series);
  return known.filter(({ key }) => wanted.has(key));
}
