/**
 * Engines that are reached through connections: which there are, and requests to them below /api/v1/engines/ID/. While one
 * is not reached its profiles that are here are answered with instead.
 */

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { WebSocket } from 'ws';
import { z } from 'zod';
import { EngineList, type ListedEngine } from '../../../shared/api/connections.ts';
import { ProfileGroupQuery, ProfileListQuery } from '../../../shared/api/profiles.ts';
import { RangeQuery } from '../../../shared/api/query.ts';
import { RunListQuery } from '../../../shared/api/runs.ts';
import { ApiError } from '../../../shared/errors.ts';
import { parseMetric } from '../../../shared/model/metric.ts';
import type { EngineContext } from '../../context.ts';
import type { Limits } from '../../limits.ts';
import type { App } from '../app.ts';
import type { Auth, Identity } from '../auth.ts';
import { searchTerms } from './profiles.ts';
import { refuseToken, serveLive } from '../live.ts';
import { whileAsked } from '../while-asked.ts';

const EngineParams = z.object({ engine: z.string().min(1).max(64) });
type Params = { Params: z.infer<typeof EngineParams> };

function ownEngine(engine: EngineContext): ListedEngine {
  const { version, api, engine: about } = engine.status();
  return {
    ...{ id: about.id, connection: null, name: about.host, host: about.host, group: '', version, api: { ...api } },
    ...{ state: 'up', reason: null, skew: null, profiles: 0 },
  };
}

/** What is behind the engine's id, as it came. */
const restOf = (url: string): string => /^\/api\/v1\/engines\/[^/?]*(\/.*)$/.exec(url)?.[1] ?? '';

export async function registerEngines(app: App, engine: EngineContext, auth: Auth, limits: Limits): Promise<void> {
  app.get(
    '/engines',
    { schema: { summary: 'This engine, and those that connections lead to', response: { 200: EngineList } } },
    async (): Promise<EngineList> => ({
      engines: [ownEngine(engine), ...((await engine.remote.begun())?.connections.engines() ?? [])],
    }),
  );

  app.route({
    method: 'GET',
    url: '/engines/:engine/api/v1/live',
    config: { upgrade: true },
    schema: { hide: true },
    handler: () => {
      throw new ApiError('bad_request', 'this is a WebSocket: ask for an upgrade');
    },
    wsHandler(socket: WebSocket, request: FastifyRequest) {
      const identity = auth.identify(request.raw);
      if (!identity && request.headers.authorization !== undefined) {
        socket.on('error', () => socket.terminate());
        return refuseToken(socket);
      }
      serveLive(socket, auth, {
        ...{ identity, request },
        begin: (who) => passedLive(engine, socket, who, (request.params as { engine: string }).engine),
      });
    },
  });

  await app.register(async (passed) => {
    // Bytes: what is in them is for the engine over there to judge.
    passed.removeAllContentTypeParsers();
    passed.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    passed.route({
      method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
      url: '/engines/:engine/*',
      config: { tells: ['engine', '*'] },
      schema: { summary: 'A request to another engine, below its /api/v1/', params: EngineParams.loose() },
      handler: async (request: FastifyRequest<Params>, reply: FastifyReply) =>
        whileAsked(reply.raw, (signal) => passOn(engine, request, reply, limits, signal)),
    });
  });
}

async function passOn(
  engine: EngineContext,
  request: FastifyRequest<Params>,
  reply: FastifyReply,
  limits: Limits,
  signal: AbortSignal,
): Promise<FastifyReply> {
  const { checkPath, pass } = await import('../../remote/engines/pass.ts');
  const { method, identity } = request;
  const id = request.params.engine;
  const path = restOf(request.raw.url ?? '');
  const role = identity?.role ?? 'view';
  checkPath(method, path, role);
  const { connections } = await engine.remote.load();
  const link = connections.engine(id);
  if (!link) {
    const kept = method === 'GET' ? await keptAnswer(engine, id, path) : undefined;
    if (kept !== undefined) return reply.send(kept);
    throw new ApiError('engine_unavailable', `this engine is not reached now: ${connections.whyNot(id)}`);
  }
  if (path === '/api/v1/whoami') {
    const { whoami } = await import('../../remote/engines/whoami.ts');
    return reply.send(await whoami(link, identity, signal));
  }
  const body = Buffer.isBuffer(request.body) ? request.body : null;
  const { accept } = request.headers;
  const answer = await pass(link, { method, path, role, accept, body }, { size: limits.response_size }, signal);
  reply.code(answer.status);
  if (answer.body === null || answer.type === null) return reply.send();
  reply.type(answer.type);
  if (answer.length !== null) reply.header('content-length', answer.length);
  return reply.send(answer.body);
}

/** From the profiles that were brought here; undefined: it is nothing that is kept. */
async function keptAnswer(engine: EngineContext, id: string, path: string): Promise<unknown> {
  const kept = await import('../../remote/engines/kept.ts');
  const { keptGroups, keptHistory, keptProfile, keptProfiles, keptRun, keptRuns } = kept;
  const url = new URL(path, 'http://engine');
  const [, group = '', run, ...more] = url.pathname.slice('/api/v1'.length).split('/');
  if (more.length > 0) return undefined;
  const parsed = <T>(schema: z.ZodType<T>): T => {
    const query = schema.safeParse(Object.fromEntries(url.searchParams));
    if (!query.success) throw new ApiError('bad_request', 'these are no parameters of this list');
    return query.data;
  };
  if (run === undefined && group === 'runs') return keptRuns(engine.store, id, parsed(RunListQuery));
  if (group === 'profiles' && (run === undefined || run === 'groups')) {
    const { search, ...query } = run ? parsed(ProfileGroupQuery) : parsed(ProfileListQuery);
    const terms = searchTerms(search, engine.now());
    if (run) return keptGroups(engine.store, id, { ...(query as Omit<ProfileGroupQuery, 'search'>), terms });
    return keptProfiles(engine.store, id, { ...(query as Omit<ProfileListQuery, 'search'>), terms });
  }
  if (run === undefined && group === 'query') {
    const query = RangeQuery.safeParse(paramsOf(url));
    // Of anything else than a run nothing is kept: then it is the engine that is missed.
    if (!query.success || !query.data.scope.startsWith('run/')) return undefined;
    return keptHistory(engine.store, id, {
      ...query.data,
      series: query.data.series.map((name) => parseMetric(name).key),
    });
  }
  if (run === undefined) return undefined;
  if (group === 'profiles') return keptProfile(engine.store, id, run);
  return group === 'runs' ? keptRun(engine.store, id, run) : undefined;
}

/** What stands many times is a list. */
const paramsOf = ({ searchParams }: URL): Record<string, string | string[]> =>
  Object.fromEntries(
    [...new Set(searchParams.keys())].map((name) => {
      const all = searchParams.getAll(name);
      return [name, all.length === 1 ? all[0]! : all];
    }),
  );

function passedLive(engine: EngineContext, socket: WebSocket, { role }: Identity, id: string) {
  const ready = (async () => {
    const [{ LivePass }, { connections }] = await Promise.all([
      import('../../remote/engines/pass-live.ts'),
      engine.remote.load(),
    ]);
    const live = new LivePass(socket, role);
    const link = connections.engine(id);
    if (link) void live.open(link);
    else live.fail(connections.whyNot(id));
    return live;
  })();
  ready.catch(() => socket.close(4502, 'no connection leads to this engine'));
  // In the order of the messages: each waits for the same promise.
  const withLive = (use: (live: Awaited<typeof ready>) => void): void => void ready.then(use, () => undefined);
  return {
    handle: (request: Parameters<Awaited<typeof ready>['handle']>[0]) => withLive((live) => live.handle(request)),
    close: () => withLive((live) => live.close()),
  };
}
