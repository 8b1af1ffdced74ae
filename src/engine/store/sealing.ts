/**
 * When and in which order the tail becomes blocks, a step of a few milliseconds at a time: parts that have enough,
 * scopes that have ended, what an earlier start has left open, and what earlier versions wrote as single frames.
 */

import type Database from 'better-sqlite3';
import { Replay } from './replay.ts';
import type { Names } from './names.ts';
import type { Part, Parts } from './parts.ts';
import type { SealedScope, Sealer } from './seal.ts';
import { TailReader, type TimedFrame } from './tail.ts';
import type { LiveScope } from './sqlite.ts';

/** A part is sealed when its scopes have this many frames, its rows this many bytes, or the first came so long ago, ms. */
const PART_ROWS = 512;
const PART_BYTES = 8 * 1024 * 1024;
const PART_AGE = 6 * 3_600_000;
/** Rows of the tail, and bytes of them, that are removed in one step: their pages are looked at one by one. */
const REMOVE_ROWS = 64;
const REMOVE_BYTES = 1024 * 1024;
/** Steps are committed together for so long, ms: each commit waits for the disk, and each tick for a step. */
const STEP_MS = 10;
/** Frames of an earlier version that become a block together, and most bytes of them. */
const OLD_FRAMES = 512;
const OLD_BYTES = 2 * 1024 * 1024;
/** Names of an earlier version that are moved in one step. */
const OLD_NAMES = 500;

interface Scopes {
  /** First part that this start may use. */
  readonly next: number;
  readonly parts: Parts;
  readonly live: () => Iterable<LiveScope>;
}

interface ScopeRow extends SealedScope {
  readonly sealed: number | null;
  readonly until: number | null;
}

export class Sealing {
  readonly #db: Database.Database;
  readonly #sealer: Sealer;
  readonly #names: Names;
  readonly #scopes: Scopes;
  readonly #tail: TailReader;
  readonly #statements;
  /** Rows of scopes that have ended since their part was sealed. */
  readonly #ended = new Map<Part, Set<number>>();
  /** There may be something of an earlier start or version. */
  #older = true;

  constructor(db: Database.Database, sealer: Sealer, names: Names, scopes: Scopes) {
    this.#db = db;
    this.#sealer = sealer;
    this.#names = names;
    this.#scopes = scopes;
    this.#tail = new TailReader(db);
    const columns = 'id AS row, name, epoch, sealed, until';
    this.#statements = {
      left: db.prepare('SELECT DISTINCT part FROM tail WHERE part < ? LIMIT 1').pluck(),
      scopesOf: db.prepare(`SELECT ${columns} FROM scope WHERE part = ?`),
      scope: db.prepare(`SELECT ${columns} FROM scope WHERE id = ?`),
      newest: db.prepare('SELECT max(id) FROM tail WHERE part = ?').pluck(),
      some: db.prepare('SELECT id, length(bytes) AS size FROM tail WHERE part = ? AND id <= ? ORDER BY id LIMIT ?'),
      remove: db.prepare('DELETE FROM tail WHERE part = ? AND id <= ?'),
      oldScope: db.prepare('SELECT min(scope) FROM frame').pluck(),
      old: db.prepare('SELECT id, time, bytes FROM frame WHERE scope = ? ORDER BY time LIMIT ?'),
      dropOld: db.prepare('DELETE FROM frame WHERE scope = ? AND time <= ?'),
      makeFull: db.prepare('UPDATE frame SET full = 1, bytes = ? WHERE id = ?'),
    };
  }

  /** A scope of a part will have no more frames. */
  ended(part: Part, row: number): void {
    const rows = this.#ended.get(part);
    if (rows) rows.add(row);
    else this.#ended.set(part, new Set([row]));
  }

  /** There is something to seal. */
  isDue(now: number): boolean {
    if (this.#older || this.#ended.size > 0) return true;
    for (const part of this.#scopes.parts) if (isFull(part, now)) return true;
    return false;
  }

  /**
   * Seals what is due, and ends early when a tick waits where a part would be begun: one that is prepared already is told
   * by differences to what would be sealed. `stepMs`: about how long a step takes; 0: it is as small as it can be.
   */
  *seal(now: number, mayBegin: () => boolean = () => true, stepMs = STEP_MS): Generator<void, void> {
    for (const part of [...this.#scopes.parts]) {
      if (!isFull(part, now)) continue;
      if (!mayBegin()) return;
      yield* this.#together(this.#sealPart(part, null), stepMs);
    }
    for (const [part, rows] of this.#ended) {
      if (!mayBegin()) return;
      yield* this.#together(this.#sealPart(part, part.live === 0 ? null : rows), stepMs);
    }
    if (this.#older) yield* this.#sealOlder(stepMs);
  }

  /**
   * Does work of small steps, each of which leaves the database as it may be found, several to a transaction; then what
   * it has given back, which is to be done once all of it is committed.
   */
  *#together(steps: Generator<void, (() => void) | null>, stepMs: number): Generator<void, void> {
    for (;;) {
      const end = performance.now() + stepMs;
      let last: IteratorResult<void, (() => void) | null>;
      try {
        last = this.#db.transaction(() => {
          for (;;) {
            const step = steps.next();
            if (step.done === true || performance.now() >= end) return step;
          }
        })();
      } catch (error) {
        // What was remembered is of blocks that are not there.
        this.#sealer.forgetAll();
        throw error;
      }
      if (last.done === true) last.value?.();
      yield;
      if (last.done === true) return;
    }
  }

  /** `only` null: all its scopes, and its rows go. */
  *#sealPart(part: Part, only: ReadonlySet<number> | null): Generator<void, (() => void) | null> {
    const ended = this.#ended.get(part) ?? [];
    this.#ended.delete(part);
    const over = yield* this.#sealFrames(part, only);
    // What ended while its part was sealed, or without a frame since then, has nothing in the tail.
    for (const row of ended) {
      const scope = this.#statements.scope.get(row) as ScopeRow | undefined;
      if (scope) yield* this.#sealer.finish(scope);
      yield;
    }
    return over;
  }

  *#sealFrames(part: Part, only: ReadonlySet<number> | null): Generator<void, (() => void) | null> {
    const { setBack, rows, bytes } = part;
    const newest = this.#statements.newest.get(part.id) as number | null;
    if (newest === null) return () => this.#scopes.parts.drop(part);
    const live = new Set<number>();
    for (const scope of this.#scopes.live()) {
      if (scope.part !== part || scope.row === null || (only && !only.has(scope.row))) continue;
      live.add(scope.row);
      // What comes after this must be readable without what is before.
      scope.track.lost();
    }
    const frames = yield* this.#tail.all(part.id, newest, only);
    for (const row of frames.scopes) {
      const scope = this.#statements.scope.get(row) as ScopeRow | undefined;
      if (!scope) continue;
      for (const _ of this.#sealed(scope, frames.of(row), !live.has(row))) {
        yield;
        // What was read does not count any more, and of what is in the tail nothing may go.
        if (part.setBack !== setBack) return null;
      }
      yield;
      if (part.setBack !== setBack) return null;
    }
    if (only) return null;
    yield* this.#remove(part.id, newest);
    return () => {
      part.rows -= rows;
      part.bytes -= bytes;
      part.since = Date.now();
      this.#scopes.parts.drop(part);
    };
  }

  *#sealed(scope: ScopeRow, frames: readonly TimedFrame[], over: boolean): Generator<void, void> {
    yield* this.#sealer.seal(scope, frames, scope.sealed ?? -Infinity);
    if (over) yield* this.#sealer.finish(scope);
  }

  *#remove(part: number, upTo: number): Generator<void, void> {
    for (;;) {
      const some = this.#statements.some.all(part, upTo, REMOVE_ROWS) as { id: number; size: number }[];
      let bytes = 0;
      const last = some.find(({ size }) => (bytes += size) >= REMOVE_BYTES) ?? some.at(-1);
      if (!last) return;
      this.#statements.remove.run(part, last.id);
      yield;
    }
  }

  *#sealOlder(stepMs: number): Generator<void, void> {
    const { left } = this.#statements;
    for (let part = left.get(this.#scopes.next); typeof part === 'number'; part = left.get(this.#scopes.next)) {
      yield* this.#together(this.#sealLeft(part), stepMs);
    }
    const { oldScope } = this.#statements;
    for (let row = oldScope.get(); typeof row === 'number'; row = oldScope.get()) yield* this.#sealOld(row);
    while (this.#names.moveOld(OLD_NAMES)) yield;
    this.#older = false;
  }

  /** What an earlier start has left of a part. */
  *#sealLeft(part: number): Generator<void, null> {
    const newest = this.#statements.newest.get(part) as number;
    const frames = yield* this.#tail.all(part, newest);
    for (const scope of this.#statements.scopesOf.all(part) as ScopeRow[]) {
      const until = scope.until ?? Infinity;
      const own = frames.of(scope.row).filter(({ time }) => time < until);
      yield* this.#sealed(scope, own, true);
      yield;
    }
    yield* this.#remove(part, newest);
    return null;
  }

  /** Frames that an earlier version wrote, each as a row of its own. */
  *#sealOld(row: number): Generator<void, void> {
    const { old, dropOld, makeFull, scope: find } = this.#statements;
    // A scope without a row was forgotten half way.
    const scope = (find.get(row) as ScopeRow | undefined) ?? { row, name: '', epoch: 0, sealed: null, until: null };
    for (;;) {
      const all: (TimedFrame & { readonly id: number })[] = [];
      let bytes = 0;
      for (const each of old.iterate(row, OLD_FRAMES + 1)) {
        const frame = each as TimedFrame & { readonly id: number };
        all.push(frame);
        bytes += frame.bytes.byteLength;
        if (bytes > OLD_BYTES && all.length > 1) break;
      }
      const next = bytes > OLD_BYTES || all.length > OLD_FRAMES ? all.pop() : undefined;
      if (all.length === 0) break;
      yield* this.#sealer.seal(scope, all, -Infinity, (upTo) => {
        const after = all[upTo] ?? next;
        dropOld.run(row, all[upTo - 1]!.time);
        // What follows is told by differences to what is no longer there.
        if (after) makeFull.run(fullAfter(all.slice(0, upTo), after.bytes) ?? after.bytes, after.id);
      });
      if (!next) break;
      yield;
    }
    yield* this.#sealer.finish(scope);
    yield;
  }
}

/** A frame made full; null: it cannot be. */
function fullAfter(before: readonly TimedFrame[], bytes: Uint8Array): Uint8Array | null {
  const replay = new Replay();
  for (const frame of before) replay.apply(frame.bytes);
  const frame = replay.apply(bytes);
  return frame && replay.full(frame);
}

const isFull = (part: Part, now: number): boolean =>
  part.rows > 0 && (part.rows >= PART_ROWS || part.bytes >= PART_BYTES || now - part.since >= PART_AGE);
