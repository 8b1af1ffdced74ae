/** Runs, profiles and the audit log, as they are asked for. */

import type Database from 'better-sqlite3';
import type { ScopeId } from '../../shared/model/scope.ts';
import type { RunPosition } from './run-list.ts';

/** A page of runs ends early after this many characters of JSON: command lines can be long. */
const MAX_PAGE_LENGTH = 16 * 1024 * 1024;

/** Runs of a step: a few milliseconds. */
const STEP_RUNS = 1000;

export interface RunPage {
  /** Lower case; empty: all. */
  readonly search: string;
  readonly after: RunPosition | null;
  readonly limit: number;
  /** Another engine, whose runs are kept here; empty: this one. */
  readonly engine: string;
}

export interface StoredRuns {
  readonly rows: readonly StoredRun[];
  /** There are more after these. */
  readonly more: boolean;
}

/** A run as it is stored, JSON, with its place in lists. */
export interface StoredRun extends RunPosition {
  readonly body: string;
}

export interface AuditPage {
  /** Rows with smaller numbers only; null: from the newest on. */
  readonly before: number | null;
  readonly limit: number;
}

/** An entry of the audit log as it is stored, JSON. */
export interface StoredAudit {
  readonly number: number;
  readonly body: string;
}

export class Lists {
  readonly #statements;

  constructor(db: Database.Database) {
    // Runs of other engines have ids ENGINE.RUN.
    const engine = "CASE instr(id, '.') WHEN 0 THEN '' ELSE substr(id, 1, instr(id, '.') - 1) END";
    const ended = "run.state IN ('finished', 'interrupted')";
    const kept = 'NOT EXISTS (SELECT 1 FROM card WHERE card.number = run.number AND card.deleted IS NOT NULL)';
    this.#statements = {
      below: db.prepare('SELECT DISTINCT name FROM scope WHERE name >= ? AND name < ? ORDER BY name').pluck(),
      runs: db.prepare(
        `SELECT start, number, CASE WHEN ${ended} AND ${engine} = ? AND instr(search, ?) > 0 AND ${kept} THEN body END AS body FROM run
         WHERE (start, number) < (?, ?) ORDER BY start DESC, number DESC LIMIT ${STEP_RUNS}`,
      ),
      run: db.prepare('SELECT body FROM run WHERE id = ?').pluck(),
      audit: db.prepare('SELECT number, body FROM audit WHERE number < ? ORDER BY number DESC LIMIT ?'),
      profile: db
        .prepare(`SELECT profile.body FROM run JOIN profile ON profile.run = run.id WHERE run.id = ? AND ${ended}`)
        .pluck(),
      latest: db
        .prepare(
          `SELECT profile.body FROM run JOIN profile ON profile.run = run.id WHERE jobid = ? AND ${ended}
           AND instr(run.id, '.') = 0 AND ${kept} ORDER BY start DESC, number DESC LIMIT 1`,
        )
        .pluck(),
    };
  }

  /** Yields between steps: there may be very many that are looked through. */
  *runs({ search, after, limit, engine }: RunPage): Generator<void, StoredRuns> {
    let { start, number } = after ?? { start: Number.MAX_VALUE, number: 0 };
    const rows: StoredRun[] = [];
    let size = 0;
    for (let seen = STEP_RUNS; seen === STEP_RUNS;) {
      seen = 0;
      for (const each of this.#statements.runs.iterate(engine, search, start, number)) {
        const row = each as RunPosition & { readonly body: string | null };
        seen++;
        ({ start, number } = row);
        if (row.body === null) continue;
        size += row.body.length;
        if (rows.length >= limit || (size > MAX_PAGE_LENGTH && rows.length > 0)) return { rows, more: true };
        rows.push({ start, number, body: row.body });
      }
      yield;
    }
    return { rows, more: false };
  }

  audit({ before, limit }: AuditPage): StoredAudit[] {
    return this.#statements.audit.all(before ?? Number.MAX_SAFE_INTEGER, limit) as StoredAudit[];
  }

  /** JSON. */
  run(id: string): string | null {
    return (this.#statements.run.get(id) as string | undefined) ?? null;
  }

  /** JSON. */
  profile(runId: string): Uint8Array | null {
    return (this.#statements.profile.get(runId) as Uint8Array | undefined) ?? null;
  }

  latestProfile(jobid: string): Uint8Array | null {
    return (this.#statements.latest.get(jobid) as Uint8Array | undefined) ?? null;
  }

  /** Names of scopes that start with a text ending in `/`. */
  scopesBelow(prefix: string): ScopeId[] {
    // 0 is the character after /.
    return this.#statements.below.all(prefix, `${prefix.slice(0, -1)}0`) as ScopeId[];
  }
}
