/** The name under which a damaged database is kept, and what a mending that was ended in the middle has left. */

import type Database from 'better-sqlite3';
import { existsSync, readdirSync, renameSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { SUFFIXES, sync } from './store-file.ts';

/** Row of `setting` that says where the blocks are that follow. */
export const REST = 'salvage';

export const asideOf = (path: string, now: number | string): string => `${path}.damaged-${now}`;

/** Goes on where a start or a repair was ended in the middle. */
export function finishRebuild(path: string): void {
  const directory = dirname(path);
  const prefix = `${basename(path)}.salvaged-`;
  const found = readdirSync(directory).find(
    (name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)),
  );
  if (found === undefined) return;
  sync(directory);
  setAside(path, found.slice(prefix.length));
  renameSync(join(directory, found), path);
  sync(directory);
}

/** Renames a database and its logs: a log left behind would be replayed into a new file. */
export function setAside(path: string, now: number | string = Date.now()): string {
  const aside = asideOf(path, now);
  for (const suffix of SUFFIXES) if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  return aside;
}

/** What the new database says of blocks that are still to be taken out of a damaged one; absent: there are none. */
export const restNoted = (db: Database.Database): string | undefined =>
  db.prepare('SELECT value FROM setting WHERE name = ?').pluck().get(REST) as string | undefined;
