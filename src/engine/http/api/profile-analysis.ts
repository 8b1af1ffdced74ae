/** What the numbers of a finished run say: ranks over time, how uneven they are, phases, and what is usual. */

import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Heatmap, HeatmapQuery, ProfileAnalysis } from '../../../shared/api/profile-analysis.ts';
import type { Profile } from '../../../shared/api/profiles.ts';
import { ApiError } from '../../../shared/errors.ts';
import { parseMetric } from '../../../shared/model/metric.ts';
import type { EngineContext } from '../../context.ts';
import { analyse } from '../../profiles/analysis/analyse.ts';
import { heatmapOf, matrixQuery } from '../../profiles/analysis/heatmap.ts';
import type { App } from '../app.ts';
import { whileAsked } from '../while-asked.ts';
import { RunParams } from './runs.ts';

type ById = { Params: z.infer<typeof RunParams> };

/** Of a run that goes on the present values. */
async function profileOf(engine: EngineContext, id: string): Promise<Profile> {
  const found = engine.liveRun(id)?.profile() ?? (await engine.store.profile(id));
  if (!found) throw new ApiError('run_not_found', 'no run has this id here; it may be older than what is kept');
  return found;
}

export function registerProfileAnalysis(app: App, engine: EngineContext): void {
  app.get(
    '/profiles/:id/heatmap',
    {
      schema: {
        summary: 'One series of each rank of a run over time',
        params: RunParams,
        querystring: HeatmapQuery,
        response: { 200: Heatmap },
      },
    },
    async (request: FastifyRequest<ById & { Querystring: HeatmapQuery }>, reply): Promise<Heatmap> => {
      const profile = await profileOf(engine, request.params.id);
      const key = parseMetric(request.query.series).key;
      const asked = matrixQuery(profile, request.query, key, engine.now());
      if (!asked)
        throw new ApiError('bad_request', 'from, to: the run did not last in this time, or its start is not known');
      const matrix = await whileAsked(reply.raw, (signal) => engine.store.matrix(asked, signal));
      return heatmapOf(profile, asked, matrix);
    },
  );
  app.get(
    '/profiles/:id/analysis',
    {
      schema: {
        summary: 'How uneven the ranks of a run are, its phases, and how it compares with what is usual',
        params: RunParams,
        response: { 200: ProfileAnalysis },
      },
    },
    async (request: FastifyRequest<ById>, reply): Promise<ProfileAnalysis> => {
      const profile = await profileOf(engine, request.params.id);
      return whileAsked(reply.raw, (signal) => analyse(engine.store, profile, engine.now(), signal));
    },
  );
}
