/** What changes profiles in SQLite. Each order is one transaction. */

import type Database from 'better-sqlite3';
import {
  MAX_TAGS,
  TRASH_TIME,
  type ProfileChange,
  type ProfileMarks,
  type ProfilesChange,
  type ProfilesChanged,
} from '../../../shared/api/profiles.ts';
import type { Run } from '../../../shared/api/runs.ts';
import { isEnded } from '../run-list.ts';
import type { Marks } from './card.ts';
import type { CardReader } from './card-reader.ts';
import type { Cards } from './cards.ts';
import type { ProfileOrder, ProfileOrderAnswer } from './profile-store.ts';

export const NO_PROFILE = 'no finished run has this id here';
export const TOO_MANY_TAGS = `a profile has ${MAX_TAGS} tags at most`;

/** Null: they would be too many. Tags are the same without regard to case; the spelling that is there stays. */
export function changedTags(
  tags: readonly string[],
  add: readonly string[],
  remove: readonly string[],
): readonly string[] | null {
  const known = new Map(tags.map((tag) => [tag.toLowerCase(), tag]));
  for (const tag of remove) known.delete(tag.toLowerCase());
  for (const tag of add) if (!known.has(tag.toLowerCase())) known.set(tag.toLowerCase(), tag);
  return known.size > MAX_TAGS ? null : [...known.values()];
}

export class CardOrders {
  readonly #db: Database.Database;
  readonly #cards: Cards;
  readonly #reader: Pick<CardReader, 'marks'>;
  readonly #statements;

  constructor(db: Database.Database, cards: Cards, reader: Pick<CardReader, 'marks'>) {
    this.#db = db;
    this.#cards = cards;
    this.#reader = reader;
    this.#statements = {
      run: db.prepare('SELECT run.body FROM run JOIN card USING (number) WHERE run.id = ?').pluck(),
      put: db.prepare(
        'INSERT INTO mark (run, body) VALUES (?, ?) ON CONFLICT (run) DO UPDATE SET body = excluded.body',
      ),
      keeps: db.prepare("SELECT count(*) FROM keep WHERE kind = 'run' AND scope = ?").pluck(),
      keep: db.prepare(`INSERT INTO keep (kind, scope, "from", "to", note, created) VALUES ('run', ?, ?, ?, '', ?)`),
      letGo: db.prepare("DELETE FROM keep WHERE kind = 'run' AND scope = ?"),
      others: db
        .prepare(
          `SELECT run FROM card WHERE baseline = 1 AND engine = (SELECT engine FROM card WHERE run = @id)
             AND grp = (SELECT grp FROM card WHERE run = @id) AND run <> @id`,
        )
        .pluck(),
      old: db.prepare('SELECT run FROM card WHERE deleted IS NOT NULL AND deleted < ? LIMIT 20').pluck(),
      isOld: db.prepare('SELECT count(*) FROM card WHERE run = ? AND deleted IS NOT NULL AND deleted < ?').pluck(),
      scope: db
        .prepare("SELECT CASE WHEN json_valid(body) THEN json_extract(body, '$.scope') END FROM run WHERE id = ?")
        .pluck(),
      scopes: db.prepare('SELECT id FROM scope WHERE name = ? OR (name >= ? AND name < ?)').pluck(),
      blocks: db.prepare('DELETE FROM block WHERE id IN (SELECT id FROM block WHERE scope = ? LIMIT 200)'),
      gone: [
        'DELETE FROM card WHERE run = ?',
        'DELETE FROM mark WHERE run = ?',
        'DELETE FROM profile WHERE run = ?',
      ].map((sql) => db.prepare(sql)),
      goneRun: db.prepare('DELETE FROM run WHERE id = ?'),
    };
  }

  /** Answer of an order; `rules` and `setRules`: the caller regroups. */
  obey(order: ProfileOrder): ProfileOrderAnswer {
    return this.#db.transaction(() => {
      switch (order.order) {
        case 'change':
          return this.#change(order.id, order.change, order.now);
        case 'changeMany':
          return this.#changeMany(order.change, order.now);
        case 'trash':
          return this.#trash(order.ids, order.deleted);
        case 'setRules':
          this.#cards.setRules(order.rules);
          return this.#cards.rules();
        case 'rules':
          return this.#cards.rules();
      }
    })();
  }

  /** Null: there is none, or it goes on. */
  #run(id: string): Run | null {
    const body = this.#statements.run.get(id) as string | undefined;
    const run = body === undefined ? null : (JSON.parse(body) as Run);
    return run && isEnded(run.state) ? run : null;
  }

  #change(id: string, { tags, note, baseline, pinned }: ProfileChange, now: number): ProfileMarks | null {
    const run = this.#run(id);
    if (!run) return null;
    const marks = this.#cards.marks(id);
    const set = tags && changedTags([], tags, []);
    this.#mark(id, {
      ...marks,
      ...(set ? { tags: set } : {}),
      ...(note === undefined ? {} : { note: note.toWellFormed() }),
      ...(baseline === undefined ? {} : { baseline }),
    });
    if (baseline === true) {
      for (const other of this.#statements.others.all({ id }) as string[]) {
        this.#mark(other, { ...this.#cards.marks(other), baseline: false });
      }
    }
    if (pinned !== undefined) this.#pin(run, pinned, now);
    return this.#reader.marks(id);
  }

  #mark(id: string, marks: Marks): void {
    this.#statements.put.run(id, JSON.stringify(marks));
    this.#cards.again(id);
  }

  #pin({ scope, start_time: start, end_time: end }: Run, pinned: boolean, now: number): void {
    if (!pinned) this.#statements.letGo.run(scope);
    else if (this.#statements.keeps.get(scope) === 0) this.#statements.keep.run(scope, start, end, now);
  }

  #changeMany({ ids, add_tags, remove_tags, pinned }: ProfilesChange, now: number): ProfilesChanged {
    return each(ids, (id) => {
      const run = this.#run(id);
      if (!run) return NO_PROFILE;
      const marks = this.#cards.marks(id);
      const tags = changedTags(marks.tags, add_tags, remove_tags);
      if (!tags) return TOO_MANY_TAGS;
      if (add_tags.length + remove_tags.length > 0) this.#mark(id, { ...marks, tags });
      if (pinned !== undefined) this.#pin(run, pinned, now);
      return null;
    });
  }

  #trash(ids: readonly string[], deleted: number | null): ProfilesChanged {
    return each(ids, (id) => {
      if (!this.#run(id)) return NO_PROFILE;
      const marks = this.#cards.marks(id);
      // Deleting again does not give it more time.
      const is = deleted === null ? null : (marks.deleted ?? deleted);
      if (is !== marks.deleted) this.#mark(id, { ...marks, deleted: is });
      return null;
    });
  }

  /** Removes what was in the trash for long enough, with its samples. Yields between steps. */
  *purge(now: number): Generator<void, void> {
    const before = now - TRASH_TIME;
    for (;;) {
      const ids = this.#statements.old.all(before) as string[];
      if (ids.length === 0) return;
      for (const id of ids) {
        // Between two steps it may have been restored.
        const isOld = (): boolean => this.#statements.isOld.get(id, before) === 1;
        if (!isOld()) continue;
        const ranks = `rank/${id}/`;
        for (const scope of this.#statements.scopes.all(`run/${id}`, ranks, `rank/${id}0`) as number[]) {
          while (isOld() && this.#statements.blocks.run(scope).changes > 0) yield;
        }
        this.#db.transaction(() => {
          if (!isOld()) return;
          // Numbers of a target's run stand below the target.
          this.#statements.letGo.run(this.#statements.scope.get(id));
          for (const statement of this.#statements.gone) statement.run(id);
          this.#statements.goneRun.run(id);
        })();
        yield;
      }
    }
  }
}

export function each(ids: readonly string[], change: (id: string) => string | null): ProfilesChanged {
  const result: ProfilesChanged = { changed: [], failed: [] };
  for (const id of new Set(ids)) {
    const why = change(id);
    if (why === null) result.changed.push(id);
    else result.failed.push({ id, why });
  }
  return result;
}
