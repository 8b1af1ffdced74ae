/**
 * Builds the HTTP application; listen.ts listens. Routes are groups, one file and one line here for each.
 */

import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import fastifyWebsocket from '@fastify/websocket';
import fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
} from 'fastify';
import type { z } from 'zod';
import type { AuditEntry } from '../../shared/api/audit.ts';
import { ApiError } from '../../shared/errors.ts';
import type { EngineContext } from '../context.ts';
import { DEFAULT_LIMITS, type Limits } from '../limits.ts';
import { Refusals } from '../refusals.ts';
import { formatSize } from '../../shared/size.ts';
import { registerDiagnosis, type Support } from './api/diagnosis.ts';
import { registerAlarms } from './api/alarms.ts';
import { registerConnections } from './api/connections.ts';
import { registerEngines } from './api/engines.ts';
import { registerAudit } from './api/audit.ts';
import { registerChannels } from './api/channels.ts';
import { registerExports } from './api/exports.ts';
import { registerImports } from './api/imports.ts';
import { registerNames } from './api/names.ts';
import { registerNodes } from './api/nodes.ts';
import { registerOpenApi } from './api/openapi.ts';
import { registerProfileAnalysis } from './api/profile-analysis.ts';
import { registerProfiles } from './api/profiles.ts';
import { registerQuery } from './api/query.ts';
import { registerRanks } from './api/ranks.ts';
import { registerRuns } from './api/runs.ts';
import { registerSeries } from './api/series.ts';
import { registerSilences } from './api/silences.ts';
import { registerStatus } from './api/status.ts';
import { registerStore } from './api/store.ts';
import { registerTargets } from './api/targets.ts';
import { registerTokens } from './api/tokens.ts';
import { watchChanges, type AuditLog } from './audit.ts';
import { Arrivals } from './arrival.ts';
import { checkRole, type Auth, type Identity, type RouteRole } from './auth.ts';
import { registerCompat } from './compat/index.ts';
import { Connections } from './connections.ts';
import { Guard, type Entry } from './guard.ts';
import { registerHealth } from './health.ts';
import { registerLive } from './live.ts';
import { watchMethods } from './methods.ts';
import { registerPage } from './page.ts';

/** A wrong token costs its sender this long, in ms; nobody else waits. */
const FAILURE_DELAY = 250;
/** Messages of live readers: lists of series. */
const LIVE_MESSAGE_LIMIT = 1024 * 1024;
/** The names of a few hundred series stand in a URL. */
const HEADER_LIMIT = 256 * 1024;
/** Live readers have this long to say good-bye when the engine stops, in ms. */
const CLOSE_WITHIN = 500;

/** Routes say who may use them; what says nothing needs the token. */
export interface RouteAccess extends RouteRole {
  /** Anybody: the page, its assets, the health check. No data. */
  public?: true;
  /** A route of the old proxies: open to loopback and the named networks with --compat. */
  compat?: true;
  /** Parameters that the audit log may tell. */
  tells?: readonly string[];
  /** The answer is a file of any size. */
  streams?: true;
  /** The request is. */
  uploads?: true;
  /** The live socket: an upgrade carries no data, the token is asked for behind it. */
  upgrade?: true;
}

/** What the HTTP side holds at the moment. */
export interface HttpLoad {
  /** Connections to the address that is listened on. */
  readonly connections: number;
  /** Bytes of answers not yet taken by their readers. */
  readonly unread: number;
}

declare module 'fastify' {
  interface FastifyInstance {
    load(): HttpLoad;
  }
  interface FastifyContextConfig extends RouteAccess {}
  interface FastifyRequest {
    /** Whose token came with it; null: none that is accepted. */
    identity: Identity | null;
    /** Whom the audit log names, once the request was let in; null: nobody is known. */
    asker: AuditEntry['who'] | null;
  }
  interface FastifySchema {
    /** One line for the API's description. */
    summary?: string;
    /** Not part of the described API. */
    hide?: boolean;
  }
}

export interface AppOptions {
  readonly engine: EngineContext;
  readonly auth: Auth;
  /** Directory of the built page; absent: there is none. */
  readonly page: string | null;
  readonly onError: (error: unknown) => void;
  /** Where changes are noted. */
  readonly audit?: AuditLog;
  readonly limits?: Limits;
  /** Counts what is turned away. */
  readonly refusals?: Refusals;
  /** What the support bundle is made of, beside the engine itself. */
  readonly support?: Support;
  /** Time in ms in which a live reader must send its token; default 10 s. */
  readonly authTimeout?: number;
}

export type App = FastifyInstance;

/**
 * Our own validators and serializer: the default ones would load two JSON schema compilers for nothing. Answers are made
 * from checked values and are only written, not checked again. The types know only the default compilers.
 */
const compilersFactory = {
  buildValidator: () => validator,
  buildSerializer: () => () => JSON.stringify,
} as unknown as NonNullable<NonNullable<FastifyServerOptions['schemaController']>['compilersFactory']>;

/** Checks a part of a request with its zod schema; what a schema converts is what the route sees. */
function validator({ schema }: { schema: z.ZodType }): (data: unknown) => { value: unknown } | { error: ApiError } {
  return (data) => {
    const parsed = schema.safeParse(data);
    if (parsed.success) return { value: parsed.data };
    const detail = parsed.error.issues
      .map((issue) => `${issue.path.join('.') || 'request'}: ${issue.message}`)
      .join('; ');
    return { error: new ApiError('bad_request', detail) };
  };
}

export async function buildApp(options: AppOptions): Promise<App> {
  const { engine, auth, limits = DEFAULT_LIMITS, refusals = new Refusals() } = options;
  const app: App = fastify({
    bodyLimit: limits.request_body,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 1024 },
    schemaController: { compilersFactory },
    // Node knows one for all requests: {@link Arrivals}.
    requestTimeout: 0,
    keepAliveTimeout: limits.keep_alive,
    http: {
      maxHeaderSize: HEADER_LIMIT,
      requestTimeout: 0,
      headersTimeout: limits.request_time,
      connectionsCheckingInterval: Math.min(30_000, limits.request_time / 2),
    },
    clientErrorHandler: (error, socket) => refuseGarbage(error, socket, refusals),
    frameworkErrors(error, _request, reply) {
      setSecurityHeaders(reply);
      return sendProblem(reply, toApiError(error, limits));
    },
  });
  const guard = new Guard(limits, refusals);
  const arrivals = new Arrivals(limits.request_time, (socket, isAnswered) => {
    if (!isAnswered) return refuseGarbage(tooSlow(), socket, refusals);
    refusals.add('request_too_slow');
    socket.destroy();
  });
  arrivals.watch(app.server);
  const connections = new Connections(app.server, limits.http_connections, refusals);
  connections.watch((socket) => auth.isTrusted(socket));
  auth.onProven((socket) => connections.prove(socket));
  app.decorate('load', () => ({ connections: connections.open, unread: guard.unread }));
  app.decorateRequest('identity', null);
  app.decorateRequest('asker', null);
  const otherMethods = watchMethods(app);

  // Before our own hook: it is the one that tells an upgrade from other requests (`request.ws`).
  await app.register(fastifyWebsocket, { options: { maxPayload: LIVE_MESSAGE_LIMIT }, preClose: endConnections });
  app.addHook('onRequest', async (request, reply) => {
    setSecurityHeaders(reply);
    auth.checkOrigin(request.raw);
    const allow = otherMethods(request);
    await authorize(auth, request, guard, allow === null ? request.routeOptions.config : WRONG_METHOD);
    // Before the body is read: nobody will look at it.
    if (allow !== null) {
      reply.header('allow', allow);
      throw new ApiError('method_not_allowed', `${request.method} is not possible here; use ${allow}`);
    }
    if (request.routeOptions.config.changes && request.method === 'GET') changesOnGet(auth, request, reply);
  });
  guard.watch(app);
  // Behind the hook that lets in: nobody else may take that long.
  app.addHook('onRequest', async ({ raw, routeOptions }, reply) => {
    if (routeOptions.config.uploads) arrivals.asFile(raw, reply.raw);
  });
  if (options.audit) watchChanges(app, options.audit);
  app.setErrorHandler((error: FastifyError | ApiError, _request, reply) => {
    const known = toApiError(error, limits);
    if (known.code === 'payload_too_large') refusals.add('request_too_large');
    if (known.code === 'internal') options.onError(error);
    return sendProblem(reply, known);
  });
  app.setNotFoundHandler((request, reply) =>
    sendProblem(
      reply,
      new ApiError('not_found', `nothing is at ${request.method} ${request.url.split('?')[0]!.slice(0, 200)}`),
    ),
  );

  registerOpenApi(app);
  await app.register(
    async (api) => {
      // Who reads this or that will soon ask for history; who looks at the status, perhaps never.
      api.addHook('onRequest', async ({ identity, method, routeOptions }) => {
        if (identity && method === 'GET' && routeOptions.url !== '/api/v1/status') engine.store.wake();
      });
      registerStatus(api, engine);
      registerRuns(api, engine);
      registerRanks(api, engine);
      registerSeries(api, engine);
      registerQuery(api, engine);
      registerNames(api, engine);
      registerNodes(api, engine);
      registerTargets(api, engine);
      registerAlarms(api, engine);
      registerSilences(api, engine);
      registerChannels(api, engine);
      registerConnections(api, engine);
      await registerEngines(api, engine, auth, limits);
      registerDiagnosis(api, engine, { page: options.page, ...options.support });
      registerProfiles(api, engine);
      registerProfileAnalysis(api, engine);
      await registerImports(api, engine);
      registerExports(api, engine);
      registerStore(api, engine);
      registerTokens(api, engine);
      registerAudit(api, engine);
      registerLive(api, engine, auth, options.authTimeout);
    },
    { prefix: '/api/v1' },
  );
  await registerCompat(app, engine);
  registerHealth(app, engine);
  registerPage(app, options.page);
  return app;
}

/** Neither half a request nor a reader that does not answer keeps the engine from stopping. */
function endConnections(this: App, done: () => void): void {
  const { clients } = this.websocketServer;
  for (const client of clients) client.close(1001, 'the engine stops');
  setTimeout(() => {
    for (const client of clients) client.terminate();
  }, CLOSE_WITHIN).unref();
  this.websocketServer.close();
  this.server.closeAllConnections();
  done();
}

/** As Node's server calls it. */
const tooSlow = (): Error & { code: string } =>
  Object.assign(new Error('the request did not arrive in time'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });

/** What came is not HTTP, or has no end. */
function refuseGarbage(error: Error & { code?: string }, socket: Socket, refusals: Refusals): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const slow = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  if (slow) refusals.add('request_too_slow');
  const problem = slow
    ? new ApiError('request_timeout', 'the request did not arrive in time (limits.request_time)')
    : new ApiError('bad_request', `this is not a request that can be read (${error.message})`);
  const body = JSON.stringify(problem.toProblem());
  socket.end(
    `HTTP/1.1 ${slow ? '408 Request Timeout' : '400 Bad Request'}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/** Whoever asks: nothing is changed there, so it is the method that is wrong. */
const WRONG_METHOD: RouteAccess = { reads: true };

/** Why a request is let in, if it is. */
function entryOf(auth: Auth, request: FastifyRequest, config: RouteAccess): Entry {
  request.identity = auth.identify(request.raw);
  if (request.identity) return 'token';
  if (config.public || (config.upgrade && request.ws)) return 'public';
  return config.compat && auth.compatible(request.raw) ? 'compat' : 'refused';
}

async function authorize(auth: Auth, request: FastifyRequest, guard: Guard, config: RouteAccess): Promise<void> {
  const entry = entryOf(auth, request, config);
  // On the engine's own socket the owner talks to themself.
  if (!auth.trusts(request.raw)) guard.enter(request.raw.socket.remoteAddress, entry);
  if (request.identity) {
    request.asker = { by: request.identity.by, name: request.identity.name };
    checkRole(request.identity, request.method, config);
  } else if (entry === 'compat') request.asker = { by: 'compat', name: request.raw.socket.remoteAddress ?? '' };
  if (entry !== 'refused') return;
  if (request.headers.authorization !== undefined) await delay(FAILURE_DELAY, undefined, { ref: false });
  throw new ApiError(
    'unauthorized',
    request.headers.authorization === undefined
      ? 'send the header "Authorization: Bearer TOKEN"; the token is in the token_file that `vigie serve` prints'
      : 'the token was not accepted; read it anew from the token_file that `vigie serve` prints',
  );
}

/** Nothing changes on GET, but where a program that knows nothing else was let in for that. */
function changesOnGet(auth: Auth, request: FastifyRequest, reply: FastifyReply): void {
  if (!auth.compatible(request.raw)) {
    reply.header('allow', 'POST');
    throw new ApiError('method_not_allowed', 'nothing changes on GET; use POST, or start the engine with --compat');
  }
  auth.checkSite(request.raw);
}

function setSecurityHeaders(reply: FastifyReply): void {
  reply.headers({
    'content-security-policy':
      "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; " +
      "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store',
  });
}

function sendProblem(reply: FastifyReply, error: ApiError): FastifyReply {
  if (error.code === 'unauthorized') reply.header('www-authenticate', 'Bearer');
  if (error.code === 'too_many_requests' || error.code === 'overloaded') reply.header('retry-after', '1');
  return reply
    .code(error.status)
    .type('application/problem+json')
    .serializer((payload: unknown) => JSON.stringify(payload))
    .send(error.toProblem());
}

function toApiError(error: FastifyError | ApiError, limits: Limits): ApiError {
  if (error instanceof ApiError) return error;
  if (error.statusCode === 413)
    return new ApiError('payload_too_large', `a request body may have ${formatSize(limits.request_body)} at most`);
  if (error.statusCode === 415) return new ApiError('unsupported_media_type', 'send application/json');
  if (error.statusCode !== undefined && error.statusCode < 500)
    return new ApiError('bad_request', error.message.slice(0, 300));
  return new ApiError('internal', 'the engine made an error; its log says more');
}
