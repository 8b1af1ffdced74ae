/**
 * What of some files and folders can be imported: profiles (*.profile) and traces (*.trace) of the Rust metric proxy, as
 * it keeps them in ~/.proxyprofiles. Files of one run (same job id, command and start) are one import.
 */

import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Store } from '../store/store.ts';
import { readProfile, type ProxyProfile } from './proxy-profile.ts';
import { readTrace, type Trace } from './proxy-trace.ts';
import { importedRunId, importRun } from './run.ts';

/** A larger file is not read: all of it would be in memory at once. */
const MAX_FILE = 1024 * 1024 * 1024;

/** How one file, or the pair of one run, went. */
export interface FileReport {
  readonly files: readonly string[];
  readonly jobid: string | null;
  readonly outcome: 'imported' | 'known' | 'failed';
  /** Samples of history written. */
  readonly samples: number;
  /** What was left out or went wrong, for people. */
  readonly notes: readonly string[];
}

/** Files below the paths, sorted: folders are searched, links in them are not followed. */
export function importableFiles(paths: readonly string[]): string[] {
  const found = new Set<string>();
  const look = (path: string, named: boolean): void => {
    const stat = lstatSync(path);
    if (stat.isDirectory()) for (const name of readdirSync(path)) look(join(path, name), false);
    else if (named || (stat.isFile() && /\.(profile|trace)$/.test(path))) found.add(path);
  };
  for (const path of paths) look(path, true);
  return [...found].toSorted();
}

/** Imports file by file; yields a report for each run. A file that cannot be read costs nothing but itself. */
export async function* importFiles(store: Store, files: readonly string[]): AsyncGenerator<FileReport, void> {
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
      yield { files: [file], jobid: null, outcome: 'failed', samples: 0, notes: [(error as Error).message] };
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
    const { known, samples, refused } = await importRun(store, { profile, trace });
    const notes = [...(trace?.notes ?? [])];
    if (refused > 0) notes.push(`${refused} metrics were left out: their names cannot be`);
    return { files, jobid, outcome: known ? 'known' : 'imported', samples, notes };
  } catch (error) {
    return { files, jobid, outcome: 'failed', samples: 0, notes: [(error as Error).message] };
  }
}

function readFile(path: string): ProxyProfile | Trace {
  const { size } = lstatSync(path);
  if (size > MAX_FILE) throw new Error(`it is larger than ${MAX_FILE} bytes`);
  const bytes = readFileSync(path);
  // A trace begins with a length whose upper bytes are 0, which JSON has none of.
  return bytes.length >= 8 && bytes[7] === 0 ? readTrace(bytes) : readProfile(bytes);
}
