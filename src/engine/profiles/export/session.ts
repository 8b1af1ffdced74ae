/** One export as the engine's thread sees it: begun, estimated, read, ended. */

import { SHARE_ENV, Worker } from 'node:worker_threads';
import { ApiError } from '../../../shared/errors.ts';
import { useCompilers } from '../../compilers.ts';
import type { PlannedSize } from './job.ts';
import type { Asked, ExportOptions, FromExport, Question, ToExport } from './messages.ts';
import { PieceStream } from './piece-stream.ts';

/** Pieces of 256 KiB on their way to a reader. */
const PIECES = 4;
/** Of the thread: what it holds is typed arrays, which do not count here; the rest is short-lived. */
const YOUNG_MB = 4;

export type Answer = (question: Question) => Promise<Asked[keyof Asked][1]>;

/** `bytes`: null where they were not asked for. */
type Size = PlannedSize & { readonly bytes: number | null };

export interface SessionEnd {
  readonly state: 'done' | 'cancelled' | 'failed';
  readonly error: string | null;
  readonly damaged: number;
}

export class ExportSession {
  readonly #worker: Worker;
  readonly #answer: Answer;
  readonly #onEnd: (end: SessionEnd) => void;
  #planned!: { resolve(size: Size): void; reject(error: Error): void };
  #stream: PieceStream | null = null;
  /** All is written. */
  #isWhole = false;
  #isOver = false;
  /** Rejects with ApiError. */
  readonly estimate: Promise<Size>;
  /**
   * Resolves when the thread has ended. It ends by itself, soon after it was told to, and is never terminated: in the
   * middle of loading SQLite, or of a call to it, that would end the whole process.
   */
  readonly exited: Promise<void>;
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
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    this.#worker.on('message', (message: FromExport) => this.#hear(message));
    this.#worker.on('error', (error) => this.#fail(`the export stopped: ${(error as Error).message}`));
    this.exited = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        if (!this.#isWhole) this.#fail(`the export's thread ended with code ${code}`);
        resolve();
      });
    });
  }

  /** The file. Once. Who destroys it ends the work; it errs when the export fails. */
  read(): PieceStream {
    const stream = new PieceStream(
      ({ bytes, memory }) => {
        this.bytes += bytes.length;
        this.#post({ type: 'more', pieces: 1, free: memory });
      },
      () => this.stop(),
    );
    this.#stream = stream;
    this.#post({ type: 'more', pieces: PIECES, free: null });
    return stream;
  }

  /** Ends the work; nothing is left of it. */
  stop(): void {
    this.#end('cancelled', null, 0);
  }

  #hear(message: FromExport): void {
    switch (message.type) {
      case 'planned':
        return this.#planned.resolve({ ...message.estimate, bytes: message.bytes });
      case 'refused':
        this.#planned.reject(new ApiError(message.code, message.message));
        return this.#end('failed', message.message, 0);
      case 'bytes':
        this.done = message.done;
        return this.#stream?.add(message);
      case 'end':
        this.done = message.done;
        this.#isWhole = true;
        return this.#stream?.whole(() => this.#end('done', null, message.damaged));
      case 'failed':
        return this.#fail(message.message);
      case 'ask':
        return void this.#reply(message.id, message);
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
    this.#planned.reject(new ApiError('store_unavailable', error ?? 'the export was ended'));
    this.#onEnd({ state, error, damaged });
  }
}
