import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Run, RunList, RunListQuery } from '../../../shared/api/runs.ts';
import { ApiError } from '../../../shared/errors.ts';
import type { EngineContext } from '../../context.ts';
import type { App } from '../app.ts';

export const RunParams = z.object({ id: z.string().min(1).max(256) });

/** Text of a run that a search looks at. */
function matches(run: Run, search: string): boolean {
  const wanted = search.toLowerCase();
  return [run.jobid, run.command, run.nodelist, run.cluster].some((text) => text.toLowerCase().includes(wanted));
}

/** Live runs first (they are few), on the first page only; then the store's, newest first. */
async function listRuns(engine: EngineContext, query: RunListQuery): Promise<RunList> {
  const live =
    query.state === 'ended' || query.cursor !== undefined
      ? []
      : [...engine.runs.live.values()]
          .map((run) => run.describe())
          .filter((run) => query.search === undefined || matches(run, query.search))
          .toSorted((a, b) => b.start_time - a.start_time);
  if (query.state === 'live') return { runs: live, next: null };
  const stored = await engine.store.runs({ ...query, state: 'ended' });
  return { runs: [...live, ...stored.runs], next: stored.next };
}

export function registerRuns(app: App, engine: EngineContext): void {
  app.get(
    '/runs',
    {
      schema: {
        summary: 'Runs: live ones, then ended ones, newest first',
        querystring: RunListQuery,
        response: { 200: RunList },
      },
    },
    async (request: FastifyRequest<{ Querystring: RunListQuery }>) => listRuns(engine, request.query),
  );
  app.get(
    '/runs/:id',
    { schema: { summary: 'One run, live or ended', params: RunParams, response: { 200: Run } } },
    async (request: FastifyRequest<{ Params: z.infer<typeof RunParams> }>) => {
      const run = await engine.run(request.params.id);
      if (!run) throw new ApiError('run_not_found', 'no run has this id here; it may be older than what is kept');
      return run;
    },
  );
}
