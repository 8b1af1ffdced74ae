/** A small store with something of everything: blocks of all tiers, a tail, runs, profiles, an audit log. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { openDatabase } from '../../src/engine/store/mending.ts';
import { SqliteStore } from '../../src/engine/store/sqlite.ts';
import { atOnce } from '../../src/engine/store/sqlite-reader.ts';
import { profile, run, T0, Teller, tick } from '../unit/engine/store/support.ts';

/** Ticks of its node, one a second from T0 on; the counter `ticks` is the number of the tick, from 1 on. */
export const NODE_TICKS = 200;
const SEAL_AT = [60, 120, 180];
const RUNS = ['a', 'b', 'c'];

export interface OpenedInside {
  readonly db: Database.Database;
  readonly store: SqliteStore;
  readonly warnings: readonly string[];
}

/** Opens as the store's thread does, on this one. */
export function openInside(data: string): OpenedInside {
  const warnings: string[] = [];
  return openDatabase(data, {}, warnings, (db) => {
    const store = new SqliteStore(db);
    store.interrupted();
    store.saveEpoch();
    return { db, store, warnings };
  });
}

/** Makes the directory. Its one file has no page that is not in use. */
export function makeSmallStore(data: string): void {
  mkdirSync(data, { mode: 0o700 });
  const { db, store } = openInside(data);
  db.pragma('synchronous = OFF');
  const node = new Teller('node/n1');
  const runs = RUNS.map((id) => new Teller(`run/${id}`));
  for (const id of RUNS) store.putRun(run(id, { state: 'running', end_time: 0 }));
  for (let n = 1; n <= NODE_TICKS; n++) {
    const time = T0 + 1000 * n;
    const own = n <= 100 ? runs.map((each) => each.at(time, { ticks: n, 'mpi{op="send"}': n * n })) : [];
    const values = { ticks: n, [`c${n % 20}`]: n * Math.PI, g: [n, n + 1, 2, 2 * n + 1] as const };
    store.writeTick(store.prepare(tick(time, node.at(time, values), ...own)));
    if (SEAL_AT.includes(n)) atOnce(store.sealing.seal(Infinity));
    if (n !== 100) continue;
    for (const id of RUNS) {
      const ended = run(id, { end_time: time });
      store.putProfile(ended, Buffer.from(JSON.stringify(profile(ended))));
    }
  }
  const who = { by: 'token', name: 'owner' } as const;
  const entry = { id: 'e1', time: T0, last: T0, count: 1, who, what: 'POST /x', summary: 'n=1' } as const;
  store.putAudit({ ...entry, outcome: 'done', status: 200 });
  store.close();
  const whole = new Database(join(data, 'vigie.sqlite'));
  whole.exec('VACUUM');
  whole.pragma('journal_mode = DELETE');
  whole.close();
}

/** Values of `ticks` of the node by second, as the store answers them. */
export function nodeTicks(store: SqliteStore): Map<number, number> {
  const query = { scope: 'node/n1', series: ['ticks'], from: T0, to: T0 + 1e9, maxPoints: 20_000 };
  const columns = atOnce(store.read.query(query));
  const found = new Map<number, number>();
  if (!columns) return found;
  columns.times.forEach((time, i) => {
    const value = columns.last[i]!;
    if (!Number.isNaN(value)) found.set((time - T0) / 1000, value);
  });
  return found;
}
