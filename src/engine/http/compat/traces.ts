/**
 * /trace/* of the old proxies: a job over time. A trace is what the store keeps of the job's latest run, live or ended,
 * and of its nodes meanwhile; those of `main` and of the node are added up when one metric is asked for. Jobs are told by
 * `job` or by `jobid`, wherever an old reader may use one of them.
 */

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Run } from '../../../shared/api/runs.ts';
import { MAIN_JOB, NODE_JOB_PREFIX, type JobDesc } from '../../../shared/model/job.ts';
import { parseMetric } from '../../../shared/model/metric.ts';
import { hostScope, type ScopeId } from '../../../shared/model/scope.ts';
import type { SeriesDef } from '../../../shared/model/series.ts';
import type { EngineContext } from '../../context.ts';
import type { App } from '../app.ts';
import { compatRoute, jobDesc, mainDesc, nodeDesc, oneText, readingRoute, refuse, type CompatType } from './answer.ts';
import { readHistory, type Sample, type SeriesHistory } from './history.ts';
import { jobSamples } from './jobs.ts';
import { latestRuns } from './profiles.ts';
import { readSum } from './sums.ts';
import { Turns } from './turns.ts';

/** No trace has a limit of its own: the largest number that every reader of JSON can take. */
const NO_LIMIT = Number.MAX_SAFE_INTEGER;
/** Bytes of one value. */
const VALUE_BYTES = 8;
/** Longest metric that can be asked for, in UTF-16 code units: longer ones are not taken either. */
const MAX_FILTER = 1024;

interface Trace {
  readonly desc: JobDesc;
  /** Of `main` or the node: what is stored of the node's scope is a part of it. */
  readonly sum: boolean;
  readonly scope: ScopeId;
  /** Hosts whose metrics stand beside the job's own. */
  readonly nodes: readonly string[];
  readonly series: number;
  /** Recorded from and up to here, ms since the epoch. */
  readonly from: number;
  readonly to: number;
}

/** `size` in bytes, `lastwrite` in seconds since the epoch. */
interface TraceInfo {
  readonly desc: JobDesc;
  readonly size: number;
  readonly lastwrite: number;
}

function liveTraces(engine: EngineContext): Trace[] {
  const { node, config } = engine;
  const to = engine.now();
  const own = { sum: true, scope: node.id, nodes: [], series: node.seriesCount, from: engine.openedAt(node.id), to };
  return [
    { ...own, desc: mainDesc() },
    { ...own, desc: nodeDesc(config.host) },
    ...Array.from(engine.runs.live.values(), (run) => ({
      desc: jobDesc(run.desc),
      sum: false,
      scope: run.scope.id,
      nodes: [...run.nodes],
      series: run.scope.seriesCount,
      from: run.opened,
      to,
    })),
  ];
}

async function findTrace(engine: EngineContext, jobid: string): Promise<Trace | null> {
  if (jobid === MAIN_JOB || jobid.startsWith(NODE_JOB_PREFIX) || engine.runs.live.has(jobid))
    return liveTraces(engine).find(({ desc }) => desc.jobid === jobid) ?? null;
  const run = (await engine.store.latestProfile(jobid))?.run;
  return run ? endedTrace(run) : null;
}

function endedTrace(run: Run): Trace {
  const { scope, nodes, series, start_time: start, end_time: to } = run;
  return { desc: jobDesc(run), sum: false, scope, nodes, series, from: start || to, to };
}

/** The size is that of its values, unpacked: series times periods. Packed, and without what did not change, it is less. */
function infoOf({ periodMs }: { periodMs: number }, { desc, series, from, to }: Trace): TraceInfo {
  const periods = 1 + Math.floor(Math.max(0, to - from) / periodMs);
  return { desc, size: VALUE_BYTES * series * periods, lastwrite: Math.floor(to / 1000) };
}

/** The job's own series, then those of its nodes that it does not have, from its first to its last sample. */
async function readTrace(
  { store }: EngineContext,
  { scope, nodes, sum, from }: Trace,
  filter: string | null,
): Promise<Map<string, SeriesHistory>> {
  const wanted =
    (except: ReadonlyMap<string, unknown>) =>
    ({ name }: SeriesDef): boolean => {
      const { key } = parseMetric(name);
      return filter === null ? !except.has(key) : key === filter;
    };
  // A job's start is what its clients say; the engine knows its own.
  const all = { from: sum ? from - 1 : 0, to: Number.MAX_SAFE_INTEGER };
  const own = await readHistory(store, scope, all, wanted(new Map()));
  const series = new Map(own.series);
  if (!own.span || (filter !== null && series.size > 0)) return series;
  for (const host of nodes) {
    // The first sample's time is within.
    const range = { from: own.span.from - 1, to: own.span.to };
    for (const [key, one] of (await readHistory(store, hostScope(scope, host), range, wanted(series))).series)
      series.set(key, one);
  }
  return series;
}

/** Seconds since the epoch, with milliseconds. */
const seconds = (ms: number): number => ms / 1000;

const plain = (value: CompatType): number =>
  'Counter' in value ? value.Counter.value : value.Gauge.total / value.Gauge.hits;

type Point = [seconds: number, value: number];

/** Since `start`, ms since the epoch. */
const pointsOf = (samples: readonly Sample[], start = 0): Point[] =>
  samples.map(({ time, value }) => [seconds(time - start), plain(value)]);

/** Change per second since the sample before; of the first one 0. */
const derivative = (points: readonly Point[]): Point[] =>
  points.map(([time, value], n) => {
    const before = points[n - 1];
    return [time, before && time > before[0] ? (value - before[1]) / (time - before[0]) : 0];
  });

/** `deriv__` in front of each name, beside the metric itself. */
function withDerivatives(series: ReadonlyMap<string, SeriesHistory>): Record<string, Point[]> {
  let start = Infinity;
  for (const { samples } of series.values()) start = Math.min(start, samples[0]?.time ?? Infinity);
  const metrics: [string, Point[]][] = [];
  for (const { name, samples } of series.values()) {
    const points = pointsOf(samples, start);
    metrics.push([name, points], [`deriv__${name}`, derivative(points)]);
  }
  return Object.fromEntries(metrics);
}

async function metricsOf(engine: EngineContext, { desc, sum, scope, nodes }: Trace): Promise<string[]> {
  if (sum) return Array.from(jobSamples(engine, desc.jobid) ?? [], ({ name }) => name);
  const { store } = engine;
  const own = await store.snapshot(scope, Number.MAX_SAFE_INTEGER);
  if (!own) return [];
  const names = new Map(own.series.map(({ name }) => [parseMetric(name).key, name]));
  for (const host of nodes) {
    for (const { name } of (await store.snapshot(hostScope(scope, host), own.time))?.series ?? []) {
      const { key } = parseMetric(name);
      if (!names.has(key)) names.set(key, name);
    }
  }
  return [...names.values()];
}

type Given = Readonly<Record<string, unknown>>;

const jobIn = ({ job, jobid }: Given): string => oneText(jobid) || oneText(job);

/** The canonical key of the metric that is asked for; null: none. */
function filterIn({ filter }: Given): string | null {
  if (typeof filter !== 'string' || filter === '' || filter.length > MAX_FILTER) return null;
  return parseMetric(filter).key;
}

export function registerCompatTraces(app: App, engine: EngineContext): void {
  /** A trace can be long: few are read at a time. */
  const turns = new Turns(2, 30);

  const reading =
    (answer: (trace: Trace, given: Given) => Promise<unknown>) =>
    async ({ query, body }: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
      const given = (typeof body === 'object' && body !== null ? body : query) as Given;
      const jobid = jobIn(given);
      if (jobid === '') return refuse(reply, 'A GET parameter jobid must be passed');
      const trace = await findTrace(engine, jobid);
      if (!trace) return refuse(reply, `Failed to generate data No such trace id ${jobid}`);
      return turns.take(() => answer(trace, given));
    };

  const info = (trace: Trace): TraceInfo => infoOf(engine.config, trace);
  const samplesOf = async (trace: Trace, given: Given): Promise<readonly Sample[]> => {
    const filter = filterIn(given);
    if (filter === null) return [];
    if (trace.sum) return readSum(engine, filter);
    return (await readTrace(engine, trace, filter)).get(filter)?.samples ?? [];
  };

  app.get('/trace/list', compatRoute, async () => {
    const live = liveTraces(engine);
    const known = new Set(live.map(({ desc }) => desc.jobid));
    const ended = (await latestRuns(engine)).filter(({ jobid }) => !known.has(jobid));
    return [...live.map(info), ...ended.map((run) => info(endedTrace(run)))];
  });
  app.get(
    '/trace/read',
    compatRoute,
    reading(async (trace, given) => ({
      info: info(trace),
      time_serie: (await samplesOf(trace, given)).map(({ time, value }) => [seconds(time), value]),
    })),
  );
  app.get(
    '/trace/metrics',
    compatRoute,
    reading((trace) => metricsOf(engine, trace)),
  );
  const plot = reading(async (trace, given) => {
    const points = pointsOf(await samplesOf(trace, given));
    return String(given['derivate']) === 'true' ? derivative(points) : points;
  });
  app.get('/trace/plot', compatRoute, plot);
  app.post('/trace/plot', readingRoute, plot);
  app.get(
    '/trace/json',
    compatRoute,
    reading(async (trace) => ({
      infos: info(trace),
      metrics: withDerivatives(await readTrace(engine, trace, null)),
    })),
  );
  app.get(
    '/trace/size',
    compatRoute,
    reading(async (trace) => [info(trace).size, NO_LIMIT]),
  );
  app.get('/trace/*', compatRoute, async (request, reply) => refuse(reply, request.url.split('?')[0]!));
}
