/**
 * One engine per data directory. Node has no flock, so the lock is an exclusive transaction held on `lock.sqlite`: the
 * kernel drops it with the process, however that ends. `lock.json` beside it says who holds it, for messages only: a
 * stale one blocks nothing.
 */

import Database from 'better-sqlite3';
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { StoreOpenError } from './open-error.ts';

export interface StoreLock {
  release(): void;
}

/** Makes an empty file that only the owner reads; SQLite gives its log files the same mode. */
export function createPrivateFile(path: string): void {
  // Only when it is not there: closing any descriptor of a file drops all locks this process has on it (POSIX).
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Throws {@link StoreOpenError} `store_locked`, which names the holder, also when this very process holds it. */
export function lockDirectory(directory: string): StoreLock {
  const path = join(directory, 'lock.sqlite');
  const holder = join(directory, 'lock.json');
  const db = openExclusive(path, () => describeHolder(holder));
  const own = JSON.stringify({ pid: process.pid, host: hostname(), since: new Date().toISOString() });
  try {
    writeFileSync(holder, `${own}\n`, { mode: 0o600 });
  } catch {
    // Only the next one's message is poorer.
  }
  return {
    release() {
      rmSync(holder, { force: true });
      db.close();
    },
  };
}

function openExclusive(path: string, describe: () => string): Database.Database {
  for (let attempt = 0; ; attempt++) {
    createPrivateFile(path);
    let db: Database.Database | null = null;
    try {
      db = new Database(path, { timeout: 0 });
      // Nothing is ever written: a full disk must not keep a journal from being made.
      db.pragma('journal_mode = MEMORY');
      db.exec('BEGIN EXCLUSIVE');
      return db;
    } catch (error) {
      db?.close();
      const { code = '', message } = error as { code?: string; message: string };
      if (code.startsWith('SQLITE_BUSY')) throw new StoreOpenError('store_locked', describe());
      // Not a lock file of ours. Nobody holds it: that would have been "busy".
      if (code === 'SQLITE_NOTADB' && attempt === 0) renameSync(path, `${path}.damaged-${Date.now()}`);
      else throw new StoreOpenError('store_not_writable', `${path} cannot be locked (${message}); use another --data`);
    }
  }
}

function describeHolder(path: string): string {
  let who = 'another engine';
  try {
    const { pid, host, since } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    who = `pid ${String(pid)} on host ${String(host)} since ${String(since)}`;
  } catch {
    // Written a moment after the lock is taken; may also be missing or damaged.
  }
  return `the data directory is locked by ${who}; stop it or use another --data`;
}
