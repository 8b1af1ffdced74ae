/**
 * The live sockets to another engine. One takes 64 subscriptions at most, so that more of them are opened when there are
 * more runs. What comes is checked: the other engine is not trusted more than any exporter.
 */

import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import {
  LiveEvent,
  MAX_SUBSCRIPTIONS,
  type LiveAlarms,
  type LiveRequest,
  type LiveRun,
} from '../../shared/api/live.ts';
import { decodeFrame, FrameState } from '../../shared/frame.ts';
import { lookupFor } from './fetch-address.ts';
import { connectionsOf } from './fetch-tls.ts';
import { requestFailed, timedOut } from './fetch-words.ts';
import type { Mirror } from './mirror.ts';
import { TargetError, type Access, type TargetUrl } from './type.ts';
import { bracketed } from './url.ts';
import type { Kind } from '../../shared/model/values.ts';

export type Hello = Extract<LiveEvent, { type: 'hello' }>;

/** First minor version of the API that has alarms. */
const ALARMS_SINCE = 1;
/** Live sockets to one engine. */
const MAX_SOCKETS = 32;
/** Live runs of one engine that are remembered; more than those that can be read. */
const MAX_RUNS = 10_000;

/** One scope of the other engine, with its latest values. */
export class RemoteScope {
  readonly link: EngineLink;
  readonly scope: string;
  readonly #state = new FrameState();
  readonly #names: Record<Kind, { name: string; doc: string }[]> = { counter: [], gauge: [] };
  #frames = 0;
  ended = false;

  constructor(link: EngineLink, scope: string) {
    this.link = link;
    this.scope = scope;
  }

  /** Something came of it. */
  get isKnown(): boolean {
    return this.#frames > 0 || this.ended;
  }

  schema({ series }: Extract<LiveEvent, { type: 'schema' }>, most: number): void {
    for (const { kind, index, name, doc } of series) {
      const names = this.#names[kind];
      // Only ever appended, in order: what is left out would shift the rest.
      if (index !== names.length) throw new TargetError('refused', 'its live socket numbers series in another order');
      if (names.length >= most)
        throw new TargetError('refused', `over ${most} series in one scope (target_limits.series)`);
      names.push({ name, doc });
    }
  }

  frame(bytes: Uint8Array): void {
    const frame = decodeFrame(bytes);
    const { counter, gauge } = this.#names;
    if (frame.counterCount > counter.length || frame.gaugeCount > gauge.length) {
      throw new TargetError('refused', 'its frame has series that were not named');
    }
    this.#state.apply(frame);
    this.#frames++;
  }

  /** Its latest values. */
  tell(mirror: Mirror): void {
    const { counterCount, gaugeCount, counters, gauges } = this.#state;
    for (let i = 0; i < counterCount; i++) {
      const { name, doc } = this.#names.counter[i]!;
      // NaN: named, but no frame had it yet.
      if (!Number.isNaN(counters[i])) mirror.counter(name, doc, counters[i]!);
    }
    for (let i = 0; i < gaugeCount; i++) {
      const { name, doc } = this.#names.gauge[i]!;
      const [min, max, hits, total] = gauges.subarray(4 * i, 4 * i + 4);
      if (!Number.isNaN(hits)) mirror.gauge(name, doc, { min: min!, max: max!, hits: hits!, total: total! });
    }
  }
}

export class EngineLink {
  readonly hello: Hello;
  /** Its live runs. */
  readonly runs = new Map<string, LiveRun>();
  /** Told of its alarms, by those that have some. */
  onAlarms: ((update: LiveAlarms) => void) | null = null;
  readonly #url: TargetUrl;
  readonly #access: Access;
  readonly #sockets: Socket[];
  readonly #ended = new Set<string>();
  #bytes = 0;
  #lastFrame = performance.now();
  #failure: TargetError | null = null;
  #listed = false;
  #closed = false;
  /** What is subscribed to with a further socket, which is being opened. */
  readonly #waiting: RemoteScope[] = [];
  #opening = false;

  /** Opens the first socket. Throws {@link TargetError}, or the signal's reason. */
  static async open(url: TargetUrl, access: Access, signal: AbortSignal): Promise<EngineLink> {
    const { socket, hello } = await Socket.open(url, access, signal);
    return new EngineLink(url, access, socket, hello);
  }

  private constructor(url: TargetUrl, access: Access, socket: Socket, hello: Hello) {
    this.#url = url;
    this.#access = access;
    this.hello = hello;
    this.#sockets = [socket];
    this.#listen(socket);
    socket.send({ type: 'watch', topic: 'runs' });
    // An older one would not understand it, and say so.
    if (hello.api.minor >= ALARMS_SINCE) socket.send({ type: 'watch', topic: 'alarms' });
  }

  #listen(socket: Socket): void {
    socket.onEvent = (event) => this.#handle(socket, event);
    socket.onFrame = (stream, bytes) => {
      this.#bytes += bytes.length;
      this.#lastFrame = performance.now();
      this.#guard(() => socket.scopes.get(stream)?.frame(bytes));
    };
    socket.onClose = (error) => this.#fail(error);
  }

  #handle(socket: Socket, event: LiveEvent): void {
    if (event.type === 'schema') {
      this.#guard(() => socket.scopes.get(event.id)?.schema(event, this.#access.limits.series));
    } else if (event.type === 'end' || (event.type === 'error' && event.id !== null)) {
      const scope = socket.scopes.get(event.id!);
      if (!scope) return;
      scope.ended = true;
      this.#ended.add(scope.scope);
      socket.scopes.delete(event.id!);
    } else if (event.type === 'runs') {
      this.#listed = true;
      if (event.all) this.runs.clear();
      for (const run of event.runs) {
        if (run.state === 'running' || run.state === 'ending') this.#learn(run);
        else this.runs.delete(run.id);
      }
    } else if (event.type === 'alarms') {
      this.onAlarms?.(event);
    } else if (event.type === 'error') {
      this.#fail(new TargetError('refused', `its live socket says: ${event.detail.slice(0, 300)}`));
    }
  }

  #learn(run: LiveRun): void {
    if (this.runs.size < MAX_RUNS || this.runs.has(run.id)) this.runs.set(run.id, run);
  }

  #guard(take: () => void): void {
    try {
      take();
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      this.#fail(
        error instanceof TargetError
          ? error
          : new TargetError('refused', `its live socket sent what is no frame: ${words}`),
      );
    }
  }

  #fail(error: TargetError): void {
    this.#failure ??= error;
    this.close();
  }

  /** Throws why it is broken, if it is. */
  check(): void {
    if (this.#failure) throw this.#failure;
    if (this.#closed) throw new TargetError('down', 'the connection was closed');
  }

  /** Milliseconds since the last frame. */
  get silence(): number {
    return performance.now() - this.#lastFrame;
  }

  /** Bytes of frames since the last call. */
  takeBytes(): number {
    const bytes = this.#bytes;
    this.#bytes = 0;
    return bytes;
  }

  hasEnded(scope: string): boolean {
    return this.#ended.has(scope);
  }

  subscribe(scope: string): RemoteScope {
    const remote = new RemoteScope(this, scope);
    const free = this.#sockets.find((socket) => socket.hasRoom);
    if (free) free.subscribe(remote);
    else if (this.#sockets.length * MAX_SUBSCRIPTIONS + this.#waiting.length < MAX_SOCKETS * MAX_SUBSCRIPTIONS) {
      this.#waiting.push(remote);
      if (!this.#opening) void this.#openMore();
    } else remote.ended = true;
    return remote;
  }

  /** One at a time, each filled before the next one. */
  async #openMore(): Promise<void> {
    this.#opening = true;
    try {
      while (this.#waiting.length > 0) {
        const { socket } = await Socket.open(this.#url, this.#access, AbortSignal.timeout(this.#access.timeoutMs));
        if (this.#closed) return socket.close();
        this.#sockets.push(socket);
        this.#listen(socket);
        while (socket.hasRoom && this.#waiting.length > 0) socket.subscribe(this.#waiting.shift()!);
      }
    } catch (error) {
      this.#fail(error instanceof TargetError ? error : new TargetError('down', 'no further connection for its runs'));
    } finally {
      this.#opening = false;
    }
  }

  /** Waits until the list of runs has come. */
  async listed(signal: AbortSignal, within: number): Promise<void> {
    await this.#wait(
      signal,
      within,
      'list of runs',
      () => this.#listed,
      () => false,
    );
  }

  /** Waits until a frame of each scope that is asked for has come. */
  async first(signal: AbortSignal, within: number): Promise<void> {
    const scopes = (): RemoteScope[] => [
      ...this.#sockets.flatMap((socket) => [...socket.scopes.values()]),
      ...this.#waiting,
    ];
    const isKnown = (scope: RemoteScope): boolean => scope.isKnown;
    // What has begun a moment ago has no frame yet; the next scrape has it.
    await this.#wait(
      signal,
      within,
      'frame',
      () => scopes().every(isKnown),
      () => scopes().some(isKnown),
    );
  }

  async #wait(
    signal: AbortSignal,
    within: number,
    what: string,
    isThere: () => boolean,
    isEnough: () => boolean,
  ): Promise<void> {
    const until = performance.now() + within;
    for (;;) {
      this.check();
      signal.throwIfAborted();
      if (isThere()) return;
      if (performance.now() > until) {
        if (isEnough()) return;
        throw new TargetError('down', `connected, but no ${what} came within ${within} ms: does the engine hang?`);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const socket of this.#sockets) socket.close();
  }
}

/** One WebSocket. */
class Socket {
  readonly scopes = new Map<number, RemoteScope>();
  onEvent: (event: LiveEvent) => void = () => undefined;
  onFrame: (stream: number, bytes: Uint8Array) => void = () => undefined;
  onClose: (error: TargetError) => void = () => undefined;
  readonly #socket: WebSocket;
  readonly #release: () => void;
  #ids = 0;

  private constructor(socket: WebSocket, release: () => void) {
    this.#socket = socket;
    this.#release = release;
  }

  static async open(url: TargetUrl, access: Access, signal: AbortSignal): Promise<{ socket: Socket; hello: Hello }> {
    const isOwn = url.protocol === 'https:' || url.ssh !== null;
    const secured = isOwn ? await ownSocket(url, access, signal) : null;
    const scheme = url.protocol === 'https:' ? 'wss' : 'ws';
    const address =
      url.socketPath === null || url.ssh !== null
        ? `${scheme}://${bracketed(url.hostname)}:${url.port}/api/v1/live`
        : `ws+unix:${url.socketPath}:/api/v1/live`;
    const ws = new WebSocket(address, {
      // Not through an agent: the pieces of a long message would overwrite each other.
      ...(secured === null ? {} : { createConnection: () => secured.socket }),
      maxPayload: access.limits.bytes,
      perMessageDeflate: false,
      followRedirects: false,
      handshakeTimeout: access.timeoutMs,
      headers: access.bearer === undefined ? {} : { authorization: `Bearer ${access.bearer}` },
      lookup: lookupFor(access.limits),
    });
    const socket = new Socket(ws, () => secured?.release());
    const broken = new Promise<never>((_resolve, reject) => {
      const fail = (error: Error): void => {
        const words = /timed out/.test(error.message)
          ? timedOut('wait', access.timeoutMs, url, 0)
          : requestFailed(error, url);
        const failure = words instanceof TargetError ? words : new TargetError('down', error.message);
        socket.onClose(failure);
        reject(failure);
      };
      ws.on('error', fail);
      ws.on('close', (code, reason) => {
        const why = reason.toString('utf8').slice(0, 200);
        fail(new TargetError('down', `the engine closed the connection${why === '' ? ` (${code})` : `: ${why}`}`));
      });
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
    broken.catch(() => undefined);
    const hello = new Promise<Hello>((resolve) => {
      ws.on('message', (data: Buffer, isBinary: boolean) => {
        if (isBinary) {
          if (data.length >= 8) socket.onFrame(data.readUInt32LE(4), data);
          return;
        }
        const event = LiveEvent.safeParse(jsonOf(data));
        // Of a newer engine, something that is not known here.
        if (!event.success) return;
        if (event.data.type === 'hello') resolve(event.data);
        else socket.onEvent(event.data);
      });
    });
    try {
      return { socket, hello: await Promise.race([hello, broken]) };
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  get hasRoom(): boolean {
    return this.scopes.size < MAX_SUBSCRIPTIONS;
  }

  subscribe(remote: RemoteScope): void {
    const id = ++this.#ids;
    this.scopes.set(id, remote);
    this.send({ type: 'subscribe', id, scope: remote.scope });
  }

  send(request: LiveRequest): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(request));
  }

  close(): void {
    this.onClose = () => undefined;
    this.#socket.terminate();
    this.#release();
  }
}

/** A connection through a host, or whose certificate was looked at, as for any other question of the target. */
async function ownSocket(
  url: TargetUrl,
  access: Access,
  signal: AbortSignal,
): Promise<{ socket: Duplex; release: () => void }> {
  const connections = connectionsOf(url, access, false);
  const options = {
    host: url.hostname,
    port: url.port,
    lookup: lookupFor(access.limits),
  };
  try {
    const socket = await new Promise<Duplex>((resolve, reject) => {
      const timer = setTimeout(() => reject(timedOut('connect', access.timeoutMs, url, 0)), access.timeoutMs);
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      connections.agent.createConnection(options, (error, stream) => {
        clearTimeout(timer);
        if (error || !stream) reject(requestFailed(error, url));
        else resolve(stream);
      });
    });
    return { socket, release: () => connections.close() };
  } catch (error) {
    connections.close();
    throw error;
  }
}

function jsonOf(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8')) as unknown;
  } catch {
    return null;
  }
}
