/**
 * Takes batches from the queue and posts them, one at a time, so that samples arrive in order. What the destination
 * cannot take now is sent again; what it refuses is dropped and counted.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { Backoff, retryAfter } from './backoff.ts';
import type { Kept, Queue } from './queue.ts';
import type { Answer, Transport } from './transport.ts';
import { TransportError } from './transport.ts';

/** The answer to a write is short; of an error page only the beginning is shown. */
const MAX_ANSWER = 64 * 1024;
const SHOWN = 200;

const HEADERS = {
  'content-type': 'application/x-protobuf',
  'content-encoding': 'snappy',
  'x-prometheus-remote-write-version': '0.1.0',
};

export interface SenderOptions {
  readonly url: URL;
  readonly timeout: number;
  readonly minBackoff: number;
  readonly maxBackoff: number;
  readonly transport: Pick<Transport, 'post'>;
  readonly queue: Queue;
  readonly sent: (samples: number) => void;
  /** An attempt failed and will be made again. */
  readonly failed: (error: string) => void;
  readonly dropped: (reason: string, samples: number, error: string) => void;
  /** The first batch waited for an earlier engine, which may have sent it. */
  readonly resumed: boolean;
  /** ms since the epoch. */
  readonly now: () => number;
}

type Outcome =
  | { readonly kind: 'sent' }
  | { readonly kind: 'again'; readonly error: string; readonly after: number | null; readonly maybeTaken: boolean }
  | { readonly kind: 'refused'; readonly reason: string; readonly error: string };

export class Sender {
  readonly #options: SenderOptions;
  readonly #backoff: Backoff;
  readonly #stop = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  /** The batch at the head may be at the destination already. */
  #maybeTaken: boolean;
  failing = false;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#maybeTaken = options.resumed;
    this.#backoff = new Backoff(options.minBackoff, options.maxBackoff);
  }

  start(): void {
    this.#loop = this.#run();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    for (;;) {
      const entry = await this.#options.queue.head(signal);
      if (entry === null) return;
      const wait = await this.#handle(entry);
      if (signal.aborted) return;
      if (wait > 0) await sleep(wait, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  /** Returns the time to wait before the next one, in ms. */
  async #handle(entry: Kept): Promise<number> {
    const { queue, dropped } = this.#options;
    const outcome = await this.#attempt(entry);
    if (outcome.kind === 'again') {
      queue.release();
      if (this.#stop.signal.aborted) return 0;
      this.failing = true;
      this.#maybeTaken ||= outcome.maybeTaken;
      this.#options.failed(outcome.error);
      return this.#backoff.failed(outcome.after);
    }
    this.#backoff.succeeded();
    this.failing = false;
    this.#maybeTaken = false;
    if (outcome.kind === 'sent') this.#options.sent(entry.samples);
    else dropped(outcome.reason, entry.samples, outcome.error);
    queue.remove(entry);
    return 0;
  }

  async #attempt(entry: Kept): Promise<Outcome> {
    const { url, timeout, transport, queue } = this.#options;
    try {
      const body = await queue.body(entry);
      if (body === null) return { kind: 'refused', reason: 'damaged', error: 'a batch on disk is damaged or gone' };
      const { signal } = this.#stop;
      const answer = await transport.post({ url, headers: HEADERS, body, timeout, maxAnswer: MAX_ANSWER, signal });
      return this.#judge(answer);
    } catch (error) {
      const maybeTaken = error instanceof TransportError && error.maybeTaken;
      return {
        kind: 'again',
        error: shown(error instanceof Error ? error.message : String(error)),
        after: null,
        maybeTaken,
      };
    }
  }

  #judge({ status, body, retryAfter: header }: Answer): Outcome {
    if (status >= 200 && status < 300) return { kind: 'sent' };
    const error = shown(`the destination answers ${status}: ${body}`);
    if (status === 429)
      return { kind: 'again', error, after: retryAfter(header, this.#options.now()), maybeTaken: false };
    if (status >= 400 && status < 500) {
      // It was taken the time before, when no answer came: samples that it has are not taken again.
      if (status === 400 && this.#maybeTaken && /out of order|duplicate sample/i.test(body)) return { kind: 'sent' };
      return { kind: 'refused', reason: `http_${status}`, error };
    }
    // A redirect is mended in the configuration: nothing is lost meanwhile.
    return { kind: 'again', error, after: retryAfter(header, this.#options.now()), maybeTaken: status >= 500 };
  }

  /** Ends the attempt that is under way; what was not taken stays in the queue. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
  }
}

/** One line, for people. */
function shown(text: string): string {
  // oxlint-disable-next-line no-control-regex -- what a terminal would obey
  const line = text.replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ').trim();
  return line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line;
}
