import type { FastifyRequest } from 'fastify';
import { MergeQuery, MergeResult } from '../../../shared/api/merge.ts';
import { RangeQuery, RangeResult } from '../../../shared/api/query.ts';
import { ApiError } from '../../../shared/errors.ts';
import { parseMetric } from '../../../shared/model/metric.ts';
import type { EngineContext } from '../../context.ts';
import type { App } from '../app.ts';
import { checkSelectors } from './names.ts';
import { withReadBack } from './read-back.ts';
import { whileAsked } from '../while-asked.ts';

/** Ended runs that count into `main`, the newest. */
const MAX_ENDED = 1000;

export function registerQuery(app: App, engine: EngineContext): void {
  app.get(
    '/query',
    { schema: { summary: 'History of series of one scope', querystring: RangeQuery, response: { 200: RangeResult } } },
    async (request: FastifyRequest<{ Querystring: RangeQuery }>, reply) => {
      const { query } = request;
      if (query.to <= query.from)
        throw new ApiError('bad_request', '"to" must be later than "from"; both are ms since the epoch');
      const keys = query.series.map((name) => parseMetric(name).key);
      checkSelectors(query.select ?? []);
      const asked = { ...query, series: keys };
      // Nobody looks into it: the store makes the bytes.
      if (!engine.remoteWrite?.readable) {
        const json = await whileAsked(reply.raw, (signal) => engine.store.queryJson(asked, signal));
        if (json) return reply.type('application/json; charset=utf-8').send(Buffer.from(json.buffer));
        return nothingOf(engine, query);
      }
      const own = await whileAsked(reply.raw, (signal) => engine.store.query(asked, signal));
      const result = await withReadBack(engine, asked, own, reply.raw);
      return result ?? nothingOf(engine, query);
    },
  );
  app.get(
    '/query/merge',
    {
      schema: {
        summary: 'History of one series of many scopes, as one',
        querystring: MergeQuery,
        response: { 200: MergeResult },
      },
    },
    async (request: FastifyRequest<{ Querystring: MergeQuery }>, reply) => {
      const { query } = request;
      if (query.to <= query.from)
        throw new ApiError('bad_request', '"to" must be later than "from"; both are ms since the epoch');
      const scope = await scopesOf(engine, query.scope);
      const asked = { ...query, scope, series: parseMetric(query.series).key };
      const result = await whileAsked(reply.raw, (signal) => engine.store.merge(asked, signal));
      if (!result) throw new ApiError('scope_not_found', 'none of these scopes has anything stored of this series');
      return result;
    },
  );
}

/** Of a scope that is known, but without a stored sample yet: an empty history, not an error. */
function nothingOf(engine: EngineContext, { scope, from, to }: RangeQuery): RangeResult {
  if (engine.scope(scope)) return { scope, from, to, step: 0, times: [], series: [] };
  const detail = 'nothing is stored of this scope; /api/v1/runs and /api/v1/nodes list what there is';
  throw new ApiError('scope_not_found', detail);
}

/** `main`: this node, the runs that live and those that ended since the start, and the targets. */
async function scopesOf(engine: EngineContext, wanted: readonly string[]): Promise<string[]> {
  if (!wanted.includes('main')) return [...wanted];
  const started = engine.openedAt(engine.node.id);
  const { runs } = await engine.store.runs({ state: 'ended', limit: MAX_ENDED });
  const ended = runs.filter((run) => run.end_time >= started).map((run) => run.scope);
  const live = Array.from(engine.runs.live.values(), (run) => run.scope.id);
  return [...new Set([...wanted.filter((each) => each !== 'main'), engine.node.id, 'target/*', ...live, ...ended])];
}
