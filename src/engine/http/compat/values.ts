/**
 * /push, /set and /accumulate of the old proxies: counters that scripts keep over HTTP. They count into the node, as
 * clients without a job do, and only these routes can change them: what programs and the kernel count is not theirs.
 */

import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { parseMetric } from '../../../shared/model/metric.ts';
import type { EngineContext } from '../../context.ts';
import { MAX_DOC } from '../../ingest/messages.ts';
import { Contributor } from '../../live/contributor.ts';
import type { App } from '../app.ts';
import { changingRoute, refuse, succeed } from './answer.ts';

/** Clients of the old proxy send numbers as text. */
const Text = z.string().regex(/^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i);
const Value = z
  .union([Text, z.number()], 'must be a number')
  .transform(Number)
  .pipe(z.number('must be a number').nonnegative('must not be negative: a counter only grows'));
const Key = z.string('is missing').min(1, 'must not be empty');
const Push = z.object({ key: Key, doc: z.string().default('') });
const Change = z.object({ key: Key, value: Value });

/** The parameters of a GET, or of a POST: its body, or what stands in the URL when it has none. */
function parametersOf({ body, query }: FastifyRequest): unknown {
  return body === undefined || body === null ? query : body;
}

/** What was pushed over HTTP, by canonical key: the place in the contributor. */
class PushedCounters {
  readonly #engine: EngineContext;
  readonly #places = new Map<string, number>();
  #contributor: Contributor | null = null;

  constructor(engine: EngineContext) {
    this.#engine = engine;
  }

  /** Why it cannot be, or null. Pushing a counter again changes nothing. */
  push(name: string, doc: string): string | null {
    const { node, config, budget } = this.#engine;
    const full = budget.refuseSeries(node, name);
    if (full) return full;
    const registered = node.register(name, doc.slice(0, MAX_DOC).toWellFormed(), 'counter');
    if ('refused' in registered) return registered.refused;
    this.#contributor ??= new Contributor(node, 0, config.host);
    const { key } = parseMetric(name);
    if (!this.#places.has(key)) this.#places.set(key, this.#contributor.addCounter(registered.index));
    return null;
  }

  find(name: string): number | undefined {
    return this.#places.get(parseMetric(name).key);
  }

  /** False when it has no finite sum. */
  set(place: number, total: number): boolean {
    const contributor = this.#contributor!;
    const others = contributor.scope.counters[contributor.counterMap[place]!]! - contributor.counters[place]!;
    if (!Number.isFinite(others + total)) return false;
    contributor.setTotal(place, total);
    return true;
  }

  increase(place: number, by: number): boolean {
    return this.#contributor!.increase(place, by);
  }
}

const wrong = (reply: FastifyReply, error: z.ZodError): FastifyReply =>
  refuse(
    reply,
    `Error parsing parameters: ${error.issues.map(({ path, message }) => [...path, message].join(' ')).join('; ')}`,
  );

export function registerCompatValues(app: App, engine: EngineContext): void {
  const pushed = new PushedCounters(engine);

  const push = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const parsed = Push.safeParse(parametersOf(request));
    if (!parsed.success) return wrong(reply, parsed.error);
    const { key, doc } = parsed.data;
    const refused = pushed.push(key, doc);
    return refused === null ? succeed('push') : refuse(reply, `${key.slice(0, 200)} is not taken: ${refused}`);
  };

  const changing =
    (done: string, missing: string, change: (place: number, value: number) => boolean) =>
    async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
      const parsed = Change.safeParse(parametersOf(request));
      if (!parsed.success) return wrong(reply, parsed.error);
      const { key, value } = parsed.data;
      const place = pushed.find(key);
      if (place === undefined) return refuse(reply, `No such key ${key.slice(0, 200)} cannot ${missing} it`);
      return change(place, value) ? succeed(done) : refuse(reply, 'the sum would be no number any more');
    };

  const routes = [
    ['/push', push],
    ['/set', changing('set', 'set', (place, value) => pushed.set(place, value))],
    ['/accumulate', changing('inc', 'accumulate', (place, value) => pushed.increase(place, value))],
  ] as const;
  for (const [url, handler] of routes) {
    app.get(url, changingRoute, handler);
    app.post(url, changingRoute, handler);
  }
}
