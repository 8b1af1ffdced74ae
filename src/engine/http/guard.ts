/** What keeps senders and readers from taking more of the engine than their share: rates, times and sizes. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from '../../shared/errors.ts';
import { formatSize } from '../../shared/size.ts';
import type { Limits } from '../limits.ts';
import type { Refusals } from '../refusals.ts';
import type { App } from './app.ts';
import { RateLimit, sender } from './rate.ts';

/** Answers of fewer bytes fit into the kernel's buffers: nobody needs to read them for the engine to be rid of them. */
const SMALL_ANSWER = 64 * 1024;

/** Why a request may pass: each kind has a rate of its own, so that none can use up another's. */
export type Entry = 'token' | 'compat' | 'public' | 'refused';

export class Guard {
  readonly #limits: Limits;
  readonly #refusals: Refusals;
  readonly #rate: RateLimit;
  #unread = 0;

  constructor(limits: Limits, refusals: Refusals) {
    this.#limits = limits;
    this.#refusals = refusals;
    this.#rate = new RateLimit(limits.requests_per_second);
  }

  /** Bytes of answers that their readers have not taken yet, without small ones. */
  get unread(): number {
    return this.#unread;
  }

  /** Counts a request; refuses it when its sender sends too many. */
  enter(address: string | undefined, entry: Entry): void {
    if (entry === 'refused') this.#refusals.add('unauthorized');
    if (!this.#rate.exceeds(`${entry} ${sender(address)}`)) return;
    this.#refusals.add('too_many_requests');
    throw new ApiError(
      'too_many_requests',
      `one address may send ${this.#limits.requests_per_second} requests per second (limits.requests_per_second); try again later`,
    );
  }

  /** Installs what looks at every answer. */
  watch(app: App): void {
    app.addHook('onRequest', async (request, reply) => this.#time(request, reply));
    app.addHook('onSend', async (_request, reply, payload) => this.#size(reply, payload));
  }

  /** A reader that takes a byte now and then would hold its answer's memory for hours. */
  #time(request: FastifyRequest, reply: FastifyReply): void {
    if (request.ws) return;
    if (request.routeOptions.config.streams) return this.#stall(request, reply);
    // How long a file takes to come says nothing of the one who sends it as a reader.
    if (request.routeOptions.config.uploads) request.raw.once('end', () => this.#limit(request, reply));
    else this.#limit(request, reply);
  }

  #limit(request: FastifyRequest, reply: FastifyReply): void {
    const timer = setTimeout(() => {
      this.#refusals.add('response_too_slow');
      request.raw.socket.destroy();
    }, this.#limits.response_time);
    timer.unref();
    reply.raw.once('close', () => clearTimeout(timer));
  }

  /** A file has no limit of time: it is given up when its reader takes nothing for so long. */
  #stall({ raw: { socket } }: FastifyRequest, reply: FastifyReply): void {
    let before = -1;
    const timer = setInterval(() => {
      const taken = socket.bytesWritten - socket.writableLength;
      if (socket.writableLength > 0 && taken === before) {
        this.#refusals.add('response_too_slow');
        socket.destroy();
      }
      before = taken;
    }, this.#limits.response_time);
    timer.unref();
    reply.raw.once('close', () => clearInterval(timer));
  }

  #size(reply: FastifyReply, payload: unknown): unknown {
    const length = typeof payload === 'string' || payload instanceof Uint8Array ? payload.length : 0;
    if (length <= SMALL_ANSWER) return payload;
    if (length > this.#limits.response_size) {
      this.#refusals.add('response_too_large');
      throw new ApiError(
        'response_too_large',
        `an answer may have ${formatSize(this.#limits.response_size)} (limits.response_size): ask for less, such as one job or fewer series`,
      );
    }
    if (this.#unread + length > this.#limits.unread_responses) {
      this.#refusals.add('too_many_unread_responses');
      throw new ApiError('overloaded', 'readers have not taken the answers that they asked for; try again');
    }
    this.#unread += length;
    reply.raw.once('close', () => (this.#unread -= length));
    return payload;
  }
}
