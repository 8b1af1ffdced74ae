/**
 * All routes of the old proxies, one file per group. They answer errors in the old shape too; what concerns the access
 * (no token, a foreign host, a wrong method), limits and faults of the engine are told as everywhere.
 */

import type { FastifyError } from 'fastify';
import { ApiError } from '../../../shared/errors.ts';
import { ENGINES_HEADER } from '../../engines-header.ts';
import type { EngineContext } from '../../context.ts';
import type { App } from '../app.ts';
import { registerCompatAbsent } from './absent.ts';
import { registerCompatAlarms } from './alarms.ts';
import { refuse } from './answer.ts';
import { registerCompatJobs } from './jobs.ts';
import { registerCompatMetrics } from './metrics.ts';
import { registerCompatProfiles } from './profiles.ts';
import { registerCompatScaling } from './scaling.ts';
import { registerCompatTopology } from './topology.ts';
import { registerCompatTraces } from './traces.ts';
import { registerCompatValues } from './values.ts';

/** What others may add up. */
const WITH_SUMS = /^\/(?:metrics|job)\b/;

export async function registerCompat(app: App, engine: EngineContext): Promise<void> {
  await app.register(async (routes) => {
    routes.setErrorHandler((error: FastifyError | ApiError, _request, reply) => {
      if (error instanceof ApiError) {
        if (error.code === 'bad_request') return refuse(reply, error.message);
        // Not the request's fault: whoever looks at the status only must be able to tell.
        if (error.code === 'store_unavailable') return refuse(reply, error.message, error.status);
        throw error;
      }
      // JSON that is none, or something else than JSON.
      if (error.statusCode !== 400 && error.statusCode !== 415) throw error;
      return refuse(reply, `Error parsing parameters: ${error.message.slice(0, 300)}`);
    });
    routes.addHook('onRequest', async (request, reply) => {
      if (WITH_SUMS.test(request.url)) reply.header(ENGINES_HEADER, engine.targets.enginesHeader());
    });
    registerCompatJobs(routes, engine);
    registerCompatMetrics(routes, engine);
    registerCompatProfiles(routes, engine);
    registerCompatScaling(routes, engine);
    registerCompatTraces(routes, engine);
    registerCompatValues(routes, engine);
    registerCompatTopology(routes, engine);
    registerCompatAlarms(routes, engine);
    registerCompatAbsent(routes);
  });
}
