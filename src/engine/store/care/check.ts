/** Looks at everything in a database without changing anything. */

import type Database from 'better-sqlite3';
import { isDamage } from '../errors.ts';
import { MIGRATIONS } from '../migrations/index.ts';
import { frameTime, unpackTail } from '../tail.ts';
import { openToRead, requireDatabase } from './store-file.ts';
import { hasOtherSchema, hasTwoVersions, isMarkedReadOnly } from './version.ts';
import { faultOf, tablesOf, type Row, type Table } from './tables.ts';

export interface Damage {
  /** A table, or `file`: its pages. */
  readonly what: string;
  /** Whose it is; null: not known, or nobody's. */
  readonly scope: string | null;
  /** Milliseconds since the epoch; null: not known, or of no time. */
  readonly from: number | null;
  readonly to: number | null;
  readonly reason: string;
}

export interface CheckReport {
  readonly ok: boolean;
  /** Rows that were looked at, by table. */
  readonly rows: Readonly<Record<string, number>>;
  /** At most {@link MAX_DAMAGE}. */
  readonly damage: readonly Damage[];
  /** All of them. */
  readonly damaged: number;
}

const MAX_DAMAGE = 1000;
/** Lines that SQLite is asked for. */
const MAX_LINES = 100;
/** Rows between two steps. */
const STEP = 64;

/** Yields how many rows were looked at, now and then. Throws CareError when there is nothing that can be looked at. */
export function* checkFile(path: string): Generator<number, CheckReport> {
  requireDatabase(path);
  // Before it is opened: closing a file drops the locks that this process has on it.
  const marked = isMarkedReadOnly(path);
  const db = openToRead(path);
  try {
    return yield* checkDatabase(db, marked);
  } finally {
    db.close();
  }
}

function* checkDatabase(db: Database.Database, markedReadOnly: boolean): Generator<number, CheckReport> {
  const damage: Damage[] = [];
  let damaged = 0;
  const note = (each: Damage): void => {
    damaged++;
    if (damage.length < MAX_DAMAGE) damage.push(each);
  };
  const file = (reason: string): void => note({ what: 'file', scope: null, from: null, to: null, reason });
  const rows: Record<string, number> = {};
  // One state of it, whatever is written meanwhile.
  db.exec('BEGIN');
  try {
    let tables: Table[] = [];
    try {
      const lines = db.pragma(`integrity_check(${MAX_LINES})`) as { integrity_check: string }[];
      for (const { integrity_check: line } of lines) if (line !== 'ok') file(line);
      if (markedReadOnly) file('its header says that it must not be written');
      if (hasTwoVersions(db)) file('its header says two versions');
      if (hasOtherSchema(db, MIGRATIONS.length)) file('its schema is not that of its version');
      tables = tablesOf(db);
    } catch (error) {
      if (!isDamage(error)) throw error;
      file((error as Error).message);
    }
    yield 0;
    const names = new Names(db);
    let seen = 0;
    for (const table of tables) {
      rows[table.name] = 0;
      try {
        for (const each of db.prepare(`SELECT * FROM "${table.name}"`).iterate()) {
          const row = each as Row;
          rows[table.name]!++;
          const reason = faultOf(table, row);
          if (reason !== null) note({ what: table.name, ...names.whose(table.name, row), reason });
          if (++seen % STEP === 0) yield seen;
        }
      } catch (error) {
        if (!isDamage(error)) throw error;
        note({ what: table.name, scope: null, from: null, to: null, reason: (error as Error).message });
      }
    }
  } finally {
    endReading(db);
  }
  return { ok: damaged === 0, rows, damage, damaged };
}

/** SQLite ends it by itself where it meets damage, or cannot. */
function endReading(db: Database.Database): void {
  try {
    if (db.inTransaction) db.exec('ROLLBACK');
  } catch (error) {
    if (!isDamage(error)) throw error;
  }
}

type Whose = Pick<Damage, 'scope' | 'from' | 'to'>;

/** Whose a damaged row is, as far as it can be told. */
class Names {
  readonly #db: Database.Database;

  constructor(db: Database.Database) {
    this.#db = db;
  }

  whose(table: string, row: Row): Whose {
    const number = (value: unknown): number | null => (typeof value === 'number' ? value : null);
    const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
    if (table === 'block')
      return { scope: this.#scope(row['scope']), from: number(row['first']), to: number(row['last']) };
    if (table === 'run' || table === 'profile') return { scope: text(row['id'] ?? row['run']), from: null, to: null };
    if (table === 'scope') return { scope: text(row['name']), from: null, to: null };
    const time = number(row['time']);
    if (table === 'tail') return { scope: this.#ofTail(row['bytes']), from: time, to: time };
    return { scope: this.#scope(row['scope']), from: time, to: time };
  }

  #scope(id: unknown): string | null {
    if (typeof id !== 'number') return null;
    try {
      return (this.#db.prepare('SELECT name FROM scope WHERE id = ?').pluck().get(id) as string | undefined) ?? null;
    } catch {
      return null;
    }
  }

  /** The first one whose frame cannot be read. */
  #ofTail(bytes: unknown): string | null {
    if (!(bytes instanceof Uint8Array)) return null;
    for (const frame of unpackTail(bytes)) if (Number.isNaN(frameTime(frame.bytes))) return this.#scope(frame.scope);
    return null;
  }
}
