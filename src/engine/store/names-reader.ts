/** Lists of names out of the database, in steps. */

import type Database from 'better-sqlite3';
import type { NamesKind, NamesList, NamesQuery } from '../../shared/api/names.ts';
import { cutName, type Schemas } from './names.ts';
import { NamesPage } from './names-list.ts';
import type { Segments } from './segments.ts';

const STEP_NAMES = 1000;

export class NamesReader {
  readonly #segments: Segments;
  readonly #schemas: Schemas;
  readonly #all;
  readonly #family;

  constructor(db: Database.Database, segments: Segments, schemas: Schemas) {
    this.#segments = segments;
    this.#schemas = schemas;
    this.#all = db.prepare('SELECT id, family || labels AS name FROM metric WHERE id > ? ORDER BY id LIMIT ?');
    this.#family = db.prepare(
      'SELECT id, family || labels AS name FROM metric WHERE family = ? AND id > ? ORDER BY id LIMIT ?',
    );
  }

  *list(query: NamesKind & NamesQuery): Generator<void, NamesList> {
    const page = new NamesPage(query);
    if (query.scope !== undefined) {
      for (const { id } of this.#segments.of(query.scope)) {
        for (const { name } of this.#schemas.of(id)) page.add(name);
        yield;
      }
      return page.list();
    }
    const family = page.family === null ? null : cutName(page.family).family;
    for (let after = 0; ;) {
      const rows = (
        family === null ? this.#all.all(after, STEP_NAMES) : this.#family.all(family, after, STEP_NAMES)
      ) as { id: number; name: string }[];
      for (const { name } of rows) page.add(name);
      if (rows.length < STEP_NAMES) return page.list();
      after = rows.at(-1)!.id;
      yield;
    }
  }
}
