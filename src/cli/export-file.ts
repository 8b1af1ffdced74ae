/** A file that is there as a whole or not at all. */

import { createWriteStream, existsSync, renameSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const WORDS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'your quota on this disk is used up',
  EFBIG: 'the file is larger than this file system takes',
  EIO: 'the disk has an error',
  EACCES: 'you may not write there',
  EROFS: 'this file system is read-only',
  ENOENT: 'there is no such directory',
};

export class WholeFile {
  readonly path: string;
  readonly #part: string;

  /** `fresh`: what is there is not replaced. Throws when it cannot begin. */
  constructor(path: string, fresh: boolean) {
    this.path = path;
    this.#part = `${path}.part`;
    if (fresh && existsSync(path)) throw new Error(`${path} is there already; say where to with -o`);
  }

  /** Bytes written. Whatever goes wrong, nothing is left. Rejects with words. */
  async write(from: Readable, signal: AbortSignal): Promise<number> {
    // Made by us: what somebody else writes is not removed.
    let isOurs = false;
    try {
      const file = await open(this.#part, 'wx');
      isOurs = true;
      const stream = createWriteStream('', { fd: file, flush: true });
      await pipeline(from, stream, { signal });
      renameSync(this.#part, this.path);
      return stream.bytesWritten;
    } catch (error) {
      if (isOurs) rmSync(this.#part, { force: true });
      signal.throwIfAborted();
      const { code = '' } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST') {
        throw new Error(`${this.#part} is there: another export writes it, or one was killed. Remove it then`, {
          cause: error,
        });
      }
      const words = WORDS[code];
      throw words
        ? new Error(`${this.path}: ${words} (${code}); nothing is left of the export`, { cause: error })
        : error;
    }
  }
}

/** Whoever reads it may stop at any time. */
export async function toStandardOutput(from: Readable, signal: AbortSignal): Promise<void> {
  try {
    await pipeline(from, process.stdout, { signal, end: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  }
}
