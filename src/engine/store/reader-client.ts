/**
 * The reader's thread as the engine's own sees it: begun with the first question, or before it, ended when nobody has
 * asked for a while, because an engine that only collects should not pay for it.
 */

import { useCompilers } from '../compilers.ts';
import { SHARE_ENV, Worker } from 'node:worker_threads';
import type { DamagedBlock } from './block-table.ts';
import type { FromReader, ReaderOptions, ToReader } from './messages.ts';
import type { LongMessage } from './questions.ts';

/** Without a question for so long, ms, the thread ends. */
const IDLE = 60_000;

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class ReaderClient {
  readonly #file: URL;
  readonly #options: ReaderOptions;
  readonly #onDamage: (block: DamagedBlock) => void;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | null = null;
  #asked = false;
  #idle: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(file: URL, options: ReaderOptions, onDamage: (block: DamagedBlock) => void) {
    this.#file = file;
    this.#options = options;
    this.#onDamage = onDamage;
  }

  /** It was asked since it began: nobody waits for its beginning any more. */
  get isRunning(): boolean {
    return this.#worker !== null && this.#asked;
  }

  /** Questions that are not answered yet. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Begins the thread for a question that is likely to come. */
  wake(): void {
    if (this.#closed) return;
    this.#worker ??= this.#start();
    if (this.#waiting.size === 0) this.#rest();
  }

  /** Rejects when the thread cannot answer. Taken back by `signal`. */
  ask(message: LongMessage, signal: AbortSignal | undefined): Promise<unknown> {
    if (this.#closed) return Promise.reject(new Error('the store is closed'));
    this.#worker ??= this.#start();
    this.#asked = true;
    // A long question is work: uncompiled it takes three times as long.
    useCompilers();
    if (this.#idle) clearTimeout(this.#idle);
    return new Promise((resolve, reject) => {
      const cancel = (): void => {
        this.#post({ type: 'cancel', id: message.id });
        this.#settle(message.id)?.reject(signal?.reason as Error);
      };
      const over = (): void => signal?.removeEventListener('abort', cancel);
      this.#waiting.set(message.id, {
        resolve: (value) => {
          over();
          resolve(value);
        },
        reject: (error) => {
          over();
          reject(error);
        },
      });
      signal?.addEventListener('abort', cancel, { once: true });
      this.#post(message);
    });
  }

  #start(): Worker {
    this.#asked = false;
    const worker = new Worker(this.#file, {
      name: 'vigie-store-reader',
      workerData: this.#options,
      env: SHARE_ENV,
      resourceLimits: { maxYoungGenerationSizeMb: 8 },
    });
    worker.on('message', (message: FromReader) => this.#hear(message));
    worker.on('error', (error) => this.#end(worker, String(error)));
    worker.on('exit', (code) => this.#end(worker, `it ended with code ${code}`));
    return worker;
  }

  #hear(message: FromReader): void {
    if (message.type === 'damage') this.#onDamage(message.block);
    else if (message.type === 'answer') this.#settle(message.id)?.resolve(message.value);
    else this.#settle(message.id)?.reject(new Error(message.message));
  }

  #post(message: ToReader | LongMessage): void {
    this.#worker?.postMessage(message);
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0 && !this.#closed) this.#rest();
    return waiting;
  }

  #rest(): void {
    if (this.#idle) clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      this.#post({ type: 'close' });
      this.#worker = null;
    }, IDLE).unref();
  }

  #end(worker: Worker, reason: string): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    for (const { reject } of this.#waiting.values()) reject(new Error(`the store's reader stopped: ${reason}`));
    this.#waiting.clear();
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#idle) clearTimeout(this.#idle);
    const worker = this.#worker;
    if (!worker) return;
    const exit = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    this.#post({ type: 'close' });
    // Never terminated: while it still loads SQLite, that would end the whole process. It looks for this between its steps,
    // and where a disk hangs neither would help.
    await exit;
  }
}
