/** Removes frames older than an age, a little at a time, so that writing never waits for it. */

import type Database from 'better-sqlite3';

const STEP_FRAMES = 500;

/**
 * Yields after each step that removed something. A scope's frames from its last full one before the limit on stay: what
 * follows is told by differences to it. `isLive`: the scope's row is still written to.
 */
export function* removeOld(
  db: Database.Database,
  before: number,
  isLive: (row: number) => boolean,
): Generator<void, number> {
  const newest = db.prepare('SELECT max(time) FROM frame WHERE scope = ?').pluck();
  const full = db.prepare('SELECT max(time) FROM frame WHERE scope = ? AND full = 1 AND time <= ?').pluck();
  const some = db.prepare(
    'DELETE FROM frame WHERE id IN (SELECT id FROM frame WHERE scope = ? AND time < ? ORDER BY time LIMIT ?)',
  );
  const next = db.prepare('SELECT id FROM scope WHERE id > ? ORDER BY id LIMIT 1').pluck();
  const dropScope = db.prepare('DELETE FROM scope WHERE id = ?');
  const dropSeries = db.prepare('DELETE FROM series WHERE scope = ?');
  const forget = db.transaction((row: number) => {
    dropSeries.run(row);
    dropScope.run(row);
  });

  let removed = 0;
  for (let row = next.get(0) as number | undefined; row !== undefined; row = next.get(row) as number | undefined) {
    const last = newest.get(row) as number | null;
    const over = (last === null || last < before) && !isLive(row);
    const limit = over ? before : ((full.get(row, before) as number | null) ?? -Infinity);
    for (let n = STEP_FRAMES; n === STEP_FRAMES;) {
      n = some.run(row, limit, STEP_FRAMES).changes;
      removed += n;
      if (n > 0) yield;
    }
    if (over && !isLive(row)) {
      forget(row);
      yield;
    }
  }
  return removed;
}
