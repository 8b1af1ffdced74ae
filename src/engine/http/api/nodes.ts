import { NodeList } from '../../../shared/api/nodes.ts';
import type { EngineContext } from '../../context.ts';
import type { App } from '../app.ts';

export function registerNodes(app: App, engine: EngineContext): void {
  const schema = { summary: 'Nodes with metrics', response: { 200: NodeList } };
  app.get('/nodes', { schema }, async (): Promise<NodeList> => {
    const { host } = engine.config;
    const runs = [...engine.runs.live.values()].filter((run) => run.nodes.has(host)).map((run) => run.id);
    return { nodes: [{ host, scope: engine.node.id, series: engine.node.seriesCount, runs }] };
  });
}
