/** A database that an earlier version wrote is brought forward, with all that is in it. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { openStore } from '../../../src/engine/store/index.ts';
import { MIGRATIONS } from '../../../src/engine/store/migrations/index.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { profile, run, T0 } from '../../unit/engine/store/support.ts';

test.each(MIGRATIONS.slice(0, -1).map((_, i) => i + 1))('from version %i', async (version) => {
  const data = join(temporaryFolder(), 'data');
  mkdirSync(data, { mode: 0o700 });
  const db = new Database(join(data, 'vigie.sqlite'));
  for (const step of MIGRATIONS.slice(0, version)) db.exec(step);
  db.pragma(`user_version = ${version}`);
  const ended = profile(run('old', { state: 'finished', start_time: T0 }));
  db.prepare('INSERT INTO engine (one, id, epochs) VALUES (1, ?, 7)').run('e'.repeat(32));
  db.prepare(
    `INSERT INTO run (id, jobid, start, state, epoch, search, body) VALUES ('old', 'j', ?, 'finished', 7, '', ?)`,
  ).run(T0, JSON.stringify(ended.run));
  db.prepare('INSERT INTO profile (run, body) VALUES (?, ?)').run('old', Buffer.from(JSON.stringify(ended)));
  db.close();

  const { store, engineId, epoch, warnings } = await openStore({ data });
  try {
    expect([engineId, epoch, warnings]).toEqual(['e'.repeat(32), 8, []]);
    expect(await store.profile('old')).toEqual(ended);
    expect(await store.audit({ limit: 10 })).toEqual({ entries: [], next: null });
  } finally {
    await store.close();
  }
  const after = new Database(join(data, 'vigie.sqlite'), { readonly: true });
  expect(after.pragma('user_version', { simple: true })).toBe(MIGRATIONS.length);
  after.close();
});
