/** /metrics and /metrics?job=: Prometheus text, or OpenMetrics when the scraper asks for it. */

import type { FastifyRequest } from 'fastify';
import { MAIN_JOB } from '../../../shared/model/job.ts';
import type { EngineContext } from '../../context.ts';
import type { App } from '../app.ts';
import { compatRoute, oneText, refuse } from './answer.ts';
import { OPENMETRICS_TYPE, PROMETHEUS_TYPE, wantsOpenMetrics, writeExposition } from './exposition.ts';
import { jobSamples } from './jobs.ts';

export function registerCompatMetrics(app: App, engine: EngineContext): void {
  app.get('/metrics', compatRoute, async (request: FastifyRequest<{ Querystring: { job?: unknown } }>, reply) => {
    const job = request.query.job ?? MAIN_JOB;
    const samples = typeof job === 'string' ? jobSamples(engine, job) : null;
    if (!samples) return refuse(reply, `No such jobid ${oneText(job)}`);
    const open = wantsOpenMetrics(request.headers.accept);
    return reply.type(open ? OPENMETRICS_TYPE : PROMETHEUS_TYPE).send(writeExposition(samples, open));
  });
}
