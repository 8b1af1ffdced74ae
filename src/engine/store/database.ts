/** Opens the database file: private, the right journal, migrated; a damaged one is set aside. */

import Database from 'better-sqlite3';
import {
  accessSync,
  constants,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { makeDirectory } from '../directory.ts';
import { createPrivateFile } from './lock.ts';
import { MIGRATIONS } from './migrations/index.ts';
import { networkFileSystem } from './network-fs.ts';
import { StoreOpenError } from './open-error.ts';

const FILE = 'vigie.sqlite';
/** Left by an engine that met damage while it ran: the next start sets the database aside. */
const DAMAGED_NOTE = 'vigie.sqlite.damaged.txt';

const codeOf = (error: unknown): string => (error as { code?: unknown }).code?.toString() ?? '';
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export const isDamage = (error: unknown): boolean => /^SQLITE_(CORRUPT|NOTADB)/.test(codeOf(error));

/** A full disk, a file system that does not answer: may pass. */
export const isPassing = (error: unknown): boolean =>
  /^SQLITE_(FULL|IOERR|READONLY|CANTOPEN|BUSY|LOCKED|NOMEM|PROTOCOL)/.test(codeOf(error));

/** Makes the directory (0700) with its parents. */
export function prepareDirectory(directory: string): void {
  try {
    makeDirectory(directory);
    // SQLite would only say that it cannot open its file.
    accessSync(directory, constants.W_OK);
    createPrivateFile(join(directory, 'lock.sqlite'));
  } catch (error) {
    throw notWritable(directory, error);
  }
}

export function notWritable(directory: string, error: unknown): StoreOpenError {
  const what = `the data directory ${directory} cannot be written (${messageOf(error)})`;
  return new StoreOpenError('store_not_writable', `${what}; use another --data, or --memory to keep nothing`);
}

export interface DatabaseOptions {
  /** statfs(2)'s f_type; absent: asked for. */
  readonly fsType?: number;
}

/**
 * Opens and hands the database to `use`, which makes the first reads and writes: damage that they meet sets the file
 * aside and begins a new one. Warnings are added to `warnings`. Throws StoreOpenError. The caller holds the lock.
 */
export function openDatabase<T>(
  directory: string,
  options: DatabaseOptions,
  warnings: string[],
  use: (db: Database.Database) => T,
): T {
  const path = join(directory, FILE);
  const note = join(directory, DAMAGED_NOTE);
  const network = networkFileSystem(options.fsType ?? statfsSync(directory).type);
  if (network !== null) {
    const slower = 'the database is written without its log, which is slower';
    warnings.push(`${directory} is on ${network}, a network file system: ${slower}; a local --data is better`);
  }
  const attempt = (): T => {
    const db = openFile(path, network);
    try {
      return use(db);
    } catch (error) {
      db.close();
      throw error;
    }
  };
  if (existsSync(note)) {
    setAside(path, readNote(note), warnings);
    rmSync(note, { force: true });
  }
  try {
    return attempt();
  } catch (error) {
    if (!isDamage(error)) throw asOpenError(directory, error);
    setAside(path, messageOf(error), warnings);
  }
  try {
    return attempt();
  } catch (error) {
    throw asOpenError(directory, error);
  }
}

function asOpenError(directory: string, error: unknown): StoreOpenError {
  if (error instanceof StoreOpenError) return error;
  if (isPassing(error) || /^E[A-Z]+$/.test(codeOf(error))) return notWritable(directory, error);
  return new StoreOpenError('store_failed', `the database in ${directory} cannot be opened (${messageOf(error)})`);
}

function openFile(path: string, network: string | null): Database.Database {
  createPrivateFile(path);
  try {
    return connect(path, network, false);
  } catch (error) {
    // A full disk has no room for the file that readers of the log share: without it, nobody else can read meanwhile.
    if (!codeOf(error).startsWith('SQLITE_IOERR_SHM')) throw error;
    return connect(path, network, true);
  }
}

function connect(path: string, network: string | null, alone: boolean): Database.Database {
  const db = new Database(path, { timeout: 2000 });
  try {
    if (alone) db.pragma('locking_mode = EXCLUSIVE');
    db.pragma(`journal_mode = ${network === null ? 'WAL' : 'DELETE'}`);
    // FULL: each commit is on the disk before it is called durable, so that a power cut loses nothing of it. The one
    // fsync per tick costs about 0.2 ms of CPU and some waiting, on this thread only.
    db.pragma('synchronous = FULL');
    db.pragma('cache_size = -2048');
    db.pragma('mmap_size = 0');
    db.pragma('journal_size_limit = 8388608');
    migrate(db, path);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function migrate(db: Database.Database, path: string): void {
  const version = db.pragma('user_version', { simple: true }) as number;
  if (version > MIGRATIONS.length) {
    const versions = `version ${version}, this one knows ${MIGRATIONS.length}`;
    throw new StoreOpenError(
      'store_newer',
      `${path} was written by a newer vigie (${versions}); use that, or another --data`,
    );
  }
  for (let next = version; next < MIGRATIONS.length; next++) {
    db.transaction(() => {
      db.exec(MIGRATIONS[next]!);
      db.pragma(`user_version = ${next + 1}`);
    })();
  }
}

/** Damage met while running: the next start begins anew beside what is left. */
export function noteDamage(directory: string, error: unknown): void {
  try {
    writeFileSync(join(directory, DAMAGED_NOTE), `${messageOf(error)}\n`, { mode: 0o600 });
  } catch {
    // The status says it too.
  }
}

function readNote(path: string): string {
  try {
    return readFileSync(path, 'utf8').slice(0, 500).trim();
  } catch {
    return 'damage was noted';
  }
}

/** Renames the database and its logs: a log left behind would be replayed into the new file. */
function setAside(path: string, reason: string, warnings: string[]): void {
  const aside = `${path}.damaged-${Date.now()}`;
  for (const suffix of ['', '-wal', '-shm', '-journal']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  }
  warnings.push(`the database was damaged (${reason}); it is kept as ${aside} and a new one is begun`);
}
