/**
 * Where batches wait. On disk each is a file of its own in a private directory, with its number, samples, time and
 * checksum in its name: written beside its place and renamed, so that half a file never counts. A file that lost its
 * contents in a power cut is found by its checksum.
 */

import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { makeDirectory } from '../directory.ts';
import type { Keeper, Kept } from './queue.ts';

export class MemoryKeeper implements Keeper {
  readonly #bodies = new Map<Kept, Uint8Array>();

  put(entry: Kept, body: Uint8Array): Promise<void> {
    this.#bodies.set(entry, body);
    return Promise.resolve();
  }

  get(entry: Kept): Promise<Uint8Array | null> {
    return Promise.resolve(this.#bodies.get(entry) ?? null);
  }

  remove(entry: Kept): Promise<void> {
    this.#bodies.delete(entry);
    return Promise.resolve();
  }
}

const FILE = /^(\d{1,15})-(\d{1,9})-(\d{1,15})-(\d{1,10})-([0-9a-f]{8})\.req$/;

const fileName = ({ number, samples, oldest, bytes, crc }: Kept): string =>
  `${String(number).padStart(12, '0')}-${samples}-${oldest}-${bytes}-${crc.toString(16).padStart(8, '0')}.req`;

function parseName(name: string): Kept | null {
  const [, number, samples, oldest, bytes, crc] = FILE.exec(name) ?? [];
  if (crc === undefined) return null;
  return {
    ...{ number: Number(number), samples: Number(samples), oldest: Number(oldest), bytes: Number(bytes) },
    crc: Number.parseInt(crc, 16),
  };
}

export class DiskKeeper implements Keeper {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Makes the directory. What an earlier engine left there, in order; half-written files are removed. */
  async open(): Promise<Kept[]> {
    makeDirectory(this.#directory);
    const found: Kept[] = [];
    for (const name of await readdir(this.#directory)) {
      const entry = parseName(name);
      // Only what is named as we name it: somebody else's file stays.
      if (entry && fileName(entry) === name) found.push(entry);
      else if (name.endsWith('.req.part')) await rm(join(this.#directory, name), { force: true });
    }
    return found.sort((a, b) => a.number - b.number);
  }

  async put(entry: Kept, body: Uint8Array): Promise<void> {
    const path = join(this.#directory, fileName(entry));
    try {
      await writeFile(`${path}.part`, body, { mode: 0o600 });
      await rename(`${path}.part`, path);
    } catch (error) {
      await rm(`${path}.part`, { force: true });
      throw error;
    }
  }

  async get(entry: Kept): Promise<Uint8Array | null> {
    let body: Uint8Array;
    try {
      body = await readFile(join(this.#directory, fileName(entry)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
    return body.length === entry.bytes && crc32(body) === entry.crc ? body : null;
  }

  async remove(entry: Kept): Promise<void> {
    await rm(join(this.#directory, fileName(entry)), { force: true });
  }
}
