/** /metrics and /metrics?job=: Prometheus text, or OpenMetrics when the scraper asks for it. */

import type { FastifyRequest } from 'fastify';
import { MAIN_JOB } from '../../../shared/model/job.ts';
import type { EngineContext } from '../../context.ts';
import type { MergedView } from '../../live/view.ts';
import type { App } from '../app.ts';
import { compatRoute, oneText, refuse } from './answer.ts';
import { Body } from './body.ts';
import { ExpositionForm, OPENMETRICS_TYPE, PROMETHEUS_TYPE, wantsOpenMetrics, type Described } from './exposition.ts';
import { jobViews } from './views.ts';

export function registerCompatMetrics(app: App, engine: EngineContext): void {
  app.get('/metrics', compatRoute, async (request: FastifyRequest<{ Querystring: { job?: unknown } }>, reply) => {
    const job = request.query.job ?? MAIN_JOB;
    const open = wantsOpenMetrics(request.headers.accept);
    const body = typeof job === 'string' ? exposition(engine, job, open) : null;
    if (!body) return refuse(reply, `No such jobid ${oneText(job)}`);
    return body.send(reply.type(open ? OPENMETRICS_TYPE : PROMETHEUS_TYPE));
  });
}

/** A job's text; null when there is none of this id. */
function exposition(engine: EngineContext, jobid: string, open: boolean): Body | null {
  const views = jobViews(engine);
  const format = open ? 'openmetrics' : 'prometheus';
  return views.answer(`${format} ${jobid}`, () => {
    const job = views.get(jobid);
    if (!job) return null;
    const form = job.form(format, (view) => new ExpositionForm(allOf(view), open));
    const body = new Body(form.size);
    const { view } = job;
    form.write(body, (series) => view.value(view.places[series]!));
    return body;
  });
}

/** In the order of the view's places. */
function* allOf({ table, places, count }: MergedView): Generator<Described, void> {
  for (let i = 0; i < count; i++) {
    const [kind, index] = [(places[i]! & 1) === 1 ? ('gauge' as const) : ('counter' as const), places[i]! >>> 1];
    yield { key: table.key(kind, index), family: table.family(kind, index), doc: table.doc(kind, index), kind };
  }
}
