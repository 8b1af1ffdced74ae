/**
 * Pushes metrics to an engine or to an old proxy over its Unix socket, with the legacy protocol: what the tests and
 * `vigie push` use. One pusher is one rank of its job.
 */

import { connect, type Socket } from 'node:net';
import { bareJob, type JobDesc } from '../shared/model/job.ts';
import type { Gauge } from '../shared/model/values.ts';

/** Nobody can be pushed to, or not everything could be handed over. The message names the path and says why. */
export class PushError extends Error {
  override readonly name = 'PushError';
}

/** How long the engine may take to read what is left when the connection ends, in ms. */
const CLOSE_WITHIN = 10_000;

export class Pusher {
  readonly #socket: Socket;
  readonly #path: string;
  #failure: PushError | null = null;
  #ended: Promise<void> | null = null;

  private constructor(socket: Socket, path: string) {
    this.#socket = socket;
    this.#path = path;
    // A write to an engine that went away must not end the program that is measured.
    socket.on('error', (error) => {
      this.#fail(error.message);
      socket.destroy();
    });
    socket.once('end', () => {
      if (this.#ended === null) this.#fail('the engine closed it');
    });
    // An engine sends nothing; without reading, its end of the connection would not be seen.
    socket.resume();
  }

  #fail(why: string): void {
    this.#failure ??= new PushError(
      `${this.#path}: the connection broke before everything was handed over (${why}); the last values may be lost`,
    );
  }

  /** Why values got lost, as soon as that is known. */
  get failure(): PushError | null {
    return this.#failure;
  }

  static connect(path: string): Promise<Pusher> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      socket.once('error', (error: NodeJS.ErrnoException) => {
        const why =
          error.code === 'ENOENT' || error.code === 'ECONNREFUSED'
            ? 'no engine listens there; start one with `vigie serve`'
            : error.message;
        reject(new PushError(`${path}: ${why}`));
      });
      socket.once('connect', () => resolve(new Pusher(socket, path)));
    });
  }

  /** The job this client belongs to. Missing fields are empty. */
  job(desc: Pick<JobDesc, 'jobid'> & Partial<JobDesc>): void {
    this.#send({ JobDesc: { ...bareJob(desc.jobid), size: 1, ...desc } });
  }

  describeCounter(name: string, doc = ''): void {
    this.#send({ Desc: { name, doc, ctype: { Counter: { ts: 0, value: 0 } } } });
  }

  describeGauge(name: string, doc = ''): void {
    this.#send({ Desc: { name, doc, ctype: { Gauge: { min: 0, max: 0, hits: 0, total: 0 } } } });
  }

  /** The counter grew by this much since it was last told. */
  increase(name: string, by: number): void {
    this.#send({ Value: { name, value: { Counter: { ts: Date.now() * 1000, value: by } } } });
  }

  /** Replaces this client's value of the gauge. */
  set(name: string, gauge: number | Gauge): void {
    const value = typeof gauge === 'number' ? { min: gauge, max: gauge, hits: 1, total: gauge } : gauge;
    this.#send({ Value: { name, value: { Gauge: value } } });
  }

  /** Bytes as they are, for what the other methods would never send. */
  raw(bytes: Uint8Array | string): void {
    this.#socket.write(bytes);
  }

  #send(message: object): void {
    this.#socket.write(`${JSON.stringify(message)}\0`);
  }

  /** Ends the connection once the engine has read everything. Rejects with a {@link PushError} when it could not. */
  close(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async #end(): Promise<void> {
    const socket = this.#socket;
    if (!socket.destroyed && this.#failure === null) {
      await new Promise<void>((resolve) => {
        const limit = setTimeout(() => {
          this.#fail(`the engine did not read it within ${CLOSE_WITHIN / 1000} s`);
          socket.destroy();
        }, CLOSE_WITHIN);
        socket.once('close', () => {
          clearTimeout(limit);
          resolve();
        });
        // The engine closes its side when it has read all.
        socket.end();
      });
    }
    if (this.#failure !== null) throw this.#failure;
  }

  /** Breaks the connection off, as a killed program does. */
  destroy(): void {
    this.#socket.destroy();
  }
}
