/** Nodes as the list shows them: what is known of each, rates from two looks at it, order and search. */

import type { Node, NodeFigures } from '../../../shared/api/nodes.ts';

/** Looks kept per node for its lines. */
export const TRAIL = 60;

export interface NodeRow {
  readonly node: Node;
  /** 0 to 1; null: not known, or not yet. */
  readonly cpu: number | null;
  readonly memory: number | null;
  readonly load: number | null;
  /** Load per core, which compares nodes of different sizes. */
  readonly pressure: number | null;
  /** Bytes per second. */
  readonly received: number | null;
  readonly sent: number | null;
  /** Time of the figures of the first look, ms since the epoch: what was before is history. Null: not known. */
  readonly since: number | null;
  /** The last looks, oldest first. */
  readonly trail: Readonly<Record<NodeMetric, readonly (number | null)[]>>;
}

export const NODE_METRICS = ['cpu', 'memory', 'pressure', 'network'] as const;
export type NodeMetric = (typeof NODE_METRICS)[number];

export const METRIC_NAMES: Readonly<Record<NodeMetric, string>> = {
  cpu: 'CPU',
  memory: 'Memory',
  pressure: 'Load per core',
  network: 'Network',
};

const NO_TRAIL: NodeRow['trail'] = { cpu: [], memory: [], pressure: [], network: [] };

const share = (part: number | null, whole: number | null): number | null =>
  part === null || whole === null || whole <= 0 ? null : Math.max(0, Math.min(1, part / whole));

/** Growth per second between two looks; null while it is not known, and after a restart. */
function rate(before: NodeFigures, now: NodeFigures, name: 'received' | 'sent' | 'cpu_idle' | 'cpu_busy') {
  const [a, b] = [before[name], now[name]];
  const seconds = ((now.time ?? 0) - (before.time ?? 0)) / 1000;
  if (a === null || b === null || before.time === null || seconds <= 0 || b < a) return null;
  return (b - a) / seconds;
}

/** One look at a node after another. Where nothing was measured since, rates stay what they were. */
export function nextRow(before: NodeRow | undefined, node: Node): NodeRow {
  const now = node.figures;
  const old = before?.node.figures ?? null;
  const fresh = now !== null && old !== null && now.time !== old.time;
  let [cpu, received, sent] = [before?.cpu ?? null, before?.received ?? null, before?.sent ?? null];
  if (now === null) cpu = received = sent = null;
  else if (fresh) {
    const [idle, busy] = [rate(old, now, 'cpu_idle'), rate(old, now, 'cpu_busy')];
    cpu = idle === null || busy === null ? null : share(busy, idle + busy);
    received = rate(old, now, 'received');
    sent = rate(old, now, 'sent');
  }
  const memory = share(now?.memory_used ?? null, now?.memory_total ?? null);
  const load = now?.load ?? null;
  const cores = now?.cores ?? null;
  const pressure = load === null || cores === null || cores <= 0 ? null : load / cores;
  const trail = before?.trail ?? NO_TRAIL;
  const add = (name: NodeMetric, value: number | null): readonly (number | null)[] =>
    // A line begins with the first value that is known: a rate is only after two looks.
    (before && !fresh) || (trail[name].length === 0 && value === null)
      ? trail[name]
      : [...trail[name], value].slice(-TRAIL);
  const network = received === null && sent === null ? null : (received ?? 0) + (sent ?? 0);
  return {
    ...{ node, cpu, memory, load, pressure, received, sent },
    since: before ? before.since : (now?.time ?? null),
    trail: {
      cpu: add('cpu', cpu),
      memory: add('memory', memory),
      pressure: add('pressure', pressure),
      network: add('network', network),
    },
  };
}

/** All nodes of an answer, with what is known of them from the one before. */
export function nextRows(before: ReadonlyMap<string, NodeRow>, nodes: readonly Node[]): Map<string, NodeRow> {
  return new Map(nodes.map((node) => [node.scope, nextRow(before.get(node.scope), node)]));
}

export const NODE_SORTS = ['host', 'cpu', 'memory', 'load', 'pressure', 'received', 'sent', 'series'] as const;
export type NodeSort = (typeof NODE_SORTS)[number];

export interface NodeQuery {
  readonly search: string;
  readonly sort: NodeSort;
  readonly descending: boolean;
}

/** Hosts with numbers in their names in the order of the numbers. */
const byName = new Intl.Collator('en', { numeric: true });

/** Rows in the order to be shown; what is not known comes last in any order. */
export function selectNodes(rows: Iterable<NodeRow>, { search, sort, descending }: NodeQuery): NodeRow[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const value = (row: NodeRow): number | null =>
    sort === 'host' ? null : sort === 'series' ? row.node.series : row[sort];
  const sign = descending ? -1 : 1;
  return [...rows]
    .filter(({ node }) => words.every((word) => `${node.host}\n${node.scope}`.toLowerCase().includes(word)))
    .sort((a, b) => {
      const name = byName.compare(a.node.host, b.node.host) || byName.compare(a.node.scope, b.node.scope);
      if (sort === 'host') return sign * name;
      const [x, y] = [value(a), value(b)];
      if (x === null || y === null) return x === y ? name : x === null ? 1 : -1;
      return sign * (x - y) || name;
    });
}

/** Where a node's charts are: its own page, or that of the target it comes with. */
export function nodePath({ host, target }: Pick<Node, 'host' | 'target'>): string {
  return target === null ? `/ui/node/${encodeURIComponent(host)}` : `/ui/targets/${encodeURIComponent(target)}`;
}
