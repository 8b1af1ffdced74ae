/**
 * Another metric proxy, as its old HTTP API has it: `/job` lists all jobs with their counters and gauges, among them
 * `main`, the sum of all, and `Node: HOST`, the sum of a host. Jobs and hosts become scopes of their own; `main` is left
 * out, it is their sum.
 *
 * What such proxies get wrong is corrected where that is possible: label names with a stray quote, times in seconds, a
 * host's sum that has its jobs' counts in it once more. Counters that it adds up again at each of its own scrapes are
 * not taken, and a tree of proxies, which counts the first value of each counter twice, is said to be one.
 */

import { z } from 'zod';
import {
  bareJob,
  MAIN_JOB,
  NODE_JOB_PREFIX,
  refuseJobid,
  toMilliseconds,
  type JobDesc,
} from '../../shared/model/job.ts';
import { parseMetric } from '../../shared/model/metric.ts';
import { askFor, isNoAnswer, statusOf } from './ask-json.ts';
import { Fetcher } from './fetch.ts';
import { Mirror } from './mirror.ts';
import { metricFilter } from './sink-filter.ts';
import {
  TargetError,
  type Access,
  type Probe,
  type Scraped,
  type TargetHost,
  type TargetSession,
  type TargetSpec,
  type TargetType,
  type TargetUrl,
} from './type.ts';

/** Jobs of one proxy that become scopes. */
const MAX_JOBS = 2000;
/** Its own targets are looked at again after this, ms. */
const LOOK_AGAIN = 30_000;
/** A job that is not listed for so many answers in a row, and for the grace time, is over. */
const GONE_AFTER = 2;
/** Jobs that are over and are remembered, should they come back. */
const MAX_OVER = 2000;

/** serde writes what is not a number as null. */
const number = z.number().nullable();
const text = z.string().catch('');
const time = z.number().catch(0);
const Desc = z.object({
  jobid: z.string(),
  command: text,
  size: time,
  nodelist: text,
  partition: text,
  cluster: text,
  run_dir: text,
  start_time: time,
  end_time: time,
});
const Counter = z.object({
  name: z.string(),
  doc: text,
  ctype: z.union([
    z.object({ Counter: z.object({ value: number }) }),
    z.object({ Gauge: z.object({ min: number, max: number, hits: number, total: number }) }),
  ]),
});
type Counter = z.infer<typeof Counter>;
const Job = z.object({ desc: Desc, counters: z.array(Counter) });
type Job = z.infer<typeof Job>;
const Jobs = z.array(Job);
const JobList = z.array(z.looseObject({ jobid: z.string(), command: z.string(), nodelist: z.string() }));
const JoinList = z.array(z.looseObject({ target_url: z.string(), ttype: z.string() }));

const valueOf = (n: number | null): number => n ?? NaN;

/** `name{label""}` of a proxy that scraped Prometheus text: the last label's value has a quote too many. */
export function repairName(name: string): string {
  if (!name.includes('{') || parseMetric(name).labels.length > 0) return name;
  const repaired = name.replace(/""(?=[,}])/g, '"').replace(/(\{|,)\s*"([A-Za-z_]\w*)=/g, '$1$2=');
  return parseMetric(repaired).labels.length > 0 ? repaired : name;
}

/** A job is told with the metrics of its host among its own. */
const isOfNode = (name: string): boolean => name.startsWith('proxy_');

/** Totals of the kernel that such a proxy adds to themselves at each of its own ticks: nobody can tell what they were. */
const isAddedUp = (name: string): boolean => /^proxy_network_\w+_total\b/.test(name);

function describe(desc: z.infer<typeof Desc>): JobDesc {
  const [start, end] = [toMilliseconds(Math.max(0, desc.start_time)), toMilliseconds(Math.max(0, desc.end_time))];
  const cut = (one: string): string => one.slice(0, 4096).toWellFormed();
  return {
    ...bareJob(desc.jobid),
    command: cut(desc.command),
    size: Math.max(0, Number.isFinite(desc.size) ? desc.size : 0),
    nodelist: cut(desc.nodelist),
    partition: cut(desc.partition),
    cluster: cut(desc.cluster),
    run_dir: cut(desc.run_dir),
    start_time: Math.min(start, 8.64e15),
    end_time: Math.min(end, 8.64e15),
  };
}

const hostOf = ({ desc }: { readonly desc: { readonly jobid: string } }): string =>
  desc.jobid.slice(NODE_JOB_PREFIX.length);

/** Two runs of one job have two scopes: their series need not be the same. */
const belowOf = ({ jobid, start_time }: JobDesc): string =>
  `run/${encodeURIComponent(jobid)}${start_time > 0 ? `@${start_time}` : ''}`;

/** A job or a host of the proxy, and the scope that it has here. */
interface Part {
  readonly below: string;
  readonly mirror: Mirror;
  /** What a job's counters had at last: the sum of its host has that in it, also when the job is over. */
  totals: ReadonlyMap<string, number>;
  /** Answers in a row in which it was not listed, and when it was listed last, on the monotonic clock. */
  missing: number;
  listed: number;
}

const NO_TOTALS: ReadonlyMap<string, number> = new Map();

class Session implements TargetSession {
  readonly #spec: TargetSpec;
  readonly #host: TargetHost;
  readonly #fetcher: Fetcher;
  readonly #parts = new Map<string, Part>();
  /** Counts of jobs that are over. */
  readonly #over = new Map<string, number>();
  /** Jobs that are over, and what each had. */
  readonly #ended = new Map<string, ReadonlyMap<string, number>>();
  #answers = 0;
  #notes: readonly string[] = [];
  #lookAt = -Infinity;
  #closed = false;

  constructor(spec: TargetSpec, host: TargetHost) {
    this.#spec = spec;
    this.#host = host;
    this.#fetcher = new Fetcher(spec.url, spec.access, spec.periodMs);
    // It has a page of its own from the beginning; its numbers are in those below.
    host.scope();
  }

  async scrape(signal: AbortSignal): Promise<Scraped> {
    try {
      if (performance.now() >= this.#lookAt) {
        this.#notes = await this.#lookAround(signal);
        this.#lookAt = performance.now() + LOOK_AGAIN;
      }
      const { value: jobs, bytes } = await askFor(this.#fetcher, this.#spec.url, '/job', Jobs, signal);
      if (this.#closed) throw new TargetError('down', 'it was closed');
      return this.#take(jobs, bytes);
    } catch (error) {
      if (!this.#closed) for (const { mirror } of this.#parts.values()) mirror.miss();
      throw error;
    }
  }

  /** What it is joined to. Throws {@link TargetError} when that is this engine: each would count the other's sums. */
  async #lookAround(signal: AbortSignal): Promise<string[]> {
    const { url } = this.#spec;
    let joined: z.infer<typeof JoinList>;
    try {
      joined = (await askFor(this.#fetcher, url, '/join/list', JoinList, signal)).value;
    } catch (error) {
      // An older one has no such list.
      if (statusOf(error) !== null) return [];
      throw error;
    }
    const proxies = joined.filter(({ ttype }) => ttype === 'Proxy').map(({ target_url }) => target_url);
    const circle = proxies.find((one) => this.#host.isSelf(one.replace(/\/job$/, '')));
    if (circle !== undefined) {
      throw new TargetError(
        'refused',
        `a circle: it pulls from this engine (${circle}), which would count its own sums`,
      );
    }
    const prometheus = joined.filter(({ ttype }) => ttype === 'Prometheus').length;
    return [
      'its proxy_network_…_total are not taken: it adds the totals up again at each of its ticks',
      ...(proxies.length === 0
        ? []
        : [
            `it sums ${proxies.length} other proxies and counts the first value of each counter of theirs twice; add those instead: ${proxies.slice(0, 8).join(', ')}`,
          ]),
      ...(prometheus === 0
        ? []
        : [
            `it scrapes ${prometheus} Prometheus target(s) and adds their counters up again at each scrape; add those themselves`,
          ]),
    ];
  }

  #take(jobs: readonly Job[], bytes: number): Scraped {
    const runs = jobs.filter(({ desc }) => refuseJobid(desc.jobid) === null);
    const nodes = jobs.filter(({ desc }) => desc.jobid.startsWith(NODE_JOB_PREFIX));
    const present = new Set<Part>();
    const refused: Record<string, number> = {};
    const sum = { samples: 0, series: 0, newSeries: 0, filtered: 0 };
    const close = (part: Part): void => {
      part.mirror.end();
      part.missing = 0;
      part.listed = performance.now();
      present.add(part);
      const { mirror } = part;
      sum.samples += mirror.samples;
      sum.series += mirror.live;
      sum.newSeries += mirror.newSeries;
      sum.filtered += mirror.filtered;
      for (const [reason, count] of Object.entries(mirror.refused)) refused[reason] = (refused[reason] ?? 0) + count;
    };
    // Of one with several hosts nobody is told which of them a job runs on.
    const hosts = nodes.length === 1 ? [hostOf(nodes[0]!)] : [];
    for (const { desc: told, counters } of runs) {
      const desc = describe(told);
      const own = counters.filter(({ name }) => !isOfNode(name));
      const totals = totalsOf(own);
      const part = this.#part(belowOf(desc), desc.nodelist, totals);
      if (!part) {
        refused['too_many_runs'] = (refused['too_many_runs'] ?? 0) + 1;
        continue;
      }
      this.#host.about(part.below, { kind: 'run', desc, nodes: hosts, ranks: Math.round(desc.size) });
      part.mirror.begin();
      for (const counter of own) tell(part.mirror, counter, 0);
      part.totals = totals;
      close(part);
    }
    const ofJobs = this.#ofJobs(nodes);
    // What the sum of a host has of its jobs is in their scopes: with one host all of it, with more the proxy does not say.
    for (const { desc, counters } of nodes) {
      const host = hostOf({ desc });
      const part = this.#part(`node/${encodeURIComponent(host)}`, host);
      if (!part) continue;
      this.#host.about(part.below, { kind: 'node', host });
      part.mirror.begin();
      for (const counter of counters) {
        if (isAddedUp(counter.name)) part.mirror.refuse('added_up_again');
        else if (nodes.length === 1) tell(part.mirror, counter, ofJobs.get(counter.name) ?? 0);
        else if (!ofJobs.has(counter.name)) tell(part.mirror, counter, 0);
      }
      close(part);
    }
    this.#answers++;
    this.#forget(present);
    return { ...sum, bytes, refused, notes: this.#notes, engines: this.#fetcher.engines };
  }

  /** What jobs have counted, also those that are over. */
  #ofJobs(nodes: readonly Job[]): ReadonlyMap<string, number> {
    const sum = (): Map<string, number> => {
      const totals = new Map(this.#over);
      for (const part of this.#parts.values()) addTo(totals, part.totals);
      return totals;
    };
    const totals = sum();
    const [only] = nodes;
    // It was started anew: what ended before is in no sum any more.
    const isNew = only?.counters.some(({ name, ctype }) => {
      const of = totals.get(name) ?? 0;
      return 'Counter' in ctype && this.#over.has(name) && valueOf(ctype.Counter.value) < of * (1 - 1e-6);
    });
    if (nodes.length !== 1 || isNew !== true) return totals;
    this.#over.clear();
    this.#ended.clear();
    return sum();
  }

  #part(key: string, node: string, totals = NO_TOTALS): Part | null {
    const known = this.#parts.get(key);
    if (known) return known;
    if (this.#parts.size >= MAX_JOBS) return null;
    const { labels, filter, access } = this.#spec;
    const before = this.#ended.get(key);
    this.#ended.delete(key);
    const isBack = before !== undefined && [...before].every(([name, value]) => (totals.get(name) ?? -1) >= value);
    // What it had when it went is counted already, and is in the sum of its host by itself again.
    if (isBack) addTo(this.#over, before, -1);
    const below = before ? `${key}~${this.#answers}` : key;
    const mirror = new Mirror(this.#host.scope(below), {
      node,
      labels,
      keep: metricFilter(filter),
      room: () => access.limits.series - this.#series(),
      began: this.#answers === 0 || isBack,
    });
    const part: Part = { below, mirror, totals: NO_TOTALS, missing: 0, listed: 0 };
    this.#parts.set(key, part);
    return part;
  }

  #series(): number {
    let series = 0;
    for (const { mirror } of this.#parts.values()) series += mirror.scope.livingCount;
    return series;
  }

  /** Jobs that are over; their history stays. */
  #forget(present: ReadonlySet<Part>): void {
    for (const [key, part] of this.#parts) {
      if (present.has(part)) continue;
      const isRun = key.startsWith('run/');
      // The last values of a job are its values, until it is over.
      if (!isRun) part.mirror.miss();
      if (++part.missing < GONE_AFTER || performance.now() - part.listed < this.#host.grace) continue;
      addTo(this.#over, part.totals);
      this.#parts.delete(key);
      if (isRun) this.#remember(key, part.totals);
      this.#host.drop(part.below);
      part.mirror.close();
    }
  }

  #remember(key: string, totals: ReadonlyMap<string, number>): void {
    this.#ended.set(key, totals);
    for (const oldest of this.#ended.keys()) {
      if (this.#ended.size <= MAX_OVER) return;
      this.#ended.delete(oldest);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#fetcher.close();
    for (const { mirror } of this.#parts.values()) mirror.close();
  }
}

/** `ofJobs`: the part of a counter that is told elsewhere. */
function tell(mirror: Mirror, { name, doc, ctype }: Counter, ofJobs: number): void {
  const spelled = repairName(name);
  if ('Counter' in ctype) {
    const value = valueOf(ctype.Counter.value);
    mirror.counter(spelled, doc, value - ofJobs < 0 && value >= 0 ? 0 : value - ofJobs);
    return;
  }
  const { min, max, hits, total } = ctype.Gauge;
  mirror.gauge(spelled, doc, { min: valueOf(min), max: valueOf(max), hits: valueOf(hits), total: valueOf(total) });
}

function totalsOf(counters: readonly Counter[]): Map<string, number> {
  const totals = new Map<string, number>();
  for (const { name, ctype } of counters) if ('Counter' in ctype) totals.set(name, ctype.Counter.value ?? 0);
  return totals;
}

function addTo(sum: Map<string, number>, more: ReadonlyMap<string, number>, sign: 1 | -1 = 1): void {
  for (const [name, value] of more) sum.set(name, (sum.get(name) ?? 0) + sign * value);
}

async function probe(url: TargetUrl, access: Access, signal: AbortSignal): Promise<Probe | null> {
  const fetcher = new Fetcher(url, access, Infinity);
  const begun = performance.now();
  try {
    const list = await askFor(fetcher, url, '/job/list', JobList, signal).catch((error: unknown) => {
      if (isNoAnswer(error)) throw error;
      return null;
    });
    if (list === null || !list.value.some(({ jobid }) => jobid === MAIN_JOB)) return null;
    const { value: jobs, bytes } = await askFor(fetcher, url, '/job', Jobs, signal);
    const metrics = new Map<string, { name: string; kind: 'counter' | 'gauge'; help: string; series: number }>();
    let series = 0;
    for (const { desc, counters } of jobs) {
      if (desc.jobid === MAIN_JOB) continue;
      for (const { name, doc, ctype } of counters) {
        series++;
        const { family } = parseMetric(repairName(name));
        const known = metrics.get(family);
        if (known) known.series++;
        else
          metrics.set(family, {
            name: family,
            kind: 'Counter' in ctype ? 'counter' : 'gauge',
            help: doc.slice(0, 256),
            series: 1,
          });
      }
    }
    const duration = performance.now() - begun;
    return { type: 'proxy', url, series, bytes, duration, metrics: [...metrics.values()] };
  } finally {
    fetcher.close();
  }
}

export const proxy: TargetType = {
  name: 'proxy',
  async probe(url, access, signal) {
    try {
      return await probe(url, access, signal);
    } catch (error) {
      // It answers, only not as this.
      if (error instanceof TargetError && error.kind === 'refused' && !isNoAnswer(error)) return null;
      throw error;
    }
  },
  open: (spec, host) => new Session(spec, host),
};
