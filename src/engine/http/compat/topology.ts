/** What the old proxies answer about their period, their targets and their tree, and how those are changed. */

import type { AddressInfo } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { MAX_TARGET_PERIOD, MIN_TARGET_PERIOD, type Target } from '../../../shared/api/targets.ts';
import { parseDuration } from '../../../shared/duration.ts';
import type { EngineContext } from '../../context.ts';
import type { Entry } from '../../targets/entry.ts';
import { sshHostOf } from '../../../shared/target-address.ts';
import { parseTargetUrl } from '../../targets/url.ts';
import type { App } from '../app.ts';
import { changingRoute, compatRoute, oneText, refuse, succeed } from './answer.ts';
import { ProxyTree } from './tree.ts';

/** What a proxy looks for before it reads another one's jobs: that there is HTML. */
const PROBE = '<!doctype html>\n<html><title>Metric proxy</title><p>Metric proxy</html>\n';

/** As the old proxies have it, ms. */
const DEFAULT_PERIOD = 5000;
const MOST_AT_ONCE = 1000;

type Parameters = Readonly<Record<string, unknown>>;

const targetsRoute = {
  ...changingRoute,
  config: { ...changingRoute.config, tells: ['to', 'from', 'target', 'period'] },
};

/** Other programs of this machine may join what has a host and a port, not sockets of the engine's owner. */
const isUrl = (text: string): boolean => text.includes('://') || /^unix:/i.test(text);

/** Of a GET they are in the URL, of a POST in either. */
const given = ({ query, body }: FastifyRequest): Parameters => ({
  ...(query as Parameters),
  ...(typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Parameters) : {}),
});

/** `HOST:PORT` of a URL on the list. */
function placeOf(url: string): string {
  try {
    const { hostname, port, socketPath } = parseTargetUrl(url);
    return socketPath ?? `${hostname}:${port}`;
  } catch {
    return url;
  }
}

const TYPES = { prometheus: 'Prometheus', proxy: 'Proxy', vigie: 'Proxy', system: 'System' } as const;

/** A target as their list has it: times in seconds, of proxies the URL that is read. */
function asJoined({ url, type, period, last_scrape }: Target): Parameters {
  const isProxy = (type === 'proxy' || type === 'vigie') && sshHostOf(url) === null;
  return {
    target_url: isProxy ? `http://${placeOf(url)}/job` : url,
    ttype: type === null ? 'Unknown' : TYPES[type],
    period: parseDuration(period) ?? 0,
    last_scrape: Math.floor((last_scrape ?? 0) / 1000),
  };
}

export function registerCompatTopology(app: App, engine: EngineContext): void {
  const { config } = engine;
  const tree = new ProxyTree();

  const self = (): string => {
    const address: AddressInfo | string | null = app.server.address();
    // Where nobody can connect to by TCP there is no port.
    return typeof address === 'object' && address ? `${config.host}:${address.port}` : config.host;
  };

  /** On the list, whatever is written behind its host and port. */
  const joined = (place: string): Entry | null => {
    for (const entry of engine.targets.entries()) if (placeOf(entry.record.url) === place) return entry;
    return null;
  };

  /** Why it could not be added; null: it is on the list. */
  const join = async (to: string, period: number, reply: FastifyReply): Promise<string | null> => {
    if (joined(to)) return null;
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort(new Error('the one who asked has left')));
    try {
      const timeout = Math.max(period, 1000);
      const { probe, error } = await engine.targets.probe({ url: to, timeout, period: timeout }, null, gone.signal);
      if (!probe) {
        // Their words where nothing answers, ours where something does.
        return error?.kind === 'refused' ? error.message : `Failed to determine type of ${to}`;
      }
      const origin = { kind: 'hand', name: '' } as const;
      engine.targets.add(
        { url: probe.url.href, type: probe.type === 'system' ? undefined : probe.type, period },
        origin,
      );
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };

  const change = (url: string, handler: (given: Parameters, reply: FastifyReply) => unknown): void => {
    const handle = async (request: FastifyRequest, reply: FastifyReply) => handler(given(request), reply);
    app.get(url, targetsRoute, handle);
    app.post(url, targetsRoute, handle);
  };

  app.get('/period', compatRoute, async () => succeed(String(config.periodMs)));

  app.get('/topo', compatRoute, async () => {
    const pairs = tree.pairs();
    for (const { record } of engine.targets.entries()) {
      const place = placeOf(record.url);
      const isProxy = record.type === 'proxy' || record.type === 'vigie';
      if (isProxy && tree.parentOf(place) === null) pairs.push([self(), place]);
    }
    return pairs.length > 0 ? pairs : [[self(), self()]];
  });

  app.get('/join/list', compatRoute, async () => {
    const targets = [...engine.targets.list()].filter(({ paused, type }) => type !== 'system' || !paused);
    return targets.map(asJoined);
  });

  change('/join', async (parameters, reply) => {
    const to = oneText(parameters['to']);
    if (to === '') return refuse(reply, 'No to parameter passed');
    if (isUrl(to)) return refuse(reply, 'To should not be an URL (with http://) but host:port');
    const reason = await join(to, periodOf(parameters['period']), reply);
    return reason === null
      ? succeed(`Added ${to} for scraping`)
      : refuse(reply, `Failed to add ${to} for scraping : ${reason}`);
  });

  change('/join/multiple', async (parameters, reply) => {
    const list = placesIn(parameters['to'] ?? parameters['targets']);
    if (list.length === 0) return refuse(reply, 'No to parameter passed');
    if (list.length > MOST_AT_ONCE) return refuse(reply, `At most ${MOST_AT_ONCE} at once`);
    if (list.some(isUrl)) return refuse(reply, 'To should not be an URL (with http://) but host:port');
    const period = periodOf(parameters['period']);
    const reasons = await Promise.all(list.map(async (to) => [to, await join(to, period, reply)] as const));
    const failed = reasons.filter(([, reason]) => reason !== null);
    if (failed.length === 0) return succeed(`Added ${list.join(', ')} for scraping`);
    return refuse(reply, failed.map(([to, reason]) => `Failed to add ${to} for scraping : ${reason}`).join('; '));
  });

  app.get('/join/*', compatRoute, async (request, reply) => refuse(reply, request.url.split('?')[0]!));

  change('/pivot', (parameters, reply) => {
    const from = oneText(parameters['from']);
    if (from === '') return refuse(reply, 'No from parameter passed');
    if (isUrl(from)) return refuse(reply, 'From should not be an URL (with http://) but host:port');
    const parent = tree.parentFor(from, self());
    return parent === null ? refuse(reply, 'Did not match any server') : succeed(parent);
  });

  /** Takes a child out of the tree, and off the list when it is this engine's. */
  const takeOut = (parent: string, child: string): boolean => {
    const wasChild = tree.remove(parent, child);
    const entry = parent === self() ? joined(child) : null;
    if (entry?.record.origin.kind === 'hand') engine.targets.remove(entry.id);
    return wasChild || entry !== null;
  };

  change('/leave', (parameters, reply) => {
    const from = oneText(parameters['from']);
    if (from === '') return refuse(reply, 'No from parameter passed');
    const parent = tree.parentOf(from);
    if (parent === null) return succeed(`Node ${from} not tracked in TBON`);
    takeOut(parent, from);
    return succeed(`Node ${from} removed from TBON`);
  });

  change('/remove', (parameters, reply) => {
    const [from, target] = [oneText(parameters['from']), oneText(parameters['target'])];
    if (from !== self() && !tree.knows(from)) return refuse(reply, `No such from client ${from}`);
    if (takeOut(from, target)) return succeed('Unresponsive node removed!');
    return refuse(reply, `No such target client ${target}`);
  });

  change('/disconnect', (parameters, reply) => {
    const target = oneText(parameters['target']);
    const entry = joined(target);
    const url = `http://${target}/job`;
    if (!entry || entry.record.origin.kind !== 'hand') {
      return refuse(reply, `Failed to remove ${url}: No such scrape ${url} to remove`);
    }
    engine.targets.remove(entry.id);
    return succeed(`Removed ${url}`);
  });

  app.get('/is_admire_proxy.html', compatRoute, async (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(PROBE),
  );
}

/** Milliseconds; what a target cannot have is brought to what is next to it. */
function periodOf(value: unknown): number {
  const ms = Number(oneText(typeof value === 'number' ? String(value) : value) || DEFAULT_PERIOD);
  return Number.isFinite(ms) && ms > 0 ? Math.min(MAX_TARGET_PERIOD, Math.max(MIN_TARGET_PERIOD, ms)) : DEFAULT_PERIOD;
}

/** `to` again and again, a list with commas, or a list in a body. */
const placesIn = (value: unknown): string[] =>
  [value]
    .flat()
    .filter((one): one is string => typeof one === 'string')
    .flatMap((one) => one.split(','))
    .map((one) => one.trim())
    .filter((one) => one !== '');
