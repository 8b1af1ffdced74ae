/** From the tail to blocks and buckets: what is asked is answered as before, whatever has been sealed. */

import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { openStore } from '../../../src/engine/store/index.ts';
import { openMemoryStore } from '../../../src/engine/store/memory.ts';
import { SqliteStore } from '../../../src/engine/store/sqlite.ts';
import { atOnce } from '../../../src/engine/store/sqlite-reader.ts';
import { MIGRATIONS } from '../../../src/engine/store/migrations/index.ts';
import { toRangeResult } from '../../../src/engine/store/range-result.ts';
import type { Store, Tick } from '../../../src/engine/store/store.ts';
import type { RangeResult } from '../../../src/shared/api/query.ts';
import { decodeFrame } from '../../../src/shared/frame.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { profile, run, T0, Teller, tick } from '../../unit/engine/store/support.ts';

const opened: Database.Database[] = [];
afterEach(() => {
  for (const db of opened.splice(0)) db.close();
});

/** The store's inside, so that a test can say when it seals. */
function inside(path = ':memory:'): { db: Database.Database; store: SqliteStore; append(tick: Tick): void } {
  const db = new Database(path);
  opened.push(db);
  if (db.pragma('user_version', { simple: true }) === 0) {
    for (const step of MIGRATIONS) db.exec(step);
    db.pragma(`user_version = ${MIGRATIONS.length}`);
  }
  const store = new SqliteStore(db);
  store.saveEpoch();
  return { db, store, append: (each) => store.writeTick(store.prepare(each)) };
}

/** Seals all parts, full or not. */
const sealAll = (store: SqliteStore): void => atOnce(store.sealing.seal(Infinity));

type Query = Parameters<Store['query']>[0];
const ask = (store: SqliteStore, query: Query): RangeResult | null => {
  const columns = atOnce(store.read.query(query));
  return columns && toRangeResult(columns);
};

function expectClose(got: RangeResult | null, wanted: RangeResult | null): void {
  expect(got === null).toBe(wanted === null);
  if (!got || !wanted) return;
  expect({ ...got, series: [] }).toEqual({ ...wanted, series: [] });
  expect(got.series.map(({ key }) => key)).toEqual(wanted.series.map(({ key }) => key));
  for (const [s, series] of got.series.entries()) {
    for (const column of ['min', 'avg', 'max', 'last'] as const) {
      const other = wanted.series[s]![column];
      expect([column, series[column].map((value) => value === null)]).toEqual([
        column,
        other.map((value) => value === null),
      ]);
      for (const [i, value] of series[column].entries()) {
        if (value === null) continue;
        const scale = Math.max(1, Math.abs(other[i]!));
        expect(Math.abs(value - other[i]!) / scale, `${series.key} ${column} ${got.times[i]}`).toBeLessThan(1e-6);
      }
    }
  }
}

const value = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 100_000 }) },
  { weight: 1, arbitrary: fc.constant(NaN) },
);
const gauge = fc
  .tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: 0, max: 3 }))
  .map(([of, hits]) => [of, of, hits, of * hits || 0] as const);
const step = fc.record({
  wait: fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 1, max: 20_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 20_000, max: 1_500_000 }) },
  ),
  gap: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  counters: fc.dictionary(fc.constantFrom('a', 'b', 'c{x="1"}'), value, { maxKeys: 3 }),
  gauges: fc.dictionary(fc.constantFrom('g', 'h'), gauge, { maxKeys: 2 }),
  after: fc.constantFrom('go on', 'go on', 'go on', 'go on', 'go on', 'go on', 'go on', 'go on', 'seal', 'end'),
});

test('whatever is sealed, and when: ranges, snapshots and frames are those of the samples', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('node/a', 'run/a'),
      fc.array(step, { minLength: 1, maxLength: 120 }),
      fc.integer({ min: 2, max: 60 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.constantFrom(undefined, 60_000, 300_000, 3_600_000, 7_200_000),
      async (scope, steps, maxPoints, begin, length, width) => {
        const { store, append } = inside();
        const plain = openMemoryStore({ maxBytes: 1 << 28, maxAge: 1e12 }).store;
        const teller = new Teller(scope);
        let time = T0;
        for (const { wait, gap, counters, gauges, after } of steps) {
          time += wait;
          const told = tick(time, teller.at(time, { ...counters, ...gauges }, gap));
          append(told);
          plain.append(told);
          if (after === 'end') {
            // And comes back, as a run does whose client returns: its buckets were made into blocks.
            store.putProfile(run('a'), new Uint8Array(0));
            teller.full = true;
          }
          if (after !== 'go on') sealAll(store);
        }
        const from = Math.floor(T0 + begin * (time - T0));
        // What a counter that is not sampled has grown by is known at its next sample. Buckets have that already where
        // single samples end with the range.
        const isDetail = steps.some(({ counters }) => Object.values(counters).some(Number.isNaN));
        const to = isDetail ? time : Math.ceil(from + length * (time - from));
        const query = { scope, series: [], from, to, maxPoints, step: width };
        expectClose(ask(store, query), await plain.query(query));

        const snapshot = atOnce(store.read.snapshot(scope, from));
        expect(snapshot).toEqual(await plain.snapshot(scope, from));
        const got = atOnce(store.read.frames(scope, from, to, 50));
        const wanted = await plain.frames(scope, from, to, 50);
        expect(got.truncated).toBe(wanted.truncated);
        expect(got.frames.map((bytes) => decodeFrame(bytes).time)).toEqual(
          wanted.frames.map((bytes) => decodeFrame(bytes).time),
        );
      },
    ),
    { numRuns: 150 },
  );
});

test('an engine that seals while it is asked answers as one that does not', async () => {
  const data = join(temporaryFolder(), 'data');
  const worker = { queueLimit: { ticks: 10_000, bytes: 1 << 26 } };
  const { store } = await openStore({ data, worker });
  const plain = openMemoryStore({ maxBytes: 1 << 28, maxAge: 1e12 }).store;
  const node = new Teller('node/a');
  const job = new Teller('run/x');
  for (let i = 0; i < 2000; i++) {
    const time = T0 + i * 1000;
    const scopes = [node.at(time, { c: i * i, g: [i, i, 1, i] })];
    if (i < 700) scopes.push(job.at(time, { n: 3 * i }));
    store.append(tick(time, ...scopes));
    plain.append(tick(time, ...scopes));
    if (i === 700) store.putProfile(profile(run('x')));
    if (i % 300 !== 299) continue;
    for (const scope of ['node/a', 'run/x']) {
      for (const maxPoints of [10, 500, 5000]) {
        const query = { scope, series: [], from: T0 + 1234, to: time, maxPoints };
        expectClose(await store.query(query), await plain.query(query));
      }
    }
  }
  await store.close();
  await plain.close();
  const db = new Database(join(data, 'vigie.sqlite'), { readonly: true });
  opened.push(db);
  expect(db.prepare('SELECT count(*) FROM block WHERE tier = 0').pluck().get()).toBeGreaterThan(2);
});

test('a damaged block costs its own samples, is told once, and nothing else', async () => {
  const path = join(temporaryFolder(), 'x.sqlite');
  const { db, store, append } = inside(path);
  const teller = new Teller('node/a');
  for (let i = 0; i < 300; i++) {
    append(tick(T0 + i * 1000, teller.at(T0 + i * 1000, { c: i })));
    if (i % 100 === 99) sealAll(store);
  }
  const [, middle] = db.prepare('SELECT id, bytes FROM block WHERE tier = 0 ORDER BY id').all() as {
    id: number;
    bytes: Buffer;
  }[];
  middle!.bytes[middle!.bytes.length - 1]! ^= 1;
  db.prepare('UPDATE block SET bytes = ? WHERE id = ?').run(middle!.bytes, middle!.id);
  const told: unknown[] = [];
  const again = new SqliteStore(db, (block) => told.push(block));
  const query = { scope: 'node/a', series: [], from: T0, to: T0 + 300_000, maxPoints: 5000 };
  for (let n = 0; n < 2; n++) {
    const { times } = ask(again, query)!;
    expect(times).toEqual(
      [...Array(100).keys(), ...Array.from({ length: 100 }, (_, i) => 200 + i)].map((i) => T0 + i * 1000),
    );
    expect(atOnce(again.read.frames('node/a', 0, T0 + 300_000, 1000)).frames).toHaveLength(200);
    expect(atOnce(again.read.snapshot('node/a', T0 + 150_000))!.time).toBe(T0 + 99_000);
  }
  expect(told).toEqual([
    {
      ...{ id: middle!.id, scope: 'node/a', tier: 0, from: T0 + 100_000, to: T0 + 199_000 },
      reason: expect.any(String) as string,
    },
  ]);
});

test('a crash between two steps of sealing loses nothing and doubles nothing', () => {
  const path = join(temporaryFolder(), 'x.sqlite');
  const first = inside(path);
  const tellers = ['node/a', 'node/b', 'node/c'].map((scope) => new Teller(scope));
  for (let i = 0; i < 50; i++) {
    first.append(tick(T0 + i * 1000, ...tellers.map((teller) => teller.at(T0 + i * 1000, { c: i, g: [i, i, 1, i] }))));
  }
  const query = { series: [], from: T0, to: T0 + 50_000, maxPoints: 100 };
  const all = () => ['node/a', 'node/b', 'node/c'].map((scope) => ask(first.store, { ...query, scope }));
  const before = all();
  const steps = first.store.sealing.seal(Infinity, () => true, 0);
  let cut = 0;
  for (let done = false; !done; cut++) {
    done = steps.next().done === true;
    expect(all()).toEqual(before);
    // Whoever opens it now finds the same, and goes on with the sealing.
    const copy = join(temporaryFolder(), `${cut}.sqlite`);
    first.db.exec(`VACUUM INTO '${copy}'`);
    const other = inside(copy);
    sealAll(other.store);
    const after = ['node/a', 'node/b', 'node/c'].map((scope) => ask(other.store, { ...query, scope }));
    expect(after).toEqual(before);
    expect(other.db.prepare('SELECT count(*) FROM tail').pluck().get()).toBe(0);
  }
  expect(cut).toBeGreaterThan(4);
});

test('samples of long ago are sealed many at a time, as those of now are', () => {
  const { db, store, append } = inside();
  const teller = new Teller('node/a');
  const longAgo = T0 - 365 * 86_400_000;
  for (let i = 0; i < 1100; i++) {
    append(tick(longAgo + i * 60_000, teller.at(longAgo + i * 60_000, { c: i })));
    if (store.sealing.isDue(Date.now())) atOnce(store.sealing.seal(Date.now()));
  }
  expect(db.prepare('SELECT rows FROM block WHERE tier = 0 ORDER BY first').pluck().all()).toEqual([512, 512]);
  const range = ask(store, { scope: 'node/a', series: [], from: 0, to: T0, maxPoints: 2000 })!;
  expect(range.times).toHaveLength(1100);
});
