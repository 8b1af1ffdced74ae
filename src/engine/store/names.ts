/**
 * Names of series, each once however many scopes have it: 500 names of 10,000 runs are 500 rows, and a series is a few
 * bytes that point to one.
 */

import type Database from 'better-sqlite3';
import type { Kind } from '../../shared/model/values.ts';
import type { SeriesDef } from '../../shared/model/series.ts';

/** Ids that are remembered; beyond that they are looked up again. */
const MAX_KNOWN = 20_000;

export const KINDS: readonly Kind[] = ['counter', 'gauge'];

/** Where a name is cut in two. Not parsed: what is malformed is cut the same way each time. */
export function cutName(name: string): { readonly family: string; readonly labels: string } {
  const brace = name.indexOf('{');
  return brace <= 0 ? { family: name, labels: '' } : { family: name.slice(0, brace), labels: name.slice(brace) };
}

export class Names {
  readonly #db: Database.Database;
  readonly #statements;
  readonly #known = new Map<string, number>();

  constructor(db: Database.Database) {
    this.#db = db;
    this.#statements = {
      find: db.prepare('SELECT id FROM metric WHERE family = ? AND labels = ? AND doc = ?').pluck(),
      add: db.prepare('INSERT INTO metric (family, labels, doc) VALUES (?, ?, ?)'),
      series: db.prepare('INSERT OR REPLACE INTO series (scope, kind, place, metric) VALUES (?, ?, ?, ?)'),
      oldScope: db.prepare('SELECT scope FROM old_series LIMIT 1').pluck(),
      old: db.prepare('SELECT kind, place AS "index", name, doc FROM old_series WHERE scope = ? LIMIT ?'),
      dropOld: db.prepare('DELETE FROM old_series WHERE scope = ? AND kind = ? AND place = ?'),
    };
  }

  /** Inside the caller's transaction. What it has learnt must be forgotten when that fails: see {@link forget}. */
  store(scope: number, { kind, index, name, doc }: SeriesDef): void {
    this.#statements.series.run(scope, KINDS.indexOf(kind), index, this.#idOf(name, doc));
  }

  #idOf(name: string, doc: string): number {
    const text = `${name}\n${doc}`;
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const { family, labels } = cutName(name);
    const { find, add } = this.#statements;
    const id =
      (find.get(family, labels, doc) as number | undefined) ?? Number(add.run(family, labels, doc).lastInsertRowid);
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(text, id);
    return id;
  }

  /** A transaction was rolled back: the ids it gave are not there. */
  forget(): void {
    this.#known.clear();
  }

  /** Moves some of what an earlier version wrote. False: there is nothing left. */
  moveOld(limit: number): boolean {
    const scope = this.#statements.oldScope.get() as number | undefined;
    if (scope === undefined) return false;
    try {
      this.#db.transaction(() => {
        for (const row of this.#statements.old.all(scope, limit)) {
          const def = row as SeriesDef;
          this.store(scope, def);
          this.#statements.dropOld.run(scope, def.kind, def.index);
        }
      })();
    } catch (error) {
      this.forget();
      throw error;
    }
    return true;
  }
}

/** Reads the series of a scope's row, counters first, in order. */
export class Schemas {
  readonly #read;

  constructor(db: Database.Database) {
    this.#read = db.prepare(
      `SELECT 0 AS kind, place AS "index", name, doc FROM old_series WHERE scope = @scope AND kind = 'counter'
       UNION ALL SELECT 1, place, name, doc FROM old_series WHERE scope = @scope AND kind = 'gauge'
       UNION ALL SELECT series.kind, place, family || labels, doc
         FROM series JOIN metric ON metric.id = series.metric WHERE scope = @scope
       ORDER BY 1, 2`,
    );
  }

  /** Of one family only. */
  family(scope: number, family: string): SeriesDef[] {
    return this.of(scope).filter(({ name }) => cutName(name).family === family);
  }

  of(scope: number): SeriesDef[] {
    const rows = this.#read.all({ scope }) as { kind: number; index: number; name: string; doc: string }[];
    return rows.map(({ kind, index, name, doc }) => ({ kind: KINDS[kind]!, index, name, doc }));
  }
}
