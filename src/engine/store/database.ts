/** Opens the database file: private, the right journal, migrated. */

import Database from 'better-sqlite3';
import { accessSync, constants, existsSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory } from '../directory.ts';
import { finishRebuild } from './care/aside.ts';
import { applicationId, hasOtherSchema, hasTwoVersions, isMarkedReadOnly } from './care/version.ts';
import { codeOf, isDamage, isPassing } from './errors.ts';
import { createPrivateFile } from './lock.ts';
import { MIGRATIONS } from './migrations/index.ts';
import { networkFileSystem } from './network-fs.ts';
import { StoreOpenError } from './open-error.ts';

const FILE = 'vigie.sqlite';
/** Left by an engine that met damage while it ran: the next start salvages what can be read of the database. */
const DAMAGED_NOTE = 'vigie.sqlite.damaged.txt';

/** As SQLite numbers it. */
const AUTO_VACUUM_INCREMENTAL = 2;

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export const databasePath = (directory: string): string => join(directory, FILE);
export const damageNote = (directory: string): string => join(directory, DAMAGED_NOTE);

/** Others may read it while it is written: it has a log, and nobody has it for himself. */
export const isShared = (db: Database.Database): boolean =>
  db.pragma('journal_mode', { simple: true }) === 'wal' && db.pragma('locking_mode', { simple: true }) === 'normal';

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
 * Opens and hands the database to `use`, which makes the first reads and writes. Null: the file is damaged, or was when it
 * was used last; `openDatabase` (mending.ts) then goes on. Warnings are added to `warnings`. Throws StoreOpenError. The
 * caller holds the lock.
 */
export function openSound<T extends object>(
  directory: string,
  options: DatabaseOptions,
  warnings: string[],
  use: (db: Database.Database) => T,
): T | null {
  const attempt = attemptIn(directory, options, warnings, use);
  finishRebuild(databasePath(directory));
  if (existsSync(damageNote(directory))) return null;
  try {
    return attempt();
  } catch (error) {
    if (isDamage(error)) return null;
    throw asOpenError(directory, error);
  }
}

/** One attempt to open it; what fails is closed again. */
export function attemptIn<T>(
  directory: string,
  options: DatabaseOptions,
  warnings: string[],
  use: (db: Database.Database) => T,
): () => T {
  const network = networkFileSystem(options.fsType ?? statfsSync(directory).type);
  if (network !== null) {
    const slower = 'the database is written without its log, which is slower';
    warnings.push(`${directory} is on ${network}, a network file system: ${slower}; a local --data is better`);
  }
  return () => {
    const db = openFile(databasePath(directory), network);
    try {
      return use(db);
    } catch (error) {
      db.close();
      throw error;
    }
  };
}

export function asOpenError(directory: string, error: unknown): StoreOpenError {
  if (error instanceof StoreOpenError) return error;
  if (isPassing(error) || /^E[A-Z]+$/.test(codeOf(error))) return notWritable(directory, error);
  return new StoreOpenError('store_failed', `the database in ${directory} cannot be opened (${messageOf(error)})`);
}

function openFile(path: string, network: string | null): Database.Database {
  createPrivateFile(path);
  if (isMarkedReadOnly(path)) throw damaged('its header says that it must not be written');
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
    // Of a new file only (of another one it would write, which a full disk does not let it): what retention frees is then given back a little at a time.
    if (db.pragma('auto_vacuum', { simple: true }) !== AUTO_VACUUM_INCREMENTAL) db.pragma('auto_vacuum = INCREMENTAL');
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
  // One of the two was changed: an old version would be made again over what is there.
  if (hasTwoVersions(db)) throw damaged('its header says two versions');
  if (version > MIGRATIONS.length) {
    const versions = `version ${version}, this one knows ${MIGRATIONS.length}`;
    throw new StoreOpenError(
      'store_newer',
      `${path} was written by a newer vigie (${versions}); use that, or another --data`,
    );
  }
  if (hasOtherSchema(db, version)) throw damaged('its schema is not that of its version');
  for (let next = version; next < MIGRATIONS.length; next++) {
    db.transaction(() => {
      db.exec(MIGRATIONS[next]!);
      db.pragma(`user_version = ${next + 1}`);
      db.pragma(`application_id = ${applicationId(next + 1)}`);
    })();
  }
}

const damaged = (reason: string): Error => Object.assign(new Error(reason), { code: 'SQLITE_CORRUPT' });

/** Damage met while running: the next start salvages what is left. */
export function noteDamage(directory: string, error: unknown): void {
  try {
    writeFileSync(damageNote(directory), `${messageOf(error)}\n`, {
      mode: 0o600,
    });
  } catch {
    // The status says it too.
  }
}
