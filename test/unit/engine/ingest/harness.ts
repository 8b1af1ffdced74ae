/** A live engine's middle without sockets, store or HTTP: runs, a node, and clients that are fed bytes. */

import { Budget } from '../../../../src/engine/ingest/budget.ts';
import { Client, type ClientHost } from '../../../../src/engine/ingest/client.ts';
import { Launches } from '../../../../src/engine/ingest/launch.ts';
import { IngestStats } from '../../../../src/engine/ingest/stats.ts';
import { WireDecoder } from '../../../../src/engine/ingest/wire.ts';
import { DEFAULT_LIMITS, type Limits } from '../../../../src/engine/limits.ts';
import { Runs, type LiveRun, type RunsOptions } from '../../../../src/engine/live/runs.ts';
import { Scope } from '../../../../src/engine/live/scope.ts';
import type { Profile } from '../../../../src/shared/api/profiles.ts';
import type { Run } from '../../../../src/shared/api/runs.ts';
import { bareJob, type JobDesc } from '../../../../src/shared/model/job.ts';
import type { Gauge } from '../../../../src/shared/model/values.ts';

export const HOST = 'n1';
export const GRACE = 1000;

/** A connection as the socket's code drives it. */
export class Connection {
  readonly client: Client;
  readonly decoder: WireDecoder;

  constructor(host: ClientHost) {
    this.client = new Client(host);
    this.decoder = new WireDecoder(this.client);
  }

  /** False: the engine closes the connection. */
  push(bytes: Uint8Array | string): boolean {
    const taken = this.decoder.push(typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes);
    return taken && !this.client.hopeless;
  }

  #send(message: object): this {
    this.push(`${JSON.stringify(message)}\0`);
    return this;
  }

  job(desc: Partial<JobDesc>): this {
    return this.#send({ JobDesc: jobDesc(desc) });
  }

  counter(name: string, doc = ''): this {
    return this.#send({ Desc: { name, doc, ctype: { Counter: { ts: 0, value: 0 } } } });
  }

  gauge(name: string, doc = ''): this {
    return this.#send({ Desc: { name, doc, ctype: { Gauge: { min: 0, max: 0, hits: 0, total: 0 } } } });
  }

  add(name: string, value: number): this {
    return this.#send({ Value: { name, value: { Counter: { ts: 1, value } } } });
  }

  set(name: string, gauge: Gauge | number): this {
    const value = typeof gauge === 'number' ? { min: gauge, max: gauge, hits: 1, total: gauge } : gauge;
    return this.#send({ Value: { name, value: { Gauge: value } } });
  }

  close(): void {
    this.client.close();
  }
}

export const jobDesc = (desc: Partial<JobDesc>): JobDesc => ({ ...bareJob('j'), size: 1, ...desc });

export interface Harness {
  readonly runs: Runs;
  readonly node: Scope;
  readonly stats: IngestStats;
  readonly budget: Budget;
  /** Descriptions as the store was told of them, in order. */
  readonly told: Run[];
  readonly profiles: Profile[];
  connect(): Connection;
  /** The open run of a job id. */
  run(jobid: string): LiveRun;
}

export interface HarnessLimits extends Partial<Limits> {
  readonly maxSeries?: number;
  readonly memoryFull?: () => boolean;
}

export function harness(
  options: Partial<RunsOptions> = {},
  { maxSeries = 2_000_000, memoryFull = () => false, ...limits }: HarnessLimits = {},
): Harness {
  const told: Run[] = [];
  const profiles: Profile[] = [];
  const runs = new Runs({
    grace: GRACE,
    host: HOST,
    interrupted: [],
    now: () => Date.now(),
    onOpen: (run) => told.push(structuredClone(run.describe())),
    onChange: (run) => told.push(structuredClone(run.describe())),
    onEnd(run) {
      profiles.push(run.profile());
      budget.ended(run.scope);
    },
    ...options,
  });
  const node = new Scope(`node/${HOST}`, 'node');
  const budget = new Budget({ limits: { ...DEFAULT_LIMITS, ...limits }, maxSeries, node, memoryFull });
  const stats = new IngestStats();
  return {
    runs,
    node,
    stats,
    budget,
    told,
    profiles,
    connect: () => new Connection({ runs, nodeScope: node, host: HOST, stats, budget, launches: new Launches() }),
    run(jobid) {
      const run = runs.live.get(jobid);
      if (!run) throw new Error(`no open run of ${jobid}`);
      return run;
    },
  };
}

/** Values of a scope by name: a counter's number, a gauge's four. */
export function valuesOf(scope: Scope): Record<string, number | Gauge> {
  scope.settle();
  return Object.fromEntries([
    ...scope.defs('counter').map((def) => [def.name, scope.counters[def.index]!] as const),
    ...scope.defs('gauge').map((def) => [def.name, scope.gauge(def.index)] as const),
  ]);
}
