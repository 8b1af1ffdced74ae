/** What is kept whatever its age, and settings that were changed while the engine ran. */

import type Database from 'better-sqlite3';
import type { Keep, KeepList, KeepQuery, Retention, RetentionChange } from '../../shared/api/store.ts';

const RETENTION = ['raw', 'minute', 'hour', 'size'] as const;

/** A window of time, or a run with its scopes. */
export type KeepToAdd = Omit<Keep, 'id'>;

export class Keeps {
  readonly #db: Database.Database;
  readonly #statements;

  constructor(db: Database.Database) {
    this.#db = db;
    const columns = 'id, kind, scope, "from", "to", note, created';
    this.#statements = {
      list: db.prepare(`SELECT ${columns} FROM keep WHERE id < ? ORDER BY id DESC LIMIT ?`),
      all: db.prepare(`SELECT ${columns} FROM keep`),
      end: db.prepare("SELECT json_extract(body, '$.end_time') FROM run WHERE id = ?").pluck(),
      add: db.prepare('INSERT INTO keep (kind, scope, "from", "to", note, created) VALUES (?, ?, ?, ?, ?, ?)'),
      remove: db.prepare('DELETE FROM keep WHERE id = ?'),
      settings: db.prepare("SELECT name, value FROM setting WHERE name LIKE 'retention.%'"),
      set: db.prepare(
        'INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
      ),
      unset: db.prepare('DELETE FROM setting WHERE name = ?'),
    };
  }

  list({ limit, cursor }: KeepQuery): KeepList {
    const rows = this.#statements.list.all(cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(cursor), limit + 1);
    const keeps = rows.slice(0, limit) as Keep[];
    return { keeps, next: rows.length > limit ? String(keeps.at(-1)!.id) : null };
  }

  /** A run that was kept while it went on is kept up to its end. */
  all(): Keep[] {
    return (this.#statements.all.all() as Keep[]).map((keep) => {
      if (keep.kind !== 'run' || keep.to < Number.MAX_SAFE_INTEGER) return keep;
      const end = this.#statements.end.get(keep.scope?.slice('run/'.length)) as number | null | undefined;
      return end ? { ...keep, to: end } : keep;
    });
  }

  add(keep: KeepToAdd): Keep {
    const { kind, scope, from, to, note, created } = keep;
    const { lastInsertRowid } = this.#statements.add.run(kind, scope, from, to, note, created);
    return { id: Number(lastInsertRowid), ...keep };
  }

  /** False: there is none with this id. */
  remove(id: number): boolean {
    return this.#statements.remove.run(id).changes > 0;
  }

  /** What was changed here goes before what is configured. */
  retention(configured: Retention): Retention {
    const rows = this.#statements.settings.all() as { name: string; value: string }[];
    const set = new Map(rows.map(({ name, value }) => [name.slice('retention.'.length), value]));
    const of = <K extends (typeof RETENTION)[number]>(name: K): Retention[K] => {
      const value = set.get(name);
      return value === undefined ? configured[name] : (JSON.parse(value) as Retention[K]);
    };
    return { raw: of('raw'), minute: of('minute'), hour: of('hour'), size: of('size') };
  }

  /** What is in `reset` goes back to the configuration. */
  change(change: Partial<Retention>, reset: readonly (keyof Retention)[]): void {
    this.#db.transaction(() => {
      for (const name of RETENTION) {
        const value = change[name];
        if (value !== undefined) this.#statements.set.run(`retention.${name}`, JSON.stringify(value));
      }
      for (const name of reset) this.#statements.unset.run(`retention.${name}`);
    })();
  }
}

/** Tells which blocks must stay. Scopes of a kept run: its own, its ranks', and the nodes' while it lasted. */
export function keeper(keeps: readonly Keep[]): (scope: string, first: number, last: number) => boolean {
  return (scope, first, last) =>
    keeps.some((keep) => {
      if (keep.kind === 'window') {
        return last >= keep.from && first <= keep.to && (keep.scope === null || keep.scope === scope);
      }
      const run = keep.scope ?? '';
      if (scope === run || scope.startsWith(`rank/${run.slice('run/'.length)}/`)) return true;
      return scope.startsWith('node/') && last >= keep.from && first <= keep.to;
    });
}

export type RetentionReset = { readonly change: Partial<Retention>; readonly reset: readonly (keyof Retention)[] };

/** A change from the API: null goes back to the configuration. */
export function splitChange(change: RetentionChange): RetentionReset {
  const set: Partial<Retention> = {};
  const reset: (keyof Retention)[] = [];
  for (const name of ['raw', 'minute', 'hour'] as const) {
    const value = change[name];
    if (value === null) reset.push(name);
    else if (value !== undefined) set[name] = value;
  }
  if (change.size === null) reset.push('size');
  else if (change.size !== undefined) set.size = change.size;
  return { change: set, reset };
}
