/**
 * Copies what can be read of a database into a new one, row by row. A table is read through SQLite from both ends, as
 * far as its pages hang together; where they do not, all pages of the file are looked at one by one, so that a damaged
 * page costs its own rows. Each row is looked at before it is taken. What page by page may find twice, since SQLite had
 * given it up, is sorted out at the end.
 */

import Database from 'better-sqlite3';
import { randomBytes } from 'node:crypto';
import { openSync, readSync, closeSync } from 'node:fs';
import { scopeKind } from '../../../shared/model/scope.ts';
import { MIGRATIONS } from '../migrations/index.ts';
import { unpackTail } from '../tail.ts';
import { scanRows, type FoundRow, type SqlValue } from './pages.ts';
import { faultOf, tablesOf, type Row, type Table } from './tables.ts';
import { applicationId, hasOtherSchema } from './version.ts';

export interface SalvageReport {
  /** Rows that were taken, by table. */
  readonly kept: Record<string, number>;
  /** Rows that were found and could not be used. */
  readonly unusable: Record<string, number>;
  /** Pages were damaged: how many rows they had is not known but of blocks. */
  damagedPages: boolean;
  /** Blocks that the lists had and that are gone; the first {@link MAX_LISTED}, and their number. */
  readonly lostBlocks: LostBlock[];
  lostBlockCount: number;
}

export interface LostBlock {
  readonly scope: string | null;
  readonly tier: number;
  readonly from: number;
  readonly to: number;
}

export const emptyReport = (): SalvageReport => ({
  ...{ kept: {}, unusable: {}, damagedPages: false, lostBlocks: [], lostBlockCount: 0 },
});

export const MAX_LISTED = 100;
/** A step ends after so many rows or bytes, some milliseconds. */
const STEP_ROWS = 200;
const STEP_BYTES = 4 * 1024 * 1024;

/** The version that a file says it has; that of this program when it says nothing that can be. */
export function versionOf(path: string): number {
  const bytes = Buffer.alloc(64);
  const fd = openSync(path, 'r');
  try {
    if (readSync(fd, bytes, 0, 64, 0) < 64) return MIGRATIONS.length;
  } finally {
    closeSync(fd);
  }
  const version = bytes.readUInt32BE(60);
  return version >= 1 && version <= MIGRATIONS.length ? version : MIGRATIONS.length;
}

/** A new database of the version of the damaged one, so that the tables are the same; it is brought forward afterwards. */
export function makeTarget(path: string, version: number): Database.Database {
  const db = new Database(path);
  // Nothing reads it before it is whole and on the disk.
  db.pragma('journal_mode = OFF');
  // As all new ones.
  db.pragma('auto_vacuum = INCREMENTAL');
  db.pragma('synchronous = OFF');
  for (const step of MIGRATIONS.slice(0, version)) db.exec(step);
  db.pragma(`user_version = ${version}`);
  db.pragma(`application_id = ${applicationId(version)}`);
  return db;
}

/** What of a database is copied: everything, or all but the blocks that will not change any more, or those. */
export type Share = 'all' | 'but-blocks' | 'blocks';

const ONLY: Readonly<Record<Share, string>> = { all: '', 'but-blocks': 'WHERE open = 1', blocks: 'WHERE open = 0' };

/**
 * Copies into a database that has the same tables. Yields the part that is done, 0 to 1. With 'blocks' the target may be
 * in use: rows get new numbers, and what is there already is left out.
 */
export function* salvage(
  path: string,
  target: Database.Database,
  share: Share,
  report: SalvageReport,
): Generator<number, void> {
  const work = new Salvage(path, target, share, report);
  try {
    yield* work.copy();
  } finally {
    work.close();
  }
}

class Salvage {
  readonly #path: string;
  readonly #target: Database.Database;
  readonly #share: Share;
  readonly #report: SalvageReport;
  readonly #tables: readonly Table[];
  readonly #inserts = new Map<string, Database.Statement>();
  readonly #source: Database.Database | null;
  #batch: [Table, Row][] = [];
  #batchBytes = 0;

  constructor(path: string, target: Database.Database, share: Share, report: SalvageReport) {
    this.#path = path;
    this.#target = target;
    this.#share = share;
    this.#report = report;
    this.#tables = tablesOf(target).filter(({ name }) => share !== 'blocks' || name === 'block');
    for (const table of this.#tables) this.#inserts.set(table.name, this.#insertOf(table));
    this.#source = openDamaged(path);
  }

  close(): void {
    this.#source?.close();
  }

  #insertOf({ name, columns }: Table): Database.Statement {
    const used = columns.map((column) => column.name).filter((column) => this.#share !== 'blocks' || column !== 'id');
    const names = used.map((column) => `"${column}"`).join(', ');
    const values = used.map((column) => `@${column}`).join(', ');
    if (this.#share !== 'blocks')
      return this.#target.prepare(`INSERT OR IGNORE INTO "${name}" (${names}) VALUES (${values})`);
    return this.#target.prepare(
      `INSERT INTO "${name}" (${names}) SELECT ${values} WHERE NOT EXISTS
       (SELECT 1 FROM block WHERE scope = @scope AND tier = @tier AND first = @first AND last = @last)`,
    );
  }

  *copy(): Generator<number, void> {
    const broken = new Set<Table>();
    let done = 0;
    for (const table of this.#tables) {
      if (!(yield* this.#copyTable(table, done / this.#tables.length))) broken.add(table);
      done++;
    }
    if (broken.size > 0) {
      this.#report.damagedPages = true;
      yield* this.#copyPages(broken);
    }
    this.#flush();
    const isBroken = (name: string): boolean => [...broken].some((table) => table.name === name);
    if (isBroken('scope') || isBroken('block') || this.#share === 'blocks') this.#mendScopes();
    if (isBroken('block') && this.#share !== 'but-blocks') this.#dropTwice();
    if (this.#share !== 'blocks') this.#mendEngine();
    yield 1;
    this.#findLost();
  }

  /** False: not all of it could be read. */
  *#copyTable(table: Table, done: number): Generator<number, boolean> {
    if (!this.#source) return false;
    const { name, withoutRowid } = table;
    // Where damage is met from one end, the other end may be whole.
    for (const order of withoutRowid ? [''] : ['ORDER BY rowid', 'ORDER BY rowid DESC']) {
      try {
        const only = name === 'block' ? ONLY[this.#share] : '';
        for (const row of this.#source.prepare(`SELECT * FROM "${name}" ${only} ${order}`).iterate()) {
          this.#take(table, row as Row, false);
          if (this.#isFull()) {
            this.#flush();
            yield done;
          }
        }
        this.#flush();
        return true;
      } catch (error) {
        if (!isUnreadable(error)) throw error;
        this.#flush();
        yield done;
      }
    }
    return false;
  }

  *#copyPages(broken: ReadonlySet<Table>): Generator<number, void> {
    const counts = { pages: 0, rows: 0, lost: 0 };
    const late: [Table, Row][] = [];
    const scopes = [...broken].find(({ name }) => name === 'scope');
    const metrics = [...broken].find(({ name }) => name === 'metric');
    for (const found of scanRows(this.#path, counts)) {
      const fromIndex = (scopes && scopeOfIndex(found)) ?? null;
      if (fromIndex) late.push([scopes!, fromIndex]);
      const metric = (metrics && metricOfIndex(found)) ?? null;
      if (metric) late.push([metrics!, metric]);
      for (const table of broken) {
        const row = asRow(table, found);
        if (
          !row ||
          (table.name === 'block' && this.#share !== 'all' && row['open'] !== Number(this.#share !== 'blocks'))
        )
          continue;
        if (faultOf(table, row) !== null) continue;
        this.#take(table, row, true);
        break;
      }
      if (!this.#isFull() && counts.pages % 256 !== 0) continue;
      this.#flush();
      yield 0.5;
    }
    this.#flush();
    // Whatever the tables themselves had of them counts more.
    for (const [table, row] of late) this.#take(table, row, true);
    this.#flush();
  }

  #take(table: Table, row: Row, again: boolean): void {
    if (faultOf(table, row) !== null) {
      if (!again) this.#report.unusable[table.name] = (this.#report.unusable[table.name] ?? 0) + 1;
      return;
    }
    this.#batch.push([table, row]);
    for (const value of Object.values(row)) if (value instanceof Uint8Array) this.#batchBytes += value.byteLength;
  }

  #isFull(): boolean {
    return this.#batch.length >= STEP_ROWS || this.#batchBytes >= STEP_BYTES;
  }

  #flush(): void {
    const { kept } = this.#report;
    this.#target.transaction(() => {
      for (const [{ name }, row] of this.#batch) {
        const { changes } = this.#inserts.get(name)!.run(row);
        kept[name] = (kept[name] ?? 0) + changes;
      }
    })();
    this.#batch = [];
    this.#batchBytes = 0;
  }

  /** What rows of scopes say of the tail is found out again, where they came from an index or are old ones. */
  #mendScopes(): void {
    const db = this.#target;
    if (!this.#inserts.has('block')) return;
    db.transaction(() => {
      const part = db.prepare('UPDATE scope SET part = ? WHERE id = ? AND part IS NULL');
      const missing = new Set(db.prepare('SELECT id FROM scope WHERE part IS NULL').pluck().all() as number[]);
      const rows =
        this.#share === 'blocks' || missing.size === 0 ? [] : db.prepare('SELECT part, bytes FROM tail').all();
      for (const each of rows as { part: number; bytes: Uint8Array }[]) {
        for (const { scope } of unpackTail(each.bytes)) if (missing.delete(scope)) part.run(each.part, scope);
      }
      db.exec(
        `UPDATE scope SET sealed = (SELECT max(last) FROM block WHERE block.scope = scope.id AND tier = 0)
         WHERE sealed IS NULL`,
      );
    })();
  }

  /** Blocks that a longer one has: pieces that were put together before SQLite gave their pages up. */
  #dropTwice(): void {
    const db = this.#target;
    if (!this.#inserts.has('block')) return;
    const rows = db.prepare('SELECT id, scope, tier, last FROM block ORDER BY scope, tier, first, last DESC, id DESC');
    const twice: number[] = [];
    let before = { scope: -1, tier: -1, last: -Infinity };
    for (const each of rows.iterate()) {
      const row = each as typeof before & { id: number };
      const same = row.scope === before.scope && row.tier === before.tier;
      if (same && row.last <= before.last) twice.push(row.id);
      else before = row;
    }
    const drop = db.prepare('DELETE FROM block WHERE id = ?');
    db.transaction(() => {
      for (const id of twice) drop.run(id);
    })();
    this.#report.kept['block'] = (this.#report.kept['block'] ?? 0) - twice.length;
  }

  /** The number of the next start must be one that no row has. */
  #mendEngine(): void {
    const db = this.#target;
    const epochs = db.prepare('SELECT max(epoch) FROM (SELECT epoch FROM scope UNION ALL SELECT epoch FROM run)');
    const most = epochs.pluck().get() as number | null;
    if (most === null) return;
    db.prepare(
      `INSERT INTO engine (one, id, epochs) VALUES (1, ?, ?)
       ON CONFLICT (one) DO UPDATE SET epochs = max(epochs, excluded.epochs)`,
    ).run(randomBytes(16).toString('hex'), most);
  }

  /** Blocks that the list of blocks has, and the target has not. */
  #findLost(): void {
    if (!this.#source || this.#share === 'but-blocks' || !this.#inserts.has('block')) return;
    const db = this.#target;
    const there = db.prepare(
      'SELECT 1 FROM block WHERE scope = ? AND tier = ? AND first <= ? AND last >= ? ORDER BY first DESC LIMIT 1',
    );
    const nameOf = db.prepare('SELECT name FROM scope WHERE id = ?').pluck();
    try {
      const list = this.#source.prepare('SELECT scope, tier, first, last FROM block INDEXED BY block_time');
      for (const each of list.raw().iterate()) {
        const [scope, tier, from, to] = each as [number, number, number, number];
        if (there.get(scope, tier, from, to)) continue;
        this.#report.lostBlockCount++;
        const name = (nameOf.get(scope) as string | undefined) ?? null;
        if (this.#report.lostBlocks.length < MAX_LISTED) this.#report.lostBlocks.push({ scope: name, tier, from, to });
      }
    } catch (error) {
      // The list itself is damaged.
      if (!isUnreadable(error)) throw error;
      this.#report.damagedPages = true;
    }
  }
}

/** Null: SQLite cannot read its schema. */
function openDamaged(path: string): Database.Database | null {
  let db: Database.Database | null = null;
  try {
    const version = versionOf(path);
    db = new Database(path, { readonly: true, timeout: 5000 });
    // Read with a changed schema, each row would be another one.
    if (!hasOtherSchema(db, version)) return db;
    db.close();
    return null;
  } catch (error) {
    db?.close();
    if (!isUnreadable(error)) throw error;
    return null;
  }
}

/** Damage, or what damage makes of a schema: a table that is not there. */
const isUnreadable = (error: unknown): boolean => {
  const code = (error as { code?: unknown } | null)?.code;
  return (
    typeof code === 'string' && /^SQLITE_(CORRUPT|NOTADB|ERROR|CANTOPEN|IOERR_SHORT_READ|SCHEMA|TOOBIG)/.test(code)
  );
};

/** A row that may be one of this table, by the number and types of its values. */
function asRow(table: Table, { rowid, values }: FoundRow): Row | null {
  const { columns, numbered, withoutRowid } = table;
  if (withoutRowid !== (rowid === null) || values.length > columns.length) return null;
  if (numbered && values[0] !== null) return null;
  const row: Record<string, SqlValue> = {};
  for (const [i, { name, nullable }] of columns.entries()) {
    // A column that was added later is not in older rows.
    const value = i === 0 && numbered ? rowid : (values[i] ?? null);
    if (value === null && !nullable) return null;
    row[name] = value;
  }
  return row;
}

/** The index of scopes has all but what they say of the tail: name, epoch, number. */
function scopeOfIndex({ rowid, values }: FoundRow): Row | null {
  const [name, epoch, id] = values;
  if (rowid !== null || values.length !== 3 || typeof name !== 'string' || scopeKind(name) === null) return null;
  // That of runs has a time here.
  if (typeof epoch !== 'number' || epoch > 1e9 || typeof id !== 'number') return null;
  return { id, name, epoch, part: null, sealed: null, until: null };
}

/** The index of names has all: family, labels, description, number. */
function metricOfIndex({ rowid, values }: FoundRow): Row | null {
  const [family, labels, doc, id] = values;
  if (rowid !== null || values.length !== 4 || typeof family !== 'string' || typeof id !== 'number') return null;
  return typeof labels === 'string' && typeof doc === 'string' ? { id, family, labels, doc } : null;
}
