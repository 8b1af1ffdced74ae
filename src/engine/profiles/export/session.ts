/** One export as the engine's thread sees it: begun, estimated, read, ended. */

import { Readable } from 'node:stream';
import { SHARE_ENV, Worker } from 'node:worker_threads';
import type { ExportEstimate } from '../../../shared/api/exports.ts';
import { ApiError } from '../../../shared/errors.ts';
import { useCompilers } from '../../compilers.ts';
import { collectYoung } from '../../garbage.ts';
import type { Asked, ExportOptions, FromExport, Question, ToExport } from './messages.ts';

/** Pieces of 256 KiB on their way to a reader. */
const PIECES = 4;
/** One that does not end when it is told so, ms. */
const END_WITHIN = 5000;
/** Bytes that were handed on. */
const COLLECT_EVERY = 4 * 1024 * 1024;
/** Of the thread: what it holds is typed arrays, which do not count here; the rest is short-lived. */
const YOUNG_MB = 4;
/** Columns of Parquet are arrays of numbers that live as long as a group of rows. */
const YOUNG_PARQUET_MB = 16;

export type Answer = (question: Question) => Promise<Asked[keyof Asked][1]>;

export interface SessionEnd {
  readonly state: 'done' | 'cancelled' | 'failed';
  readonly error: string | null;
  readonly damaged: number;
}

export class ExportSession {
  readonly #worker: Worker;
  readonly #answer: Answer;
  readonly #onEnd: (end: SessionEnd) => void;
  #planned!: { resolve(estimate: ExportEstimate): void; reject(error: Error): void };
  #stream: Readable | null = null;
  /** Written, and not taken by the reader. */
  readonly #pieces: Uint8Array[] = [];
  #isWanted = false;
  /** Set when all is written. */
  #whole: { readonly damaged: number } | null = null;
  #isOver = false;
  #passed = 0;
  /** Rejects with ApiError. */
  readonly estimate: Promise<ExportEstimate>;
  /** Of the estimate's samples, and bytes of the file, so far. */
  done = 0;
  bytes = 0;

  constructor(options: ExportOptions, answer: Answer, onEnd: (end: SessionEnd) => void) {
    // Text and columns of millions of values: uncompiled it takes three times as long.
    useCompilers();
    this.#answer = answer;
    this.#onEnd = onEnd;
    this.estimate = new Promise((resolve, reject) => (this.#planned = { resolve, reject }));
    this.estimate.catch(() => undefined);
    // Run from its sources, the thread is the file beside this one; built, it is a bundle beside the engine's.
    const file = import.meta.url.endsWith('.ts') ? './thread.ts' : './export-worker.cjs';
    this.#worker = new Worker(new URL(file, import.meta.url), {
      name: 'vigie-export',
      workerData: options,
      env: SHARE_ENV,
      resourceLimits: {
        maxYoungGenerationSizeMb: options.query.format === 'parquet' ? YOUNG_PARQUET_MB : YOUNG_MB,
      },
    });
    this.#worker.on('message', (message: FromExport) => this.#hear(message));
    this.#worker.on('error', (error) => this.#fail(`the export stopped: ${(error as Error).message}`));
    this.#worker.on('exit', (code) => {
      if (!this.#whole) this.#fail(`the export's thread ended with code ${code}`);
    });
  }

  /** The file. Once. Who destroys it ends the work; it errs when the export fails. */
  read(): Readable {
    const stream = new Readable({
      highWaterMark: 1,
      read: () => {
        this.#isWanted = true;
        this.#push();
      },
      destroy: (error, done) => {
        this.stop();
        done(error);
      },
    });
    this.#stream = stream;
    this.#post({ type: 'more', pieces: PIECES });
    return stream;
  }

  /** Ends the work; nothing is left of it. */
  stop(): void {
    this.#end('cancelled', null, 0);
  }

  #hear(message: FromExport): void {
    switch (message.type) {
      case 'planned':
        return this.#planned.resolve(message.estimate);
      case 'refused':
        this.#planned.reject(new ApiError(message.code, message.message));
        return this.#end('failed', message.message, 0);
      case 'bytes':
        this.done = message.done;
        this.#pieces.push(message.bytes);
        return this.#push();
      case 'end':
        this.done = message.done;
        this.#whole = { damaged: message.damaged };
        return this.#push();
      case 'failed':
        return this.#fail(message.message);
      case 'ask':
        return void this.#reply(message.id, message);
    }
  }

  /** As much as the reader has room for; the thread may then make more. */
  #push(): void {
    while (this.#isWanted && this.#stream) {
      const piece = this.#pieces.shift();
      if (!piece) {
        if (this.#whole) {
          this.#end('done', null, this.#whole.damaged);
          this.#stream.push(null);
        }
        return;
      }
      this.bytes += piece.byteLength;
      this.#passed += piece.byteLength;
      if (this.#passed > COLLECT_EVERY) {
        collectYoung();
        this.#passed = 0;
      }
      this.#isWanted = this.#stream.push(piece);
      this.#post({ type: 'more', pieces: 1 });
    }
  }

  async #reply(id: number, question: Question): Promise<void> {
    try {
      this.#post({ type: 'answer', id, value: await this.#answer(question) });
    } catch (error) {
      this.#post({ type: 'unanswered', id, message: (error as Error).message });
    }
  }

  #post(message: ToExport): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    if (!this.#isOver) this.#worker.postMessage(message);
  }

  #fail(message: string): void {
    if (this.#isOver) return;
    this.#planned.reject(new ApiError('store_unavailable', message));
    this.#end('failed', message, 0);
    this.#stream?.destroy(new Error(message));
  }

  #end(state: SessionEnd['state'], error: string | null, damaged: number): void {
    if (this.#isOver) return;
    this.#post({ type: 'stop' });
    this.#isOver = true;
    if (state === 'cancelled') this.#pieces.length = 0;
    this.#planned.reject(new ApiError('store_unavailable', error ?? 'the export was ended'));
    const late = setTimeout(() => void this.#worker.terminate(), END_WITHIN);
    late.unref();
    this.#worker.once('exit', () => clearTimeout(late));
    this.#onEnd({ state, error, damaged });
  }
}
