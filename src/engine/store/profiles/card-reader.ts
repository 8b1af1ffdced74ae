/** Lists of profiles and groups out of SQLite. What may take long yields between steps of a few milliseconds. */

import type Database from 'better-sqlite3';
import type {
  Profile,
  ProfileGroup,
  ProfileGroupList,
  ProfileList,
  ProfileMarks,
  ProfileSummary,
  Regression,
} from '../../../shared/api/profiles.ts';
import type { Run } from '../../../shared/api/runs.ts';
import { figuresOf, type RunFigures } from '../../../shared/profiles/footprint.ts';
import {
  matches,
  NO_MARKS,
  regressionOf,
  summaryOf,
  wantedTexts,
  type About,
  type Marks,
  type Reference,
  type Searched,
} from './card.ts';
import { compareProfiles } from './compare-reader.ts';
import { baselineFor, groupFigures, LOOKED_AT, USUAL_RUNS, usual, type GroupRun } from './group-figures.ts';
import { orderOf, placeOf, writeCursor } from './page-cursor.ts';
import type { CommandCount, GroupsAsked, ListAsked, ProfileAnswer, ProfileQuestion } from './profile-store.ts';

/** Cards of a step, a few milliseconds. */
const STEP_CARDS = 1000;
/** A page ends early after this many bytes of JSON: command lines can be long. */
const MAX_PAGE_BYTES = 16 * 1024 * 1024;

const COLUMNS = { start: 'start', duration: 'duration', command: 'command', size: 'size' } as const;

interface CardRow extends Omit<Searched, 'text' | 'failed'> {
  readonly number: number;
  readonly run: string;
  readonly failed: 0 | 1;
  readonly usable: 0 | 1;
  readonly baseline: 0 | 1;
  readonly engine: string;
  readonly grp: string;
  readonly command: string;
  /** Null: it does not have all texts that are wanted, or none are. */
  readonly text: string | null;
}

const FIGURES = 'number, run, engine, grp, command, state, start, duration, size, failed, usable, baseline';

export class CardReader {
  readonly #db: Database.Database;
  readonly #prepared = new Map<string, Database.Statement>();

  constructor(db: Database.Database) {
    this.#db = db;
  }

  answer(question: ProfileQuestion): Generator<void, ProfileAnswer> {
    switch (question.ask) {
      case 'list':
        return this.#list(question.query);
      case 'groups':
        return this.#groups(question.query);
      case 'summaries':
        return atOnce(this.summaries(question.ids));
      case 'marks':
        return atOnce(this.marks(question.id));
      case 'commands':
        return atOnce(this.#commands(question.limit));
      case 'figures':
        return this.#figures(question.ids);
      case 'compare':
        return compareProfiles(this.#db, this, question.request);
    }
  }

  /** Statements by their text: there are a few of each kind. */
  #prepare(sql: string): Database.Statement {
    let statement = this.#prepared.get(sql);
    if (!statement) {
      if (this.#prepared.size > 100) this.#prepared.clear();
      this.#prepared.set(sql, (statement = this.#db.prepare(sql)));
    }
    return statement;
  }

  /** One profile a step: those of many ranks are megabytes. */
  *#figures(ids: readonly string[]): Generator<void, (RunFigures | null)[]> {
    const body = this.#prepare('SELECT body FROM profile WHERE run = ?').pluck();
    const found: (RunFigures | null)[] = [];
    for (const id of ids) {
      const bytes = body.get(id) as Uint8Array | undefined;
      found.push(bytes ? readFigures(bytes) : null);
      yield;
    }
    return found;
  }

  *#list(query: ListAsked): Generator<void, ProfileList> {
    const { terms, sort, limit, trash } = query;
    const [order, place] = [orderOf(query), placeOf(query)];
    const where = [`deleted IS ${trash === '1' ? 'NOT ' : ''}NULL`];
    const values: Record<string, string | number> = {};
    if (query.engine !== 'all') {
      where.push('engine = @engine');
      values['engine'] = query.engine ?? '';
    }
    if (query.group !== undefined) {
      where.push('grp = @group');
      values['group'] = query.group;
    }
    // Without figures of its own SQLite would go through all runs by the column they are sorted by.
    const index = query.group === undefined || query.engine === 'all' || trash === '1' ? '' : 'INDEXED BY card_group';
    const step = terms.length === 0 ? Math.min(STEP_CARDS, limit + 1) : STEP_CARDS;
    const base = { where, values, index, step };
    const page: CardRow[] = [];
    let more = false;
    const length = this.#prepare('SELECT octet_length(body) FROM run WHERE number = ?').pluck();
    let size = 0;
    for (const row of this.#rows({ ...base, terms, sort, order, after: place })) {
      if (row === null) {
        yield;
        continue;
      }
      size += (length.get(row.number) as number | undefined) ?? 0;
      if (page.length === limit || (size > MAX_PAGE_BYTES && page.length > 0)) {
        more = true;
        break;
      }
      page.push(row);
    }
    const last = page.at(-1);
    const isWhole = !more && place === null;
    const counted = (): number =>
      this.#prepare(`SELECT count(*) FROM card WHERE ${where.join(' AND ')}`)
        .pluck()
        .get(values) as number;
    return {
      // What went meanwhile is in no list.
      runs: this.#summaries(page).filter((summary) => summary !== null),
      next: more && last ? writeCursor({ sort, order, value: last[COLUMNS[sort]], last: last.number }) : null,
      total: isWhole ? page.length : terms.length === 0 ? counted() : null,
    };
  }

  /** In order, those that match; null: a step is over. */
  *#rows(asked: {
    readonly where: readonly string[];
    readonly values: Readonly<Record<string, string | number>>;
    readonly index: string;
    /** Rows that are read at once. */
    readonly step: number;
    readonly terms: ListAsked['terms'];
    readonly sort: keyof typeof COLUMNS;
    readonly order: 'asc' | 'desc';
    readonly after: { readonly value: string | number; readonly last: string | number } | null;
  }): Generator<CardRow | null, void> {
    const { terms, sort, order, step, index } = asked;
    const column = COLUMNS[sort];
    const where = [...asked.where];
    const values: Record<string, string | number> = { ...asked.values };
    for (const { test, negated } of terms) {
      if (negated || test.field !== 'start') continue;
      where.push('start >= @from', 'start <= @to');
      values['from'] = Math.max(test.low, (values['from'] as number | undefined) ?? 0);
      values['to'] = Math.min(test.high, (values['to'] as number | undefined) ?? Number.MAX_VALUE);
    }
    const texts = wantedTexts(terms).slice(0, 8);
    texts.forEach((text, i) => {
      values[`text${i}`] = text;
    });
    const needsText = terms.some(({ test }) => !('low' in test) && test.field !== 'state');
    const has = texts.map((_, i) => `instr(search, @text${i}) > 0`).join(' AND ') || '1';
    const text = needsText ? `CASE WHEN ${has} THEN search END` : `''`;
    const beyond = `(${column}, number) ${order === 'asc' ? '>' : '<'} (@value, @number)`;
    const sqlOf = (after: boolean): string =>
      `SELECT ${FIGURES}, ${text} AS text FROM card ${index} WHERE ${[...where, ...(after ? [beyond] : [])].join(' AND ')}
       ORDER BY ${column} ${order}, number ${order} LIMIT ${step}`;
    let after = asked.after && { value: asked.after.value, number: asked.after.last };
    for (;;) {
      const statement = this.#prepare(sqlOf(after !== null));
      // Taken whole: the caller may ask for something else between two rows.
      const rows = statement.all({ ...values, ...after }) as CardRow[];
      for (const row of rows) {
        if (row.text === null || !matches(terms, searchedOf(row))) continue;
        yield row;
      }
      const last = rows.at(-1);
      if (!last || rows.length < step) return;
      after = { value: last[column], number: last.number };
      yield null;
    }
  }

  *#groups(query: GroupsAsked): Generator<void, ProfileGroupList> {
    const { terms, sort, limit, engine = '' } = query;
    const [order, place] = [orderOf(query), placeOf(query)];
    const scope = this.#scope(engine);
    const all = terms.length === 0 ? this.#allGroups(scope) : yield* this.#matchingGroups(scope, terms);
    const valueOf = (group: GroupCount): string | number => (sort === 'command' ? group.grp : group[sort]);
    const sign = order === 'asc' ? 1 : -1;
    const compare = (a: GroupPlace, b: GroupPlace): number =>
      sign * (a.value < b.value ? -1 : a.value > b.value ? 1 : a.last < b.last ? -1 : a.last > b.last ? 1 : 0);
    const placed = all.map((group) => ({ group, value: valueOf(group), last: group.grp }));
    placed.sort(compare);
    const from = place ? placed.filter((each) => compare(each, place as GroupPlace) > 0) : placed;
    const page = from.slice(0, limit);
    const groups: ProfileGroup[] = [];
    for (const { group } of page) {
      const found = this.#group(scope, group);
      if (found) groups.push(found);
      if (groups.length % 20 === 0) yield;
    }
    const end = page.at(-1);
    const next =
      end && from.length > page.length ? writeCursor({ sort, order, value: end.value, last: end.last }) : null;
    return { groups, next, total: all.length };
  }

  /** `all`: runs of one command are one group, whatever engine they are of. */
  #scope(engine: string): EngineScope {
    if (engine !== 'all') return { sql: 'engine = @engine', engine };
    const engines = this.#prepare('SELECT DISTINCT engine FROM card INDEXED BY card_group WHERE deleted IS NULL');
    // By name, so that the index serves.
    return {
      sql: 'engine IN (SELECT value FROM json_each(@engine))',
      engine: JSON.stringify(engines.pluck().all()),
    };
  }

  #allGroups({ sql, engine }: EngineScope): GroupCount[] {
    const counts = `SELECT grp, count(*) AS runs, sum(failed) AS failed, max(start) AS last, NULL AS newest
      FROM card INDEXED BY card_group WHERE deleted IS NULL AND ${sql} GROUP BY grp`;
    return this.#prepare(counts).all({ engine }) as GroupCount[];
  }

  *#matchingGroups({ sql, engine }: EngineScope, terms: GroupsAsked['terms']): Generator<void, GroupCount[]> {
    const found = new Map<string, { -readonly [K in keyof GroupCount]: GroupCount[K] }>();
    const where = ['deleted IS NULL', sql];
    const asked = {
      where,
      index: '',
      step: STEP_CARDS,
      values: { engine },
      terms,
      sort: 'start',
      order: 'desc',
      after: null,
    } as const;
    for (const row of this.#rows(asked)) {
      if (row === null) {
        yield;
        continue;
      }
      const { grp, failed, start, number } = row;
      const known = found.get(grp);
      if (!known) found.set(grp, { grp, runs: 1, failed, last: start, newest: number });
      else {
        known.runs++;
        known.failed += failed;
      }
    }
    return [...found.values()];
  }

  /** Null: its runs went meanwhile. */
  #group({ sql, engine }: EngineScope, { grp, runs, failed, newest }: GroupCount): ProfileGroup | null {
    const rows = this.#prepare(
      `SELECT ${FIGURES}, '' AS text FROM card INDEXED BY card_group WHERE deleted IS NULL AND ${sql} AND grp = @grp
       ORDER BY start DESC, number DESC LIMIT ${LOOKED_AT}`,
    ).all({ engine, grp }) as CardRow[];
    const lastRow =
      newest === null
        ? rows[0]
        : (rows.find(({ number }) => number === newest) ??
          (this.#prepare(`SELECT ${FIGURES}, '' AS text FROM card WHERE number = ?`).get(newest) as
            CardRow | undefined));
    const [last] = lastRow ? this.#summaries([lastRow]) : [];
    if (!last) return null;
    const baseline = this.#baseline({ sql, engine }, grp);
    const figures = groupFigures(grp, rows.map(groupRun), baseline);
    return {
      group: grp,
      command: last.command,
      runs,
      failed,
      last,
      ...figures,
      baseline: baseline?.id ?? null,
    };
  }

  #baseline({ sql, engine }: EngineScope, grp: string): GroupRun | null {
    const row = this.#prepare(
      `SELECT ${FIGURES}, '' AS text FROM card INDEXED BY card_baseline
       WHERE ${sql} AND grp = @grp AND baseline = 1 AND deleted IS NULL ORDER BY start DESC LIMIT 1`,
    ).get({ engine, grp }) as CardRow | undefined;
    return row ? groupRun(row) : null;
  }

  #regression(row: CardRow, baseline: GroupRun | null): Regression | null {
    // Runs of no known command have nothing in common.
    if (row.usable === 0 || row.grp === '' || row.run === baseline?.id) return null;
    let to: Reference | null = baselineFor(row, baseline);
    to ??= usual(
      this.#prepare(
        `SELECT duration FROM card INDEXED BY card_usual WHERE deleted IS NULL AND usable = 1 AND engine = ? AND grp = ? AND size = ? AND start < ?
         ORDER BY start DESC LIMIT ${USUAL_RUNS}`,
      )
        .pluck()
        .all(row.engine, row.grp, row.size, row.start) as number[],
    );
    return regressionOf(groupRun(row), to);
  }

  /** Null: it went after its card was read, or it goes on. */
  #summaries(rows: readonly CardRow[]): (ProfileSummary | null)[] {
    const pinned = new Set(this.#prepare("SELECT scope FROM keep WHERE kind = 'run'").pluck().all() as string[]);
    const baselines = new Map<string, GroupRun | null>();
    return rows.map((row) => {
      const key = `${row.engine} ${row.grp}`;
      let baseline = baselines.get(key);
      if (baseline === undefined) baselines.set(key, (baseline = this.#baseline(this.#scope(row.engine), row.grp)));
      const bodies = this.#prepare(
        `SELECT run.body AS body, card.about AS about, mark.body AS marks FROM card JOIN run USING (number)
         LEFT JOIN mark ON mark.run = card.run WHERE card.number = ?`,
      ).get(row.number) as { body: string; about: string; marks: string | null } | undefined;
      if (!bodies) return null;
      const run = JSON.parse(bodies.body) as Run;
      return summaryOf({
        run,
        about: JSON.parse(bodies.about) as About,
        marks: bodies.marks === null ? NO_MARKS : { ...NO_MARKS, ...(JSON.parse(bodies.marks) as Partial<Marks>) },
        group: row.grp,
        pinned: pinned.has(run.scope),
        regression: this.#regression(row, baseline),
      });
    });
  }

  /** Null: there is no profile with this id. */
  summaries(ids: readonly string[]): (ProfileSummary | null)[] {
    const card = this.#prepare(`SELECT ${FIGURES}, '' AS text FROM card WHERE run = ?`);
    const rows = ids.map((id) => card.get(id) as CardRow | undefined);
    const found = this.#summaries(rows.filter((row) => row !== undefined));
    let next = 0;
    return rows.map((row) => (row ? (found[next++] ?? null) : null));
  }

  marks(id: string): ProfileMarks | null {
    const [summary] = this.summaries([id]);
    if (!summary) return null;
    const { tags, pinned, baseline, deleted, group, regression } = summary;
    const body = this.#prepare('SELECT body FROM mark WHERE run = ?').pluck().get(id) as string | undefined;
    const note = body === undefined ? '' : ((JSON.parse(body) as Partial<Marks>).note ?? '');
    return { tags, note, pinned, baseline, deleted, group, regression };
  }

  #commands(limit: number): CommandCount[] {
    const bodies = this.#prepare(
      `SELECT run.body FROM card JOIN run USING (number) WHERE card.deleted IS NULL ORDER BY card.number DESC LIMIT ?`,
    )
      .pluck()
      .all(limit) as string[];
    const counts = new Map<string, number>();
    for (const body of bodies) {
      const { command } = JSON.parse(body) as Run;
      counts.set(command, (counts.get(command) ?? 0) + 1);
    }
    return Array.from(counts, ([command, runs]) => ({ command, runs }));
  }
}

/** Which engines' runs; `engine` is what the condition takes. */
interface EngineScope {
  readonly sql: string;
  readonly engine: string;
}

interface GroupCount {
  readonly grp: string;
  readonly runs: number;
  readonly failed: number;
  /** Start of the newest run, and its number; null: the newest of all. */
  readonly last: number;
  readonly newest: number | null;
}

interface GroupPlace {
  readonly value: string | number;
  readonly last: string;
}

const searchedOf = ({ state, failed, start, duration, size, text }: CardRow): Searched => ({
  ...{ state, failed: failed === 1, start, duration, size, text: text ?? '' },
});

const groupRun = ({ run, start, duration, size, failed, usable, baseline }: CardRow): GroupRun => ({
  ...{ id: run, start, duration, size, failed: failed === 1, usable: usable === 1, baseline: baseline === 1 },
});

function readFigures(bytes: Uint8Array): RunFigures | null {
  try {
    return figuresOf(JSON.parse(new TextDecoder().decode(bytes)) as Profile);
  } catch {
    return null;
  }
}

// oxlint-disable-next-line require-yield -- short ones are answered in one step
function* atOnce<T>(value: T): Generator<void, T> {
  return value;
}
