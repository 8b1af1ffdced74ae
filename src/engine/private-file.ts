/** Small files of JSON that only their owner may read (0600), put in their places whole. */

import { closeSync, fsyncSync, lstatSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeDirectory } from './directory.ts';

/** Why a file is not read, in words that show nothing of what is in it. */
export class PrivateFileError extends Error {
  override readonly name = 'PrivateFileError';
}

/**
 * What the file says; undefined: there is none. Throws {@link PrivateFileError} where others may read or write it, or it
 * has more than `most` bytes, and what reading and parsing throw.
 */
export function readPrivateFile(path: string, most: number): unknown {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return undefined;
  if (!found.isFile() || found.uid !== (process.getuid?.() ?? found.uid) || (found.mode & 0o077) !== 0) {
    throw new PrivateFileError('it must be a file that only you can read (chmod 600)');
  }
  if (found.size > most) throw new PrivateFileError('it is too large');
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** Makes its directory, too. What was there before stays until the new one is whole and on the disk. */
export function writePrivateFile(path: string, contents: unknown): void {
  makeDirectory(dirname(path));
  const temporary = `${path}.new`;
  rmSync(temporary, { force: true });
  const file = openSync(temporary, 'wx', 0o600);
  try {
    writeFileSync(file, `${JSON.stringify(contents, null, 1)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}

/** Where a file that cannot be used is now, never written over; null: it could not be moved. */
export function putAside(path: string): string | null {
  const aside = `${path}.unusable`;
  try {
    renameSync(path, aside);
    return aside;
  } catch {
    return null;
  }
}
