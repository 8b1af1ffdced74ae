/**
 * Passes a page's live socket on to an engine over there. Both sides are held to the messages that there are: what the
 * page sends is checked as this engine's own live socket would, and of what comes back nothing is passed on that could
 * be taken for this engine's (its connections, their prompts) or that gives the reader a larger role.
 */

import { WebSocket, type RawData } from 'ws';
import type { LiveEvent, LiveRequest } from '../../../shared/api/live.ts';
import type { Role } from '../../../shared/model/role.ts';
import { wordsOf } from '../words.ts';
import { asSocket } from './as-socket.ts';
import type { EngineLink } from './link.ts';

/** One message from over there, bytes: a list of many series is long. */
const MAX_MESSAGE = 32 * 1024 * 1024;
/** With more than this unsent to the page, bytes, nothing more is taken from over there. */
const BEHIND = 1024 * 1024;
/** Messages of the page that wait for the other side to be there. */
const MAX_WAITING = 128;
const OPEN_WITHIN = 15_000;
const POLL = 20;
const PING_EVERY = 30_000;
/** A message that took longer to look at, ms, is followed by a pause of so many times as long: others want their turn. */
const LONG = 20;
const REST = 4;

/** Kinds of messages that an engine's readers are sent about that engine. */
const EVENTS: ReadonlySet<string> = new Set<LiveEvent['type']>([
  ...(['hello', 'schema', 'gap', 'live', 'end', 'runs', 'status', 'targets', 'error'] as const),
  ...(['alarms', 'notification'] as const),
]);

/** What of it readers may watch. */
const TOPICS: ReadonlySet<string> = new Set<Extract<LiveRequest, { type: 'watch' }>['topic']>([
  ...(['runs', 'status', 'targets', 'alarms', 'notifications'] as const),
]);

export class LivePass {
  readonly #page: WebSocket;
  readonly #role: Role;
  #far: WebSocket | null = null;
  readonly #waiting: string[] = [];
  #alive = true;
  #pinging: NodeJS.Timeout | undefined;
  #holding: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(page: WebSocket, role: Role) {
    this.#page = page;
    this.#role = role;
  }

  async open(link: EngineLink): Promise<void> {
    try {
      if (link.state !== 'up') throw new Error(link.reason ?? 'it is being looked for');
      const channel = await link.dial(AbortSignal.timeout(OPEN_WITHIN));
      channel.on('error', () => undefined);
      if (this.#closed) return void channel.destroy();
      const far = new WebSocket('ws://localhost/api/v1/live', {
        createConnection: () => asSocket(channel) as never,
        headers: link.authorization(),
        followRedirects: false,
        handshakeTimeout: OPEN_WITHIN,
        maxPayload: MAX_MESSAGE,
        perMessageDeflate: false,
      });
      this.#far = far;
      this.#watch(far);
    } catch (error) {
      this.fail(wordsOf(error));
    }
  }

  #watch(far: WebSocket): void {
    far.on('open', () => {
      for (const text of this.#waiting.splice(0)) far.send(text);
      this.#pinging = setInterval(() => this.#ping(far), PING_EVERY);
    });
    far.on('pong', () => (this.#alive = true));
    far.on('message', (data: RawData, isBinary: boolean) => this.#back(far, data as Buffer, isBinary));
    far.on('error', (error) => this.fail(wordsOf(error)));
    far.on('close', (code) =>
      this.fail(code === 4401 ? 'it does not accept the token that its token file has' : 'it closed the live socket'),
    );
  }

  #ping(far: WebSocket): void {
    // Held back: its answer is, too.
    if (far.isPaused) this.#alive = true;
    if (!this.#alive) return far.terminate();
    this.#alive = false;
    far.ping();
  }

  /** A message of the page: as it was understood, not as it came. */
  handle(request: Exclude<LiveRequest, { type: 'auth' }>): void {
    if ((request.type === 'watch' || request.type === 'unwatch') && !isPassed(request.topic)) {
      return this.#refuse('not_found', 'the connections of another engine are not passed on');
    }
    const plain = JSON.stringify(request);
    if (this.#far?.readyState === WebSocket.OPEN) {
      if (this.#far.bufferedAmount > MAX_MESSAGE) this.fail('it takes no more requests');
      else this.#far.send(plain);
    } else if (this.#waiting.length < MAX_WAITING) this.#waiting.push(plain);
    else this.fail('it took too long to answer');
  }

  #back(far: WebSocket, data: Buffer, isBinary: boolean): void {
    if (this.#page.readyState !== WebSocket.OPEN) return;
    const began = performance.now();
    if (isBinary) this.#page.send(data);
    else {
      const text = readEvent(data.toString('utf8'), this.#role);
      if (text !== null) this.#page.send(text);
    }
    const took = performance.now() - began;
    const until = took > LONG ? began + (1 + REST) * took : 0;
    if ((this.#page.bufferedAmount > BEHIND || until > 0) && !far.isPaused) this.#holdBack(far, until);
  }

  /** Until then, and until the page has read: the engine over there sees a reader that is behind, and sends it less. */
  #holdBack(far: WebSocket, until: number): void {
    far.pause();
    this.#holding = setInterval(() => {
      if (performance.now() < until) return;
      if (this.#page.bufferedAmount >= BEHIND && this.#page.readyState === WebSocket.OPEN) return;
      clearInterval(this.#holding);
      far.resume();
    }, POLL);
  }

  #refuse(code: string, detail: string): void {
    if (this.#page.readyState === WebSocket.OPEN) {
      this.#page.send(JSON.stringify({ type: 'error', id: null, code, detail } satisfies LiveEvent));
    }
  }

  /** Tells the page why, and closes. */
  fail(why: string): void {
    if (this.#closed) return;
    this.#refuse('engine_unavailable', `the engine over there: ${why}`);
    this.#page.close(4502, 'the engine over there is not reached');
    this.close();
  }

  /** The page's side is closed by whoever opened it. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#pinging);
    clearInterval(this.#holding);
    this.#waiting.length = 0;
    this.#far?.terminate();
  }
}

const isPassed = (topic: string): boolean => TOPICS.has(topic);

/** The message as it is passed on; null: it is none of those that are. What is in it the page checks. */
export function readEvent(text: string, role: Role): string | null {
  try {
    const event: unknown = JSON.parse(text);
    if (typeof event !== 'object' || event === null || !('type' in event)) return null;
    if (typeof event.type !== 'string' || !EVENTS.has(event.type)) return null;
    // Not `text`: of a key that stands twice, only the one that was looked at goes on.
    return JSON.stringify(event.type === 'hello' && role === 'view' ? { ...event, role } : event);
  } catch {
    // No JSON; or so deep that it can be read, and not written.
    return null;
  }
}
