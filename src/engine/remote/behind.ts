/**
 * What targets are behind: each dial is a channel of the host's only login, which is begun when it is needed. What keeps a
 * host from being reached is said in its name, since it is no fault of what is behind it.
 */

import type { Duplex } from 'node:stream';
import type { ConnectionState } from '../../shared/api/connections.ts';
import type { Connections } from './connections.ts';
import type { Session } from './types.ts';

/** A place in the eyes of a host of the list. */
export interface PlaceBehind {
  readonly ssh: string | null;
  readonly hostname: string;
  readonly port: number;
  readonly socketPath: string | null;
}

const WORDS: Readonly<Record<Exclude<ConnectionState, 'up'>, string>> = {
  idle: 'is not connected',
  connecting: 'is being connected',
  asking: 'asks something first: answer it in Connections',
  reconnecting: 'was lost and is connected anew',
  down: 'cannot be reached',
  refused: 'needs somebody to look at it in Connections',
};

export class Behind {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  has(host: string): boolean {
    return this.#connections.byHost(host) !== null;
  }

  /** Puts the host on the list, unless it is there. Its engine is not looked for: nobody asked for that. */
  need(host: string): void {
    if (this.has(host)) return;
    this.#connections.add({ host, connect: false, engine: { kind: 'none' } });
  }

  /**
   * Waits for a login that is on its way for `within` ms at most. Throws an Error in words; what is said of the place
   * itself begins with the place, of its host with the host.
   */
  async dial({ ssh, hostname, port, socketPath }: PlaceBehind, within: number, signal: AbortSignal): Promise<Duplex> {
    if (ssh === null) throw new Error(`${hostname} is not behind a host`);
    this.need(ssh);
    const session = await this.#up(ssh, within, signal);
    return socketPath === null ? session.dialTcp(hostname, port, signal) : session.dialUnix(socketPath, signal);
  }

  async #up(host: string, within: number, signal: AbortSignal): Promise<Session> {
    const until = performance.now() + within;
    for (;;) {
      signal.throwIfAborted();
      const way = this.#connections.byHost(host);
      if (!way) throw new Error(`${host} is not on the list of connections any more`);
      if (way.session?.state === 'up') return way.session;
      if (way.givenUp) throw new Error(`${host} was disconnected: connect it to ask what is behind it`);
      if (way.session === null) this.#connections.connect(way.id);
      const { state, reason } = this.#connections.get(way.id);
      const left = until - performance.now();
      if (state !== 'up' && (state !== 'connecting' || left <= 0)) throw new Error(whyNot(host, state, reason));
      const session = this.#connections.byHost(host)?.session;
      if (session) await changeOf(session, Math.max(1, left), signal);
    }
  }
}

function whyNot(host: string, state: Exclude<ConnectionState, 'up'>, reason: string | null): string {
  const words = `the connection ${host} ${WORDS[state]}`;
  return reason === null ? words : `${words} (${reason})`;
}

/** Whatever becomes of it, or nothing within so many ms. */
function changeOf(session: Session, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      stop();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    const stop = session.onState(done);
    signal.addEventListener('abort', done, { once: true });
  });
}
