import type { FastifyRequest } from 'fastify';
import { NodeList, NodeQuery } from '../../../shared/api/nodes.ts';
import type { EngineContext } from '../../context.ts';
import type { App } from '../app.ts';
import { pageOf } from './page-of.ts';

export function registerNodes(app: App, engine: EngineContext): void {
  const schema = { summary: 'Nodes with metrics', querystring: NodeQuery, response: { 200: NodeList } };
  app.get('/nodes', { schema }, async ({ query }: FastifyRequest<{ Querystring: NodeQuery }>): Promise<NodeList> => {
    const { host } = engine.config;
    const runs = [...engine.runs.live.values()].filter((run) => run.nodes.has(host)).map((run) => run.id);
    const nodes = [{ host, scope: engine.node.id, series: engine.node.seriesCount, runs }];
    const { cursor } = query;
    const page = pageOf(
      nodes,
      query,
      (node) => cursor === undefined || node.host > cursor,
      (node) => node.host,
    );
    return { nodes: page.items, ...page.next };
  });
}
