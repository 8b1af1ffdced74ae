/**
 * How a command's metrics grow with its size: /profiles/points, and /profiles/extrap (also /model/download), the input of
 * Extra-P. Of all ended jobs that ran the command of the given one; of a job id that came back the latest run.
 */

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Profile } from '../../../shared/api/profiles.ts';
import type { Run } from '../../../shared/api/runs.ts';
import type { EngineContext } from '../../context.ts';
import type { App } from '../app.ts';
import { compatRoute, oneText, refuse, type CompatType } from './answer.ts';
import { latestRuns, nodeCounters, ownCounter } from './profiles.ts';

/** Most jobs that are looked at, the newest: each profile is read whole. */
const MAX_JOBS = 1000;
const WALLTIME = 'walltime';

/** One number of a counter or a gauge, as models need it. */
const numberOf = (ctype: CompatType): number =>
  'Counter' in ctype ? ctype.Counter.value : ctype.Gauge.hits > 0 ? ctype.Gauge.total / ctype.Gauge.hits : 0;

/** Milliseconds; null when one of its ends is not known. */
const walltime = ({ start_time, end_time }: Run): number | null =>
  start_time > 0 && end_time >= start_time ? end_time - start_time : null;

/** Ended runs of the command that a job has, smallest first; null when nobody knows the job. */
async function runsLike(engine: EngineContext, jobid: string): Promise<Run[] | null> {
  const runs = await latestRuns(engine);
  const known = runs.find((run) => run.jobid === jobid) ?? engine.runs.live.get(jobid)?.desc;
  if (!known) return null;
  return runs
    .filter((run) => run.command === known.command)
    .slice(0, MAX_JOBS)
    .toSorted((a, b) => a.size - b.size);
}

/** The profile's own values by name, and its duration. */
function ownValues(profile: Profile): Map<string, number> {
  const values = new Map<string, number>();
  for (const { name, ctype } of profile.series.map(ownCounter)) values.set(name, numberOf(ctype));
  const duration = walltime(profile.run);
  if (duration !== null) values.set(WALLTIME, duration);
  return values;
}

async function points(engine: EngineContext, runs: readonly Run[]): Promise<Record<string, [number, number][]>> {
  const byMetric = new Map<string, [number, number][]>();
  for (const { id } of runs) {
    const profile = await engine.store.profile(id);
    if (!profile) continue;
    const values = ownValues(profile);
    for (const { name, ctype } of await nodeCounters(engine, profile)) values.set(name, numberOf(ctype));
    for (const [name, value] of values) {
      const list = byMetric.get(name);
      if (list) list.push([profile.run.size, value]);
      else byMetric.set(name, [[profile.run.size, value]]);
    }
  }
  // Exporters describe hundreds of counters that a program never moves: nothing can be seen in those.
  return Object.fromEntries([...byMetric].filter(([, list]) => list.some(([, value]) => value !== 0)));
}

/** `mpi___time___mpi_send` is the time of a call path; what is built otherwise has no quantity of its own. */
function extrapName(name: string): { metric: string; callpath: string } {
  const parts = name.split('___');
  const quantity = parts.length >= 3 && /^(hits|time|size)$/.test(parts[1]!) ? parts[1]! : 'various';
  return { metric: quantity, callpath: parts.join('->') };
}

/** JSON lines. Only metrics that each of the jobs has: Extra-P cannot do with holes. Runs that were cut off are left out. */
async function extrap(engine: EngineContext, runs: readonly Run[]): Promise<string> {
  const measured: { size: number; values: Map<string, number> }[] = [];
  for (const run of runs) {
    if (run.state !== 'finished' || run.size <= 0) continue;
    const profile = await engine.store.profile(run.id);
    if (profile && profile.series.length > 0) measured.push({ size: run.size, values: ownValues(profile) });
  }
  let out = '';
  for (const name of measured[0]?.values.keys() ?? []) {
    if (!measured.every(({ values }) => values.has(name)) || measured.every(({ values }) => values.get(name) === 0))
      continue;
    for (const { size, values } of measured)
      out += `${JSON.stringify({ params: { size }, ...extrapName(name), value: values.get(name) })}\n`;
  }
  return out;
}

type Query = FastifyRequest<{ Querystring: { jobid?: unknown } }>;

export function registerCompatScaling(app: App, engine: EngineContext): void {
  const answering =
    <T>(answer: (engine: EngineContext, runs: readonly Run[]) => Promise<T>, type: string) =>
    async ({ query }: Query, reply: FastifyReply): Promise<T | FastifyReply> => {
      const jobid = oneText(query.jobid);
      if (jobid === '') return refuse(reply, 'A GET parameter for a reference jobid must be passed');
      const runs = await runsLike(engine, jobid);
      if (!runs) return refuse(reply, 'No such jobid');
      return reply.type(type).send(await answer(engine, runs));
    };
  app.get('/profiles/points', compatRoute, answering(points, 'application/json; charset=utf-8'));
  for (const url of ['/profiles/extrap', '/model/download'])
    app.get(url, compatRoute, answering(extrap, 'text/plain; charset=utf-8'));
}
