/** Long questions: taken back, one after another, and large ones. */

import { get } from 'node:http';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, expect, test } from 'vitest';
import { openStore } from '../../../src/engine/store/index.ts';
import { MIGRATIONS } from '../../../src/engine/store/migrations/index.ts';
import { SqliteStore } from '../../../src/engine/store/sqlite.ts';
import { atOnce } from '../../../src/engine/store/sqlite-reader.ts';
import type { Store } from '../../../src/engine/store/store.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { startHere, withToken } from '../http/here.ts';
import { T0, Teller, tick } from '../../unit/engine/store/support.ts';

const opened: Store[] = [];
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
});

const FROM = T0;
const TO = T0 + 400_000;

/** A data directory with one sealed node, and so many others that are its copies: a question about all takes long. */
async function crowd(nodes: number): Promise<string> {
  const data = join(temporaryFolder(), 'data');
  // Makes the directory and the file as the engine does.
  const { store } = await openStore({ data });
  await store.close();
  fill(join(data, 'vigie.sqlite'), nodes);
  return data;
}

function fill(path: string, nodes: number): void {
  const db = new Database(path);
  const store = new SqliteStore(db);
  const teller = new Teller('node/n0');
  for (let i = 0; i < 400; i++) {
    const time = T0 + i * 1000;
    store.writeTick(store.prepare(tick(time, teller.at(time, { a: i, b: 2 * i, c: i * i, d: 7 }))));
  }
  atOnce(store.sealing.seal(Infinity));
  db.exec(`
    CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${nodes}) SELECT i FROM n;
    CREATE TEMP TABLE one AS SELECT id FROM scope WHERE name = 'node/n0';
    INSERT INTO scope (id, name, epoch, part, sealed)
      SELECT 1000 + i, 'node/n' || i, epoch, NULL, sealed FROM n, scope WHERE id = (SELECT id FROM one);
    INSERT INTO series (scope, kind, place, metric)
      SELECT 1000 + i, kind, place, metric FROM n, series WHERE scope = (SELECT id FROM one);
    INSERT INTO block (scope, tier, open, first, last, rows, size, bytes)
      SELECT 1000 + i, tier, open, first, last, rows, size, bytes FROM n, block WHERE scope = (SELECT id FROM one);`);
  expect(db.pragma('user_version', { simple: true })).toBe(MIGRATIONS.length);
  store.close();
}

const long = { scope: ['node/*'], series: 'a', from: FROM, to: TO, maxPoints: 20_000, operation: 'sum' as const };
const short = { scope: 'node/n1', series: ['a'], from: FROM, to: TO, maxPoints: 10 };

const NODES = 600;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

test('a question that is taken back stops: the next one need not wait for it', { timeout: 120_000 }, async () => {
  const { store } = await openStore({ data: await crowd(NODES) });
  opened.push(store);
  await store.query(short);
  const whole = await timed(async () => expect((await store.merge(long))!.scopes).toBe(NODES + 1));
  const gone = new AbortController();
  const taken = store.merge(long, gone.signal);
  const told = expect(taken).rejects.toThrow('nobody asks any more');
  await new Promise((resolve) => setTimeout(resolve, whole / 10));
  gone.abort(new Error('nobody asks any more'));
  const next = await timed(() => store.query(short));
  await told;
  console.log(`questions: a long one ${whole.toFixed(0)} ms; the next after one taken back ${next.toFixed(0)} ms`);
  // What remained of it was nine tenths.
  expect(next).toBeLessThan(whole / 2);
  // What it had read is not what the next one sees: there is more since then.
  const later = new Teller('node/n0');
  const time = TO + 1000;
  store.append(tick(time, later.at(time, { a: 1_000_000, b: 0, c: 0, d: 0 })));
  const one = { ...long, scope: ['node/n0'], to: time, operation: 'max' as const };
  expect((await store.merge(one))!.series[0]!.last.findLast((value) => value !== null)).toBe(1_000_000);
});

test(
  'a short question behind long ones is answered before them, out of what is there by then',
  { timeout: 120_000 },
  async () => {
    const { store } = await openStore({ data: await crowd(NODES) });
    opened.push(store);
    await store.query(short);
    const alone = (await store.merge(long))!;
    const order: string[] = [];
    // As many as are answered in turns, but one.
    const going = ['a', 'b', 'c'].map(async (name) => {
      const merged = await store.merge(long);
      order.push(name);
      return merged;
    });
    const time = TO + 1000;
    const later = new Teller('node/n0');
    for (let i = 0; i < 5; i++) {
      // Told while the long ones go on: they do not have it, this one has.
      store.append(tick(time + i, later.at(time + i, { a: 1_000_000 + i, b: 0, c: 0, d: 0 })));
      const one = await store.query({ ...short, scope: 'node/n0', to: time + i });
      expect(one!.series[0]!.last.at(-1)).toBe(1_000_000 + i);
      order.push(String(i));
    }
    for (const merged of await Promise.all(going)) expect(merged).toEqual(alone);
    console.log(`questions: answered in the order ${order.join(' ')}`);
    expect(order.slice(0, 5)).toEqual(['0', '1', '2', '3', '4']);
    // More than that at once: each is answered.
    const many = await Promise.all(Array.from({ length: 12 }, () => store.query({ ...short, scope: 'node/n7' })));
    expect(new Set(many.map((each) => JSON.stringify(each))).size).toBe(1);
  },
);

test('what a merge has read of the tail is forgotten when it is taken back', { timeout: 60_000 }, async () => {
  const { store } = await openStore({ data: join(temporaryFolder(), 'data') });
  opened.push(store);
  // All of them in one part, whose tail is read once for all.
  const tellers = Array.from({ length: 30 }, (_, n) => new Teller(`node/n${n}`));
  const write = (i: number): void => {
    const time = T0 + i * 1000;
    store.append(tick(time, ...tellers.map((teller) => teller.at(time, { a: i }))));
  };
  for (let i = 0; i < 100; i++) write(i);
  await store.query(short);
  const all = { ...long, scope: ['node/*'] };
  for (let i = 100; i < 140; i++) {
    const gone = new AbortController();
    const taken = store.merge(all, gone.signal);
    taken.catch(() => {});
    // At another moment each time, until it was in the midst of it.
    await new Promise((resolve) => setTimeout(resolve, (i - 100) / 8));
    gone.abort(new Error('gone'));
    write(i);
    const { series } = (await store.merge(all))!;
    expect(series[0]!.last.findLast((value) => value !== null)).toBe(30 * i);
  }
});

test('a client that goes takes its question with it', { timeout: 120_000 }, async () => {
  const here = await startHere({ data: await crowd(NODES), period: '1s' });
  const path = `/api/v1/query/merge?scope=node/*&series=a&from=${FROM}&to=${TO}&maxPoints=20000`;
  const quick = `/api/v1/query?scope=node/n1&series=a&from=${FROM}&to=${TO}&maxPoints=10`;
  const fetched = async (what: string): Promise<void> => {
    const answer = await fetch(`${here.url}${what}`, { headers: withToken(here) });
    expect(answer.status).toBe(200);
    await answer.arrayBuffer();
  };
  await fetched(quick);
  const whole = await timed(() => fetched(path));
  const asked = get(`${here.url}${path}`, { headers: withToken(here), agent: false });
  asked.on('error', () => {});
  await new Promise((resolve) => setTimeout(resolve, whole / 10));
  asked.destroy();
  const next = await timed(() => fetched(quick));
  console.log(`questions: over HTTP a long one ${whole.toFixed(0)} ms; after its client went ${next.toFixed(0)} ms`);
  expect(next).toBeLessThan(whole / 2);
});
