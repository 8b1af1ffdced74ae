/**
 * Batches that wait for the destination, in order, bounded in bytes: of more, the oldest are dropped. They are kept on
 * disk, or in memory where the engine keeps nothing on disk.
 */

import type { Batch } from './encoder.ts';

export interface Kept {
  /** Grows from batch to batch. */
  readonly number: number;
  readonly samples: number;
  /** Time of the oldest sample, ms since the epoch. */
  readonly oldest: number;
  readonly bytes: number;
  readonly crc: number;
}

/** Where bodies are. */
export interface Keeper {
  put(entry: Kept, body: Uint8Array): Promise<void>;
  /** Null: it is gone, or not what was put. */
  get(entry: Kept): Promise<Uint8Array | null>;
  remove(entry: Kept): Promise<void>;
}

/** Bodies that could not be put yet, in bytes: a disk that hangs or is full must not fill the memory. */
const MAX_UNPUT = 16 * 1024 * 1024;

export interface QueueOptions {
  readonly keeper: Keeper;
  /** Those of an earlier engine, in order. */
  readonly found: readonly Kept[];
  readonly maxBytes: number;
  readonly crc: (body: Uint8Array) => number;
  readonly dropped: (reason: 'queue_full' | 'disk', samples: number) => void;
  /** Something cannot be written or removed. */
  readonly failed: (error: unknown) => void;
}

export class Queue {
  bytes = 0;
  readonly #options: QueueOptions;
  readonly #entries: Kept[];
  #next: number;
  /** The first one is being sent: it is not dropped. */
  #held: Kept | null = null;
  readonly #unput = new Map<Kept, Uint8Array>();
  #unputBytes = 0;
  #writing: Promise<void> = Promise.resolve();
  #wake: (() => void) | null = null;

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#entries = [...options.found];
    this.#next = (this.#entries.at(-1)?.number ?? 0) + 1;
    for (const { bytes } of this.#entries) this.bytes += bytes;
    this.#limit();
  }

  get length(): number {
    return this.#entries.length;
  }

  /** Time of the oldest sample that waits; Infinity: none does. */
  get oldest(): number {
    return this.#entries[0]?.oldest ?? Infinity;
  }

  push({ body, samples, oldest }: Batch): void {
    const { keeper, crc, dropped, failed } = this.#options;
    if (this.#unputBytes + body.length > MAX_UNPUT) return dropped('disk', samples);
    const entry: Kept = {
      number: this.#next++,
      samples,
      oldest: Math.floor(oldest),
      bytes: body.length,
      crc: crc(body),
    };
    this.#entries.push(entry);
    this.bytes += entry.bytes;
    this.#unput.set(entry, body);
    this.#unputBytes += entry.bytes;
    this.#writing = this.#writing.then(async () => {
      // Not the one above: it would wait in memory, though sent or dropped, for as long as the disk hangs.
      const waiting = this.#unput.get(entry);
      if (!waiting) return;
      try {
        await keeper.put(entry, waiting);
        if (this.#forget(entry)) return;
        await keeper.remove(entry);
      } catch (error) {
        // It stays in memory, as far as there is room for it.
        failed(error);
      }
    });
    this.#limit();
    this.#wake?.();
  }

  #forget(entry: Kept): boolean {
    if (!this.#unput.delete(entry)) return false;
    this.#unputBytes -= entry.bytes;
    return true;
  }

  #limit(): void {
    while (this.bytes > this.#options.maxBytes) {
      const at = this.#entries[0] === this.#held && this.#held !== null ? 1 : 0;
      const entry = this.#entries[at];
      if (!entry) return;
      this.#options.dropped('queue_full', entry.samples);
      this.#remove(entry);
    }
  }

  /** Waits for a batch; null once the signal is aborted. It is held until `remove` or `release`. */
  async head(signal: AbortSignal): Promise<Kept | null> {
    while (this.#entries.length === 0 && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          signal.removeEventListener('abort', done);
          this.#wake = null;
          resolve();
        };
        this.#wake = done;
        signal.addEventListener('abort', done);
      });
    }
    if (signal.aborted) return null;
    this.#held = this.#entries[0] ?? null;
    return this.#held;
  }

  async body(entry: Kept): Promise<Uint8Array | null> {
    return this.#unput.get(entry) ?? (await this.#options.keeper.get(entry));
  }

  release(): void {
    this.#held = null;
  }

  /** It was taken, or is given up. */
  remove(entry: Kept): void {
    this.#held = null;
    this.#remove(entry);
  }

  #remove(entry: Kept): void {
    const at = this.#entries.indexOf(entry);
    if (at < 0) return;
    this.#entries.splice(at, 1);
    this.bytes -= entry.bytes;
    const { keeper, failed } = this.#options;
    this.#forget(entry);
    // Also when it was being put: whichever comes last removes it.
    this.#writing = this.#writing.then(() => keeper.remove(entry)).catch(failed);
  }

  /** Resolves when all that was pushed is where it is kept. */
  async settle(): Promise<void> {
    await this.#writing;
  }
}
