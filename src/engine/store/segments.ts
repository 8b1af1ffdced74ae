/**
 * A scope over several starts of the engine is several segments: series are numbered anew at each start. A segment's
 * samples lie, in the order of time, in blocks, in single frames that earlier versions wrote, and in the tail.
 */

import type Database from 'better-sqlite3';
import type { ScopeId } from '../../shared/model/scope.ts';
import { TailReader, type PartFrames, type TimedFrame } from './tail.ts';

export interface Segment {
  readonly id: number;
  readonly epoch: number;
  readonly part: number | null;
  /** Up to this time the samples are in blocks, ms; -Infinity: none. */
  readonly sealed: number;
  /** From this time on they do not count; Infinity: they do. */
  readonly until: number;
}

/** A step ends after this many bytes or rows of frames, a few milliseconds. */
const STEP_BYTES = 512 * 1024;
const STEP_ROWS = 500;

export class Segments {
  readonly #tail: TailReader;
  readonly #statements;
  #shared: { readonly part: number; readonly frames: PartFrames } | null = null;

  constructor(db: Database.Database) {
    this.#tail = new TailReader(db);
    this.#statements = {
      segments: db.prepare('SELECT id, epoch, part, sealed, until FROM scope WHERE name = ? ORDER BY epoch DESC'),
      newest: db.prepare('SELECT max(time) FROM frame WHERE scope = ? AND time <= ?').pluck(),
      oldest: db.prepare('SELECT min(time) FROM frame WHERE scope = ?').pluck(),
      full: db.prepare('SELECT max(time) FROM frame WHERE scope = ? AND full = 1 AND time <= ?').pluck(),
      count: db
        .prepare('SELECT count(*) FROM (SELECT 1 FROM frame WHERE scope = ? AND time BETWEEN ? AND ? LIMIT ?)')
        .pluck(),
      frames: db.prepare('SELECT time, bytes FROM frame WHERE scope = ? AND time BETWEEN ? AND ? ORDER BY time'),
      sizes: db.prepare(
        'SELECT time, length(bytes) AS size FROM frame WHERE scope = ? AND time > ? AND time <= ? ORDER BY time DESC LIMIT ?',
      ),
    };
  }

  /** Newest start first. */
  of(scope: ScopeId): Segment[] {
    const rows = this.#statements.segments.all(scope) as {
      id: number;
      epoch: number;
      part: number | null;
      sealed: number | null;
      until: number | null;
    }[];
    return rows.map((row) => ({ ...row, sealed: row.sealed ?? -Infinity, until: row.until ?? Infinity }));
  }

  /** All frames of the tail that are readable, in order; those up to `sealed` are in blocks too. */
  *tail({ id, part, until }: Segment): Generator<void, TimedFrame[]> {
    if (part === null) return [];
    const frames = yield* this.#tail.frames(part, id);
    return until === Infinity ? frames : frames.filter(({ time }) => time < until);
  }

  /** The same for many scopes of a part one after another: their part is read once. */
  *sharedTail({ id, part, until }: Segment): Generator<void, TimedFrame[]> {
    if (part === null) return [];
    if (this.#shared?.part !== part) this.#shared = { part, frames: yield* this.#tail.all(part) };
    const frames = this.#shared.frames.of(id);
    return until === Infinity ? frames : frames.filter(({ time }) => time < until);
  }

  forgetShared(): void {
    this.#shared = null;
  }

  /** Of the single frames: how many lie in a span, at most `limit`. */
  count({ id }: Segment, from: number, to: number, limit: number): number {
    return this.#statements.count.get(id, from, to, limit) as number;
  }

  /** Time of the last single frame up to a time. */
  newest({ id }: Segment, time: number): number | null {
    return this.#statements.newest.get(id, time) as number | null;
  }

  oldest({ id }: Segment): number | null {
    return this.#statements.oldest.get(id) as number | null;
  }

  /** Where reading has to begin for the values at a time. */
  start({ id }: Segment, time: number): number {
    return (this.#statements.full.get(id, time) as number | null) ?? time;
  }

  /** Times and sizes of single frames, newest first. */
  sizes({ id }: Segment, from: number, to: number, limit: number): { time: number; size: number }[] {
    return this.#statements.sizes.all(id, from, to, limit) as { time: number; size: number }[];
  }

  /** Single frames in order of time, both ends included; null after each step. */
  *scan({ id }: Segment, from: number, to: number): Generator<TimedFrame | null, void> {
    let at = from;
    let seen = -Infinity;
    for (;;) {
      // A step is collected before any of it is handed on: an open statement would keep others from writing.
      const step: TimedFrame[] = [];
      let bytes = 0;
      let more = false;
      for (const each of this.#statements.frames.iterate(id, at, to)) {
        const row = each as TimedFrame;
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
}
