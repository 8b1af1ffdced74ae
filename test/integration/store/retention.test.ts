import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { openStore } from '../../../src/engine/store/index.ts';
import { removeOld } from '../../../src/engine/store/retention.ts';
import { decodeFrame } from '../../../src/shared/frame.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { profile, run, T0, Teller, tick } from '../../unit/engine/store/support.ts';

test('old frames go in steps, what is newer stays readable, runs and profiles stay', async () => {
  const data = join(temporaryFolder(), 'data');
  const worker = { queueLimit: { ticks: 10_000, bytes: 1 << 26 } };
  const { store } = await openStore({ data, worker });
  const node = new Teller('node/a');
  const over = new Teller('run/over');
  for (let i = 0; i < 2000; i++) {
    const scopes = [node.at(T0 + i, i === 0 ? { c: 0, once: 7 } : { c: i })];
    if (i < 1000) scopes.push(over.at(T0 + i, { c: i }));
    store.append(tick(T0 + i, ...scopes));
  }
  store.putProfile(profile(run('over')));
  await store.close();

  const db = new Database(join(data, 'vigie.sqlite'));
  const nodeRow = db.prepare("SELECT id FROM scope WHERE name = 'node/a'").pluck().get() as number;
  const counts: number[] = [];
  const steps = removeOld(db, T0 + 1500, (row) => row === nodeRow);
  for (let step = steps.next(); !step.done; step = steps.next()) {
    counts.push(db.prepare('SELECT count(*) FROM frame').pluck().get() as number);
  }
  // 3,000 frames, at most 500 fewer at each step.
  counts.reduce((before, now) => {
    expect(before - now).toBeLessThanOrEqual(500);
    return now;
  }, 3000);
  expect(db.prepare('SELECT name FROM scope').pluck().all()).toEqual(['node/a']);
  expect(db.prepare('SELECT count(*) FROM series WHERE scope <> ?').pluck().get(nodeRow)).toBe(0);
  db.close();

  const again = await openStore({ data, worker });
  const { frames } = await again.store.frames('node/a', 0, T0 + 5000, 5000);
  const times = frames.map((bytes) => decodeFrame(bytes).time - T0);
  expect(times.at(-1)).toBe(1999);
  expect(times[0]).toBeLessThanOrEqual(1500);
  expect(times[0]).toBeGreaterThan(1500 - 300);
  expect(times.length).toBe(2000 - times[0]!);
  const snapshot = (await again.store.snapshot('node/a', T0 + 1600))!;
  expect([...snapshot.columns.counters]).toEqual([1600, 7]);
  expect(await again.store.query({ scope: 'run/over', series: [], from: 0, to: T0, maxPoints: 9 })).toBeNull();
  expect(await again.store.profile('over')).toEqual(profile(run('over')));
  await again.store.close();
});
