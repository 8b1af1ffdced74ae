/**
 * Routes of the old proxies for what this engine does not do: alarms, models, batch queues.
 * They answer as an old proxy does that cannot, in a shape that its readers know. Nothing is changed by any of them.
 */

import type { FastifyReply, FastifyRequest } from 'fastify';
import { MAIN_JOB, NODE_JOB_PREFIX } from '../../../shared/model/job.ts';
import type { EngineContext } from '../../context.ts';
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
  { url: '/alarms/add', post: true, reason: () => 'this engine has no alarms' },
  {
    url: '/alarms/del',
    post: true,
    reason: ({ name }) =>
      oneText(name) === ''
        ? "Missing 'name' GET parameter"
        : `Failed to delete Failed to remove alarm ${oneText(name)}`,
  },
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

export function registerCompatAbsent(app: App, engine: EngineContext): void {
  for (const { url, post, reason } of ROUTES) {
    const handler = async ({ query, body }: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
      const given = typeof body === 'object' && body !== null ? body : (query as Parameters);
      return refuse(reply, reason(given as Parameters));
    };
    app.get(url, compatRoute, handler);
    if (post) app.post(url, compatRoute, handler);
  }

  /** There are none: each job has an empty list. */
  const alarms = async (): Promise<Record<string, never[]>> => {
    const jobids = [MAIN_JOB, `${NODE_JOB_PREFIX}${engine.config.host}`, ...engine.runs.live.keys()];
    // fromEntries makes own properties of any name, `__proto__` too.
    return Object.fromEntries(jobids.map((jobid) => [jobid, []]));
  };
  app.get('/alarms', compatRoute, alarms);
  app.get('/alarms/list', compatRoute, alarms);
  app.get('/alarms/*', compatRoute, async (request, reply) => refuse(reply, request.url.split('?')[0]!));
}
