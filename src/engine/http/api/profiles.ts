import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Profile } from '../../../shared/api/profiles.ts';
import { RunList, RunListQuery } from '../../../shared/api/runs.ts';
import { ApiError } from '../../../shared/errors.ts';
import type { EngineContext } from '../../context.ts';
import type { App } from '../app.ts';
import { RunParams } from './runs.ts';

export function registerProfiles(app: App, engine: EngineContext): void {
  app.get(
    '/profiles',
    { schema: { summary: 'Runs that ended, newest first', querystring: RunListQuery, response: { 200: RunList } } },
    async (request: FastifyRequest<{ Querystring: RunListQuery }>) =>
      engine.store.runs({ ...request.query, state: 'ended' }),
  );
  app.get(
    '/profiles/:id',
    {
      schema: {
        summary: 'A finished run: description, final values, ranks',
        params: RunParams,
        response: { 200: Profile },
      },
    },
    async (request: FastifyRequest<{ Params: z.infer<typeof RunParams> }>) => {
      const { id } = request.params;
      // Of a run that goes on the present values; a profile of before, if it was interrupted, is out of date.
      const found = engine.liveRun(id)?.profile() ?? (await engine.store.profile(id));
      if (!found) throw new ApiError('run_not_found', 'no run has this id here; it may be older than what is kept');
      return found;
    },
  );
}
