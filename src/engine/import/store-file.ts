/**
 * Takes finished runs out of another engine's database: what is said of them, their last values, and their history, as
 * fine as it still is there. Nothing of that file is believed: its schema must be ours to the letter, each profile must
 * be one, and samples are read as those of a damaged database are.
 */

import Database from 'better-sqlite3';
import { mkdtempSync, openSync, readSync, closeSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { MAX_NOTE, Profile, Tag, MAX_TAGS, type ImportReport } from '../../shared/api/profiles.ts';
import { Run } from '../../shared/api/runs.ts';
import { encodeFrame } from '../../shared/frame.ts';
import { refuseJobid } from '../../shared/model/job.ts';
import { rankScope, runScope, type ScopeId } from '../../shared/model/scope.ts';
import { GAUGE_WIDTH } from '../../shared/model/values.ts';
import { Scope } from '../live/scope.ts';
import { SeriesSlice } from '../live/series-table.ts';
import { DatabaseSource } from '../profiles/export/database-source.ts';
import type { SampleRows } from '../profiles/export/source.ts';
import { CareError, openToRead } from '../store/care/store-file.ts';
import { hasOtherSchema, hasTwoVersions } from '../store/care/version.ts';
import { openSound } from '../store/database.ts';
import { MIGRATIONS } from '../store/migrations/index.ts';
import type { Store } from '../store/store.ts';
import { ImportError } from './run.ts';

const HEADER = 'SQLite format 3\0';
const FILE = 'vigie.sqlite';
/** Every so many samples all values are written. */
const FULL_EVERY = 60;
/** Bytes of a profile, and ranks of a run whose history is taken. */
const MAX_PROFILE = 64 * 1024 * 1024;
const MAX_RANKS = 65_536;
/** Ids of ours, and of runs that an engine has brought from another one. */
const RUN_ID = /^(?:[0-9a-f]{32}\.)?[A-Za-z0-9_-]{1,64}$/;

const StoredMarks = z.object({
  tags: z.array(Tag).max(MAX_TAGS),
  note: z.string().max(MAX_NOTE),
  baseline: z.boolean().catch(false),
  deleted: z.number().nullable().catch(null),
});

/** It begins as a database does. */
export function isDatabase(path: string): boolean {
  const bytes = Buffer.alloc(HEADER.length);
  const fd = openSync(path, 'r');
  try {
    return readSync(fd, bytes, 0, bytes.length, 0) === bytes.length && bytes.toString('latin1') === HEADER;
  } finally {
    closeSync(fd);
  }
}

/** A report for each run, and how many there are in all. Throws ImportError when nothing can be read of it. */
export async function* importDatabase(
  store: Store,
  path: string,
  told: { total(runs: number): void } = { total: () => {} },
): AsyncGenerator<ImportReport, void> {
  const folder = mkdtempSync(join(tmpdir(), 'vigie-import-'));
  try {
    await bringForward(path, folder);
    const db = openChecked(join(folder, FILE));
    const source = new DatabaseSource(folder);
    try {
      told.total(
        db.prepare("SELECT count(*) FROM run WHERE state IN ('finished', 'interrupted')").pluck().get() as number,
      );
      const next = db.prepare(
        "SELECT number, id FROM run WHERE number > ? AND state IN ('finished', 'interrupted') ORDER BY number LIMIT 1",
      );
      for (let row = next.get(-1) as RunRow | undefined; row; row = next.get(row.number) as RunRow | undefined) {
        yield await importOne(store, source, db, String(row.id), path);
        await turn();
      }
    } finally {
      source.close();
      db.close();
    }
  } catch (error) {
    if (error instanceof ImportError) throw error;
    throw new ImportError(`it cannot be read: ${(error as Error).message}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface RunRow {
  readonly number: number;
  /** Whatever stands there: it may be no text. */
  readonly id: unknown;
}

const turn = (): Promise<void> => new Promise((resolved) => void setImmediate(resolved));

/** The database, or, where it is of an older version, a copy of it that was brought forward, in a folder of its own. */
async function bringForward(path: string, folder: string): Promise<void> {
  const db = new Database(path, { readonly: true, fileMustExist: true, timeout: 5000 });
  try {
    db.pragma('trusted_schema = OFF');
    const version = db.pragma('user_version', { simple: true }) as number;
    if (hasTwoVersions(db) || version < 1) throw new ImportError('it is a database, but none of vigie');
    if (version > MIGRATIONS.length) throw new ImportError('it was written by a newer vigie; use that');
    if (hasOtherSchema(db, version)) throw new ImportError('it has other tables than a database of vigie');
    if (version === MIGRATIONS.length) return symlinkSync(resolve(path), join(folder, FILE));
    await db.backup(join(folder, FILE));
  } finally {
    db.close();
  }
  const opened = openSound(folder, {}, [], (copy) => copy);
  if (!opened) throw new ImportError('it is damaged; `vigie store repair` saves what can be read');
  opened.close();
}

function openChecked(path: string): Database.Database {
  let db: Database.Database;
  try {
    db = openToRead(path);
  } catch (error) {
    throw error instanceof CareError ? new ImportError(error.message) : error;
  }
  db.pragma('trusted_schema = OFF');
  return db;
}

async function importOne(
  store: Store,
  source: DatabaseSource,
  db: Database.Database,
  id: string,
  path: string,
): Promise<ImportReport> {
  const report = { files: [path, id.slice(0, 256)], jobid: null, run: null, samples: 0, notes: [] as string[] };
  try {
    const profile = readProfile(db, id);
    const { run } = profile;
    const told = { ...report, jobid: run.jobid };
    if (await store.run(id)) return { ...told, run: id, outcome: 'known' };
    const { samples, ranks } = await importHistory(store, source, profile);
    if (ranks > 0) told.notes.push(`${ranks} more ranks are without their history`);
    store.putProfile({ ...profile, run: { ...run, scope: runScope(id), clients: 0 } });
    await store.flush();
    await importMarks(store, db, id);
    return { ...told, run: id, outcome: 'imported', samples };
  } catch (error) {
    const note = error instanceof z.ZodError ? z.prettifyError(error).slice(0, 500) : (error as Error).message;
    return { ...report, outcome: 'failed', notes: [note] };
  }
}

/** Throws in words. */
function readProfile(db: Database.Database, id: unknown): Profile {
  if (typeof id !== 'string' || !RUN_ID.test(id)) throw new ImportError('its id is none of a run');
  const size = db.prepare('SELECT length(body) FROM profile WHERE run = ?').pluck().get(id) as number | undefined;
  if (size === undefined) throw new ImportError('it has no profile');
  if (size > MAX_PROFILE) throw new ImportError('its profile is too large');
  const body = db.prepare('SELECT body FROM profile WHERE run = ?').pluck().get(id) as Uint8Array;
  const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  const profile = Profile.parse(JSON.parse(text));
  const { run, series, ranks } = profile;
  if (run.id !== id || !['finished', 'interrupted'].includes(run.state))
    throw new ImportError('its profile is of another run');
  const refused = refuseJobid(run.jobid);
  if (refused) throw new ImportError(`its job id cannot be: ${refused}`);
  if (ranks.some(({ values }) => values.length > series.length))
    throw new ImportError('its ranks have more values than series');
  Run.parse(run);
  return profile;
}

async function importHistory(
  store: Store,
  source: DatabaseSource,
  { run }: Profile,
): Promise<{ samples: number; ranks: number }> {
  // Numbers of a target's run stand below the target, with those of others.
  if (run.scope !== runScope(run.id)) return { samples: 0, ranks: 0 };
  let samples = await importScope(store, source, run.scope, 'run');
  const ranks = await source.ranks(run.id);
  for (const rank of ranks.slice(0, MAX_RANKS)) {
    samples += await importScope(store, source, rankScope(run.id, rank), 'rank');
  }
  return { samples, ranks: Math.max(0, ranks.length - MAX_RANKS) };
}

async function importScope(store: Store, source: DatabaseSource, id: ScopeId, kind: 'run' | 'rank'): Promise<number> {
  const scope = new Scope(id, kind);
  let [written, before] = [0, 0];
  let known = { counters: 0, gauges: 0 };
  const gauge = new Float64Array(GAUGE_WIDTH);
  const end = Number.MAX_SAFE_INTEGER;
  for await (const rows of source.samples(id, 0, end)) {
    const columns = columnsOf(rows, scope);
    for (let row = rows.start; row < rows.end; row++) {
      const time = rows.times[row]!;
      if (!(time > before)) continue;
      for (const { index, values } of columns.counters) {
        const value = values[row]!;
        if (Number.isFinite(value)) scope.putCounter(index, value);
      }
      for (const { index, parts } of columns.gauges) {
        if (!(parts[2]![row]! > 0)) continue;
        for (let part = 0; part < GAUGE_WIDTH; part++) gauge[part] = parts[part]![row]!;
        scope.putGauge(index, gauge);
      }
      const header = { stream: 0, time, interval: before === 0 ? 0 : time - before, sequence: written, gap: false };
      const changed = { counters: scope.counterBits, gauges: scope.gaugeBits };
      const frame = encodeFrame(header, scope, written % FULL_EVERY === 0 ? null : changed);
      const { counterCount, gaugeCount } = scope;
      const added = new SeriesSlice(scope.table, [known.counters, counterCount], [known.gauges, gaugeCount]);
      const tick = { time, scopes: [{ scope: id, added, frame }] };
      if (!store.append(tick)) {
        // The store has as much as it will take at once.
        await store.flush();
        if (!store.append(tick)) throw new ImportError('the store takes no more; see its status');
      }
      scope.clear();
      known = { counters: counterCount, gauges: gaugeCount };
      before = time;
      written++;
    }
    await turn();
  }
  return written;
}

interface Columns {
  readonly counters: readonly { readonly index: number; readonly values: Float64Array }[];
  readonly gauges: readonly { readonly index: number; readonly parts: readonly Float64Array[] }[];
}

/** By name: another start of that engine had them in other places. Names that cannot be are left out. */
function columnsOf(rows: SampleRows, scope: Scope): Columns {
  const counters: { index: number; values: Float64Array }[] = [];
  const gauges: { index: number; parts: readonly Float64Array[] }[] = [];
  for (const { kind, index: place, name, doc } of rows.defs) {
    const registered = scope.register(name, doc, kind);
    if ('refused' in registered) continue;
    if (kind === 'counter') counters.push({ index: registered.index, values: rows.counter(place) });
    else gauges.push({ index: registered.index, parts: rows.gauge(place) });
  }
  return { counters, gauges };
}

/** Tags and note come along; what cannot be is left out. */
async function importMarks(store: Store, db: Database.Database, id: string): Promise<void> {
  const body = db.prepare('SELECT body FROM mark WHERE run = ?').pluck().get(id) as string | undefined;
  if (body === undefined) return;
  const marks = StoredMarks.safeParse(parsed(body));
  if (!marks.success) return;
  const { tags, note, deleted } = marks.data;
  await store.profiles.change(id, { tags, note }, Date.now());
  // What was deleted there is not brought back here.
  if (deleted !== null) await store.profiles.trash([id], Date.now());
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The database in a data directory; null: there is none. */
export function databaseIn(directory: string): string | null {
  const path = join(directory, FILE);
  try {
    return isDatabase(path) ? path : null;
  } catch {
    return null;
  }
}
