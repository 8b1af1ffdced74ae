/** What goes wrong, and what is then said and done. */

import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { afterEach, describe, expect, test } from 'vitest';
import { applicationId } from '../../../src/engine/store/care/version.ts';
import { openStore, type StoreConfig, StoreOpenError } from '../../../src/engine/store/index.ts';
import type { OpenedStore } from '../../../src/engine/store/store.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { profile, run, T0, Teller, tick } from '../../unit/engine/store/support.ts';
import { mountTmpfs, noMount } from './tmpfs.ts';

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

const fresh = (): string => join(temporaryFolder(), 'data');

async function refusal(data: string): Promise<StoreOpenError> {
  const error: unknown = await open(data).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(StoreOpenError);
  return error as StoreOpenError;
}

describe('the lock', () => {
  test('the same process cannot open a directory twice, and the first store goes on', async () => {
    const data = fresh();
    const { store } = await open(data);
    for (let n = 0; n < 2; n++) {
      const error = await refusal(data);
      expect(error.code).toBe('store_locked');
      expect(error.message).toContain(`pid ${process.pid} on host ${hostname()} since 2`);
    }
    store.putRun(run('x'));
    await store.flush();
    expect(store.status().error).toBeNull();
    await store.close();
    await open(data);
  });

  test('another process holds it: the message names it; killed, it holds nothing', async () => {
    const data = fresh();
    const child = spawn(process.execPath, [CHILD, data], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await once(createInterface(child.stdout), 'line');
      const error = await refusal(data);
      expect(error.code).toBe('store_locked');
      expect(error.message).toMatch(new RegExp(`pid ${child.pid} on host .* since .*stop it or use another --data`));
    } finally {
      child.kill('SIGKILL');
      await once(child, 'close');
    }
    // What it left says that it holds the lock; it does not.
    expect(readFileSync(join(data, 'lock.json'), 'utf8')).toContain(`${child.pid}`);
    expect((await open(data)).epoch).toBe(2);
  });

  test('a damaged lock file or text blocks nothing', async () => {
    const data = fresh();
    mkdirSync(data);
    writeFileSync(join(data, 'lock.sqlite'), 'not a database at all, but long enough to be taken for one'.repeat(100));
    writeFileSync(join(data, 'lock.json'), '{"pid":');
    await open(data);
    writeFileSync(join(data, 'lock.json'), '{"pid":');
    expect((await refusal(data)).message).toContain('locked by another engine');
  });
});

describe('a directory that cannot be written', () => {
  test('below a file', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    const error = await refusal(join(file, 'data'));
    expect(error.code).toBe('store_not_writable');
    expect(error.message).toMatch(
      /data directory .*file\/data cannot be written \(.*\); use another --data, or --memory/,
    );
  });

  test('a file', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    const error = await refusal(file);
    expect(error.code).toBe('store_not_writable');
    expect(error.message).toContain(`cannot be written (${file} is not a directory); use another --data`);
  });

  test('where the system lets nobody make one', async () => {
    const error = await refusal('/proc/vigie');
    expect(error.code).toBe('store_not_writable');
    expect(error.message).toContain('data directory /proc/vigie cannot be written (ENOENT');
  });

  test('without the permission', async (context) => {
    if (process.getuid?.() === 0) context.skip('root may write anywhere');
    const data = fresh();
    mkdirSync(data, { mode: 0o500 });
    expect((await refusal(data)).code).toBe('store_not_writable');
    chmodSync(data, 0o700);
  });

  test.skipIf(noMount)('on a read-only file system, empty or with a store in it', async () => {
    const { path, remount } = mountTmpfs(4096);
    const data = join(path, 'data');
    const { store, engineId } = await open(data);
    await store.close();
    remount('ro');
    for (const each of [join(path, 'other'), data]) {
      const error = await refusal(each);
      expect(error.code).toBe('store_not_writable');
      expect(error.message).toMatch(/read-?only/);
    }
    remount('rw');
    expect(await open(data)).toMatchObject({ engineId, epoch: 2 });
  });
});

describe('the database file', () => {
  test('of a newer version is refused in words, and left alone', async () => {
    const data = fresh();
    await (await open(data)).store.close();
    const db = new Database(join(data, 'vigie.sqlite'));
    db.pragma('user_version = 999');
    db.pragma(`application_id = ${applicationId(999)}`);
    db.close();
    const error = await refusal(data);
    expect(error.code).toBe('store_newer');
    expect(error.message).toMatch(/written by a newer vigie \(version 999, this one knows \d+\)/);
    expect(readdirSync(data).filter((name) => name.includes('damaged'))).toEqual([]);
  });

  const filled = async (): Promise<string> => {
    const data = fresh();
    const { store } = await open(data, { queueLimit: { ticks: 1000, bytes: 1 << 26 } });
    const teller = new Teller('node/a');
    for (let i = 0; i < 500; i++) store.append(tick(T0 + i, teller.at(T0 + i, { [`c${i % 40}`]: i })));
    store.putRun(run('x', { state: 'running' }));
    await store.close();
    return data;
  };

  test.each([
    ['not a database', (path: string) => writeFileSync(path, 'x'.repeat(50_000))],
    ['empty after its first bytes', (path: string) => truncateSync(path, 1000)],
    [
      'of zeros after its header page',
      (path: string) => {
        const bytes = readFileSync(path);
        writeFileSync(path, bytes.fill(0, 4096));
      },
    ],
  ])('%s: is set aside and a new one begun', async (_, damage) => {
    const data = await filled();
    const path = join(data, 'vigie.sqlite');
    damage(path);
    const size = statSync(path).size;
    const { store, epoch, warnings } = await open(data);
    expect(epoch).toBe(1);
    expect(warnings.join()).toMatch(/damaged.*it is kept as .*vigie\.sqlite\.damaged-\d+ and a new one is begun/);
    const aside = readdirSync(data).find((name) => /^vigie\.sqlite\.damaged-\d+$/.test(name))!;
    expect(statSync(join(data, aside)).size).toBe(size);
    store.putRun(run('y'));
    await store.flush();
    expect(await store.run('y')).toEqual(run('y'));
  });

  test('damage met while running is told, and the next start sets the file aside', async () => {
    const data = fresh();
    const { store } = await open(data);
    const teller = new Teller('node/a');
    for (let i = 0; i < 50; i++) store.append(tick(T0 + i, teller.at(T0 + i, { [`c${i}`]: i })));
    await store.close();
    // The root page of the frames, which the start does not look at.
    const db = new Database(join(data, 'vigie.sqlite'));
    const page = db.prepare("SELECT rootpage FROM sqlite_master WHERE name = 'frame_time'").pluck().get() as number;
    db.close();
    const bytes = readFileSync(join(data, 'vigie.sqlite'));
    writeFileSync(join(data, 'vigie.sqlite'), bytes.fill(0xff, (page - 1) * 4096, page * 4096));

    const again = await open(data);
    expect(again.warnings).toEqual([]);
    const later = new Teller('node/a');
    again.store.append(tick(T0 + 1000, later.at(T0 + 1000, { c: 1 })));
    await expect(again.store.flush()).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(again.store.status()).toMatchObject({ queued: 0, dropped: 1, error: /damaged: restart/ });
    await again.store.close();

    const third = await open(data);
    expect(third.warnings).toEqual([expect.stringContaining('damaged')]);
    const last = new Teller('node/a');
    third.store.append(tick(T0 + 2000, last.at(T0 + 2000, { c: 1 })));
    await third.store.flush();
    expect(existsSync(join(data, 'vigie.sqlite.damaged.txt'))).toBe(false);
  });

  test('on a network file system is written without a log, and that is said', async () => {
    const data = fresh();
    const { store, warnings } = await open(data, { fsType: 0x6969 });
    expect(warnings).toEqual([expect.stringMatching(/is on NFS, a network file system/)]);
    store.putRun(run('x'));
    await store.flush();
    expect(await store.run('x')).toEqual(run('x'));
    expect(existsSync(join(data, 'vigie.sqlite-wal'))).toBe(false);
    await store.close();
    // And back again on a local one.
    expect((await open(data)).warnings).toEqual([]);
  });
});

describe.skipIf(noMount)('a full disk', () => {
  /** Fills what is left but for a few KiB. */
  const fill = (path: string): void => {
    for (const size of [1 << 16, 1 << 12]) {
      try {
        for (;;) writeFileSync(join(path, 'filler'), Buffer.alloc(size), { flag: 'a' });
      } catch (error) {
        expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
      }
    }
  };

  test('is told, ticks wait for a time and are counted as dropped, and it recovers by itself', async () => {
    const { path } = mountTmpfs(2048);
    const { store } = await open(join(path, 'data'), { retryFor: 1500 });
    const teller = new Teller('node/a');
    store.append(tick(T0, teller.at(T0, { c: 1, other: 7 })));
    await store.flush();
    fill(path);

    store.putRun(run('x', { state: 'running' }));
    store.append(tick(T0 + 1000, teller.at(T0 + 1000, { c: 2, lost: 5 })));
    await eventually(() => store.status().error !== null);
    expect(store.status()).toMatchObject({
      queued: 1,
      dropped: 0,
      error: expect.stringContaining('disk is full') as string,
    });
    // What is stored can still be read.
    expect((await store.snapshot('node/a', T0 + 9000))!.time).toBe(T0);
    store.putProfile(profile(run('x')));
    await expect(store.flush()).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(store.status().durable_until).toBe(T0);

    rmSync(join(path, 'filler'));
    await eventually(() => store.status().error === null && store.status().queued === 0);
    store.append(tick(T0 + 2000, teller.at(T0 + 2000, { c: 3 })));
    await store.flush();
    const { dropped } = store.status();
    expect(dropped).toBe(1);
    expect(store.status()).toMatchObject({ queued: 0, error: null, durable_until: T0 + 2000 });
    // The lost tick's series and values are not lost with it, only its sample; the run and its profile waited.
    const snapshot = (await store.snapshot('node/a', T0 + 9000))!;
    expect(snapshot.series.map(({ name }) => name)).toEqual(['c', 'other', 'lost']);
    expect([...snapshot.columns.counters]).toEqual([3, 7, 5]);
    expect(await store.profile('x')).toEqual(profile(run('x')));
  });

  test('a tick that waited a short time is not lost', async () => {
    const { path } = mountTmpfs(2048);
    const { store } = await open(join(path, 'data'), { retryFor: 600_000 });
    const teller = new Teller('node/a');
    store.append(tick(T0, teller.at(T0, { c: 1 })));
    await store.flush();
    fill(path);
    for (let i = 1; i <= 20; i++) store.append(tick(T0 + i, teller.at(T0 + i, { [`c${i}`]: i })));
    await eventually(() => store.status().error !== null);
    rmSync(join(path, 'filler'));
    await store.flush();
    expect(store.status()).toEqual({ kind: 'sqlite', durable_until: T0 + 20, queued: 0, dropped: 0, error: null });
    const { frames } = await store.frames('node/a', 0, T0 + 20, 100);
    expect(frames.length).toBe(21);
  });

  test('at the start of a store that has been there stops nothing', async () => {
    const { path } = mountTmpfs(2048);
    const data = join(path, 'data');
    const first = await open(data);
    first.store.putRun(run('x', { state: 'running' }));
    await first.store.close();
    fill(path);
    const { store, epoch, interrupted, warnings } = await open(data);
    expect({ epoch, warnings }).toEqual({ epoch: 2, warnings: [expect.stringContaining('full')] });
    expect(interrupted.map(({ run: each }) => each.id)).toEqual(['x']);
    rmSync(join(path, 'filler'));
    await store.flush();
    expect((await store.run('x'))!.state).toBe('interrupted');
    await store.close();
    expect((await open(data)).epoch).toBe(3);
  });
});

test('a full queue refuses ticks and counts them; what comes after is whole', async () => {
  const { store } = await open(fresh(), { queueLimit: { ticks: 3, bytes: 1 << 20 } });
  const teller = new Teller('node/a');
  const taken = Array.from({ length: 5 }, (_, i) => store.append(tick(T0 + i, teller.at(T0 + i, { c: i }))));
  expect(taken).toEqual([true, true, true, false, false]);
  expect(store.status()).toMatchObject({ queued: 3, dropped: 2, error: null });
  await store.flush();
  teller.full = true;
  expect(store.append(tick(T0 + 5, teller.at(T0 + 5, { c: 5 })))).toBe(true);
  const result = await store.query({ scope: 'node/a', series: [], from: T0, to: T0 + 9, maxPoints: 100 });
  expect(result!.series[0]!.last).toEqual([0, 1, 2, 5]);
});

test('the queue is bounded in bytes too', async () => {
  const { store } = await open(fresh(), { queueLimit: { ticks: 1000, bytes: 200 } });
  const teller = new Teller('node/a');
  const taken = Array.from({ length: 5 }, (_, i) => store.append(tick(T0 + i, teller.at(T0 + i, { c: i }))));
  expect(taken).toEqual([true, true, true, false, false]);
});

test('when the thread dies: questions are rejected, the status says it, the sampler goes on', async () => {
  const created = once(process, 'worker') as Promise<[Worker]>;
  const { store } = await open(fresh());
  const [worker] = await created;
  store.putRun(run('x'));
  const waiting = Array.from({ length: 100 }, () => store.flush());
  const settled = Promise.allSettled(waiting);
  await worker.terminate();
  await settled;
  await eventually(() => store.status().error !== null);
  expect(store.status().error).toContain('restart the engine');
  expect(store.append(tick(T0))).toBe(false);
  expect(store.status().dropped).toBe(1);
  expect(() => store.putRun(run('y'))).not.toThrow();
  expect(() => store.putProfile(profile(run('y')))).not.toThrow();
  await expect(store.run('x')).rejects.toMatchObject({ code: 'store_unavailable' });
  await store.close();
});

test('a thread that is killed by its own error rejects what waits', async () => {
  const created = once(process, 'worker') as Promise<[Worker]>;
  const { store } = await open(fresh());
  const [worker] = await created;
  // Not a message: the thread cannot handle it.
  worker.postMessage(null, []);
  await expect(store.run('x')).rejects.toMatchObject({ code: 'store_unavailable' });
  expect(store.status().error).toMatch(/the store stopped: TypeError.*restart the engine/);
});

test('hostile numbers and names are data', async () => {
  const { store } = await open(fresh());
  const scope = "node/'; DROP TABLE frame; --\u0000\u202e";
  const name = `x{a="' OR 1=1 <script>"}`;
  const teller = new Teller(scope);
  store.append(tick(T0, teller.at(T0, { [name]: 1, huge: Number.MAX_VALUE })));
  store.append(tick(T0 + 1, teller.at(T0 + 1, { [name]: Infinity, huge: NaN })));
  const base = { scope, series: [], from: 0, to: Number.MAX_VALUE };
  const wide = (await store.query({ ...base, maxPoints: 1e12 }))!;
  expect(wide.times).toEqual([T0, T0 + 1]);
  expect(wide.series.map(({ last }) => last)).toEqual([
    [1, null],
    [Number.MAX_VALUE, null],
  ]);
  expect(await store.query({ ...base, from: Number.MAX_VALUE, to: 0, maxPoints: 2 })).toMatchObject({ times: [] });
  expect(await store.query({ ...base, series: ["'", '%', ''], maxPoints: 2 })).toMatchObject({ series: [] });
  expect(await store.run("' OR 1=1 --")).toBeNull();
  expect(await store.snapshot(scope, NaN)).toBeNull();
});
