/**
 * How each engine is, for the page with all of them. Each is asked in turn, a few at a time, and only while somebody looks;
 * one that does not answer holds up none of the others.
 */

import type { StateCounts } from '../../shared/api/alarms.ts';
import type { ListedEngine } from '../../shared/api/connections.ts';
import type { Node } from '../../shared/api/nodes.ts';
import type { Run } from '../../shared/api/runs.ts';
import type { Status } from '../../shared/api/status.ts';
import type { Api } from './api.ts';

/** Engines that are asked at once. */
const AT_ONCE = 4;
const EVERY_MS = 5000;
/** Lists of nodes are long, and what is here of an engine that is away hardly changes. */
const SELDOM_MS = 30_000;
const ANSWER_WITHIN_MS = 10_000;

/** Sums over the nodes of an engine; null: its nodes do not say it. */
export interface NodeSums {
  readonly hosts: number;
  /** There are more nodes than were asked for. */
  readonly more: boolean;
  /** Sum of the load averages, and of the cores. */
  readonly load: number | null;
  readonly cores: number | null;
  /** Bytes. */
  readonly memoryUsed: number | null;
  readonly memoryTotal: number | null;
}

export interface Summary {
  /** When it last answered, on this machine's clock, ms since the epoch; null: not since this page was opened. */
  readonly asOf: number | null;
  readonly status: Pick<Status, 'runs' | 'targets' | 'version' | 'time' | 'warnings'> | null;
  readonly alarms: StateCounts | null;
  readonly nodes: NodeSums | null;
  /** The run that ended last. */
  readonly last: Run | null;
  /** Why it did not answer; null: it did, or was not asked. */
  readonly problem: string | null;
}

export const NOTHING_KNOWN: Summary = {
  asOf: null,
  status: null,
  alarms: null,
  nodes: null,
  last: null,
  problem: null,
};

const sumOf = (values: readonly (number | null)[]): number | null => {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
};

/** A host that several scopes tell of counts once. */
export function sumNodes(nodes: readonly Node[], more: boolean): NodeSums {
  const hosts = new Map<string, Node['figures']>();
  for (const { host, figures } of nodes)
    hosts.set(host, typeof figures?.load === 'number' ? figures : (hosts.get(host) ?? figures));
  // Of a share both halves are needed.
  const all = [...hosts.values()].filter((figures) => figures !== null);
  const loaded = all.filter(({ load, cores }) => load !== null && cores !== null);
  const filled = all.filter(({ memory_used: used, memory_total: total }) => used !== null && total !== null);
  return {
    ...{ hosts: hosts.size, more },
    load: sumOf(loaded.map(({ load }) => load)),
    cores: sumOf(loaded.map(({ cores }) => cores)),
    memoryUsed: sumOf(filled.map((figures) => figures.memory_used)),
    memoryTotal: sumOf(filled.map((figures) => figures.memory_total)),
  };
}

export type ClusterApi = Pick<Api, 'status' | 'alarmCounts' | 'someNodes' | 'lastRun'>;

export class SummariesModel {
  readonly #open: (engine: ListedEngine) => ClusterApi;
  readonly #listeners = new Set<() => void>();
  #snapshot: ReadonlyMap<string, Summary> = new Map();
  #engines: readonly ListedEngine[] = [];
  readonly #due = new Map<string, { next: number; seldom: number; state: string }>();
  readonly #asking = new Set<string>();
  readonly #closed = new AbortController();
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(open: (engine: ListedEngine) => ClusterApi) {
    this.#open = open;
  }

  readonly snapshot = (): ReadonlyMap<string, Summary> => this.#snapshot;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** These are on the list now. */
  follow(engines: readonly ListedEngine[]): void {
    this.#engines = engines;
    const ids = new Set(engines.map(({ id }) => id));
    if ([...this.#snapshot.keys()].some((id) => !ids.has(id))) {
      this.#snapshot = new Map([...this.#snapshot].filter(([id]) => ids.has(id)));
    }
    for (const id of this.#due.keys()) if (!ids.has(id)) this.#due.delete(id);
    this.#look();
  }

  close(): void {
    this.#closed.abort();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#listeners.clear();
  }

  readonly #look = (): void => {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#closed.signal.aborted) return;
    const now = Date.now();
    const waiting = this.#engines.filter(({ id, state }) => {
      const due = this.#due.get(id);
      return !this.#asking.has(id) && (due === undefined || due.next <= now || due.state !== state);
    });
    // Who has waited longest comes first.
    waiting.sort((a, b) => (this.#due.get(a.id)?.next ?? 0) - (this.#due.get(b.id)?.next ?? 0));
    if (!document.hidden) {
      for (const engine of waiting.slice(0, AT_ONCE - this.#asking.size)) void this.#ask(engine, now);
    }
    this.#timer = setTimeout(this.#look, 500);
  };

  async #ask(engine: ListedEngine, now: number): Promise<void> {
    const { id, state } = engine;
    const due = this.#due.get(id);
    const seldom = due === undefined || due.seldom <= now || due.state !== state;
    const isUp = engine.connection === null || state === 'up';
    this.#asking.add(id);
    const signal = AbortSignal.any([this.#closed.signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]);
    const before = this.#snapshot.get(id) ?? NOTHING_KNOWN;
    const after = await askOne(this.#open(engine), before, { isUp, seldom, signal });
    this.#asking.delete(id);
    if (this.#closed.signal.aborted || !this.#engines.some((one) => one.id === id)) return;
    const next = Date.now() + (isUp ? EVERY_MS : SELDOM_MS);
    this.#due.set(id, { next, seldom: seldom ? Date.now() + SELDOM_MS : due.seldom, state });
    this.#snapshot = new Map(this.#snapshot).set(id, after);
    for (const listener of this.#listeners) listener();
    this.#look();
  }
}

interface Asked {
  readonly isUp: boolean;
  readonly seldom: boolean;
  readonly signal: AbortSignal;
}

/** Never rejects: what was known stays, with why nothing newer is. */
async function askOne(api: ClusterApi, before: Summary, { isUp, seldom, signal }: Asked): Promise<Summary> {
  if (!isUp) {
    // Of what is kept here.
    const last = await api.lastRun(signal).catch(() => before.last);
    return { ...before, last, problem: null };
  }
  try {
    const [status, alarms, last, nodes] = await Promise.all([
      api.status(signal),
      api.alarmCounts(signal),
      api.lastRun(signal),
      seldom ? api.someNodes(signal) : null,
    ]);
    const sums = nodes ? sumNodes(nodes.nodes, (nodes.next ?? null) !== null) : before.nodes;
    return { asOf: Date.now(), status, alarms, last, nodes: sums, problem: null };
  } catch (error) {
    const slow = signal.aborted;
    const why = slow ? 'it did not answer in time' : error instanceof Error ? error.message : String(error);
    return { ...before, problem: why };
  }
}

export interface ClusterRow {
  readonly engine: ListedEngine;
  readonly summary: Summary;
}

export const CLUSTER_SORTS = ['given', 'name', 'jobs', 'nodes', 'firing', 'load', 'ended'] as const;
export type ClusterSort = (typeof CLUSTER_SORTS)[number];

/** Share of its cores that its load takes, 0.5 for half; null: not known. */
export const loadShare = ({ nodes }: Summary): number | null =>
  nodes !== null && nodes.load !== null && nodes.cores !== null && nodes.cores > 0 ? nodes.load / nodes.cores : null;

const NUMBERS: Readonly<Record<Exclude<ClusterSort, 'given' | 'name'>, (summary: Summary) => number | null>> = {
  jobs: ({ status }) => status?.runs.live ?? null,
  nodes: ({ nodes }) => nodes?.hosts ?? null,
  firing: ({ alarms }) => alarms?.firing ?? null,
  load: loadShare,
  ended: ({ last }) => last?.end_time ?? null,
};

const byName = new Intl.Collator('en', { numeric: true });

/** In order; what is not known comes last. `given`: as the list has them. */
export function sortClusters(rows: readonly ClusterRow[], sort: ClusterSort, descending: boolean): ClusterRow[] {
  const sign = descending ? -1 : 1;
  if (sort === 'given') return [...rows];
  if (sort === 'name') return [...rows].sort((a, b) => sign * byName.compare(a.engine.name, b.engine.name));
  const read = NUMBERS[sort];
  return [...rows].sort((a, b) => {
    const [x, y] = [read(a.summary), read(b.summary)];
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    return sign * (x - y);
  });
}
