/** What the store keeps how long, and what of it at full detail whatever its age. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Keep, KeepList, KeepQuery, NewKeep, RetentionChange, RetentionState } from '../../../shared/api/store.ts';
import { ApiError } from '../../../shared/errors.ts';
import type { EngineContext } from '../../context.ts';
import type { App } from '../app.ts';

const KeepParams = z.object({ id: z.coerce.number().int().nonnegative() });

async function keepOf(engine: EngineContext, keep: NewKeep): Promise<Omit<Keep, 'id'>> {
  const created = engine.now();
  if (keep.kind === 'window') {
    if (keep.to <= keep.from)
      throw new ApiError('bad_request', '"to" must be later than "from"; both are ms since the epoch');
    return { ...keep, created };
  }
  const run = await engine.run(keep.run);
  if (!run) throw new ApiError('run_not_found', 'no run has this id here; it may be older than what is kept');
  const to = run.end_time > 0 ? run.end_time : Number.MAX_SAFE_INTEGER;
  return { kind: 'run', scope: run.scope, from: run.start_time, to, note: keep.note, created };
}

export function registerStore(app: App, engine: EngineContext): void {
  const { store } = engine;
  app.get(
    '/store/retention',
    { schema: { summary: 'What is kept how long, and what it takes', response: { 200: RetentionState } } },
    async () => store.retention(),
  );
  app.put(
    '/store/retention',
    {
      config: { control: true, tells: ['raw', 'minute', 'hour', 'size'] },
      schema: { summary: 'Changes what is kept how long', body: RetentionChange, response: { 200: RetentionState } },
    },
    async (request: FastifyRequest<{ Body: RetentionChange }>) => store.setRetention(request.body),
  );
  app.get(
    '/store/keeps',
    { schema: { summary: 'What is kept at full detail', querystring: KeepQuery, response: { 200: KeepList } } },
    async (request: FastifyRequest<{ Querystring: KeepQuery }>) => store.keeps(request.query),
  );
  app.post(
    '/store/keeps',
    {
      config: { control: true, tells: ['kind', 'run', 'scope', 'from', 'to'] },
      schema: { summary: 'Keeps a run or a window at full detail', body: NewKeep, response: { 200: Keep } },
    },
    async (request: FastifyRequest<{ Body: NewKeep }>) => store.addKeep(await keepOf(engine, request.body)),
  );
  app.delete(
    '/store/keeps/:id',
    {
      config: { control: true, tells: ['id'] },
      schema: { summary: 'Lets it go with its age', params: KeepParams, response: { 204: z.null() } },
    },
    async (request: FastifyRequest<{ Params: z.infer<typeof KeepParams> }>, reply: FastifyReply) => {
      if (!(await store.removeKeep(request.params.id)))
        throw new ApiError('not_found', 'nothing is kept under this number; GET /api/v1/store/keeps lists what is');
      return reply.code(204).send();
    },
  );
}
