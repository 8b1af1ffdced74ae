/**
 * How large the database is. Asked of the file system beside the ticks, never within one: a disk that hangs must not
 * delay them, and one question at a time is all that waits for it.
 */

import { stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Between two looks, in ms. */
const EVERY = 10_000;
const FILES = ['vigie.sqlite', 'vigie.sqlite-wal'];

export class StoreSize {
  /** Bytes of the database and its log; null: nothing is on disk, or not known yet. */
  bytes: number | null = null;
  readonly #directory: string | null;
  #looking = false;
  #next = -Infinity;

  constructor(directory: string | null) {
    this.#directory = directory;
  }

  /** Looks again when it is time; `now`: monotonic ms. */
  look(now: number): void {
    if (this.#directory === null || this.#looking || now < this.#next) return;
    this.#looking = true;
    this.#next = now + EVERY;
    void this.#measure(this.#directory);
  }

  async #measure(directory: string): Promise<void> {
    try {
      let bytes = 0;
      // One after the other: each question that hangs holds one of the few threads that ask.
      for (const file of FILES) bytes += await sizeOf(join(directory, file));
      this.bytes = bytes;
    } finally {
      this.#looking = false;
    }
  }
}

/** 0 for a file that is not there: the log is gone after a clean end. */
const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );
