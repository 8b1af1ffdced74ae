/** What is asked of the store in SQLite. See sqlite.ts for why some of it comes in steps. */

import type Database from 'better-sqlite3';
import type { RangeQuery } from '../../shared/api/query.ts';
import type { Frame } from '../../shared/frame.ts';
import type { Kind } from '../../shared/model/values.ts';
import type { ScopeId } from '../../shared/model/scope.ts';
import type { SeriesDef } from '../../shared/model/series.ts';
import { chooseTargets, pointLimit, RangeBuilder, type RangeColumns } from './aggregate.ts';
import { Replay } from './replay.ts';
import type { RunPosition } from './run-list.ts';
import type { Snapshot } from './store.ts';

/** A step ends after this many bytes or rows of frames, a few milliseconds. */
const STEP_BYTES = 512 * 1024;
const STEP_ROWS = 500;
/** Most bytes of frames in one answer. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** A page of runs ends early after this many characters of JSON: command lines can be long. */
const MAX_PAGE_LENGTH = 16 * 1024 * 1024;

export interface RunPage {
  /** Lower case; empty: all. */
  readonly search: string;
  readonly after: RunPosition | null;
  readonly limit: number;
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

interface FrameRow {
  time: number;
  bytes: Uint8Array;
}

export class SqliteReader {
  readonly #statements;

  constructor(db: Database.Database) {
    const ended = "run.state IN ('finished', 'interrupted')";
    this.#statements = {
      segments: db.prepare('SELECT id FROM scope WHERE name = ? ORDER BY epoch DESC').pluck(),
      below: db.prepare('SELECT DISTINCT name FROM scope WHERE name >= ? AND name < ? ORDER BY name').pluck(),
      schema: db.prepare('SELECT kind, place AS "index", name, doc FROM series WHERE scope = ? ORDER BY kind, place'),
      newest: db.prepare('SELECT max(time) FROM frame WHERE scope = ? AND time <= ?').pluck(),
      before: db.prepare('SELECT max(time) FROM frame WHERE scope = ? AND time < ?').pluck(),
      full: db.prepare('SELECT max(time) FROM frame WHERE scope = ? AND full = 1 AND time <= ?').pluck(),
      count: db
        .prepare('SELECT count(*) FROM (SELECT 1 FROM frame WHERE scope = ? AND time BETWEEN ? AND ? LIMIT ?)')
        .pluck(),
      frames: db.prepare('SELECT time, bytes FROM frame WHERE scope = ? AND time BETWEEN ? AND ? ORDER BY time'),
      sizes: db.prepare(
        'SELECT time, length(bytes) AS size FROM frame WHERE scope = ? AND time > ? AND time <= ? ORDER BY time DESC LIMIT ?',
      ),
      runs: db.prepare(
        `SELECT start, number, body FROM run WHERE ${ended} AND (start, number) < (?, ?) AND instr(search, ?) > 0
         ORDER BY start DESC, number DESC LIMIT ?`,
      ),
      run: db.prepare('SELECT body FROM run WHERE id = ?').pluck(),
      audit: db.prepare('SELECT number, body FROM audit WHERE number < ? ORDER BY number DESC LIMIT ?'),
      profile: db
        .prepare(`SELECT profile.body FROM run JOIN profile ON profile.run = run.id WHERE run.id = ? AND ${ended}`)
        .pluck(),
      latest: db
        .prepare(
          `SELECT profile.body FROM run JOIN profile ON profile.run = run.id WHERE jobid = ? AND ${ended}
           ORDER BY start DESC, number DESC LIMIT 1`,
        )
        .pluck(),
    };
  }

  runs({ search, after, limit }: RunPage): StoredRuns {
    const { start, number } = after ?? { start: Number.MAX_VALUE, number: 0 };
    const rows: StoredRun[] = [];
    let size = 0;
    for (const each of this.#statements.runs.iterate(start, number, search, limit + 1)) {
      const row = each as StoredRun;
      size += row.body.length;
      if (rows.length >= limit || (size > MAX_PAGE_LENGTH && rows.length > 0)) return { rows, more: true };
      rows.push(row);
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

  snapshot(scope: ScopeId, time: number): Snapshot | null {
    for (const segment of this.#segments(scope)) {
      const newest = this.#time('newest', segment, time);
      if (newest === null) continue;
      const replay = new Replay();
      const rows = this.#statements.frames.iterate(segment, this.#time('full', segment, newest) ?? newest, newest);
      for (const row of rows) replay.apply((row as FrameRow).bytes);
      return replay.snapshot(this.#schema(segment));
    }
    return null;
  }

  *query(query: RangeQuery): Generator<void, RangeColumns | null> {
    const { scope, from, to } = query;
    const known = this.#segments(scope);
    if (known.length === 0) return null;
    // Frames written from now on are not part of the answer.
    const segments = known.map((id) => ({ id, schema: this.#schema(id), to: this.#time('newest', id, to) }));
    const targets = chooseTargets(
      segments.map(({ schema }) => schema),
      query.series,
    );
    const limit = pointLimit(query.maxPoints, targets.length);
    let samples = 0;
    for (const { id, to: last } of segments) {
      if (last !== null) samples += this.#statements.count.get(id, from, last, limit + 1) as number;
    }
    const range = new RangeBuilder({ scope, from, to, limit, samples, targets });
    for (const { id, schema, to: last } of segments.reverse()) {
      if (last === null) continue;
      range.bind(schema);
      const before = this.#time('before', id, from);
      const replay = new Replay();
      let based = before === null;
      for (const each of this.#scan(
        id,
        (before === null ? null : this.#time('full', id, before)) ?? before ?? from,
        last,
      )) {
        if (each === null) {
          yield;
          continue;
        }
        const frame = replay.apply(each.bytes);
        if (!frame) continue;
        if (frame.time >= from) range.add(frame.time, frame.gap, replay.state);
        else if (!based) {
          range.base(frame.time, frame.gap, replay.state);
          based = each.time === before;
        }
      }
    }
    return range.finish();
  }

  /** See Store.frames. Only of the newest start of the engine in the range: older frames are numbered otherwise. */
  *frames(
    scope: ScopeId,
    from: number,
    to: number,
    limit: number,
  ): Generator<void, { frames: Uint8Array[]; truncated: boolean }> {
    for (const [i, segment] of this.#segments(scope).entries()) {
      const newest = this.#time('newest', segment, to);
      if (newest === null) continue;
      if (newest <= from) break;
      let { start, truncated } = this.#spanOf(segment, from, newest, limit);
      if (start === null) return { frames: [], truncated };
      const frames: Uint8Array[] = [];
      const replay = new Replay();
      for (const each of this.#scan(segment, this.#time('full', segment, start) ?? start, newest)) {
        if (each === null) {
          yield;
          continue;
        }
        const frame: Frame | null = replay.apply(each.bytes);
        if (!frame || each.time < start) continue;
        frames.push(frames.length === 0 ? replay.full(frame) : each.bytes);
      }
      const older = this.#segments(scope).slice(i + 1);
      truncated ||= older.some((id) => (this.#time('newest', id, to) ?? -Infinity) > from);
      return { frames, truncated };
    }
    return { frames: [], truncated: false };
  }

  /** Time of the first frame that fits the limits. */
  #spanOf(segment: number, from: number, to: number, limit: number): { start: number | null; truncated: boolean } {
    let start: number | null = null;
    let count = 0;
    let bytes = 0;
    for (const each of this.#statements.sizes.iterate(segment, from, to, limit + 1)) {
      const { time, size } = each as { time: number; size: number };
      bytes += size;
      if (++count > limit || (bytes > MAX_ANSWER_BYTES && start !== null)) return { start, truncated: true };
      start = time;
    }
    return { start, truncated: false };
  }

  /** Frames in order of time, both ends included; null after each step. */
  *#scan(segment: number, from: number, to: number): Generator<FrameRow | null, void> {
    let at = from;
    let seen = -Infinity;
    for (;;) {
      // A step is collected before any of it is handed on: an open statement would keep others from writing.
      const step: FrameRow[] = [];
      let bytes = 0;
      let more = false;
      for (const each of this.#statements.frames.iterate(segment, at, to)) {
        const row = each as FrameRow;
        if (row.time <= seen) continue;
        if (step.length >= STEP_ROWS || bytes >= STEP_BYTES) {
          more = true;
          break;
        }
        step.push(row);
        bytes += row.bytes.byteLength;
        at = row.time;
      }
      seen = at;
      yield* step;
      if (!more) return;
      yield null;
    }
  }

  #segments(scope: ScopeId): number[] {
    return this.#statements.segments.all(scope) as number[];
  }

  #schema(segment: number): SeriesDef[] {
    return this.#statements.schema.all(segment) as { kind: Kind; index: number; name: string; doc: string }[];
  }

  #time(which: 'newest' | 'before' | 'full', segment: number, time: number): number | null {
    return this.#statements[which].get(segment, time) as number | null;
  }
}
