/**
 * Local ports that people asked for. Each listens on 127.0.0.1 only, for as long as its connection is on the list. After a
 * restart of the engine they are opened again when their connection is up: before, nobody asked for it.
 */

import { randomBytes } from 'node:crypto';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { MAX_FORWARDS, type Forward, type NewForward } from '../../shared/api/connections.ts';
import { ApiError } from '../../shared/errors.ts';
import type { ForwardRecord } from './record.ts';
import { wordsOf } from './words.ts';

const LOOPBACK = '127.0.0.1';
/** Connections through one forward at once. */
const MAX_OPEN = 256;
/** A channel must be there within this time, ms. */
const DIAL_WITHIN = 15_000;

/** Said of a port before its connection is up for the first time. */
const LATER = 'its port is opened when the connection is up';

export type Dial = (to: NewForward['to'], signal: AbortSignal) => Promise<Duplex>;

interface Open {
  readonly id: string;
  /** 0: any that is free. */
  port: number;
  /** Null: the port is not open. */
  server: Server | null;
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
  /** Those whose port is being opened, beside the ones that are there. */
  #adding = 0;
  #openingAll: Promise<void> | null = null;
  #closed = false;

  constructor(dial: Dial, changed: () => void, kept: readonly ForwardRecord[] = []) {
    this.#dial = dial;
    this.#changed = changed;
    for (const { id, port, to } of kept) {
      this.#open.set(id, { id, port, to, server: null, sockets: new Set(), problem: LATER });
    }
  }

  /** What is kept of them. */
  records(): ForwardRecord[] {
    return Array.from(this.#open.values(), ({ id, port, to }) => ({ id, port, to }));
  }

  list(): Forward[] {
    return Array.from(this.#open.values(), ({ id, port, server, to, sockets, problem }) => ({
      id,
      listen: { host: LOOPBACK, port },
      to: toText(to),
      open: sockets.size,
      listening: server !== null,
      problem,
    }));
  }

  /** Errors: `bad_request` when the port is taken, or there are too many. */
  async add({ port, to }: NewForward): Promise<Forward> {
    if (this.#open.size + this.#adding >= MAX_FORWARDS) {
      throw new ApiError('bad_request', `there may be ${MAX_FORWARDS} forwards of a connection; remove one`);
    }
    const id = randomBytes(6).toString('hex');
    const forward: Open = { id, port, server: null, to, sockets: new Set(), problem: null };
    this.#adding++;
    const why = await this.#listen(forward).finally(() => this.#adding--);
    if (why !== null) throw new ApiError('bad_request', `${why}; choose another one, or 0 for any`);
    if (this.#closed) {
      end(forward);
      throw new ApiError('bad_request', 'the connection was removed meanwhile');
    }
    this.#open.set(id, forward);
    this.#changed();
    return this.list().find((one) => one.id === id)!;
  }

  /** Those whose ports are not open. One that cannot be says why, and is tried again when the connection is up anew. */
  openAll(): Promise<void> {
    // A connection that comes and goes quickly asks again before the ports are open: they are not in their own way.
    this.#openingAll ??= this.#openAll().finally(() => (this.#openingAll = null));
    return this.#openingAll;
  }

  async #openAll(): Promise<void> {
    for (const forward of [...this.#open.values()].filter(({ server }) => server === null)) {
      const why = await this.#listen(forward);
      // Removed meanwhile.
      if (this.#open.get(forward.id) !== forward) end(forward);
      else this.#problem(forward, why === null ? null : `${why}; free it and connect again, or remove this forward`);
    }
  }

  /** Why its port cannot be opened, in words; null: it is. */
  async #listen(forward: Open): Promise<string | null> {
    const options = { pauseOnConnect: true, allowHalfOpen: true };
    const server = createServer(options, (socket) => void this.#serve(forward, socket));
    server.maxConnections = MAX_OPEN;
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host: LOOPBACK, port: forward.port }, resolve);
      });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const words = code === 'EADDRINUSE' ? 'is taken' : `cannot be listened on (${code ?? wordsOf(error)})`;
      return `port ${forward.port} of this machine ${words}`;
    }
    server.on('error', (error) => this.#problem(forward, wordsOf(error)));
    forward.server = server;
    forward.port = (server.address() as AddressInfo).port;
    return null;
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
    this.#closed = true;
    for (const forward of this.#open.values()) end(forward);
    this.#open.clear();
  }
}

function end({ server, sockets }: Open): void {
  server?.close();
  for (const socket of sockets) socket.destroy();
}
