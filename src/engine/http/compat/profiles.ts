/** /profiles, /profiles/percmd, /profiles/get?jobid= and /get?jobid= of the old proxies: of each job id the latest run. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Profile } from '../../../shared/api/profiles.ts';
import type { SeriesValue } from '../../../shared/api/series.ts';
import type { JobDesc } from '../../../shared/model/job.ts';
import { nodeScope } from '../../../shared/model/scope.ts';
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

/** Ended runs by the thousand are listed page by page inside, whole outside: the old answers have no pages. */
const PAGE = 1000;

async function latestRuns(engine: EngineContext): Promise<JobDesc[]> {
  const seen = new Map<string, JobDesc>();
  let cursor: string | undefined;
  do {
    const page = await engine.store.runs({ state: 'ended', limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
    for (const run of page.runs) if (!seen.has(run.jobid)) seen.set(run.jobid, jobDesc(run));
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return [...seen.values()];
}

function ownCounter(s: SeriesValue): CompatCounter {
  return { name: s.name, doc: s.doc, ctype: compatType(s.kind, s.value ?? 0, s.gauge, s.changed) };
}

/** What the run's nodes showed when it ended, looked up in their history: profiles keep no copy of it. */
async function nodeCounters(engine: EngineContext, profile: Profile): Promise<CompatCounter[]> {
  const own = new Set(profile.series.map((s) => s.key));
  const counters: CompatCounter[] = [];
  for (const host of profile.run.nodes) {
    const snapshot = await engine.store.snapshot(nodeScope(host), profile.run.end_time);
    for (const def of snapshot?.series ?? []) {
      const { key } = parseMetric(def.name);
      if (own.has(key)) continue;
      own.add(key);
      const { counters: totals, gauges } = snapshot!.columns;
      const [min, max, hits, total] = gauges.subarray(GAUGE_WIDTH * def.index, GAUGE_WIDTH * (def.index + 1));
      const gauge = def.kind === 'gauge' ? { min: min!, max: max!, hits: hits!, total: total! } : null;
      const ctype = compatType(def.kind, totals[def.index] ?? 0, gauge, snapshot!.time);
      counters.push({ name: def.name, doc: def.doc, ctype });
    }
  }
  return counters;
}

async function compatProfile(engine: EngineContext, profile: Profile): Promise<CompatJob> {
  const counters = [...profile.series.map(ownCounter), ...(await nodeCounters(engine, profile))];
  return { desc: jobDesc(profile.run), counters: counters.filter((c) => !isZeroCounter(c)) };
}

export function registerCompatProfiles(app: App, engine: EngineContext): void {
  app.get('/profiles', compatRoute, async () => latestRuns(engine));

  app.get('/profiles/percmd', compatRoute, async () => {
    const byCommand = new Map<string, JobDesc[]>();
    for (const run of await latestRuns(engine))
      byCommand.set(run.command, [...(byCommand.get(run.command) ?? []), run]);
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
}
