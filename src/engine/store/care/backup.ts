/** A copy of a database while an engine writes to it. */

import Database from 'better-sqlite3';
import { closeSync, existsSync, linkSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { CareError, openToRead, SUFFIXES, sync } from './store-file.ts';

/** Pages that are copied at once: Ctrl-C and the progress have their turn in between. */
const STEP_PAGES = 1024;

/**
 * Copies into a new file that only its owner reads. It appears whole or not at all. Throws CareError when there is one
 * already; the signal's reason when it is aborted.
 */
export async function backupDatabase(
  path: string,
  to: string,
  options: { readonly signal?: AbortSignal; readonly progress?: (done: number, total: number) => void } = {},
): Promise<void> {
  if (existsSync(to)) throw new CareError(`${to} is there already; it is not written over`);
  const part = `${to}.part-${process.pid}`;
  const db = openToRead(path);
  try {
    closeSync(openSync(part, 'wx', 0o600));
    // One state of it: the copy would begin anew each time the engine writes.
    db.exec('BEGIN');
    db.prepare('SELECT count(*) FROM sqlite_master').get();
    await db.backup(part, {
      progress({ totalPages, remainingPages }) {
        options.signal?.throwIfAborted();
        options.progress?.(totalPages - remainingPages, totalPages);
        return STEP_PAGES;
      },
    });
    db.exec('COMMIT');
    alone(part);
    sync(part);
    publish(part, to);
    sync(dirname(to));
  } finally {
    db.close();
    for (const suffix of SUFFIXES) rmSync(part + suffix, { force: true });
  }
}

/** One file without a log, which can be carried about. */
function alone(path: string): void {
  const db = new Database(path);
  db.pragma('journal_mode = DELETE');
  db.close();
}

/** Under its name, unless somebody else has made one meanwhile. */
function publish(part: string, to: string): void {
  try {
    linkSync(part, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new CareError(`${to} is there already; it is not written over`);
    }
    // A file system without links.
    renameSync(part, to);
  }
}
