import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, expect, test } from 'vitest';
import { AgeClock, heldText } from '../../../src/engine/store/age-clock.ts';
import { openStore } from '../../../src/engine/store/index.ts';
import { ON_DISK } from '../../../src/engine/store/keep.ts';
import { MIGRATIONS } from '../../../src/engine/store/migrations/index.ts';
import { removeOld, usedBytes } from '../../../src/engine/store/retention.ts';
import { SqliteStore } from '../../../src/engine/store/sqlite.ts';
import { atOnce } from '../../../src/engine/store/sqlite-reader.ts';
import { toRangeResult } from '../../../src/engine/store/range-result.ts';
import type { Retention } from '../../../src/shared/api/store.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { profile, run, T0, Teller, tick } from '../../unit/engine/store/support.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NODE = 'node/a';
const opened: Database.Database[] = [];
afterEach(() => {
  for (const db of opened.splice(0)) db.close();
});

/** Twelve hours, a sample a minute, sealed each hour; a run in the first hour. */
function twelveHours(): { db: Database.Database; store: SqliteStore } {
  const db = new Database(':memory:');
  opened.push(db);
  for (const step of MIGRATIONS) db.exec(step);
  const store = new SqliteStore(db);
  const node = new Teller(NODE);
  const job = new Teller('run/x');
  for (let i = 0; i < 720; i++) {
    const time = T0 + i * 60_000;
    // A spike once in six hours.
    const scopes = [node.at(time, { c: 60 * i + (i % 360 >= 100 ? 9000 : 0) * (1 + Math.floor(i / 360)) })];
    if (i < 60) scopes.push(job.at(time, { n: i }));
    store.writeTick(store.prepare(tick(time, ...scopes)));
    if (i === 60) store.putProfile(run('x', { end_time: time }), new TextEncoder().encode('{}'));
    if (i % 60 === 59) atOnce(store.sealing.seal(Infinity));
  }
  return { db, store };
}

const remove = (db: Database.Database, now: number, limits: Partial<Retention>): number =>
  atOnce(removeOld(db, now, { ...ON_DISK, size: 'off', ...limits }, () => false));

const blocks = (db: Database.Database, scope: string, tier: number): number =>
  db
    .prepare('SELECT count(*) FROM block JOIN scope ON scope.id = scope WHERE name = ? AND tier = ?')
    .pluck()
    .get(scope, tier) as number;

test('each tier goes at its age; a plot stays whole, with its spikes', () => {
  const { db, store } = twelveHours();
  const query = { scope: NODE, series: [], from: T0, to: T0 + 12 * HOUR - 1, maxPoints: 5000 };
  const ask = (more: object = {}) => toRangeResult(atOnce(store.read.query({ ...query, ...more }))!);
  const before = ask({ step: HOUR });
  expect(ask().step).toBe(0);

  remove(db, T0 + 13 * HOUR, { raw: 4 * HOUR });
  expect(blocks(db, NODE, 0)).toBe(3);
  // Minutes where there are no samples any more, and none is lost.
  const mixed = ask();
  expect(mixed.step).toBe(60_000);
  expect(mixed.series[0]!.last.every((value) => value !== null)).toBe(true);
  expect(ask({ step: HOUR })).toEqual(before);

  remove(db, T0 + 13 * HOUR, { raw: HOUR, minute: 4 * HOUR });
  const hours = ask();
  expect(hours.step).toBe(HOUR);
  expect(Math.max(...hours.series[0]!.max.map(Number))).toBe(Math.max(...before.series[0]!.max.map(Number)));
  expect(hours.series[0]!.last).toHaveLength(12);
});

test('a clock that is years ahead for a minute costs nothing, across a restart too; one that stays ahead is believed', () => {
  const { db } = twelveHours();
  const all = blocks(db, NODE, 0);
  const now = T0 + 12 * HOUR;
  const years = 14 * 365 * DAY;
  const limits = { raw: 14 * DAY };
  // It was started by the wrong clock, before anything was noted: what is stored tells.
  const first = new AgeClock(db, now + years, 0);
  expect(remove(db, first.now(now + years, MINUTE).time, limits)).toBe(0);
  first.save();
  const second = new AgeClock(db, now + years, 5000);
  expect(remove(db, second.now(now + years, 5000 + MINUTE).time, limits)).toBe(0);
  expect(heldText(second.now(now + years, 5000 + MINUTE), now + years)).toContain('5110 d ahead');
  expect(second.now(now + 2 * MINUTE, 5000 + 2 * MINUTE)).toEqual({ time: now + 2 * MINUTE, ahead: 0 });
  // By its age, as ever.
  expect(remove(db, second.now(now + HOUR, 5000 + HOUR).time, { raw: 4 * HOUR })).toBeGreaterThan(0);
  expect(blocks(db, NODE, 0)).toBeLessThan(all);
  expect(blocks(db, NODE, 0)).toBeGreaterThan(0);
  // The machine was off for years: a day later that is believed.
  for (let at = HOUR; at <= 26 * HOUR; at += HOUR) {
    const gone = remove(db, second.now(now + years + at, 5000 + at).time, { raw: 14 * DAY });
    expect([at, gone > 0]).toEqual([at, at === 25 * HOUR]);
  }
  expect(blocks(db, NODE, 0)).toBe(0);
});

test('beyond the size the oldest samples go first, then minutes; what is kept stays', () => {
  const { db } = twelveHours();
  db.prepare('INSERT INTO keep (kind, scope, "from", "to", note, created) VALUES (?, ?, ?, ?, ?, 0)').run(
    ...['window', NODE, T0 + 5 * HOUR, T0 + 6 * HOUR - 1, ''],
  );
  db.prepare('INSERT INTO keep (kind, scope, "from", "to", note, created) VALUES (?, ?, ?, ?, ?, 0)').run(
    ...['run', 'run/x', T0, T0 + HOUR - 1, ''],
  );
  expect(remove(db, T0 + 13 * HOUR, { size: usedBytes(db) })).toBe(0);
  remove(db, T0 + 13 * HOUR, { size: 0 });
  // Of the run's hour and of the window.
  expect(blocks(db, NODE, 0)).toBe(2);
  expect(blocks(db, 'run/x', 0)).toBe(1);
  expect(blocks(db, NODE, 2)).toBeGreaterThan(0);
});

test('a scope of which nothing is left is forgotten, with its series; runs and profiles stay', () => {
  const { db, store } = twelveHours();
  remove(db, T0 + 10_000 * DAY, {});
  expect(db.prepare('SELECT count(*) FROM block').pluck().get()).toBe(0);
  expect(db.prepare('SELECT count(*) FROM series').pluck().get()).toBe(0);
  expect(atOnce(store.read.query({ scope: 'run/x', series: [], from: 0, to: T0, maxPoints: 9 }))).toBeNull();
  expect(store.read.lists.profile('x')).not.toBeNull();
});

test('what is kept how long can be changed, outlives a restart, and goes back to the configuration', async () => {
  const data = join(temporaryFolder(), 'data');
  const configured = { ...ON_DISK, raw: 3 * DAY };
  const first = (await openStore({ data, worker: { retention: configured } })).store;
  const node = new Teller(NODE);
  for (let i = 0; i < 10; i++) first.append(tick(T0 + i, node.at(T0 + i, { c: i })));
  first.putProfile(profile(run('x')));
  expect(await first.retention()).toMatchObject({
    now: { raw: '3d', minute: '180d', hour: '1095d', size: '4GiB' },
    tiers: [{ tier: 'raw' }, { tier: 'minute', bytes_per_day: null }, { tier: 'hour' }],
  });
  await first.setRetention({ raw: 5 * DAY, size: 'off' });
  expect(first.kept).toEqual({ ...configured, raw: 5 * DAY, size: 'off' });
  const added = [];
  for (let n = 0; n < 3; n++) {
    added.push(await first.addKeep({ kind: 'window', scope: null, from: n, to: n + 1, note: `n${n}`, created: T0 }));
  }
  await first.close();

  const { store } = await openStore({ data, worker: { retention: configured } });
  expect((await store.retention()).now).toMatchObject({ raw: '5d', size: 'off' });
  const page = await store.keeps({ limit: 2 });
  expect(page.keeps).toEqual([added[2], added[1]]);
  expect(await store.keeps({ limit: 2, cursor: page.next! })).toEqual({ keeps: [added[0]], next: null });
  expect(await store.removeKeep(added[1]!.id)).toBe(true);
  expect(await store.removeKeep(added[1]!.id)).toBe(false);
  expect((await store.setRetention({ raw: null, size: null })).now).toMatchObject({ raw: '3d', size: '4GiB' });
  await store.close();
});
