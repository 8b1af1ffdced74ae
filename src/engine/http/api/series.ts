import type { FastifyRequest } from 'fastify';
import { SeriesList, SeriesQuery, type SeriesValue } from '../../../shared/api/series.ts';
import { ApiError } from '../../../shared/errors.ts';
import { describeSeries } from '../../../shared/model/series.ts';
import { GAUGE_WIDTH } from '../../../shared/model/values.ts';
import type { EngineContext } from '../../context.ts';
import { seriesValues } from '../../live/values.ts';
import type { Snapshot } from '../../store/store.ts';
import type { App } from '../app.ts';
import { whileAsked } from '../while-asked.ts';
import { pageOf } from './page-of.ts';

const finite = (n: number | undefined): number | null => (n !== undefined && Number.isFinite(n) ? n : null);

/** Last values of a scope that is no more, as the store has them. */
function storedValues(snapshot: Snapshot): SeriesValue[] {
  const { series, columns, time } = snapshot;
  return series.map((def) => {
    const described = describeSeries(def);
    if (def.kind === 'counter')
      return { ...described, value: finite(columns.counters[def.index]), gauge: null, changed: time };
    const [min, max, hits, total] = columns.gauges.subarray(GAUGE_WIDTH * def.index, GAUGE_WIDTH * (def.index + 1));
    const value = hits ? finite(total! / hits) : null;
    return {
      ...described,
      value,
      gauge: { min: finite(min), max: finite(max), hits: hits || 0, total: total || 0 },
      changed: time,
    };
  });
}

const CURSOR_KINDS = { counter: 'c', gauge: 'g' } as const;

/** By place: what is appended meanwhile comes later. */
function page(all: readonly SeriesValue[], query: SeriesQuery): Pick<SeriesList, 'series' | 'next'> {
  const [kind, index] = [query.cursor?.[0] ?? '', Number(query.cursor?.slice(1))];
  const isAfter = (one: SeriesValue): boolean => {
    const own = CURSOR_KINDS[one.kind];
    return own > kind || (own === kind && one.index > index);
  };
  const { items, next } = pageOf(all, query, isAfter, (one) => `${CURSOR_KINDS[one.kind]}${one.index}`);
  return { series: items, ...next };
}

async function listSeries(engine: EngineContext, query: SeriesQuery, signal: AbortSignal): Promise<SeriesList> {
  const id = query.scope;
  const scope = engine.scope(id);
  if (scope) {
    scope.settle();
    const time = engine.now();
    return { scope: id, time, ...page(seriesValues(scope, time), query) };
  }
  const snapshot = await engine.store.snapshot(id, engine.now(), signal);
  if (!snapshot)
    throw new ApiError(
      'scope_not_found',
      'nothing is known of this scope; /api/v1/runs and /api/v1/nodes list what there is',
    );
  return { scope: id, time: snapshot.time, ...page(storedValues(snapshot), query) };
}

export function registerSeries(app: App, engine: EngineContext): void {
  app.get(
    '/series',
    {
      schema: {
        summary: 'Series of a scope with their last values',
        querystring: SeriesQuery,
        response: { 200: SeriesList },
      },
    },
    async ({ query }: FastifyRequest<{ Querystring: SeriesQuery }>, reply) =>
      whileAsked(reply.raw, (signal) => listSeries(engine, query, signal)),
  );
}
