/**
 * Puts a salvaged database in the place of the damaged one, which is kept beside it. From the moment on at which the new
 * one has its name it takes the place, whatever happens in between: the next start goes on where this one ended.
 */

import type Database from 'better-sqlite3';
import { existsSync, rmSync, renameSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { createPrivateFile } from '../lock.ts';
import { asideOf, finishRebuild, REST, restNoted } from './aside.ts';
import { emptyReport, makeTarget, salvage, versionOf, type SalvageReport } from './salvage.ts';
import { bytesOf, requireRoom, SUFFIXES, sync } from './store-file.ts';

/** Bytes of a database that opening salvages as a whole; the blocks of a larger one follow a few at a time. */
export const AT_ONCE = 64 * 1024 * 1024;
/** The first version that has it. */
const VERSION_OF_BLOCKS = 4;

export interface Rebuilt {
  /** Where the damaged database is now. */
  readonly aside: string;
  readonly report: SalvageReport;
  /** Blocks follow: see {@link restOf}. */
  readonly rest: boolean;
}

/**
 * The caller holds the lock and has closed the database. Blocks of one that is larger than `atOnce` bytes follow later. Yields the part that is done, 0 to 1; given up in between, it
 * leaves all as it was. Null: nothing could be read, and all is as it was.
 */
export function* rebuild(path: string, options: { readonly atOnce: number }): Generator<number, Rebuilt | null> {
  const part = `${path}.salvaging`;
  const clean = (): void => {
    for (const suffix of SUFFIXES) rmSync(part + suffix, { force: true });
  };
  clean();
  try {
    requireRoom(dirname(path), bytesOf(path), 'salvage the database');
    createPrivateFile(part);
    const version = versionOf(path);
    const rest = version >= VERSION_OF_BLOCKS && bytesOf(path) > options.atOnce;
    const report = emptyReport();
    const now = Date.now();
    const target = makeTarget(part, version);
    try {
      yield* salvage(path, target, rest ? 'but-blocks' : 'all', report);
      if (Object.values(report.kept).every((rows) => rows === 0)) return null;
      if (rest) {
        const from = basename(asideOf(path, now));
        target
          .prepare('INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)')
          .run(REST, JSON.stringify({ from }));
      }
    } finally {
      target.close();
    }
    sync(part);
    renameSync(part, `${path}.salvaged-${now}`);
    finishRebuild(path);
    return { aside: asideOf(path, now), report, rest };
  } finally {
    clean();
  }
}

/** What is still to be taken out of a damaged database, a few blocks at a time; null: nothing. */
export function restOf(db: Database.Database, directory: string): Generator<void, SalvageReport> | null {
  const value = restNoted(db);
  if (value === undefined) return null;
  const from = (JSON.parse(value) as { from?: unknown }).from;
  return takeRest(db, typeof from === 'string' ? join(directory, basename(from)) : null);
}

function* takeRest(db: Database.Database, path: string | null): Generator<void, SalvageReport> {
  const report = emptyReport();
  if (path !== null && existsSync(path)) for (const _ of salvage(path, db, 'blocks', report)) yield;
  db.prepare('DELETE FROM setting WHERE name = ?').run(REST);
  return report;
}

/** For people. */
export function describeReport({ kept, unusable, damagedPages, lostBlockCount, lostBlocks }: SalvageReport): string {
  const of = (table: string, word: string): string => `${kept[table] ?? 0} ${word}`;
  const blocks =
    kept['block'] === undefined && kept['frame'] !== undefined ? of('frame', 'frames') : of('block', 'blocks');
  const parts = [of('run', 'runs'), of('profile', 'profiles'), blocks];
  const bad = Object.entries(unusable).map(([table, rows]) => `${rows} of ${table}`);
  const lost = [
    ...(lostBlockCount > 0 ? [`${lostBlockCount} blocks (${spansOf(lostBlocks)})`] : []),
    ...(bad.length > 0 ? [`rows that cannot be used (${bad.join(', ')})`] : []),
    ...(lostBlockCount === 0 && bad.length === 0 && damagedPages ? ['what was on its damaged pages'] : []),
  ];
  return `salvaged: ${parts.join(', ')}; lost: ${lost.length > 0 ? lost.join(', ') : 'nothing'}`;
}

const TOLD = 3;

function spansOf(lost: SalvageReport['lostBlocks']): string {
  const time = (ms: number): string => (Math.abs(ms) < 8.64e15 ? new Date(ms).toISOString().slice(0, 19) : String(ms));
  const told = lost.slice(0, TOLD).map(({ scope, from, to }) => `${scope ?? 'unknown'} ${time(from)} to ${time(to)}`);
  return told.join(', ') + (lost.length > TOLD ? ', …' : '');
}
