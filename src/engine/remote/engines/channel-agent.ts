/** Node's HTTP over channels: each connection is one more channel of the host's only SSH connection. */

import { Agent, request, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { asSocket } from './as-socket.ts';

/** Channels to one engine at once, and those that wait for the next request. */
const MAX_SOCKETS = 24;
const MAX_FREE = 4;
const MAX_HEADERS = 32 * 1024;
/** A channel must be there within this time, ms. */
const DIAL_WITHIN = 15_000;

export type DialEngine = (signal: AbortSignal) => Promise<Duplex>;

export class ChannelAgent extends Agent {
  readonly #dial: DialEngine;

  /** `keepAlive`: not for what changes something. Whether a request that fails on an old connection was read, nobody knows. */
  constructor(dial: DialEngine, keepAlive: boolean) {
    super({ keepAlive, maxSockets: MAX_SOCKETS, maxFreeSockets: MAX_FREE });
    this.#dial = dial;
  }

  override createConnection(_options: unknown, done?: (error: Error | null, stream: Duplex) => void): undefined {
    void this.#connect(done);
  }

  async #connect(done?: (error: Error | null, stream: Duplex) => void): Promise<void> {
    try {
      const channel = await this.#dial(AbortSignal.timeout(DIAL_WITHIN));
      channel.on('error', () => undefined);
      done?.(null, asSocket(channel));
    } catch (error) {
      done?.(error instanceof Error ? error : new Error(String(error)), undefined as never);
    }
  }
}

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | null;
}

/** Something answers that is no engine. */
export class NotAnswered extends Error {
  override readonly name = 'NotAnswered';
}

/**
 * The head of an answer; its body is not read yet. An upgrade that nobody asked for and an answer that tells of more
 * answers without end (1xx) are none. Rejects with the signal's reason, or why the connection failed.
 */
export function askOnce(
  agent: Agent,
  { method, path, headers, body }: Asked,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const ask = request({
      ...{ agent, method, path, signal, maxHeaderSize: MAX_HEADERS, joinDuplicateHeaders: false },
      headers: { ...headers, host: 'localhost', ...(body === null ? {} : { 'content-length': String(body.length) }) },
    });
    let told = 0;
    ask.on('information', () => {
      if (++told > 8) ask.destroy(new NotAnswered('it answers without coming to an end'));
    });
    ask.on('upgrade', (_answer, socket) => {
      socket.destroy();
      reject(new NotAnswered('it answers with another protocol'));
    });
    ask.once('response', resolve);
    ask.once('error', (error) => {
      // A connection that waited for this request was closed over there meanwhile: nobody has seen the request.
      const isStale = ask.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET';
      if (isStale && !signal.aborted) resolve(askOnce(agent, { method, path, headers, body }, signal));
      else reject(signal.aborted ? (signal.reason as Error) : error);
    });
    ask.end(body ?? undefined);
  });
}
