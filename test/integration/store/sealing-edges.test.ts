/** Sealing where it is not alone: clocks set back, scopes that end meanwhile, ticks that wait for the disk. */

import Database from 'better-sqlite3';
import { afterEach, expect, test } from 'vitest';
import { toRangeResult } from '../../../src/engine/store/range-result.ts';
import { openMemoryStore } from '../../../src/engine/store/memory.ts';
import { MIGRATIONS } from '../../../src/engine/store/migrations/index.ts';
import { SqliteStore } from '../../../src/engine/store/sqlite.ts';
import { atOnce } from '../../../src/engine/store/sqlite-reader.ts';
import type { Tick } from '../../../src/engine/store/store.ts';
import { gauge, run, T0, Teller, tick } from '../../unit/engine/store/support.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const opened: Database.Database[] = [];
afterEach(() => {
  for (const db of opened.splice(0)) db.close();
});

/** The store's inside, so that a test can say when it seals. */
function inside(): { db: Database.Database; store: SqliteStore; append(tick: Tick): void } {
  const db = new Database(':memory:');
  opened.push(db);
  for (const step of MIGRATIONS) db.exec(step);
  const store = new SqliteStore(db);
  store.saveEpoch();
  return { db, store, append: (each) => store.writeTick(store.prepare(each)) };
}

const sealAll = (store: SqliteStore): void => atOnce(store.sealing.seal(Infinity));
const count = (db: Database.Database, where: string): unknown =>
  db.prepare(`SELECT count(*) FROM block WHERE ${where}`).pluck().get();

test.each([
  { hours: 3, back: 2 },
  { hours: 9, back: 7 },
])('a clock set back by $back h of $hours: buckets of what was ahead do not count', async ({ hours, back }) => {
  const { store, append, db } = inside();
  const plain = openMemoryStore({ maxBytes: 1 << 28, maxAge: 1e12 }).store;
  const teller = new Teller('node/a');
  const write = (time: number, c: number, g: number): void => {
    const told = tick(time, teller.at(time, { c, g: gauge(g) }));
    append(told);
    plain.append(told);
  };
  const start = Math.ceil(T0 / HOUR) * HOUR;
  let c = 0;
  for (let at = 0; at < hours * HOUR; at += 10_000) {
    write(start + at, (c += 7), 100);
    if (at % (40 * MINUTE) === 0) sealAll(store);
  }
  sealAll(store);
  const again = start + (hours - back) * HOUR;
  // Another distance between samples, so that minutes of both would tell themselves apart.
  for (let at = 0; at < HOUR; at += 20_000) {
    write(again + at, (c += 1), 3);
    if (at % (20 * MINUTE) === 0) sealAll(store);
  }
  for (const sealed of [false, true]) {
    if (sealed) sealAll(store);
    for (const step of [MINUTE, 10 * MINUTE, HOUR]) {
      const query = { scope: 'node/a', series: [], from: start, to: start + hours * HOUR, maxPoints: 5000, step };
      const columns = atOnce(store.read.query(query))!;
      const [got, wanted] = [toRangeResult(columns), (await plain.query(query))!];
      for (const [s, { key, min, max, last }] of wanted.series.entries()) {
        expect([step, key, got.series[s]!.max]).toEqual([step, key, max]);
        expect([step, key, got.series[s]!.min]).toEqual([step, key, min]);
        expect([step, key, got.series[s]!.last]).toEqual([step, key, last]);
      }
    }
  }
  expect(count(db, 'tier = 1')).toBeGreaterThan(0);
  await plain.close();
});

test('a scope that ends while it is sealed, or without a sample since then, has its buckets in blocks', () => {
  const { db, store, append } = inside();
  const [other, meanwhile, before] = [new Teller('run/other'), new Teller('run/meanwhile'), new Teller('run/before')];
  for (let i = 0; i < 200; i++) {
    const time = T0 + i * 1000;
    append(tick(time, ...[other, meanwhile, before].map((teller) => teller.at(time, { c: i }))));
  }
  const steps = store.sealing.seal(Infinity, () => true, 0);
  steps.next();
  store.putProfile(run('meanwhile'), new Uint8Array(0));
  while (steps.next().done !== true);
  store.putProfile(run('before'), new Uint8Array(0));
  sealAll(store);
  for (const name of ['run/meanwhile', 'run/before']) {
    const of = `scope = (SELECT id FROM scope WHERE name = '${name}')`;
    expect([name, count(db, `${of} AND open = 1`)]).toEqual([name, 0]);
    expect([name, count(db, `${of} AND tier = 2`)]).toEqual([name, 1]);
  }
  expect(store.sealing.isDue(Date.now())).toBe(false);
});

test('while a tick waits for the disk no part is begun to be sealed', () => {
  const { store, append } = inside();
  // Of two kinds, and so in two parts.
  const [node, job] = [new Teller('node/a'), new Teller('run/a')];
  const next = (i: number): Tick =>
    tick(T0 + i * 1000, node.at(T0 + i * 1000, { c: i }), job.at(T0 + i * 1000, { d: i }));
  // Told once, and so many that full frames are rare: one that tells only what has changed does not have them.
  const once = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`once${n}`, 5]));
  append(tick(T0, node.at(T0, { c: 0, ...once }), job.at(T0, { d: 0, ...once })));
  for (let i = 1; i < 20; i++) append(next(i));
  let waits: ReturnType<SqliteStore['prepare']> | null = null;
  const steps = store.sealing.seal(Infinity, () => waits === null, 0);
  steps.next();
  // The first part has been begun, the second has not.
  waits = store.prepare(next(20));
  while (steps.next().done !== true);
  store.writeTick(waits);
  waits = null;
  sealAll(store);
  for (let i = 21; i < 30; i++) append(next(i));
  for (const [scope, key] of [
    ['node/a', 'c'],
    ['run/a', 'd'],
  ] as const) {
    const snapshot = atOnce(store.read.snapshot(scope, T0 + 20_000))!;
    expect([key, snapshot.time, [...snapshot.columns.counters]]).toEqual([
      ...[key, T0 + 20_000],
      [20, ...Object.values(once)],
    ]);
    const query = { scope, series: [key], from: T0, to: T0 + 29_000, maxPoints: 1000 };
    expect(toRangeResult(atOnce(store.read.query(query))!).times).toHaveLength(30);
  }
});

test.each([{ back: false }, { back: true }])(
  'a scope of many series is sealed in many steps, and ticks come in between (one of them set back: $back)',
  async ({ back }) => {
    const { store, append, db } = inside();
    const plain = openMemoryStore({ maxBytes: 1 << 28, maxAge: 1e12 }).store;
    const teller = new Teller('node/a');
    const values = (i: number): Record<string, number | ReturnType<typeof gauge>> =>
      Object.fromEntries(
        Array.from({ length: 400 }, (_, n) => (n < 200 ? [`c${n}`, i * (n + 1)] : [`g${n}`, gauge((i * n) % 101)])),
      );
    let time = Math.ceil(T0 / HOUR) * HOUR;
    const start = time;
    const write = (i: number): void => {
      const told = tick(time, teller.at(time, values(i)));
      append(told);
      plain.append(told);
    };
    let i = 0;
    // Often enough for pieces of minutes to become a block, which is as much work as the samples are.
    for (let round = 0; round < 5; round++) {
      for (let n = 0; n < 64; n++, time += MINUTE) write(i++);
      const steps = store.sealing.seal(Infinity, () => true, 0);
      let between = 0;
      for (; steps.next().done !== true; between++) {
        if (between % 3 !== 2) continue;
        if (back && round === 2 && between === 8) time -= 30 * MINUTE;
        write(i++);
        time += MINUTE;
      }
      expect(between).toBeGreaterThan(8);
    }
    expect(count(db, 'tier = 1 AND open = 0')).toBeGreaterThan(0);
    for (const sealed of [false, true]) {
      if (sealed) sealAll(store);
      for (const step of [undefined, MINUTE, HOUR]) {
        const query = { scope: 'node/a', series: ['c7', 'g333'], from: start, to: time, maxPoints: 5000, step };
        const [got, wanted] = [toRangeResult(atOnce(store.read.query(query))!), (await plain.query(query))!];
        expect(got.times).toEqual(wanted.times);
        for (const [s, { key, min, max, last }] of wanted.series.entries()) {
          const series = got.series[s]!;
          expect({ key: series.key, min: series.min, max: series.max, last: series.last }).toEqual({
            ...{ key, min, max, last },
          });
        }
      }
    }
    await plain.close();
  },
);

test('a piece that is removed while pieces are put together does not come back', () => {
  let steps = 0;
  for (let at = 0; at <= steps; at += 3) {
    const { db, store, append } = inside();
    const teller = new Teller('node/a');
    let time = Math.ceil(T0 / HOUR) * HOUR;
    const round = (): void => {
      for (let i = 0; i < 64; i++, time += MINUTE) {
        const values = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`c${n}`, i * n]));
        append(tick(time, teller.at(time, values)));
      }
    };
    for (let n = 0; n < 3; n++) {
      round();
      sealAll(store);
    }
    const oldest = db.prepare('SELECT id, last FROM block WHERE tier = 1 ORDER BY first').get() as {
      id: number;
      last: number;
    };
    round();
    const sealing = store.sealing.seal(Infinity, () => true, 0);
    let removed = 0;
    for (steps = 0; sealing.next().done !== true; steps++) {
      // Unless it is part of a block already.
      if (steps === at) removed = db.prepare('DELETE FROM block WHERE id = ?').run(oldest.id).changes;
    }
    const first = db.prepare('SELECT min(first) FROM block WHERE tier = 1').pluck().get();
    if (removed === 1) expect(first).toBeGreaterThan(oldest.last);
    else expect(first).toBeLessThan(oldest.last);
  }
  expect(steps).toBeGreaterThan(9);
});
