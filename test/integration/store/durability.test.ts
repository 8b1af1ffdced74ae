/** What is kept over a stop, orderly or not. */

import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { openStore, type StoreConfig } from '../../../src/engine/store/index.ts';
import type { OpenedStore } from '../../../src/engine/store/store.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { gauge, profile, run, T0, Teller, tick } from '../../unit/engine/store/support.ts';

const CHILD = fileURLToPath(new URL('./writing-child.ts', import.meta.url));

const stores: OpenedStore[] = [];
afterEach(async () => {
  for (const { store } of stores.splice(0)) await store.close();
});

async function open(data: string, worker: StoreConfig['worker'] = {}): Promise<OpenedStore> {
  const opened = await openStore({ data, worker });
  stores.push(opened);
  return opened;
}

test('everything is there after close and open; identity stays, the epoch grows', async () => {
  const data = join(temporaryFolder(), 'a', 'b');
  const first = await open(data);
  const teller = new Teller('node/a');
  first.store.append(tick(T0, teller.at(T0, { c: 1, g: gauge(2) })));
  first.store.append(tick(T0 + 1000, teller.at(T0 + 1000, { c: 3 })));
  first.store.putProfile(profile(run('x')));
  await first.store.close();
  expect(existsSync(join(data, 'lock.json'))).toBe(false);

  const second = await open(data);
  expect(second).toMatchObject({ engineId: first.engineId, epoch: 2, interrupted: [], warnings: [] });
  expect(await second.store.profile('x')).toEqual(profile(run('x')));
  expect((await second.store.runs({ limit: 5 })).runs).toEqual([run('x')]);
  const query = { scope: 'node/a', series: [], from: T0, to: T0 + 10_000, maxPoints: 100 };
  expect((await second.store.query(query))!.series.map(({ last }) => last)).toEqual([
    [1, 3],
    [2, 2],
  ]);

  // The next start numbers its series in another order; by name they stay the same, and the counter goes on.
  const later = new Teller('node/a');
  second.store.append(tick(T0 + 2000, later.at(T0 + 2000, { g: gauge(5), new: 9, c: 7 })));
  const both = (await second.store.query({ ...query, series: ['c', 'g', 'new'] }))!;
  expect(both.times).toEqual([T0, T0 + 1000, T0 + 2000]);
  expect(both.series.map(({ last }) => last)).toEqual([
    [1, 3, 7],
    [2, 2, 5],
    [null, null, 9],
  ]);
  expect(both.series[0]!.avg).toEqual([null, 2, 4]);
  // Frames are only readable with the numbering of their own start.
  expect(await second.store.frames('node/a', 0, T0 + 5000, 100)).toMatchObject({
    truncated: true,
    frames: { length: 1 },
  });
  expect((await second.store.snapshot('node/a', T0 + 1500))!.series.map(({ name }) => name)).toEqual(['c', 'g']);
});

test('files are private', async () => {
  const data = join(temporaryFolder(), 'data');
  const { store } = await open(data);
  store.putRun(run('x'));
  await store.flush();
  expect(statSync(data).mode & 0o777).toBe(0o700);
  for (const name of ['vigie.sqlite', 'vigie.sqlite-wal', 'vigie.sqlite-shm', 'lock.sqlite', 'lock.json']) {
    expect([name, statSync(join(data, name)).mode & 0o777]).toEqual([name, 0o600]);
  }
});

test('flush: durable_until covers what was taken', async () => {
  const { store } = await open(join(temporaryFolder(), 'data'));
  const teller = new Teller('node/a');
  store.append(tick(T0, teller.at(T0, { c: 1 })));
  store.append(tick(T0 + 1000, teller.at(T0 + 1000, { c: 1 })));
  expect(store.status().queued).toBe(2);
  await store.flush();
  expect(store.status()).toEqual({ kind: 'sqlite', durable_until: T0 + 1000, queued: 0, dropped: 0, error: null });
});

test('open runs come back as interrupted, with a profile of what was stored', async () => {
  const data = join(temporaryFolder(), 'data');
  const { store } = await open(data);
  store.putRun(run('empty', { state: 'running', start_time: T0 - 5000, end_time: 0, clients: 2 }));
  store.putRun(run('open', { state: 'ending', end_time: 0, clients: 1 }));
  store.putRun(run('saved', { state: 'interrupted', start_time: T0 - 9000, end_time: T0 - 1 }));
  store.putProfile(profile(run('done')));
  const scope = new Teller('run/open');
  const ranks = [2, 10].map((n) => new Teller(`rank/open/${n}`));
  for (const [i, time] of [T0, T0 + 1000, T0 + 2000].entries()) {
    const of = ranks.map((rank, n) => rank.at(time, { 'c{y="1",x="2"}': i + n }));
    store.append(tick(time, scope.at(time, { g: [1, 4, 2, 5], 'c{x="2",y="1"}': 10 + i, alone: 1 }), ...of));
  }
  await store.close();

  const again = await open(data);
  expect(
    again.interrupted.map(({ run: each, snapshot }) => [each.id, each.state, each.end_time, snapshot?.time]),
  ).toEqual([
    ['open', 'interrupted', T0 + 2000, T0 + 2000],
    ['empty', 'interrupted', T0 - 5000, undefined],
    ['saved', 'interrupted', T0 - 1, undefined],
  ]);
  expect([...again.interrupted[0]!.snapshot!.columns.counters]).toEqual([12, 1]);
  const saved = (await again.store.profile('open'))!;
  expect(saved.run).toMatchObject({ state: 'interrupted', clients: 0, series: 3, end_time: T0 + 2000 });
  expect(saved.series.map(({ key, value, gauge: of }) => [key, value, of])).toEqual([
    ['c{x="2",y="1"}', 12, null],
    ['alone', 1, null],
    ['g', 2.5, { min: 1, max: 4, hits: 2, total: 5 }],
  ]);
  expect(saved.ranks).toEqual([
    { rank: 2, node: 'n1', values: [2, null, null] },
    { rank: 10, node: 'n1', values: [3, null, null] },
  ]);
  expect(await again.store.latestProfile('job-empty')).toMatchObject({ run: { id: 'empty' }, series: [], ranks: [] });
  // By start, and of the equal ones the one stored later.
  expect((await again.store.runs({ limit: 9 })).runs.map(({ id }) => id)).toEqual(['done', 'open', 'empty', 'saved']);
  await again.store.close();

  // Nobody came back for them: they are offered once more, and then no longer.
  const third = await open(data);
  expect(third.interrupted.map(({ run: each }) => each.id)).toEqual(['open', 'empty']);
  await third.store.close();
  expect((await open(data)).interrupted).toEqual([]);
});

test('a run that an orderly stop saved with its profile can be gone on with', async () => {
  const data = join(temporaryFolder(), 'data');
  const { store } = await open(data);
  const teller = new Teller('run/x');
  store.append(tick(T0, teller.at(T0, { c: 4 })));
  store.putProfile(profile(run('x', { state: 'interrupted' })));
  await store.close();

  const again = await open(data);
  expect(again.interrupted).toMatchObject([{ run: { id: 'x', state: 'interrupted' }, snapshot: { time: T0 } }]);
  again.store.putRun(run('x', { state: 'running', end_time: 0 }));
  const later = new Teller('run/x');
  again.store.append(tick(T0 + 9000, later.at(T0 + 9000, { more: 1, c: 6 }, true)));
  const result = await again.store.query({ scope: 'run/x', series: ['c'], from: T0, to: T0 + 9000, maxPoints: 10 });
  expect(result!.series[0]).toMatchObject({ last: [4, 6], avg: [null, null] });
  expect(await again.store.profile('x')).toBeNull();
});

interface Life {
  epoch: number;
  interrupted: string[];
  ticks: number;
}

/** Starts the writing child, kills it some time after it is open, and gives what it had said by then. */
function writeAndKill(data: string, after: number): Promise<Life> {
  const child = spawn(process.execPath, [CHILD, data], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const life: Life = { epoch: 0, interrupted: [], ticks: 0 };
  createInterface(child.stdout).on('line', (text) => {
    const line = JSON.parse(text) as { opened?: number; interrupted?: string[]; ticks?: number };
    if (line.ticks !== undefined) {
      if (life.ticks === 0) setTimeout(() => child.kill('SIGKILL'), after);
      life.ticks = line.ticks;
    } else Object.assign(life, { epoch: line.opened, interrupted: line.interrupted });
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (signal === 'SIGKILL') resolve(life);
      else reject(new Error(`the child ended with ${code ?? signal}`));
    });
  });
}

test('kill -9 at any moment: all up to durable_until is there, the run comes back as interrupted', async () => {
  const data = join(temporaryFolder(), 'data');
  const lives: Life[] = [];
  for (let n = 0; n < 5; n++) lives.push(await writeAndKill(data, Math.random() * 400));
  expect(lives.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5]);
  expect(lives.map(({ interrupted }) => interrupted)).toEqual([
    [],
    ['run-1'],
    ['run-2', 'run-1'],
    ['run-3', 'run-2'],
    ['run-4', 'run-3'],
  ]);

  const { store, interrupted } = await open(data);
  expect(interrupted.map(({ run: each }) => [each.id, each.state])).toEqual([
    ['run-5', 'interrupted'],
    ['run-4', 'interrupted'],
  ]);
  for (const { epoch, ticks } of lives) {
    expect(ticks).toBeGreaterThan(0);
    const base = T0 + epoch * 1_000_000;
    const until = base + ticks;
    for (const scope of ['node/n1', `run/run-${epoch}`, `rank/run-${epoch}/3`]) {
      const range = { scope, series: ['ticks'], from: base, to: until, maxPoints: 20_000 };
      const { times, series } = (await store.query(range))!;
      // Every tick whole, none missing: its number is its time.
      expect(times).toEqual(Array.from({ length: ticks }, (_, i) => base + 1 + i));
      expect(series[0]!.last).toEqual(Array.from({ length: ticks }, (_, i) => i + 1));
    }
    const saved = (await store.profile(`run-${epoch}`))!;
    expect(saved.run.state).toBe('interrupted');
    expect(saved.run.end_time).toBeGreaterThanOrEqual(until);
    const value = saved.series.find(({ key }) => key === 'ticks')!.value;
    expect(value).toBe(saved.run.end_time - base);
    expect(saved.ranks).toMatchObject([{ rank: 3, values: expect.arrayContaining([value]) as number[] }]);
  }
}, 120_000);
