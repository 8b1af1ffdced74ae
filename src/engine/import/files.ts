/**
 * What of some files and folders can be imported: profiles (*.profile) and traces (*.trace) of the Rust metric proxy, as
 * it keeps them in ~/.proxyprofiles, and databases of other engines. Files of one run (same job id, command and start)
 * are one import.
 */

import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ImportReport } from '../../shared/api/profiles.ts';
import type { Store } from '../store/store.ts';
import { readProfile, type ProxyProfile } from './proxy-profile.ts';
import { readTrace, type Trace } from './proxy-trace.ts';
import { importedRunId, importRun } from './run.ts';
import { databaseIn, importDatabase, isDatabase } from './store-file.ts';

/** A larger file is not read: all of it would be in memory at once. */
const MAX_FILE = 1024 * 1024 * 1024;

/** How one file, the pair of one run, or a run of a database went. */
export type FileReport = ImportReport;

/**
 * Files below the paths, in the order of these, and of their names within one: folders are searched, links in them are not
 * followed.
 *
 * @throws {Error} In words, when one of the paths is not there.
 */
export function importableFiles(paths: readonly string[]): string[] {
  const found = new Set<string>();
  const look = (path: string, named: boolean): void => {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (!stat) throw new Error(`${path} is not there`);
    const database = stat.isDirectory() ? databaseIn(path) : null;
    if (database !== null) found.add(database);
    else if (stat.isDirectory()) for (const name of readdirSync(path).toSorted()) look(join(path, name), false);
    else if (named || (stat.isFile() && /\.(profile|trace)$/.test(path))) found.add(path);
  };
  for (const path of paths) look(path, true);
  return [...found];
}

/**
 * Imports file by file; yields a report for each run. A file that cannot be read costs nothing but itself. `told`: how
 * many runs there will be, as far as that is known.
 */
export async function* importFiles(
  store: Store,
  files: readonly string[],
  told: { total(runs: number): void } = { total: () => {} },
): AsyncGenerator<FileReport, void> {
  const databases = files.filter(isReadableDatabase);
  let known = files.length - databases.length;
  told.total(known);
  for (const path of databases) {
    const before = known;
    try {
      yield* importDatabase(store, path, { total: (runs) => told.total((known = before + runs)) });
    } catch (error) {
      yield failed([path], null, error);
    }
  }
  yield* importProxyFiles(
    store,
    files.filter((path) => !databases.includes(path)),
  );
}

async function* importProxyFiles(store: Store, files: readonly string[]): AsyncGenerator<FileReport, void> {
  const runs = new Map<string, { files: string[]; profile: string | null; trace: string | null }>();
  for (const file of files) {
    try {
      const read = readFile(file);
      const id = importedRunId(read.desc);
      const run = runs.get(id) ?? { files: [], profile: null, trace: null };
      runs.set(id, run);
      run.files.push(file);
      // Only where they are: all traces of a site at once would not fit into memory.
      if ('values' in read) run.profile = file;
      else run.trace = file;
    } catch (error) {
      yield failed([file], null, error);
    }
  }
  for (const { files: own, profile, trace } of runs.values()) yield await importOne(store, own, profile, trace);
}

async function importOne(
  store: Store,
  files: readonly string[],
  profileFile: string | null,
  traceFile: string | null,
): Promise<FileReport> {
  let jobid: string | null = null;
  try {
    const profile = profileFile === null ? null : (readFile(profileFile) as ProxyProfile);
    const trace = traceFile === null ? null : (readFile(traceFile) as Trace);
    jobid = (profile ?? trace)!.desc.jobid;
    const { run, known, samples, refused } = await importRun(store, { profile, trace });
    const notes = [...(trace?.notes ?? [])];
    if (refused > 0) notes.push(`${refused} metrics were left out: their names cannot be`);
    return { files: [...files], jobid, run: run.id, outcome: known ? 'known' : 'imported', samples, notes };
  } catch (error) {
    return failed(files, jobid, error);
  }
}

const failed = (files: readonly string[], jobid: string | null, error: unknown): FileReport => ({
  ...{ files: [...files], jobid, run: null, outcome: 'failed', samples: 0 },
  notes: [(error as Error).message.slice(0, 1000)],
});

function isReadableDatabase(path: string): boolean {
  try {
    return isDatabase(path);
  } catch {
    return false;
  }
}

function readFile(path: string): ProxyProfile | Trace {
  const { size } = lstatSync(path);
  if (size > MAX_FILE) throw new Error(`it is larger than ${MAX_FILE} bytes`);
  const bytes = readFileSync(path);
  // A trace begins with a length whose upper bytes are 0, which JSON has none of.
  return bytes.length >= 8 && bytes[7] === 0 ? readTrace(bytes) : readProfile(bytes);
}
