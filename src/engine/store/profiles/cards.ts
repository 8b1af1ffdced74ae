/** Cards in SQLite, as they are written: with each profile, and anew where a mark or the rules change. */

import type Database from 'better-sqlite3';
import type { GroupRule, Profile } from '../../../shared/api/profiles.ts';
import type { Run } from '../../../shared/api/runs.ts';
import { engineOf, isEnded } from '../run-list.ts';
import { aboutOf, commandKey, NO_MARKS, NOT_TOLD, numbersOf, searchable, type About, type Marks } from './card.ts';
import { Normaliser } from './normalise.ts';
import type { RulesState } from './profile-store.ts';

/** Of a step: runs to group anew, and profiles to read for cards that are missing. */
const STEP_RUNS = 200;
const STEP_PROFILES = 50;
/** ms: one with large profiles, or with patterns that take long, ends early. */
const STEP_TIME = 10;
const RULES = 'profiles.rules';

interface Rules {
  /** Grows with each change. */
  readonly number: number;
  readonly rules: readonly GroupRule[] | null;
}

export class Cards {
  readonly #db: Database.Database;
  readonly #statements;
  #rules: Rules;
  #normaliser: Normaliser;
  #regrouping: { done: number; total: number } | null = null;

  constructor(db: Database.Database) {
    this.#db = db;
    this.#statements = {
      put: db.prepare(
        `INSERT INTO card (number, run, engine, start, duration, size, state, failed, usable, command, grp, rules, baseline,
           deleted, about, search)
         SELECT number, id, @engine, @start, @duration, @size, @state, @failed, @usable, @command, @group, @rules, @baseline,
           @deleted, @about, @search FROM run WHERE id = @id
         ON CONFLICT (number) DO UPDATE SET start = excluded.start, duration = excluded.duration, size = excluded.size,
           state = excluded.state, failed = excluded.failed, usable = excluded.usable, command = excluded.command,
           grp = excluded.grp, rules = excluded.rules, baseline = excluded.baseline, deleted = excluded.deleted,
           about = excluded.about, search = excluded.search`,
      ),
      drop: db.prepare('DELETE FROM card WHERE run = ?'),
      about: db.prepare('SELECT about FROM card WHERE run = ?').pluck(),
      marks: db.prepare('SELECT body FROM mark WHERE run = ?').pluck(),
      mark: db.prepare('UPDATE mark SET body = ? WHERE run = ?'),
      run: db.prepare('SELECT body FROM run WHERE id = ?').pluck(),
      setting: db.prepare('SELECT value FROM setting WHERE name = ?').pluck(),
      set: db.prepare(
        'INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
      ),
      outdated: db.prepare(
        `SELECT card.number, run.body FROM card JOIN run USING (number) WHERE card.number < ? AND card.rules <> ?
         ORDER BY card.number DESC LIMIT ${STEP_RUNS}`,
      ),
      all: db.prepare('SELECT count(*) FROM card').pluck(),
      toDo: db.prepare('SELECT count(*) FROM card WHERE rules <> ?').pluck(),
      regroup: db.prepare('UPDATE card SET grp = ?, rules = ? WHERE number = ?'),
      missing: db.prepare(
        `SELECT number, id FROM run WHERE number < ? AND state IN ('finished', 'interrupted')
           AND NOT EXISTS (SELECT 1 FROM card WHERE card.number = run.number)
         ORDER BY number DESC LIMIT ${STEP_PROFILES}`,
      ),
      profile: db.prepare('SELECT body FROM profile WHERE run = ?').pluck(),
    };
    const text = this.#statements.setting.get(RULES) as string | undefined;
    this.#rules = text === undefined ? { number: 0, rules: null } : (JSON.parse(text) as Rules);
    this.#normaliser = new Normaliser(this.#rules.rules ?? undefined);
  }

  marks(run: string): Marks {
    const body = this.#statements.marks.get(run) as string | undefined;
    return body === undefined ? NO_MARKS : { ...NO_MARKS, ...(JSON.parse(body) as Partial<Marks>) };
  }

  /** In the transaction that stores the run. */
  put(run: Run, about: About): void {
    const marks = this.marks(run.id);
    const { start, duration, size, failed, usable } = numbersOf(run, about);
    this.#statements.put.run({
      id: run.id,
      engine: engineOf(run.id),
      ...{ start, duration, size, failed: Number(failed), usable: Number(usable), state: run.state },
      command: commandKey(run.command),
      group: this.#normaliser.group(run.command),
      rules: this.#rules.number,
      baseline: Number(marks.baseline),
      deleted: marks.deleted,
      about: JSON.stringify(about),
      search: searchable(run, about, marks),
    });
  }

  /** A run was described anew: one that goes on is in no list of profiles. */
  described(run: Run): void {
    if (isEnded(run.state)) this.again(run.id);
    else {
      this.#statements.drop.run(run.id);
      // Nor is it in the trash any more: its end would be thrown away.
      const marks = this.marks(run.id);
      if (marks.deleted !== null) this.#statements.mark.run(JSON.stringify({ ...marks, deleted: null }), run.id);
    }
  }

  /** What stands in a card of the run or its marks has changed. */
  again(id: string): void {
    const about = this.#statements.about.get(id) as string | undefined;
    const body = this.#statements.run.get(id) as string | undefined;
    if (about !== undefined && body !== undefined) this.put(JSON.parse(body) as Run, JSON.parse(about) as About);
  }

  /** Cards for runs that have none, newest first. Yields between steps. */
  *fill(): Generator<void, void> {
    for (let before = Number.MAX_SAFE_INTEGER; ;) {
      const rows = this.#statements.missing.all(before) as { number: number; id: string }[];
      if (rows.length === 0) return;
      const until = performance.now() + STEP_TIME;
      this.#db.transaction(() => {
        for (const { number, id } of rows) {
          before = number;
          this.#fillOne(id);
          if (performance.now() > until) break;
        }
      })();
      yield;
    }
  }

  #fillOne(id: string): void {
    const run = this.#statements.run.get(id) as string | undefined;
    const body = this.#statements.profile.get(id) as Uint8Array | undefined;
    try {
      const about: About = body ? aboutOf(JSON.parse(Buffer.from(body).toString()) as Profile) : NOT_TOLD;
      if (run !== undefined) this.put(JSON.parse(run) as Run, about);
    } catch (error) {
      // A row that is damaged is left out of the lists, as it cannot be read anyway.
      if (!(error instanceof SyntaxError) && !(error instanceof TypeError)) throw error;
    }
  }

  rules(): RulesState {
    return { rules: this.#rules.rules, regrouping: this.#regrouping };
  }

  setRules(rules: readonly GroupRule[] | null): void {
    const next = { number: this.#rules.number + 1, rules };
    this.#statements.set.run(RULES, JSON.stringify(next));
    this.#rules = next;
    this.#normaliser = new Normaliser(rules ?? undefined);
    // All of them are to be: who has changed the rules is told so before the first step.
    const total = this.#statements.all.get() as number;
    this.#regrouping = total === 0 ? null : { done: 0, total };
  }

  /** Groups anew what was grouped by other rules. Yields between steps; begins again when the rules change meanwhile. */
  *regroup(): Generator<void, void> {
    let { number } = this.#rules;
    for (let before = Number.MAX_SAFE_INTEGER, done = 0; ;) {
      if (number !== this.#rules.number) [before, done, number] = [Number.MAX_SAFE_INTEGER, 0, this.#rules.number];
      if (done === 0) {
        const total = this.#statements.toDo.get(number) as number;
        if (total === 0) break;
        this.#regrouping = { done, total };
      }
      const rows = this.#statements.outdated.all(before, number) as { number: number; body: string }[];
      if (rows.length === 0) break;
      const until = performance.now() + STEP_TIME;
      this.#db.transaction(() => {
        for (const row of rows) {
          const { command } = JSON.parse(row.body) as Run;
          this.#statements.regroup.run(this.#normaliser.group(command), number, row.number);
          before = row.number;
          done++;
          if (performance.now() > until) break;
        }
      })();
      this.#regrouping = { done, total: Math.max(done, this.#regrouping?.total ?? 0) };
      yield;
    }
    this.#regrouping = null;
  }
}
