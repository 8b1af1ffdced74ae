/** Local ports that people asked for. Each listens on 127.0.0.1 only, for as long as its connection is on the list. */

import { randomBytes } from 'node:crypto';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { MAX_FORWARDS, type Forward, type NewForward } from '../../shared/api/connections.ts';
import { ApiError } from '../../shared/errors.ts';
import { wordsOf } from './words.ts';

const LOOPBACK = '127.0.0.1';
/** Connections through one forward at once. */
const MAX_OPEN = 256;
/** A channel must be there within this time, ms. */
const DIAL_WITHIN = 15_000;

export type Dial = (to: NewForward['to'], signal: AbortSignal) => Promise<Duplex>;

interface Open {
  readonly id: string;
  readonly server: Server;
  readonly to: NewForward['to'];
  readonly sockets: Set<Socket>;
  problem: string | null;
}

const toText = (to: NewForward['to']): string => {
  if ('socket' in to) return `unix:${to.socket}`;
  return to.host.includes(':') ? `[${to.host}]:${to.port}` : `${to.host}:${to.port}`;
};

export class Forwards {
  readonly #dial: Dial;
  readonly #changed: () => void;
  readonly #open = new Map<string, Open>();

  constructor(dial: Dial, changed: () => void) {
    this.#dial = dial;
    this.#changed = changed;
  }

  list(): Forward[] {
    return Array.from(this.#open.values(), ({ id, server, to, sockets, problem }) => ({
      id,
      listen: { host: LOOPBACK, port: (server.address() as AddressInfo).port },
      to: toText(to),
      open: sockets.size,
      problem,
    }));
  }

  /** Errors: `bad_request` when the port is taken, or there are too many. */
  async add({ port, to }: NewForward): Promise<Forward> {
    if (this.#open.size >= MAX_FORWARDS) {
      throw new ApiError('bad_request', `there may be ${MAX_FORWARDS} forwards of a connection; remove one`);
    }
    const forward: Open = {
      ...{ id: randomBytes(6).toString('hex'), to, sockets: new Set(), problem: null },
      server: createServer({ pauseOnConnect: true }, (socket) => void this.#serve(forward, socket)),
    };
    forward.server.maxConnections = MAX_OPEN;
    await new Promise<void>((resolve, reject) => {
      forward.server.once('error', reject);
      forward.server.listen({ host: LOOPBACK, port }, resolve);
    }).catch((error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'is taken' : `cannot be listened on (${error.code})`;
      throw new ApiError('bad_request', `port ${port} of this machine ${why}; choose another one, or 0 for any`);
    });
    forward.server.on('error', (error) => this.#problem(forward, wordsOf(error)));
    this.#open.set(forward.id, forward);
    this.#changed();
    return this.list().find(({ id }) => id === forward.id)!;
  }

  async #serve(forward: Open, socket: Socket): Promise<void> {
    const leave = new AbortController();
    forward.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => {
      leave.abort(new Error('the program that used the forward has left'));
      forward.sockets.delete(socket);
      this.#changed();
    });
    this.#changed();
    try {
      const far = await this.#dial(forward.to, AbortSignal.any([leave.signal, AbortSignal.timeout(DIAL_WITHIN)]));
      this.#problem(forward, null);
      // A half that is closed is passed on: some protocols say by that that they are done.
      await Promise.all([pipeline(socket, far), pipeline(far, socket)]).catch(() => undefined);
      far.destroy();
    } catch (error) {
      if (!leave.signal.aborted) this.#problem(forward, wordsOf(error));
    } finally {
      socket.destroy();
    }
  }

  #problem(forward: Open, problem: string | null): void {
    if (forward.problem === problem) return;
    forward.problem = problem;
    this.#changed();
  }

  /** False: there is none with this id. */
  remove(id: string): boolean {
    const forward = this.#open.get(id);
    if (!forward) return false;
    this.#open.delete(id);
    end(forward);
    this.#changed();
    return true;
  }

  close(): void {
    for (const forward of this.#open.values()) end(forward);
    this.#open.clear();
  }
}

function end({ server, sockets }: Open): void {
  server.close();
  for (const socket of sockets) socket.destroy();
}
