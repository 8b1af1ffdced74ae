/**
 * Pushes metrics to an engine or to an old proxy over its Unix socket, with the legacy protocol: what the tests and
 * `vigie push` use. One pusher is one rank of its job.
 */

import { connect, type Socket } from 'node:net';
import { bareJob, type JobDesc } from '../shared/model/job.ts';
import type { Gauge } from '../shared/model/values.ts';

/** Nobody can be pushed to. The message names the path and says what to do. */
export class PushError extends Error {
  override readonly name = 'PushError';
}

export class Pusher {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    // A write to an engine that went away must not end the program that is measured.
    socket.on('error', () => socket.destroy());
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
      socket.once('connect', () => resolve(new Pusher(socket)));
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

  /** Everything is handed to the kernel, then the connection ends. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.destroyed) return resolve();
      this.#socket.once('close', () => resolve());
      // The engine closes its side when it has read all.
      this.#socket.resume();
      this.#socket.end();
    });
  }

  /** Breaks the connection off, as a killed program does. */
  destroy(): void {
    this.#socket.destroy();
  }
}
