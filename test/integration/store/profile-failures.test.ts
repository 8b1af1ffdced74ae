/** What may go wrong with profiles: databases of before, kills while saving, imports of what is hostile, age. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { importableFiles, importFiles, type FileReport } from '../../../src/engine/import/files.ts';
import { checkFile } from '../../../src/engine/store/care/check.ts';
import { openStore } from '../../../src/engine/store/index.ts';
import { MIGRATIONS } from '../../../src/engine/store/migrations/index.ts';
import { atOnce } from '../../../src/engine/store/sqlite-reader.ts';
import type { Store } from '../../../src/engine/store/store.ts';
import { CardReader } from '../../../src/engine/store/profiles/card-reader.ts';
import { TRASH_TIME, type ProfileGroupList, type ProfileList } from '../../../src/shared/api/profiles.ts';
import { parseSearch } from '../../../src/shared/profiles/search.ts';
import { makeSmallStore, openInside } from '../../support/small-store.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { profile, run, T0 } from '../../unit/engine/store/support.ts';

const CHILD = fileURLToPath(new URL('./profile-writing-child.ts', import.meta.url));
const all = { terms: [], sort: 'start', limit: 1000, trash: '0' } as const;

const stores: Store[] = [];
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
});
async function open(data: string): Promise<Store> {
  const { store } = await openStore({ data });
  stores.push(store);
  return store;
}

/** A database as the version before cards wrote it. */
function oldStore(data: string, runs: number): void {
  mkdirSync(data, { mode: 0o700 });
  const db = new Database(join(data, 'vigie.sqlite'));
  for (const step of MIGRATIONS.slice(0, 5)) db.exec(step);
  db.pragma('user_version = 5');
  db.pragma(`application_id = ${0x5667_0000 + 5}`);
  db.prepare('INSERT INTO engine (one, id, epochs) VALUES (1, ?, 7)').run('e'.repeat(32));
  db.transaction(() => {
    for (let i = 0; i < runs; i++) {
      const one = profile(run(`r${i}`, { start_time: T0 + i, end_time: T0 + i + 1000, command: `/p/${i % 3}/solve` }));
      db.prepare('INSERT INTO run (id, jobid, start, state, epoch, search, body) VALUES (?, ?, ?, ?, 7, ?, ?)').run(
        ...[`r${i}`, one.run.jobid, T0 + i, 'finished', '', JSON.stringify(one.run)],
      );
      db.prepare('INSERT INTO profile (run, body) VALUES (?, ?)').run(`r${i}`, Buffer.from(JSON.stringify(one)));
    }
  })();
  db.close();
}

test('profiles of a version without lists of them come into the lists', async () => {
  const data = join(temporaryFolder(), 'data');
  oldStore(data, 57);
  const store = await open(data);
  await expect.poll(async () => (await store.profiles.list(all)).total, { timeout: 20_000 }).toBe(57);
  expect((await store.profiles.groups({ terms: [], sort: 'last', limit: 10 })).groups).toMatchObject([
    { group: 'solve', runs: 57, last: { id: 'r56', duration: 1000 } },
  ]);
});

test('a profile of 4,096 ranks is stored whole, and compared without them', async () => {
  const store = await open(join(temporaryFolder(), 'data'));
  const ranks = Array.from({ length: 4096 }, (_, rank) => ({
    ...{ rank, node: `n${rank >> 6}` },
    values: Array.from({ length: 200 }, (__, i) => (i % 7 === 0 ? null : rank * i)),
  }));
  const series = Array.from({ length: 200 }, (_, index) => ({
    ...({
      kind: 'counter',
      index,
      name: `c${index}_total`,
      key: `c${index}_total`,
      family: `c${index}_total`,
    } as const),
    ...({
      labels: {},
      doc: '],"ranks":[',
      group: '',
      operation: '',
      quantity: '',
      unit: '1',
      value: index,
      gauge: null,
    } as const),
    changed: 0,
  }));
  for (const id of ['a', 'b']) {
    const over = { start_time: T0, end_time: T0 + 60_000, ranks: 4096 };
    store.putProfile({
      run: run(id, over),
      series,
      ranks,
      exits: { outcome: 'ok', codes: [], ranks: [] },
      versions: { engine: id, exporters: [] },
    });
  }
  expect((await store.profile('a'))!.ranks).toEqual(ranks);
  const compared = await store.profiles.compare({ runs: ['a', 'b'], limit: 500 });
  expect(compared.total).toBe(200);
  expect(compared.differences).toEqual([
    { field: 'jobid', values: ['job-a', 'job-b'] },
    { field: 'version of vigie', values: ['a', 'b'] },
  ]);
});

test('killed while saving: each profile is there as a whole or not at all, and what was durable is there', async () => {
  const data = join(temporaryFolder(), 'data');
  for (let round = 1; round <= 5; round++) {
    const child = spawn(process.execPath, [CHILD, data], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    await expect.poll(() => said.includes('stored 2'), { timeout: 60_000 }).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 7 * round));
    child.kill('SIGKILL');
    await once(child, 'close');
    const stored = Number(/stored (\d+)\n(?!.*stored)/s.exec(said)![1]);
    const steps = checkFile(join(data, 'vigie.sqlite'));
    let step = steps.next();
    while (!step.done) step = steps.next();
    expect(step.value).toMatchObject({ ok: true });
    const { store, interrupted } = await openStore({ data });
    try {
      const { runs } = await store.profiles.list(all);
      for (let n = 1; n <= stored; n++) {
        const own = runs.find(({ id }) => id === `e${2 * round - 1}-${n}`);
        expect(own).toMatchObject({ state: 'finished', tags: ['kept'] });
      }
      for (const { id, state } of runs) {
        const whole = await store.profile(id);
        expect([id, whole!.ranks.length]).toEqual([id, state === 'finished' ? 4096 : 0]);
      }
      // What had begun to be saved is interrupted, or saved.
      expect(interrupted.length).toBeLessThanOrEqual(1);
    } finally {
      await store.close();
    }
  }
}, 180_000);

test('what was in the trash for long enough goes, with its samples; its pin too', async () => {
  const data = join(temporaryFolder(), 'data');
  makeSmallStore(data);
  const { db, store } = openInside(data);
  atOnce(store.cards.fill());
  store.orders.obey({ order: 'change', id: 'a', change: { pinned: true, tags: ['x'] }, now: T0 });
  store.orders.obey({ order: 'trash', ids: ['a'], deleted: T0 });
  const left = (): unknown => [
    db.prepare('SELECT id FROM run ORDER BY id').pluck().all(),
    db.prepare("SELECT count(*) FROM block WHERE scope = (SELECT id FROM scope WHERE name = 'run/a')").pluck().get(),
    db.prepare('SELECT count(*) FROM keep').pluck().get(),
    db.prepare('SELECT count(*) FROM mark').pluck().get(),
  ];
  atOnce(store.orders.purge(T0 + TRASH_TIME - 1));
  expect(left()).toEqual([['a', 'b', 'c'], expect.any(Number), 1, 1]);
  atOnce(store.orders.purge(T0 + TRASH_TIME + 1));
  expect(left()).toEqual([['b', 'c'], 0, 0, 0]);
  expect(db.prepare('SELECT run FROM profile ORDER BY run').pluck().all()).toEqual(['b', 'c']);
  store.close();
});

test('what is restored while the trash is emptied stays', () => {
  const data = join(temporaryFolder(), 'data');
  makeSmallStore(data);
  const { db, store } = openInside(data);
  atOnce(store.cards.fill());
  store.orders.obey({ order: 'trash', ids: ['a', 'b'], deleted: T0 });
  const purge = store.orders.purge(T0 + TRASH_TIME + 1);
  expect(purge.next().done).toBe(false);
  store.orders.obey({ order: 'trash', ids: ['a', 'b'], deleted: null });
  atOnce(purge);
  expect(db.prepare('SELECT run FROM profile ORDER BY run').pluck().all()).toEqual(['a', 'b', 'c']);
  store.close();
});

test('the pin of a run of a target goes with it, and no other', () => {
  const data = join(temporaryFolder(), 'data');
  makeSmallStore(data);
  const { db, store } = openInside(data);
  for (const id of ['t1', 't2']) {
    const one = run(id, { scope: `target/x/${id}` });
    store.putProfile(one, Buffer.from(JSON.stringify(profile(one))));
    store.orders.obey({ order: 'change', id, change: { pinned: true }, now: T0 });
  }
  store.orders.obey({ order: 'trash', ids: ['t1'], deleted: T0 });
  atOnce(store.orders.purge(T0 + TRASH_TIME + 1));
  expect(db.prepare('SELECT scope FROM keep').pluck().all()).toEqual(['target/x/t2']);
  store.close();
});

test('what goes while a list is read is in no list', () => {
  const data = join(temporaryFolder(), 'data');
  makeSmallStore(data);
  const { db, store } = openInside(data);
  atOnce(store.cards.fill());
  db.transaction(() => {
    for (let i = 0; i < 2000; i++) {
      const one = run(`n${i}`, { command: 'x', start_time: T0 - i });
      store.putProfile(one, Buffer.from(JSON.stringify(profile(one))));
    }
  })();
  const { terms } = parseSearch('cmd:x', T0);
  const reader = new CardReader(db);
  const readings = [
    reader.answer({ ask: 'list', query: { ...all, terms } }),
    reader.answer({ ask: 'groups', query: { terms, sort: 'last', limit: 10 } }),
  ];
  for (const reading of readings) expect(reading.next().done).toBe(false);
  store.putRun(run('n0', { command: 'x', state: 'running', end_time: 0 }));
  db.exec("DELETE FROM card WHERE run <> 'n5'");
  const [found, groups] = readings.map((reading) => atOnce(reading)) as [ProfileList, ProfileGroupList];
  expect(found.runs.map(({ id }) => id)).toEqual(['n5']);
  expect(groups.groups.length).toBeLessThanOrEqual(1);
  store.close();
});

test('who changes the rules is told at once that runs are grouped anew', async () => {
  const data = join(temporaryFolder(), 'data');
  makeSmallStore(data);
  const store = await open(data);
  await expect.poll(async () => (await store.profiles.list(all)).total).toBe(3);
  const { regrouping } = await store.profiles.setRules([{ pattern: 'x', replacement: 'y', note: '' }]);
  expect(regrouping).toEqual({ done: 0, total: 3 });
  await expect.poll(async () => (await store.profiles.rules()).regrouping).toBeNull();
});

async function importAll(store: Store, paths: readonly string[]): Promise<FileReport[]> {
  const reports: FileReport[] = [];
  for await (const report of importFiles(store, importableFiles(paths))) reports.push(report);
  return reports;
}

describe('importing another store', () => {
  test('takes runs with their history and what was said of them, once', async () => {
    const there = join(temporaryFolder(), 'there');
    const own = temporaryFolder();
    vi.stubEnv('TMPDIR', own);
    onTestFinished(() => void vi.unstubAllEnvs());
    makeSmallStore(there);
    const source = await open(there);
    await expect.poll(async () => (await source.profiles.list(all)).total).toBe(3);
    await source.profiles.change('b', { tags: ['slow'], note: 'why?' }, T0);
    const query = { scope: 'run/b', series: [], from: T0, to: T0 + 3_600_000, maxPoints: 5000 };
    const expected = (await source.query(query))!;
    await source.close();
    stores.pop();

    const here = await open(join(temporaryFolder(), 'here'));
    const reports = await importAll(here, [there]);
    expect(reports.map(({ outcome, run: id, samples }) => [outcome, id, samples])).toEqual(
      ['a', 'b', 'c'].map((id) => ['imported', id, 100]),
    );
    const got = (await here.query(query))!;
    expect(got.times).toEqual(expected.times);
    for (const one of expected.series) expect(got.series.find(({ key }) => key === one.key)).toEqual(one);
    expect((await here.profiles.list(all)).runs.find(({ id }) => id === 'b')).toMatchObject({
      tags: ['slow'],
      note: 'why?',
    });
    expect((await importAll(here, [join(there, 'vigie.sqlite')])).map(({ outcome }) => outcome)).toEqual(
      Array.from({ length: 3 }, () => 'known'),
    );
    expect(readdirSync(own).filter((name) => name.startsWith('vigie-import-'))).toEqual([]);
  });

  test('that broke off halfway is whole the next time', async () => {
    const folder = temporaryFolder();
    makeSmallStore(join(folder, 'there'));
    const here = await open(join(folder, 'here'));
    let taken = 0;
    const full: Store = new Proxy(here, {
      get: (store, name) => {
        const value: unknown = Reflect.get(store, name);
        if (name === 'append') return (tick: Parameters<Store['append']>[0]) => ++taken <= 50 && store.append(tick);
        return typeof value === 'function' ? (value.bind(store) as unknown) : value;
      },
    });
    const broken = await importAll(full, [join(folder, 'there')]);
    expect(broken.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'failed']);
    expect((await here.profiles.list(all)).total).toBe(0);
    const reports = await importAll(here, [join(folder, 'there')]);
    expect(reports.map(({ outcome }) => outcome)).toEqual(['imported', 'imported', 'imported']);
    const query = { scope: 'run/a', series: ['ticks'], from: T0, to: T0 + 3_600_000, maxPoints: 5000 };
    const { times, series } = (await here.query(query))!;
    expect(times).toEqual(Array.from({ length: 100 }, (_, i) => T0 + 1000 * (i + 1)));
    expect(series[0]!.last).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
  });

  test('of an older version is left as it is, and read all the same', async () => {
    const there = join(temporaryFolder(), 'there');
    oldStore(there, 4);
    const here = await open(join(temporaryFolder(), 'here'));
    expect((await importAll(here, [there])).map(({ outcome }) => outcome)).toEqual(
      Array.from({ length: 4 }, () => 'imported'),
    );
    const db = new Database(join(there, 'vigie.sqlite'), { readonly: true });
    expect(db.pragma('user_version', { simple: true })).toBe(5);
    db.close();
  });

  test('with a schema that is not ours is refused, whatever stands in it', async () => {
    const folder = temporaryFolder();
    makeSmallStore(join(folder, 'there'));
    const here = await open(join(folder, 'here'));
    for (const [i, sql] of [
      'CREATE TRIGGER t AFTER DELETE ON run BEGIN DELETE FROM profile; END',
      'DROP TABLE mark; CREATE VIEW mark AS SELECT id AS run, body FROM run',
      'PRAGMA user_version = 99; PRAGMA application_id = 0',
      'PRAGMA user_version = 0; PRAGMA application_id = 0',
      'PRAGMA application_id = 5',
    ].entries()) {
      const path = join(folder, `${i}.sqlite`);
      copyFileSync(join(folder, 'there', 'vigie.sqlite'), path);
      const db = new Database(path);
      db.exec(sql);
      db.close();
      const reports = await importAll(here, [path]);
      expect([sql, reports.map(({ outcome }) => outcome)]).toEqual([sql, ['failed']]);
      expect(reports[0]!.notes[0]).toMatch(/\w+ \w+/);
    }
    expect((await here.profiles.list(all)).total).toBe(0);
  });

  test('with profiles that are none, those are left out and named', async () => {
    const folder = temporaryFolder();
    const there = join(folder, 'there');
    makeSmallStore(there);
    const db = new Database(join(there, 'vigie.sqlite'));
    const b = profile(run('b', { jobid: 'main' }));
    db.prepare("UPDATE profile SET body = ? WHERE run = 'a'").run(Buffer.from('{"run":'));
    db.prepare("UPDATE profile SET body = ? WHERE run = 'b'").run(Buffer.from(JSON.stringify(b)));
    db.exec("INSERT INTO run SELECT 99, '../../x', jobid, start, state, epoch, search, body FROM run WHERE id = 'c'");
    db.exec("INSERT INTO run SELECT 100, x'6869', jobid, start, state, epoch, search, body FROM run WHERE id = 'c'");
    db.exec("INSERT INTO mark VALUES ('c', '{\"tags\":[5]}')");
    db.close();
    const here = await open(join(folder, 'here'));
    const reports = await importAll(here, [there]);
    expect(reports.map(({ files, outcome }) => [files[1], outcome])).toEqual([
      ['a', 'failed'],
      ['b', 'failed'],
      ['c', 'imported'],
      ['../../x', 'failed'],
      ['hi', 'failed'],
    ]);
    expect((await here.profiles.list(all)).runs).toMatchObject([{ id: 'c', tags: [] }]);
  });

  test('with bytes changed anywhere: nothing but whole runs comes in, and nothing ends', async () => {
    const folder = temporaryFolder();
    makeSmallStore(join(folder, 'there'));
    const path = join(folder, 'changed.sqlite');
    copyFileSync(join(folder, 'there', 'vigie.sqlite'), path);
    const db = new Database(path, { readonly: true });
    const bytes = db.serialize();
    db.close();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 20 }),
        async (flips) => {
          const changed = Buffer.from(bytes);
          for (const [at, value] of flips) changed[at] = value;
          writeFileSync(path, changed);
          const { store } = await openStore({ data: null });
          const reports = await importAll(store, [path]);
          const { runs } = await store.profiles.list(all);
          expect(runs.length).toBe(reports.filter(({ outcome }) => outcome === 'imported').length);
          for (const { id } of runs) expect((await store.profile(id))!.run.id).toBe(id);
          await store.close();
        },
      ),
      { numRuns: 60 },
    );
  }, 120_000);
});
