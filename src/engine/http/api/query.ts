import type { FastifyRequest } from 'fastify';
import { RangeQuery, RangeResult } from '../../../shared/api/query.ts';
import { ApiError } from '../../../shared/errors.ts';
import { parseMetric } from '../../../shared/model/metric.ts';
import type { EngineContext } from '../../context.ts';
import type { App } from '../app.ts';

export function registerQuery(app: App, engine: EngineContext): void {
  app.get(
    '/query',
    { schema: { summary: 'History of series of one scope', querystring: RangeQuery, response: { 200: RangeResult } } },
    async (request: FastifyRequest<{ Querystring: RangeQuery }>) => {
      const { query } = request;
      if (query.to <= query.from)
        throw new ApiError('bad_request', '"to" must be later than "from"; both are ms since the epoch');
      const keys = query.series.map((name) => parseMetric(name).key);
      const result = await engine.store.query({ ...query, series: keys });
      if (result) return result;
      // Known, but without a stored sample yet: an empty history, not an error.
      if (engine.scope(query.scope)) {
        return { scope: query.scope, from: query.from, to: query.to, step: 0, times: [], series: [] };
      }
      throw new ApiError(
        'scope_not_found',
        'nothing is stored of this scope; /api/v1/runs and /api/v1/nodes list what there is',
      );
    },
  );
}
