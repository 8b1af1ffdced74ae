/** /job, /job/list and /job/?job= of the old proxies. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import { MAIN_JOB, NODE_JOB_PREFIX, type JobDesc } from '../../../shared/model/job.ts';
import type { EngineContext } from '../../context.ts';
import type { Sample } from '../../live/merges.ts';
import { MergedView } from '../../live/view.ts';
import type { App } from '../app.ts';
import { compatRoute, jobDesc, mainDesc, nodeDesc, refuse } from './answer.ts';
import { Body } from './body.ts';
import { JobForm } from './job-form.ts';
import { jobOf, jobViews } from './views.ts';

const JSON_TYPE = 'application/json; charset=utf-8';

/** Series of a job, sum or run, by the name the old proxies know it under; null when there is none. */
export function jobSamples(engine: EngineContext, jobid: string): Iterable<Sample> | null {
  return jobViews(engine).get(jobid)?.view.samples() ?? null;
}

function descOf(engine: EngineContext, jobid: string): JobDesc {
  const run = engine.runs.live.get(jobid);
  if (run) return jobDesc(run.desc);
  if (jobid === MAIN_JOB) return mainDesc();
  for (const { about } of engine.targets.remote()) {
    if (about.kind === 'run' && about.desc.jobid === jobid) return jobDesc(about.desc);
  }
  return nodeDesc(jobid.slice(NODE_JOB_PREFIX.length));
}

/** The sums, this host's first, then jobs, also those that targets have. Each once. */
export function jobIds({ config, runs, targets }: EngineContext): string[] {
  const remote = Array.from(targets.remote(), ({ about }) => about);
  const nodes = remote.filter(({ kind }) => kind === 'node').map(jobOf);
  const jobs = remote.filter(({ kind }) => kind === 'run').map(jobOf);
  return [...new Set([MAIN_JOB, `${NODE_JOB_PREFIX}${config.host}`, ...nodes, ...runs.live.keys(), ...jobs])];
}

/** One job as bytes; null when there is none of this id. */
function oneJob(engine: EngineContext, jobid: string): Body | null {
  const views = jobViews(engine);
  const desc = descOf(engine, jobid);
  return views.answer(`job ${jobid} ${JSON.stringify(desc)}`, () => {
    const job = views.get(jobid);
    if (!job) return null;
    const form = job.form('job', (view) => new JobForm(view));
    const body = new Body(form.size);
    form.write(body, job.view, desc, true);
    return body;
  });
}

/** All jobs, without counters at zero. */
function allJobs(engine: EngineContext, jobids: readonly string[]): Body {
  const views = jobViews(engine);
  const body = new Body(4096);
  body.text('[');
  for (const [i, jobid] of jobids.entries()) {
    if (i > 0) body.text(',');
    const view = new MergedView().update(views.parts(jobid)!);
    new JobForm(view).write(body, view, descOf(engine, jobid), false);
  }
  body.text(']');
  return body;
}

export function registerCompatJobs(app: App, engine: EngineContext): void {
  app.get(
    '/job',
    compatRoute,
    async (request: FastifyRequest<{ Querystring: { job?: unknown; fresh?: unknown } }>, reply) => {
      const { job, fresh } = request.query;
      if (fresh === '1') engine.refresh();
      if (job === undefined) return sendOnce(allJobs(engine, jobIds(engine)), reply);
      const body = typeof job === 'string' ? oneJob(engine, job) : null;
      return body?.send(reply.type(JSON_TYPE)) ?? refuse(reply, 'No such Job ID');
    },
  );

  app.get('/job/list', compatRoute, async () => jobIds(engine).map((jobid) => descOf(engine, jobid)));

  app.get('/job/*', compatRoute, async (request, reply) => refuse(reply, request.url.split('?')[0]!));
}

function sendOnce(body: Body, reply: FastifyReply): FastifyReply {
  body.send(reply.type(JSON_TYPE));
  body.release();
  return reply;
}
