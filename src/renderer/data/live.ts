import { API_VERSION } from '../../shared/api/status.ts';
import type { Status } from '../../shared/api/status.ts';
import { LiveEvent } from '../../shared/api/live.ts';
import type { LiveAlarms, LiveNotification, LiveRequest, LiveRun } from '../../shared/api/live.ts';
import type { Prompt } from '../../shared/api/connections.ts';
import type { Series } from '../../shared/model/described-series.ts';
import { decodeFrame, FrameError } from '../../shared/frame.ts';
import type { Frame } from '../../shared/frame.ts';
import type { ScopeId } from '../../shared/model/scope.ts';
import { retryDelay } from './backoff.ts';
import type { LiveSocket, OpenSocket } from './socket.ts';

/** How far back a new subscription asks for frames, ms. */
export const LIVE_HISTORY_MS = 300_000;

export type LiveState =
  | { readonly phase: 'connecting' }
  | { readonly phase: 'open' }
  /** The connection is gone; the next attempt is at `until` (ms since the epoch). */
  | { readonly phase: 'waiting'; readonly until: number }
  /** Trying again would not help. */
  | { readonly phase: 'refused'; readonly reason: 'token' | 'version'; readonly detail: string };

/** What one subscription hears. Calls come in the order of the socket. */
export interface ScopeListener {
  /** A new subscription begins (first or after a reconnect): series are announced anew and may be numbered anew. */
  begin(): void;
  schema(series: readonly Series[]): void;
  /** `fresh` is false for a frame at or before the last one: its values are true, its sample is already known. */
  frame(frame: Frame, fresh: boolean): void;
  gap(from: number, to: number): void;
  live(time: number): void;
  end(): void;
  error(code: string, detail: string): void;
}

export interface LiveOptions {
  readonly open: OpenSocket;
  readonly token: () => string | null;
  /** Only what somebody listens to is asked for, so that nothing may come for long. */
  readonly quiet?: boolean;
  readonly now?: () => number;
  readonly random?: () => number;
  readonly setTimer?: (call: () => void, ms: number) => () => void;
}

interface Subscription {
  readonly id: number;
  readonly scope: ScopeId;
  readonly listener: ScopeListener;
  /** Time of the newest frame, engine's clock; 0: none yet. */
  last: number;
  ended: boolean;
}

type Hello = Extract<LiveEvent, { type: 'hello' }>;
export type TargetsEvent = Extract<LiveEvent, { type: 'targets' }>;
export type ConnectionsEvent = Extract<LiveEvent, { type: 'connections' }>;
type Topic = Extract<LiveRequest, { type: 'watch' }>['topic'];

const browserTimer = (call: () => void, ms: number): (() => void) => {
  const id = setTimeout(call, ms);
  return () => clearTimeout(id);
};

/** Without any message for this long a connection counts as dead: the status comes once per period. */
const SILENCE_MS = 15_000;

/**
 * One socket to an engine's live stream. It connects again by itself with growing waits, and asks each time for what
 * came after the last frame it has, so that nothing is missing where the engine kept the data.
 */
export class LiveClient {
  readonly #options: LiveOptions;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #setTimer: (call: () => void, ms: number) => () => void;
  readonly #subscriptions = new Map<number, Subscription>();
  readonly #stateListeners = new Set<(state: LiveState) => void>();
  readonly #statusListeners = new Set<(status: Status) => void>();
  readonly #runsListeners = new Set<(runs: readonly LiveRun[], all: boolean) => void>();
  readonly #targetsListeners = new Set<(change: TargetsEvent) => void>();
  readonly #connectionsListeners = new Set<(change: ConnectionsEvent) => void>();
  readonly #promptsListeners = new Set<(prompts: readonly Prompt[]) => void>();
  readonly #alarmsListeners = new Set<(change: LiveAlarms) => void>();
  readonly #notificationListeners = new Set<(notification: LiveNotification) => void>();
  /** The last event of an alarm that was heard; null: none yet. */
  #alarmNumber: number | null = null;
  #socket: LiveSocket | null = null;
  #state: LiveState = { phase: 'connecting' };
  #hello: Hello | null = null;
  #nextId = 1;
  #attempt = 0;
  #closed = false;
  #cancelTimer: (() => void) | null = null;
  #cancelWatch: (() => void) | null = null;
  #lastMessage = 0;
  /** Messages that were not understood; a newer minor may send some. */
  ignored = 0;

  constructor(options: LiveOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#random = options.random ?? Math.random;
    this.#setTimer = options.setTimer ?? browserTimer;
  }

  get state(): LiveState {
    return this.#state;
  }

  /** The engine's greeting on the present connection. */
  get hello(): Hello | null {
    return this.#hello;
  }

  start(): void {
    if (this.#socket || this.#closed) return;
    this.#connect();
  }

  close(): void {
    this.#closed = true;
    this.#cancelTimer?.();
    this.#cancelWatch?.();
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  /** Does not wait any longer for the next attempt. */
  retryNow(): void {
    if (this.#state.phase === 'waiting') this.#connect();
  }

  onState(listener: (state: LiveState) => void): () => void {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  }

  onStatus(listener: (status: Status) => void): () => void {
    this.#statusListeners.add(listener);
    return () => this.#statusListeners.delete(listener);
  }

  onRuns(listener: (runs: readonly LiveRun[], all: boolean) => void): () => void {
    this.#runsListeners.add(listener);
    return () => this.#runsListeners.delete(listener);
  }

  /** Only while somebody listens: the complete list first, then what changes. */
  onTargets(listener: (change: TargetsEvent) => void): () => void {
    return this.#onTopic('targets', this.#targetsListeners, listener);
  }

  /** Only while somebody listens: the complete list first, then what changes. */
  onConnections(listener: (change: ConnectionsEvent) => void): () => void {
    return this.#onTopic('connections', this.#connectionsListeners, listener);
  }

  /** All that is asked, whenever that changes. A reader who may only view is told nothing, and asks for nothing. */
  onPrompts(listener: (prompts: readonly Prompt[]) => void): () => void {
    return this.#onTopic('prompts', this.#promptsListeners, listener);
  }

  /** Only while somebody listens: all that are not inactive first, then what changes, with each event once. */
  onAlarms(listener: (change: LiveAlarms) => void): () => void {
    return this.#onTopic('alarms', this.#alarmsListeners, listener);
  }

  /** What the engine asks this page to show; it counts on it while somebody listens. */
  onNotification(listener: (notification: LiveNotification) => void): () => void {
    return this.#onTopic('notifications', this.#notificationListeners, listener);
  }

  #onTopic<T>(topic: Topic, listeners: Set<T>, listener: T): () => void {
    if (listeners.size === 0 && this.#hello) this.#sendWatch(topic);
    listeners.add(listener);
    return () => {
      if (!listeners.delete(listener) || listeners.size > 0) return;
      if (this.#hello) this.#send({ type: 'unwatch', topic });
    };
  }

  #sendWatch(topic: Topic): void {
    if (topic === 'prompts' && this.#hello?.role !== 'control') return;
    const since = topic === 'alarms' && this.#alarmNumber !== null ? { since: this.#alarmNumber } : {};
    this.#send({ type: 'watch', topic, ...since });
  }

  /** Frames of a scope from LIVE_HISTORY_MS ago on. Returns what ends it. */
  subscribe(scope: ScopeId, listener: ScopeListener): () => void {
    const subscription: Subscription = { id: this.#nextId++, scope, listener, last: 0, ended: false };
    this.#subscriptions.set(subscription.id, subscription);
    if (this.#hello) this.#sendSubscribe(subscription, this.#hello);
    return () => {
      if (this.#subscriptions.delete(subscription.id) && this.#hello && !subscription.ended) {
        this.#send({ type: 'unsubscribe', id: subscription.id });
      }
    };
  }

  #connect(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    const socket = this.#options.open();
    this.#socket = socket;
    this.#setState({ phase: 'connecting' });
    socket.onOpen = () => {
      if (this.#socket === socket) this.#send({ type: 'auth', token: this.#options.token() ?? '' });
    };
    socket.onMessage = (data) => {
      if (this.#socket === socket) this.#receive(data);
    };
    socket.onClose = () => {
      if (this.#socket === socket) this.#lost();
    };
    this.#lastMessage = this.#now();
    this.#watch();
  }

  #watch(): void {
    this.#cancelWatch?.();
    this.#cancelWatch = this.#setTimer(() => {
      // An engine in between notices when the way to a quiet one breaks, and closes.
      const isQuiet = this.#options.quiet === true && this.#hello !== null;
      const silence = isQuiet ? Infinity : Math.max(SILENCE_MS, 10 * (this.#hello?.period ?? 0));
      if (this.#socket && this.#now() - this.#lastMessage >= silence) {
        const socket = this.#socket;
        this.#lost();
        socket.close();
        return;
      }
      if (this.#socket) this.#watch();
    }, SILENCE_MS);
  }

  #lost(): void {
    this.#socket = null;
    this.#hello = null;
    this.#cancelWatch?.();
    if (this.#closed || this.#state.phase === 'refused') return;
    const wait = retryDelay(this.#attempt++, this.#random());
    this.#setState({ phase: 'waiting', until: this.#now() + wait });
    this.#cancelTimer = this.#setTimer(() => this.#connect(), wait);
  }

  #refuse(reason: 'token' | 'version', detail: string): void {
    this.#setState({ phase: 'refused', reason, detail });
    const socket = this.#socket;
    this.#socket = null;
    this.#hello = null;
    this.#cancelWatch?.();
    socket?.close();
  }

  #setState(state: LiveState): void {
    this.#state = state;
    for (const listener of this.#stateListeners) listener(state);
  }

  #send(request: LiveRequest): void {
    this.#socket?.send(JSON.stringify(request));
  }

  #sendSubscribe(subscription: Subscription, hello: Hello): void {
    subscription.listener.begin();
    const from = subscription.last > 0 ? subscription.last : Math.max(0, hello.time - LIVE_HISTORY_MS);
    this.#send({ type: 'subscribe', id: subscription.id, scope: subscription.scope, from });
  }

  #receive(data: string | Uint8Array): void {
    this.#lastMessage = this.#now();
    if (typeof data === 'string') this.#receiveText(data);
    else this.#receiveFrame(data);
  }

  #receiveFrame(bytes: Uint8Array): void {
    let frame: Frame;
    try {
      frame = decodeFrame(bytes);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.ignored++;
      return;
    }
    const subscription = this.#subscriptions.get(frame.stream);
    if (!subscription || !Number.isFinite(frame.time)) return;
    const fresh = frame.time > subscription.last;
    if (fresh) subscription.last = frame.time;
    subscription.listener.frame(frame, fresh);
  }

  #receiveText(text: string): void {
    const event = parseEvent(text);
    if (!event) {
      this.ignored++;
      return;
    }
    switch (event.type) {
      case 'hello':
        return this.#greet(event);
      case 'status':
        for (const listener of this.#statusListeners) listener(event.status);
        return;
      case 'runs':
        for (const listener of this.#runsListeners) listener(event.runs, event.all);
        return;
      case 'targets':
        for (const listener of this.#targetsListeners) listener(event);
        return;
      case 'connections':
        for (const listener of this.#connectionsListeners) listener(event);
        return;
      case 'prompts':
        for (const listener of this.#promptsListeners) listener(event.prompts);
        return;
      case 'alarms':
        this.#alarmNumber = event.number;
        for (const listener of this.#alarmsListeners) listener(event);
        return;
      case 'notification':
        for (const listener of this.#notificationListeners) listener(event);
        return;
      case 'error':
        if (event.code === 'unauthorized') return this.#refuse('token', event.detail);
        if (event.id !== null) this.#subscriptions.get(event.id)?.listener.error(event.code, event.detail);
        return;
      default:
        return this.#tell(event);
    }
  }

  #tell(event: Extract<LiveEvent, { type: 'schema' | 'gap' | 'live' | 'end' }>): void {
    const subscription = this.#subscriptions.get(event.id);
    if (!subscription) return;
    switch (event.type) {
      case 'schema':
        return subscription.listener.schema(event.series);
      case 'gap':
        return subscription.listener.gap(event.from, event.to);
      case 'live':
        return subscription.listener.live(event.time);
      case 'end':
        subscription.ended = true;
        return subscription.listener.end();
    }
  }

  #greet(hello: Hello): void {
    if (hello.api.major !== API_VERSION.major) {
      const detail = `The engine speaks version ${hello.api.major} of the API, this page version ${API_VERSION.major}. Reload the page from that engine.`;
      return this.#refuse('version', detail);
    }
    this.#hello = hello;
    this.#attempt = 0;
    if (this.#options.quiet !== true) {
      this.#send({ type: 'watch', topic: 'status' });
      this.#send({ type: 'watch', topic: 'runs' });
    }
    if (this.#targetsListeners.size > 0) this.#sendWatch('targets');
    if (this.#connectionsListeners.size > 0) this.#sendWatch('connections');
    if (this.#promptsListeners.size > 0) this.#sendWatch('prompts');
    if (this.#alarmsListeners.size > 0) this.#sendWatch('alarms');
    if (this.#notificationListeners.size > 0) this.#sendWatch('notifications');
    this.#setState({ phase: 'open' });
    for (const subscription of this.#subscriptions.values()) {
      if (!subscription.ended) this.#sendSubscribe(subscription, hello);
    }
  }
}

function parseEvent(text: string): LiveEvent | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  return LiveEvent.safeParse(json).data ?? null;
}
