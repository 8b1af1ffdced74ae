/** /profiles, /profiles/percmd, /profiles/get?jobid= and /get?jobid= of the old proxies: of each job id the latest run. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Profile } from '../../../shared/api/profiles.ts';
import type { Run } from '../../../shared/api/runs.ts';
import type { SeriesValue } from '../../../shared/api/series.ts';
import type { JobDesc } from '../../../shared/model/job.ts';
import { hostScope } from '../../../shared/model/scope.ts';
import { parseMetric } from '../../../shared/model/metric.ts';
import { GAUGE_WIDTH } from '../../../shared/model/values.ts';
import type { EngineContext } from '../../context.ts';
import type { App } from '../app.ts';
import {
  compatRoute,
  compatType,
  isZeroCounter,
  jobDesc,
  oneText,
  refuse,
  type CompatCounter,
  type CompatJob,
} from './answer.ts';
import { readHistory } from './history.ts';

/** Ended runs by the thousand are listed page by page inside, whole outside: the old answers have no pages. */
const PAGE = 1000;

/** Ended runs, of each job id the latest, newest first. */
export async function latestRuns(engine: EngineContext): Promise<Run[]> {
  const seen = new Map<string, Run>();
  let cursor: string | undefined;
  do {
    const page = await engine.store.runs({ state: 'ended', limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
    for (const run of page.runs) if (!seen.has(run.jobid)) seen.set(run.jobid, run);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return [...seen.values()];
}

export function ownCounter(s: SeriesValue): CompatCounter {
  return { name: s.name, doc: s.doc, ctype: compatType(s.kind, s.value ?? 0, s.gauge, s.changed) };
}

/** Counters of cores and devices are kept every ten seconds: this long before a run's end, in ms, one is there. */
const LATELY = 30_000;

/** What the run's nodes showed when it ended, looked up in their history: profiles keep no copy of it. */
export async function nodeCounters({ store }: EngineContext, { run, series }: Profile): Promise<CompatCounter[]> {
  const own = new Set(series.map((s) => s.key));
  const counters: CompatCounter[] = [];
  for (const host of run.nodes) {
    const scope = hostScope(run.scope, host);
    const snapshot = await store.snapshot(scope, run.end_time);
    if (!snapshot) continue;
    const { counters: totals, gauges } = snapshot.columns;
    const unknown = new Set<string>();
    for (const def of snapshot.series) {
      const { key } = parseMetric(def.name);
      if (own.has(key)) continue;
      own.add(key);
      if (def.kind === 'counter' && Number.isNaN(totals[def.index])) {
        unknown.add(def.name);
        continue;
      }
      const [min, max, hits, total] = gauges.subarray(GAUGE_WIDTH * def.index, GAUGE_WIDTH * (def.index + 1));
      const gauge = def.kind === 'gauge' ? { min: min!, max: max!, hits: hits!, total: total! } : null;
      const ctype = compatType(def.kind, totals[def.index] ?? 0, gauge, snapshot.time);
      counters.push({ name: def.name, doc: def.doc, ctype });
    }
    if (unknown.size === 0) continue;
    const lately = { from: run.end_time - LATELY, to: run.end_time };
    const docs = new Map(snapshot.series.map(({ name, doc }) => [name, doc]));
    const history = await readHistory(store, scope, lately, ({ name }) => unknown.has(name));
    for (const { name, samples } of history.series.values()) {
      const last = samples.at(-1);
      if (last) counters.push({ name, doc: docs.get(name) ?? '', ctype: last.value });
    }
  }
  return counters;
}

async function compatProfile(engine: EngineContext, profile: Profile): Promise<CompatJob> {
  const counters = [...profile.series.map(ownCounter), ...(await nodeCounters(engine, profile))];
  return { desc: jobDesc(profile.run), counters: counters.filter((c) => !isZeroCounter(c)) };
}

export function registerCompatProfiles(app: App, engine: EngineContext): void {
  app.get('/profiles', compatRoute, async () => (await latestRuns(engine)).map(jobDesc));

  app.get('/profiles/percmd', compatRoute, async () => {
    const byCommand = new Map<string, JobDesc[]>();
    for (const run of await latestRuns(engine))
      byCommand.set(run.command, [...(byCommand.get(run.command) ?? []), jobDesc(run)]);
    // fromEntries makes own properties of any name, `__proto__` too.
    return Object.fromEntries(byCommand);
  });

  const get = async (
    request: FastifyRequest<{ Querystring: { jobid?: unknown } }>,
    reply: FastifyReply,
  ): Promise<unknown> => {
    const { jobid } = request.query;
    const profile = typeof jobid === 'string' ? await engine.store.latestProfile(jobid) : null;
    return profile ? compatProfile(engine, profile) : refuse(reply, `Failed to get ${oneText(jobid)}`);
  };
  app.get('/profiles/get', compatRoute, get);
  app.get('/get', compatRoute, get);
  app.get('/profiles/*', compatRoute, async (request, reply) => refuse(reply, request.url.split('?')[0]!));
}
