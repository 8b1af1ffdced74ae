/** Gives the file system back what a database does not use. */

import Database from 'better-sqlite3';
import { dirname } from 'node:path';
import { bytesOf, requireRoom } from './store-file.ts';

export interface VacuumReport {
  readonly before: number;
  readonly after: number;
}

/** The caller holds the lock. A process that ends in the middle leaves everything as it was. */
export function vacuumDatabase(path: string): VacuumReport {
  const before = bytesOf(path);
  const db = new Database(path, { timeout: 5000 });
  try {
    const pragma = (name: string): number => db.pragma(name, { simple: true }) as number;
    const bytes = (pragma('page_count') - pragma('freelist_count')) * pragma('page_size');
    // A copy, and the log that it goes through; both may be on the same disk.
    requireRoom(dirname(path), 2 * bytes, 'vacuum');
    // Those of the first versions did not have it: from now on room is given back while the engine runs.
    db.pragma('auto_vacuum = INCREMENTAL');
    db.exec('VACUUM');
    db.pragma('wal_checkpoint(TRUNCATE)');
  } finally {
    db.close();
  }
  return { before, after: bytesOf(path) };
}
