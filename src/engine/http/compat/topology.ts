/**
 * What the old proxies answer about their period, their targets and their tree, for an engine that stands alone: it
 * scrapes nobody and has no children.
 */

import type { AddressInfo } from 'node:net';
import type { FastifyRequest } from 'fastify';
import type { EngineContext } from '../../context.ts';
import type { App } from '../app.ts';
import { compatRoute, oneText, refuse, succeed } from './answer.ts';

/** What a proxy looks for before it reads another one's jobs: that there is HTML. */
const PROBE = '<!doctype html>\n<html><title>Metric proxy</title><p>Metric proxy</html>\n';

type Query = FastifyRequest<{ Querystring: Readonly<Record<string, unknown>> }>;

/** When the node's sources were last read, ms since the epoch; 0: never. Some number of a node changes at every tick. */
function lastSample({ node }: EngineContext): number {
  let last = 0;
  for (let i = 0; i < node.counterCount; i++) last = Math.max(last, node.counterChanged[i]!);
  for (let i = 0; i < node.gaugeCount; i++) last = Math.max(last, node.gaugeChanged[i]!);
  return last;
}

export function registerCompatTopology(app: App, engine: EngineContext): void {
  const { config } = engine;

  app.get('/period', compatRoute, async () => succeed(String(config.periodMs)));

  app.get('/topo', compatRoute, async () => {
    const address: AddressInfo | string | null = app.server.address();
    // Where nobody can connect to by TCP there is no port.
    const self = typeof address === 'object' && address ? `${config.host}:${address.port}` : config.host;
    return [[self, self]];
  });

  app.get('/join/list', compatRoute, async () =>
    config.node
      ? [
          {
            target_url: '/system',
            ttype: 'System',
            period: config.periodMs,
            last_scrape: Math.floor(lastSample(engine) / 1000),
          },
        ]
      : [],
  );
  app.get('/join/*', compatRoute, async (request, reply) => refuse(reply, request.url.split('?')[0]!));

  app.get('/leave', compatRoute, async ({ query }: Query, reply) => {
    const from = oneText(query['from']);
    return from === '' ? refuse(reply, 'No from parameter passed') : succeed(`Node ${from} not tracked in TBON`);
  });
  app.get('/remove', compatRoute, async ({ query }: Query, reply) =>
    refuse(reply, `No such from client ${oneText(query['from'])}`),
  );
  app.get('/disconnect', compatRoute, async ({ query }: Query, reply) => {
    const url = `http://${oneText(query['target'])}/job`;
    return refuse(reply, `Failed to remove ${url}: No such scrape ${url} to remove`);
  });

  app.get('/is_admire_proxy.html', compatRoute, async (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(PROBE),
  );
}
