/** /job, /job/list and /job/?job= of the old proxies. */

import type { FastifyRequest } from 'fastify';
import { MAIN_JOB, NODE_JOB_PREFIX } from '../../../shared/model/job.ts';
import type { EngineContext } from '../../context.ts';
import { Merge, type Sample } from '../../live/merges.ts';
import type { LiveRun } from '../../live/runs.ts';
import type { App } from '../app.ts';
import {
  compatRoute,
  compatType,
  isZeroCounter,
  jobDesc,
  mainDesc,
  nodeDesc,
  refuse,
  type CompatCounter,
  type CompatJob,
} from './answer.ts';

/** All of this engine: its node, and its runs, live and ended. On one host `main` and the node's sum are the same. */
export function mergeAll(engine: EngineContext): Merge {
  const merge = new Merge();
  // First: a metric keeps its first kind, and a counter of an ended run must not vanish for a later gauge of that name.
  engine.ended.addTo(merge);
  merge.addScope(engine.node);
  for (const run of engine.runs.live.values()) merge.addScope(run.scope);
  return merge;
}

/** A run with the metrics of its nodes beside its own, as the old proxies show it. */
function mergeRun(engine: EngineContext, run: LiveRun): Sample[] {
  const own = new Merge().addScope(run.scope);
  const node = run.nodes.has(engine.config.host) ? [...new Merge().addScope(engine.node).samples] : [];
  return [...own.samples, ...node.filter((sample) => !own.has(sample.key))];
}

/** Series of a job, sum or run, by the name the old proxies know it under; null when there is none. */
export function jobSamples(engine: EngineContext, jobid: string): Iterable<Sample> | null {
  if (jobid === MAIN_JOB || jobid === `${NODE_JOB_PREFIX}${engine.config.host}`) return mergeAll(engine).samples;
  const run = engine.runs.live.get(jobid);
  return run ? mergeRun(engine, run) : null;
}

const toCounter = (s: Sample): CompatCounter => ({
  name: s.name,
  doc: s.doc,
  ctype: compatType(s.kind, s.counter, s.gauge, s.changed),
});

function jobOf(engine: EngineContext, jobid: string): CompatJob | null {
  const samples = jobSamples(engine, jobid);
  if (!samples) return null;
  const run = engine.runs.live.get(jobid);
  const desc = run ? jobDesc(run.desc) : jobid === MAIN_JOB ? mainDesc() : nodeDesc(engine.config.host);
  return { desc, counters: Array.from(samples, toCounter) };
}

export function registerCompatJobs(app: App, engine: EngineContext): void {
  const jobids = (): string[] => [MAIN_JOB, `${NODE_JOB_PREFIX}${engine.config.host}`, ...engine.runs.live.keys()];

  app.get('/job', compatRoute, async (request: FastifyRequest<{ Querystring: { job?: unknown } }>, reply) => {
    const { job } = request.query;
    if (job === undefined) {
      return jobids()
        .map((id) => jobOf(engine, id)!)
        .map(({ desc, counters }) => ({ desc, counters: counters.filter((c) => !isZeroCounter(c)) }));
    }
    return (typeof job === 'string' ? jobOf(engine, job) : null) ?? refuse(reply, 'No such Job ID');
  });

  app.get('/job/list', compatRoute, async () => [
    mainDesc(),
    nodeDesc(engine.config.host),
    ...[...engine.runs.live.values()].map((run) => jobDesc(run.desc)),
  ]);

  app.get('/job/*', compatRoute, async (request, reply) => refuse(reply, request.url.split('?')[0]!));
}
