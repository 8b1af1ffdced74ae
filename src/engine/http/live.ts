/** The live socket, /api/v1/live: the WebSocket around live/hub.ts. Its messages are described in docs/protocol.md. */

import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyRequest } from 'fastify';
import type { WebSocket } from 'ws';
import { LiveRequest, MAX_SUBSCRIPTIONS, type LiveEvent } from '../../shared/api/live.ts';
import { API_VERSION } from '../../shared/api/status.ts';
import { ApiError, type ErrorCode } from '../../shared/errors.ts';
import type { EngineContext } from '../context.ts';
import { Subscription, type Reader } from '../live/hub.ts';
import type { Role } from '../../shared/model/role.ts';
import { describeSeries, type SeriesDef } from '../../shared/model/series.ts';
import type { Auth, Identity } from './auth.ts';
import { AlarmsTopic } from './alarms-topic.ts';
import type { App } from './app.ts';
import { replay, type ReplayTarget } from './replay.ts';
import { ConnectionsTopic, PromptsTopic } from './connections-topic.ts';
import { RunsTopic } from './runs-topic.ts';
import { TargetsTopic } from './targets-topic.ts';

/** A reader with more than this unsent, in bytes, is behind and gets no frame this tick. */
const BEHIND = 1024 * 1024;
/** Of a reader with more than this unsent no request is taken until it has read: only answers grow without a limit. */
const FULL = 16 * 1024 * 1024;
/** Such a reader that takes nothing for this long, in ms, is disconnected. */
const STALLED = 10_000;
/** A browser must send its token within this time, in ms. */
const AUTH_TIMEOUT = 10_000;
/** A reader that is sent series or stored frames is looked at this often while it is behind, in ms. */
const DRAIN_POLL = 20;
const PING_EVERY = 30_000;

export function registerLive(app: App, engine: EngineContext, auth: Auth, authTimeout: number = AUTH_TIMEOUT): void {
  app.route({
    method: 'GET',
    url: '/live',
    config: { upgrade: true },
    schema: { hide: true },
    handler: () => {
      throw new ApiError('bad_request', 'this is a WebSocket: ask for an upgrade');
    },
    wsHandler(socket: WebSocket, request: FastifyRequest) {
      const identity = auth.identify(request.raw);
      // Who sends a token in the header will not send another one.
      if (!identity && request.headers.authorization !== undefined) {
        socket.on('error', () => socket.terminate());
        refuseToken(socket);
      } else {
        const begin = (who: Identity): LiveSession => new Session(socket, engine, who.role);
        serveLive(socket, auth, { identity, authTimeout, request, begin });
      }
    },
  });
}

export function refuseToken(socket: WebSocket): void {
  refuse(socket, null, 'unauthorized', 'the token was not accepted; read it anew from the token file');
  socket.close(4401, 'token not accepted');
}

/** What serves a reader from the moment that it is known who it is. */
export interface LiveSession {
  handle(request: Exclude<LiveRequest, { type: 'auth' }>): void;
  close(): void;
}

export interface LiveService {
  /** Null: the token comes in the first message. */
  readonly identity: Identity | null;
  /** Time for that, ms; default 10 s. */
  readonly authTimeout?: number | undefined;
  readonly request: FastifyRequest;
  readonly begin: (who: Identity) => LiveSession;
}

/** Lets a reader in, and looks after its socket until it is closed. */
export function serveLive(
  socket: WebSocket,
  auth: Auth,
  { identity, authTimeout = AUTH_TIMEOUT, request, begin: open }: LiveService,
): void {
  let session: LiveSession | null = null;
  let forget = (): void => undefined;
  const begin = (who: Identity): void => {
    session = open(who);
    forget = auth.onRevoked(who, () => refuseToken(socket));
  };
  if (identity) begin(identity);
  const timeout = setTimeout(() => {
    if (!session) socket.close(4401, 'no token');
  }, authTimeout);
  let alive = true;
  const ping = setInterval(() => {
    if (socket.isPaused) {
      // Its answer to the ping is held back too.
      alive = true;
      return;
    }
    if (!alive) return socket.terminate();
    alive = false;
    socket.ping();
  }, PING_EVERY);
  socket.on('pong', () => (alive = true));
  socket.on('error', () => socket.terminate());
  socket.on('close', () => {
    clearTimeout(timeout);
    clearInterval(ping);
    forget();
    session?.close();
  });
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    // Refused, and told so.
    if (socket.readyState !== socket.OPEN) return;
    const message = isBinary ? null : readRequest(data.toString('utf8'));
    if (!message)
      return refuse(socket, null, 'bad_request', 'messages are JSON objects of the kinds that docs/protocol.md names');
    if (message.type === 'auth') {
      if (session) return;
      const who = auth.identifyToken(request.raw, message.token);
      if (who) begin(who);
      else refuseToken(socket);
    } else if (session) session.handle(message);
    else refuse(socket, null, 'unauthorized', 'the first message must be {"type":"auth","token":…}');
  });
}

function readRequest(text: string): LiveRequest | null {
  try {
    return LiveRequest.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

function send(socket: WebSocket, event: LiveEvent): void {
  if (socket.readyState !== socket.OPEN) return;
  socket.send(JSON.stringify(event));
  if (socket.bufferedAmount > FULL && !socket.isPaused) holdBack(socket);
}

/** Takes no more requests until the reader has caught up; cuts it off when it stands still. */
function holdBack(socket: WebSocket): void {
  socket.pause();
  let unsent = socket.bufferedAmount;
  let since = performance.now();
  const timer = setInterval(() => {
    const now = socket.bufferedAmount;
    if (now < BEHIND) {
      clearInterval(timer);
      socket.resume();
    } else if (now < unsent) {
      unsent = now;
      since = performance.now();
    } else if (performance.now() - since > STALLED) {
      clearInterval(timer);
      socket.terminate();
    }
  }, DRAIN_POLL);
  socket.once('close', () => clearInterval(timer));
}

function refuse(socket: WebSocket, id: number | null, code: ErrorCode, detail: string): void {
  send(socket, { type: 'error', id, code, detail });
}

/** What can be watched beside scopes. Tells what is new since it was asked last; null: nothing. */
interface Topic {
  next(): LiveEvent | null;
}

type LiveTopic = Extract<LiveRequest, { type: 'watch' }>['topic'];

const TOPICS: Readonly<
  Record<Exclude<LiveTopic, 'status' | 'alarms' | 'notifications'>, new (engine: EngineContext) => Topic>
> = {
  runs: RunsTopic,
  targets: TargetsTopic,
  connections: ConnectionsTopic,
  prompts: PromptsTopic,
};

/** One authorized reader. */
class Session implements Reader, LiveSession {
  readonly #socket: WebSocket;
  readonly #engine: EngineContext;
  readonly #subscriptions = new Map<number, Subscription>();
  readonly #role: Role;
  /** By what they are called, in the order in which they are told. */
  readonly #topics = new Map<string, Topic>();
  #alarms: AlarmsTopic | null = null;
  /** Ends what shows notifications here; null: nobody does. */
  #notifications: (() => void) | null = null;
  #watchesStatus = false;
  readonly #stop: () => void;

  /** `role`: what the reader may do. Nothing can be changed here, but what connections ask a person is not for everybody. */
  constructor(socket: WebSocket, engine: EngineContext, role: Role) {
    this.#socket = socket;
    this.#role = role;
    this.#engine = engine;
    engine.hub.readers++;
    const { engine: about } = engine.status();
    const period = engine.config.periodMs;
    const { id, epoch } = about;
    send(socket, { type: 'hello', api: API_VERSION, engine: id, epoch, period, time: engine.now(), role });
    this.#stop = engine.hub.onAnnounce(() => this.#announce());
  }

  #announce(): void {
    if (!this.ready()) return;
    for (const topic of [...this.#topics.values(), this.#alarms]) {
      const event = topic?.next();
      if (event) send(this.#socket, event);
    }
    // The rest as fast as it is read.
    if (this.#alarms?.more) this.whenReady(() => this.#announce());
    if (this.#watchesStatus) send(this.#socket, { type: 'status', status: this.#engine.status() });
  }

  handle(request: Exclude<LiveRequest, { type: 'auth' }>): void {
    switch (request.type) {
      case 'subscribe':
        this.#subscribe(request);
        break;
      case 'unsubscribe':
        this.#unsubscribe(request.id);
        break;
      case 'watch':
        this.#watch(request);
        break;
      case 'unwatch':
        if (request.topic === 'status') this.#watchesStatus = false;
        else if (request.topic === 'alarms') this.#alarms = null;
        else if (request.topic === 'notifications') this.#forgetNotifications();
        else this.#topics.delete(request.topic);
        break;
    }
  }

  #watch({ topic, since }: Extract<LiveRequest, { type: 'watch' }>): void {
    if (topic === 'prompts' && this.#role !== 'control') {
      return refuse(this.#socket, null, 'forbidden_role', 'what connections ask is told to those who may control');
    }
    if (topic === 'status') this.#watchesStatus = true;
    else if (topic === 'alarms') this.#alarms = new AlarmsTopic(this.#engine, since);
    else if (topic === 'notifications') this.#watchNotifications();
    else this.#topics.set(topic, new TOPICS[topic](this.#engine));
    this.#announce();
  }

  #subscribe({ id, scope: scopeId, series, from }: Extract<LiveRequest, { type: 'subscribe' }>): void {
    if (this.#subscriptions.has(id)) return refuse(this.#socket, id, 'bad_request', 'this subscription id is in use');
    if (this.#subscriptions.size >= MAX_SUBSCRIPTIONS) {
      return refuse(this.#socket, id, 'bad_request', `at most ${MAX_SUBSCRIPTIONS} subscriptions on one socket`);
    }
    const scope = this.#engine.scope(scopeId);
    if (!scope)
      return refuse(this.#socket, id, 'scope_not_found', 'this scope is not live; its history is at /api/v1/query');
    const subscription = new Subscription(id, scopeId, this, series ?? null);
    this.#subscriptions.set(id, subscription);
    subscription.learn(scope);
    subscription.noteAll();
    this.#engine.hub.add(subscription);
    if (from === undefined) return;
    const active = (): boolean =>
      this.#subscriptions.get(id) === subscription && this.#socket.readyState === this.#socket.OPEN;
    const target: ReplayTarget = {
      frame: (bytes) => this.frame(bytes),
      gap: (start, end) => send(this.#socket, { type: 'gap', id, from: start, to: end }),
      active,
      drained: async () => {
        while (active() && !this.ready()) await delay(DRAIN_POLL, undefined, { ref: false });
      },
      done: () => send(this.#socket, { type: 'live', id, time: this.#engine.now() }),
    };
    void replay(this.#engine, subscription, from, target);
  }

  #unsubscribe(id: number): void {
    const subscription = this.#subscriptions.get(id);
    if (!subscription) return;
    this.#subscriptions.delete(id);
    this.#engine.hub.remove(subscription);
  }

  #watchNotifications(): void {
    this.#notifications ??= this.#engine.alarms.watchNotifications((notification) => send(this.#socket, notification));
  }

  #forgetNotifications(): void {
    this.#notifications?.();
    this.#notifications = null;
  }

  ready(): boolean {
    return this.#socket.bufferedAmount < BEHIND;
  }

  whenReady(call: () => void): void {
    const look = (): void => {
      if (this.#socket.readyState !== this.#socket.OPEN) return;
      if (this.ready()) call();
      else setTimeout(look, DRAIN_POLL).unref();
    };
    setTimeout(look, DRAIN_POLL).unref();
  }

  schema(id: number, scope: string, series: readonly SeriesDef[]): void {
    send(this.#socket, { type: 'schema', id, scope, series: series.map(describeSeries) });
  }

  frame(bytes: Uint8Array): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(bytes);
  }

  end(id: number): void {
    this.#subscriptions.delete(id);
    send(this.#socket, { type: 'end', id });
  }

  close(): void {
    this.#stop();
    this.#forgetNotifications();
    this.#engine.hub.readers--;
    for (const subscription of this.#subscriptions.values()) this.#engine.hub.remove(subscription);
    this.#subscriptions.clear();
  }
}
