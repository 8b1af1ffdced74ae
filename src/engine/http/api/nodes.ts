import type { FastifyRequest } from 'fastify';
import { type Node, NodeList, NodeQuery } from '../../../shared/api/nodes.ts';
import type { Scope } from '../../live/scope.ts';
import type { EngineContext } from '../../context.ts';
import type { App } from '../app.ts';
import { nodeFigures } from './node-figures.ts';
import { pageOf } from './page-of.ts';

/** What a node exporter, or the sources of an engine, have of every machine. */
const OF_NODES = [
  'node_load1',
  'node_memory_MemTotal_bytes',
  'proxy_cpu_load_average_percent',
  'proxy_memory_total_bytes',
];

/** The scope has metrics of a host. Labels may have been added to them. */
function isNode(scope: Scope): boolean {
  if (OF_NODES.some((name) => scope.find(name) !== null)) return true;
  for (const kind of ['gauge', 'counter'] as const) {
    const count = kind === 'gauge' ? scope.gaugeCount : scope.counterCount;
    for (let i = 0; i < count; i++) if (OF_NODES.includes(scope.table.family(kind, i))) return true;
  }
  return false;
}

/** `https://node7:9100/metrics` is about `node7`; a socket, or loopback, about this host. */
function hostOf(url: string, own: string): string {
  const hostname = URL.canParse(url) ? new URL(url).hostname.replace(/^\[(.*)\]$/, '$1') : '';
  return hostname === '' || /^(localhost|127(?:\.\d{1,3}){3}|::1)$/.test(hostname) ? own : hostname;
}

export function registerNodes(app: App, engine: EngineContext): void {
  const schema = { summary: 'Nodes with metrics', querystring: NodeQuery, response: { 200: NodeList } };
  /** A scope's series are only ever appended: one that is a node's stays one. */
  const known = new WeakMap<Scope, { series: number; is: boolean }>();
  const looked = (scope: Scope): boolean => {
    const before = known.get(scope);
    if (before && (before.is || before.series === scope.seriesCount)) return before.is;
    const is = isNode(scope);
    known.set(scope, { series: scope.seriesCount, is });
    return is;
  };

  app.get('/nodes', { schema }, async ({ query }: FastifyRequest<{ Querystring: NodeQuery }>): Promise<NodeList> => {
    const { host } = engine.config;
    const runs = [...engine.runs.live.values()].filter((run) => run.nodes.has(host)).map((run) => run.id);
    const node = (scope: Scope): Pick<Node, 'scope' | 'series' | 'figures'> => ({
      scope: scope.id,
      series: scope.seriesCount,
      figures: nodeFigures(scope),
    });
    const nodes: Node[] = [{ host, ...node(engine.node), runs, target: null }];
    for (const entry of engine.targets.entries()) {
      for (const [below, scope] of entry.scopes) {
        const about = entry.abouts.get(below);
        const named = about?.kind === 'node' ? about.host : null;
        if (about?.kind === 'run' || (named === null && !looked(scope))) continue;
        const of = named ?? entry.record.labels['instance'] ?? hostOf(entry.record.url, host);
        nodes.push({ host: of, ...node(scope), runs: [], target: entry.id });
      }
    }
    // By scope: a host may have several. The own node's is the first.
    nodes.sort((a, b) => (a.scope < b.scope ? -1 : 1));
    const { cursor } = query;
    const page = pageOf(
      nodes,
      query,
      (one) => cursor === undefined || one.scope > cursor,
      (one) => one.scope,
    );
    return { nodes: page.items, ...page.next };
  });
}
