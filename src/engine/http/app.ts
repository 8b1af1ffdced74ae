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
import { ApiError } from '../../shared/errors.ts';
import type { EngineContext } from '../context.ts';
import { registerNodes } from './api/nodes.ts';
import { registerOpenApi } from './api/openapi.ts';
import { registerProfiles } from './api/profiles.ts';
import { registerQuery } from './api/query.ts';
import { registerRuns } from './api/runs.ts';
import { registerSeries } from './api/series.ts';
import { registerStatus } from './api/status.ts';
import type { Auth } from './auth.ts';
import { registerCompatJobs } from './compat/jobs.ts';
import { registerCompatMetrics } from './compat/metrics.ts';
import { registerCompatProfiles } from './compat/profiles.ts';
import { registerLive } from './live.ts';
import { watchMethods } from './methods.ts';
import { registerPage } from './page.ts';

/** A wrong token costs its sender this long, in ms; nobody else waits. */
const FAILURE_DELAY = 250;
const BODY_LIMIT = 1024 * 1024;
/** The names of a few hundred series stand in a URL. */
const HEADER_LIMIT = 256 * 1024;
/** Live readers have this long to say good-bye when the engine stops, in ms. */
const CLOSE_WITHIN = 500;

/** Routes say who may use them; what says nothing needs the token. */
export interface RouteAccess {
  /** Anybody: the page, its assets, the health check. No data. */
  public?: true;
  /** A route of the old proxies: open to loopback with --compat. */
  compat?: true;
  /** The live socket: an upgrade carries no data, the token is asked for behind it. */
  upgrade?: true;
}

declare module 'fastify' {
  interface FastifyContextConfig extends RouteAccess {}
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
  const { engine, auth } = options;
  const app: App = fastify({
    bodyLimit: BODY_LIMIT,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 1024 },
    schemaController: { compilersFactory },
    requestTimeout: 30_000,
    keepAliveTimeout: 65_000,
    http: { maxHeaderSize: HEADER_LIMIT },
    clientErrorHandler: refuseGarbage,
    frameworkErrors(error, _request, reply) {
      setSecurityHeaders(reply);
      return sendProblem(reply, toApiError(error));
    },
  });
  const answerOtherMethods = watchMethods(app);

  // Before our own hook: it is the one that tells an upgrade from other requests (`request.ws`).
  await app.register(fastifyWebsocket, { options: { maxPayload: BODY_LIMIT }, preClose: endConnections });
  app.addHook('onRequest', async (request, reply) => {
    setSecurityHeaders(reply);
    auth.checkOrigin(request.raw);
    await authorize(auth, request);
  });
  app.setErrorHandler((error: FastifyError | ApiError, _request, reply) => {
    const known = toApiError(error);
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
      registerStatus(api, engine);
      registerRuns(api, engine);
      registerSeries(api, engine);
      registerQuery(api, engine);
      registerNodes(api, engine);
      registerProfiles(api, engine);
      registerLive(api, engine, auth, options.authTimeout);
    },
    { prefix: '/api/v1' },
  );
  registerCompatJobs(app, engine);
  registerCompatMetrics(app, engine);
  registerCompatProfiles(app, engine);
  registerPage(app, options.page);
  answerOtherMethods();
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

/** What came is not HTTP, or has no end. */
function refuseGarbage(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const body = JSON.stringify(
    new ApiError('bad_request', `this is not a request that can be read (${error.message})`).toProblem(),
  );
  socket.end(
    'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: application/problem+json\r\n' +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

async function authorize(auth: Auth, request: FastifyRequest): Promise<void> {
  const { config } = request.routeOptions;
  if (config.public || (config.upgrade && request.ws) || auth.authorized(request.raw)) return;
  if (config.compat && auth.compatible(request.raw)) return;
  if (request.headers.authorization !== undefined) await delay(FAILURE_DELAY, undefined, { ref: false });
  throw new ApiError(
    'unauthorized',
    request.headers.authorization === undefined
      ? 'send the header "Authorization: Bearer TOKEN"; the token is in the token_file that `vigie serve` prints'
      : 'the token was not accepted; read it anew from the token_file that `vigie serve` prints',
  );
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
  return reply
    .code(error.status)
    .type('application/problem+json')
    .serializer((payload: unknown) => JSON.stringify(payload))
    .send(error.toProblem());
}

function toApiError(error: FastifyError | ApiError): ApiError {
  if (error instanceof ApiError) return error;
  if (error.statusCode === 413)
    return new ApiError('payload_too_large', `a request body may have ${BODY_LIMIT} bytes at most`);
  if (error.statusCode === 415) return new ApiError('unsupported_media_type', 'send application/json');
  if (error.statusCode !== undefined && error.statusCode < 500)
    return new ApiError('bad_request', error.message.slice(0, 300));
  return new ApiError('internal', 'the engine made an error; its log says more');
}
