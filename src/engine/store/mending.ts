/**
 * Opens a database that may be damaged: what can be read of it goes on in a new one. A file of its own, loaded when it is
 * needed: it knows the schemas of all that is kept, which take 2 MB.
 */

import type Database from 'better-sqlite3';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { finishRebuild, setAside } from './care/aside.ts';
import { AT_ONCE, describeReport, rebuild } from './care/rebuild.ts';
import { asOpenError, attemptIn, damageNote, databasePath, messageOf, type DatabaseOptions } from './database.ts';
import { isDamage } from './errors.ts';

/**
 * Opens and hands the database to `use`, which makes the first reads and writes: what can be read of a file that they
 * find damaged goes on in a new one, and the file is set aside. Warnings are added to `warnings`. Throws StoreOpenError. The caller holds the lock.
 */
export function openDatabase<T>(
  directory: string,
  options: DatabaseOptions,
  warnings: string[],
  use: (db: Database.Database) => T,
): T {
  const path = databasePath(directory);
  const note = damageNote(directory);
  const attempt = attemptIn(directory, options, warnings, use);
  const mended = (mend: (path: string, reason: string, warnings: string[]) => void): T | null => {
    try {
      return attempt();
    } catch (error) {
      if (!isDamage(error)) throw asOpenError(directory, error);
      mend(path, messageOf(error), warnings);
      return null;
    }
  };
  finishRebuild(path);
  if (existsSync(note)) {
    replace(path, readNote(note), warnings);
    rmSync(note, { force: true });
  }
  const opened = mended(replace) ?? mended(beginAnew);
  if (opened !== null) return opened;
  try {
    return attempt();
  } catch (error) {
    throw asOpenError(directory, error);
  }
}

function readNote(path: string): string {
  try {
    return readFileSync(path, 'utf8').slice(0, 500).trim();
  } catch {
    return 'damage was noted';
  }
}

/** What can be read of a damaged database goes on in a new one; the old one is kept beside it. */
function replace(path: string, reason: string, warnings: string[]): void {
  try {
    for (const steps = rebuild(path, { atOnce: AT_ONCE }); ;) {
      const step = steps.next();
      if (!step.done) continue;
      if (step.value === null) break;
      const { aside, report, rest } = step.value;
      const follow = rest ? '; more blocks follow while it runs' : '';
      warnings.push(`the database was damaged (${reason}); it is kept as ${aside}; ${describeReport(report)}${follow}`);
      return;
    }
  } catch (error) {
    warnings.push(`what can be read of a damaged database was not salvaged (${messageOf(error)})`);
  }
  beginAnew(path, reason, warnings);
}

function beginAnew(path: string, reason: string, warnings: string[]): void {
  const aside = setAside(path);
  warnings.push(`the database was damaged (${reason}); it is kept as ${aside} and a new one is begun`);
}
