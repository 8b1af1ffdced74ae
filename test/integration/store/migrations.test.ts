/** A database that an earlier version wrote is brought forward, with all that is in it. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { openStore } from '../../../src/engine/store/index.ts';
import { openMemoryStore } from '../../../src/engine/store/memory.ts';
import { MIGRATIONS } from '../../../src/engine/store/migrations/index.ts';
import type { ScopeTick } from '../../../src/engine/store/store.ts';
import { decodeFrame } from '../../../src/shared/frame.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { profile, run, T0, Teller, tick } from '../../unit/engine/store/support.ts';

/** The first version that has blocks: before it, each frame was a row. */
const BLOCKS = 4;

test.each(MIGRATIONS.slice(0, BLOCKS - 1).map((_, i) => i + 1))('from version %i', async (version) => {
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
  // What that version wrote of samples: each frame a row, each series with its name.
  const old = new Teller('node/old');
  const written: ScopeTick[] = [];
  for (let i = 0; i < 1500; i++) {
    old.full ||= i % 256 === 0;
    written.push(old.at(T0 + i * 1000, { c: i, [`late${Math.floor(i / 500)}{a="b"}`]: 2 * i, g: [i, i, 1, i] }));
  }
  db.prepare('INSERT INTO scope (id, name, epoch) VALUES (1, ?, 7)').run('node/old');
  for (const { added, frame } of written) {
    for (const { kind, index, name, doc } of added)
      db.prepare('INSERT INTO series (scope, kind, place, name, doc) VALUES (1, ?, ?, ?, ?)').run(
        kind,
        index,
        name,
        doc,
      );
    const { time, full } = decodeFrame(frame);
    db.prepare('INSERT INTO frame (scope, time, full, bytes) VALUES (1, ?, ?, ?)').run(time, full ? 1 : 0, frame);
  }
  db.close();

  const plain = openMemoryStore({ maxAge: 1e12 }).store;
  for (const each of written) plain.append(tick(decodeFrame(each.frame).time, each));

  const { store, engineId, epoch, warnings } = await openStore({ data });
  try {
    expect([engineId, epoch, warnings]).toEqual(['e'.repeat(32), 8, []]);
    expect(await store.profile('old')).toEqual(ended);
    expect(await store.audit({ limit: 10 })).toEqual({ entries: [], next: null });
    const query = { scope: 'node/old', series: [], from: T0 + 5000, to: T0 + 1_499_000, maxPoints: 5000 };
    const wanted = await plain.query(query);
    expect(await store.query(query)).toEqual(wanted);
    expect(await store.snapshot('node/old', T0 + 700_500)).toEqual(await plain.snapshot('node/old', T0 + 700_500));
    // It becomes blocks while the engine runs; what is asked is answered the same.
    await eventually(async () => (await store.retention()).tiers[0]!.blocks >= 2);
    await eventually(async () => (await store.names({ what: 'families', limit: 9 })).names.length === 5);
    expect(await store.query(query)).toEqual(wanted);
  } finally {
    await store.close();
  }
  const after = new Database(join(data, 'vigie.sqlite'), { readonly: true });
  expect(after.pragma('user_version', { simple: true })).toBe(MIGRATIONS.length);
  expect(after.prepare('SELECT count(*) FROM frame').pluck().get()).toBe(0);
  expect(after.prepare('SELECT count(*) FROM old_series').pluck().get()).toBe(0);
  after.close();
});

test('from version 4, which had no alarms', async () => {
  const data = join(temporaryFolder(), 'data');
  mkdirSync(data, { mode: 0o700 });
  const db = new Database(join(data, 'vigie.sqlite'));
  for (const step of MIGRATIONS.slice(0, BLOCKS)) db.exec(step);
  db.pragma(`user_version = ${BLOCKS}`);
  const ended = profile(run('old', { state: 'finished', start_time: T0 }));
  db.prepare('INSERT INTO engine (one, id, epochs) VALUES (1, ?, 7)').run('e'.repeat(32));
  db.prepare(
    `INSERT INTO run (id, jobid, start, state, epoch, search, body) VALUES ('old', 'j', ?, 'finished', 7, '', ?)`,
  ).run(T0, JSON.stringify(ended.run));
  db.prepare('INSERT INTO profile (run, body) VALUES (?, ?)').run('old', Buffer.from(JSON.stringify(ended)));
  db.prepare(`INSERT INTO setting (name, value) VALUES ('retention.raw', '7200000')`).run();
  db.close();
  const { store, engineId, epoch, warnings } = await openStore({ data });
  try {
    expect([engineId, epoch, warnings]).toEqual(['e'.repeat(32), 8, []]);
    expect(await store.profile('old')).toEqual(ended);
    expect(store.kept).toMatchObject({ raw: 7_200_000 });
    await store.alarms.write([{ kind: 'rule', id: 'r', body: '{}' }], []);
    expect(await store.alarms.read('rule')).toHaveLength(1);
  } finally {
    await store.close();
  }
});
