/**
 * Removes what is too old or too much, a little at a time, so that writing never waits for it: each tier beyond its age;
 * and while the database is larger than it may be, the oldest samples, then the oldest minutes. What is to be kept stays.
 */

import type Database from 'better-sqlite3';
import type { Retention } from '../../shared/api/store.ts';
import { keeper, Keeps } from './keeps.ts';
import type { TierNumber } from './range-plan.ts';

/** A step ends after so many blocks, or bytes of them: their pages are looked at one by one. */
const STEP_BLOCKS = 64;
const STEP_BYTES = 4 * 1024 * 1024;
/** Free pages are used again by the tail. Beyond so many bytes of them they are given back to the file system. */
const SPARE = 64 * 1024 * 1024;
const GIVE_BACK_PAGES = 256;

interface Aged {
  readonly id: number;
  readonly scope: number;
  readonly first: number;
  readonly last: number;
  readonly size: number;
}

/** Yields after each step. `isLive`: the scope's row is still written to. Returns how many blocks were removed. */
export function* removeOld(
  db: Database.Database,
  now: number,
  limits: Retention,
  isLive: (row: number) => boolean,
): Generator<void, number> {
  const isKept = keeper(new Keeps(db).all());
  const nameOf = db.prepare('SELECT name FROM scope WHERE id = ?').pluck();
  const oldest = db.prepare(
    'SELECT id, scope, first, last, size FROM block WHERE tier = ? AND (last, id) > (?, ?) AND last < ? ORDER BY last, id LIMIT ?',
  );
  const drop = db.prepare('DELETE FROM block WHERE id = ?');
  const dropAll = db.transaction((ids: readonly number[]) => {
    for (const id of ids) drop.run(id);
  });
  const emptied = new Set<number>();
  let removed = 0;

  /** Oldest first; `over`: how many bytes are too much, asked anew after each step. */
  function* remove(tier: TierNumber, before: number, over: () => number): Generator<void, void> {
    let [last, id] = [-Number.MAX_VALUE, 0];
    for (let left = over(); left > 0; left = over()) {
      const step = oldest.all(tier, last, id, before, STEP_BLOCKS) as Aged[];
      const go: number[] = [];
      let bytes = 0;
      for (const block of step) {
        if (left <= 0 || bytes >= STEP_BYTES) break;
        [last, id] = [block.last, block.id];
        const name = (nameOf.get(block.scope) as string | undefined) ?? '';
        if (isKept(name, block.first, block.last)) continue;
        go.push(block.id);
        emptied.add(block.scope);
        bytes += block.size;
        left -= block.size;
      }
      if (go.length > 0) dropAll(go);
      removed += go.length;
      yield;
      if (step.length === 0) return;
    }
  }

  const ages = [limits.raw, limits.minute, limits.hour];
  for (const tier of [0, 1, 2] as const) yield* remove(tier, now - ages[tier]!, () => Infinity);
  const { size } = limits;
  if (size !== 'off') {
    for (const tier of [0, 1] as const) yield* remove(tier, Number.MAX_VALUE, () => usedBytes(db) - size);
  }
  for (const row of emptied) {
    if (isLive(row)) continue;
    forget(db, row);
    yield;
  }
  yield* giveBack(db);
  return removed;
}

/** Bytes of the database that hold something. */
export function usedBytes(db: Database.Database): number {
  const pragma = (name: string): number => db.pragma(name, { simple: true }) as number;
  return (pragma('page_count') - pragma('freelist_count')) * pragma('page_size');
}

/** A scope of which nothing is left. */
function forget(db: Database.Database, row: number): void {
  const has = db
    .prepare(
      `SELECT EXISTS (SELECT 1 FROM block WHERE scope = @row) OR EXISTS (SELECT 1 FROM frame WHERE scope = @row)
         OR EXISTS (SELECT 1 FROM tail JOIN scope ON scope.part = tail.part WHERE scope.id = @row)`,
    )
    .pluck();
  if (has.get({ row }) !== 0) return;
  db.transaction(() => {
    db.prepare('DELETE FROM series WHERE scope = ?').run(row);
    db.prepare('DELETE FROM old_series WHERE scope = ?').run(row);
    db.prepare('DELETE FROM scope WHERE id = ?').run(row);
  })();
}

/** A database that was made by an earlier version keeps its size; `vigie store vacuum` makes it smaller. */
function* giveBack(db: Database.Database): Generator<void, void> {
  const pragma = (name: string): number => db.pragma(name, { simple: true }) as number;
  if (pragma('auto_vacuum') !== 2) return;
  const spare = SPARE / pragma('page_size');
  for (let free = pragma('freelist_count'); free > spare;) {
    db.pragma(`incremental_vacuum(${GIVE_BACK_PAGES})`);
    yield;
    const left = pragma('freelist_count');
    if (left >= free) return;
    free = left;
  }
}
