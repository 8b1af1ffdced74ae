/**
 * How long a request may take to arrive. Its head, and all of most, within a time; a file only has to go on arriving, since
 * nobody can say how long a large one takes over a slow network. Node's server knows the first of these only, for all alike.
 */

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Of a file this many bytes per second, in each such time. What is slower is no network, but somebody who holds a place. */
const LEAST_RATE = 1024;
/** However steadily it comes, ms. */
const LONGEST = 86_400_000;
/** Whoever was told goes by itself, or else after so long, ms. */
const LEAVE_WITHIN = 1000;

export class Arrivals {
  readonly #time: number;
  readonly #refuse: (socket: Socket, isAnswered: boolean) => void;
  readonly #under = new WeakMap<IncomingMessage, NodeJS.Timeout>();

  /** `time`: ms. `refuse`: tells the other side that it is cut off, which can be told nothing in the middle of an answer. */
  constructor(time: number, refuse: (socket: Socket, isAnswered: boolean) => void) {
    this.#time = time;
    this.#refuse = refuse;
  }

  /** From here on every request with a body is watched, whoever sent it. */
  watch(server: Server): void {
    server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
      const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers;
      if (encoding === undefined && Number(length) === 0) return;
      const timer = setTimeout(() => this.#cut(request, response), this.#time).unref();
      this.#under.set(request, timer);
      request.once('close', () => this.#forget(request));
    });
  }

  #forget(request: IncomingMessage): void {
    // Answered early, the rest of it may still be on its way.
    if (!request.complete && !request.socket.destroyed) return;
    clearTimeout(this.#under.get(request));
    this.#under.delete(request);
  }

  /** This one brings a file, and may. */
  asFile(request: IncomingMessage, response: ServerResponse): void {
    const first = this.#under.get(request);
    if (first === undefined) return;
    clearTimeout(first);
    const { socket } = request;
    const until = performance.now() + LONGEST;
    let before = socket.bytesRead;
    const timer = setInterval(() => {
      const came = socket.bytesRead - before;
      before = socket.bytesRead;
      if (request.complete || socket.destroyed) return this.#forget(request);
      // What has come and is not read yet waits for our own disk.
      const isOurs = request.readableLength > 0;
      const isSlow = !isOurs && came < (LEAST_RATE * this.#time) / 1000;
      if (isSlow || performance.now() > until) this.#cut(request, response);
    }, this.#time).unref();
    this.#under.set(request, timer);
  }

  #cut(request: IncomingMessage, response: ServerResponse): void {
    clearTimeout(this.#under.get(request));
    this.#under.delete(request);
    const { socket } = request;
    if (request.complete || socket.destroyed) return;
    this.#refuse(socket, response.headersSent);
    setTimeout(() => socket.destroy(), LEAVE_WITHIN).unref();
  }
}
