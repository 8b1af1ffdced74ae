/** Where the database of a data directory is, and how it is opened by those who only look. */

import Database from 'better-sqlite3';
import { closeSync, existsSync, fsyncSync, openSync, statfsSync, statSync } from 'node:fs';
import { MIGRATIONS } from '../migrations/index.ts';
import { hasTwoVersions } from './version.ts';

export const DATABASE = 'vigie.sqlite';
/** What may lie beside a database. */
export const SUFFIXES = ['', '-wal', '-shm', '-journal'] as const;

/** A command that cannot be done. The message says why, and what to do. */
export class CareError extends Error {
  override readonly name = 'CareError';
}

/** Bytes of a database with its log; 0: there is none. */
export const bytesOf = (path: string): number =>
  [path, `${path}-wal`].reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);

/**
 * Beside a running engine, too: what it writes meanwhile is not seen. Throws CareError when there is none or it is of
 * another version; what SQLite throws when it is damaged.
 */
export function openToRead(path: string): Database.Database {
  requireDatabase(path);
  let db: Database.Database;
  try {
    db = new Database(path, { readonly: true, timeout: 5000 });
  } catch (error) {
    throw new CareError(`${path} cannot be opened: ${(error as Error).message}`);
  }
  try {
    const version = db.pragma('user_version', { simple: true }) as number;
    // Not another version, but damage.
    if (hasTwoVersions(db)) return db;
    if (version > MIGRATIONS.length) throw new CareError(`${path} was written by a newer vigie; use that`);
    if (version < MIGRATIONS.length) {
      throw new CareError(`${path} was written by an older vigie; start this one on it once, which brings it forward`);
    }
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

export function requireDatabase(path: string): void {
  if (!existsSync(path)) throw new CareError(`there is no database ${path}; name another --data`);
}

const MIB = 1024 * 1024;

/** Throws CareError when a directory's disk has less room than this. */
export function requireRoom(directory: string, bytes: number, what: string): void {
  const { bavail, bsize } = statfsSync(directory);
  const [free, needed] = [bavail * bsize, bytes].map((each) => Math.ceil(each / MIB)) as [number, number];
  if (bavail * bsize >= bytes) return;
  throw new CareError(`there is no room to ${what}: it takes ${needed} MiB, and ${directory} has ${free} MiB`);
}

/** What was written to a file, or which names a directory has, is on the disk. */
export function sync(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
