import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { SeriesList, SeriesQuery, type SeriesValue } from '../../../shared/api/series.ts';
import { ApiError } from '../../../shared/errors.ts';
import { describeSeries } from '../../../shared/model/series.ts';
import { GAUGE_WIDTH } from '../../../shared/model/values.ts';
import type { EngineContext } from '../../context.ts';
import { seriesValues } from '../../live/values.ts';
import type { Snapshot } from '../../store/store.ts';
import type { App } from '../app.ts';

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

export async function listSeries(engine: EngineContext, id: string): Promise<SeriesList> {
  const scope = engine.scope(id);
  if (scope) {
    scope.settle();
    const time = engine.now();
    return { scope: id, time, series: seriesValues(scope, time) };
  }
  const snapshot = await engine.store.snapshot(id, engine.now());
  if (!snapshot)
    throw new ApiError(
      'scope_not_found',
      'nothing is known of this scope; /api/v1/runs and /api/v1/nodes list what there is',
    );
  return { scope: id, time: snapshot.time, series: storedValues(snapshot) };
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
    async (request: FastifyRequest<{ Querystring: z.infer<typeof SeriesQuery> }>) =>
      listSeries(engine, request.query.scope),
  );
}
