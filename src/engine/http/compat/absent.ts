/**
 * Routes of the old proxies for what this engine does not do: models, batch queues.
 * They answer as an old proxy does that cannot, in a shape that its readers know. Nothing is changed by any of them.
 */

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../app.ts';
import { compatRoute, oneText, refuse } from './answer.ts';

type Parameters = Readonly<Record<string, unknown>>;

/** Why not, from the parameters. */
type Reason = (given: Parameters) => string;

const NO_MODELS = 'this engine fits no models';
const NO_QUEUE = 'this engine does not look at a batch queue';
const NO_FTIO = 'this engine does not run FTIO';

/** Read with GET; those with `post` have parameters in a body too. */
const ROUTES: readonly { readonly url: string; readonly post?: true; readonly reason: Reason }[] = [
  { url: '/model/get', reason: () => NO_MODELS },
  {
    url: '/model/plot',
    post: true,
    reason: ({ metric }) => `Failed to plot No model for metric ${oneText(metric)}`,
  },
  { url: '/model/ftio', reason: () => NO_FTIO },
  { url: '/trace/ftio', reason: () => 'This jobid or metric does not have a ftio model stored' },
  { url: '/ftio/args', reason: () => NO_FTIO },
  { url: '/ftio/logs', reason: () => NO_FTIO },
  { url: '/ftio/port', reason: () => 'FTIO port not set' },
  { url: '/queue/list', reason: () => NO_QUEUE },
  {
    url: '/queue/model',
    reason: ({ job }) => `Failed to retrieve a job with id : ${oneText(job)}`,
  },
];

export function registerCompatAbsent(app: App): void {
  for (const { url, post, reason } of ROUTES) {
    const handler = async ({ query, body }: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
      const given = typeof body === 'object' && body !== null ? body : (query as Parameters);
      return refuse(reply, reason(given as Parameters));
    };
    app.get(url, compatRoute, handler);
    if (post) app.post(url, compatRoute, handler);
  }
}
