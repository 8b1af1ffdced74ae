/** A disk that is full, refuses to be written, or is slow: the live view goes on, the status says so, it recovers. */

import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { listenToClock } from '../../../bench/support/crowd.ts';
import { lacksComponent } from '../../support/components.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { startHere } from '../http/here.ts';
import { mountTmpfs, noMount } from '../store/tmpfs.ts';
import { serve, within, type Served } from './child.ts';

/** Takes all the room there is. Returns how to give it back. */
function fill(folder: string): () => void {
  const path = join(folder, 'filler');
  const file = openSync(path, 'w');
  for (const size of [65_536, 4096]) {
    try {
      for (;;) writeSync(file, Buffer.alloc(size, 1));
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
    }
  }
  closeSync(file);
  return () => rmSync(path);
}

test.skipIf(noMount)('a full disk', async () => {
  const { path } = mountTmpfs(4096);
  const here = await startHere({ data: join(path, 'data') }, path);
  const pusher = await here.pusher();
  pusher.job({ jobid: 'j' });
  pusher.describeCounter('c');
  const scope = await eventually(async () => {
    const [run] = (await here.client.runs({ state: 'live' })).runs;
    return run?.series === 1 && run.scope;
  });
  const target = { url: here.url, token: here.engine.token, legacySocket: here.engine.ready.legacy_socket! };
  const clock = await listenToClock(target, scope);
  onTestFinished(() => clock.close());
  const empty = fill(path);
  const full = await eventually(async () => {
    pusher.increase('c', 1);
    const { store } = await here.client.status();
    return store.error !== null && store;
  });
  expect(full.error).toMatch(/full/i);
  // Live: values come, and are answered.
  const heard = clock.lateness.length;
  pusher.increase('c', 10_000);
  await eventually(() => clock.lateness.length > heard + 5);
  const { series } = await here.client.series(scope);
  expect(series[0]!.value).toBeGreaterThanOrEqual(10_000);
  expect(Math.max(...clock.lateness)).toBeLessThan(1000);
  empty();
  const total = series[0]!.value!;
  const well = await eventually(async () => {
    const { store } = await here.client.status();
    return store.error === null && store.durable_until > full.durable_until && store;
  });
  expect(well.queued).toBeLessThan(100);
  await eventually(async () => {
    const { series: stored } = await here.client.query({ scope, from: 0, to: Date.now() + 1000 });
    return Math.max(...stored[0]!.last.map((value) => value ?? 0)) >= total;
  });
});

/** strace, attached to all threads of a process, doing something to system calls on the store's files. */
async function tamper(served: Served, data: string, what: string): Promise<() => Promise<void>> {
  const files = ['vigie.sqlite', 'vigie.sqlite-wal', 'vigie.sqlite-shm', 'vigie.sqlite-journal'];
  const tracer: ChildProcess = spawn(
    'strace',
    [
      '-f',
      '-q',
      '-p',
      String(served.child.pid),
      ...files.flatMap((file) => ['-P', join(data, file)]),
      '-e',
      what,
      '-o',
      '/dev/null',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  tracer.stderr!.on('data', (bytes: Buffer) => (said += bytes.toString()));
  const gone = new Promise<void>((resolve) => tracer.once('close', () => resolve()));
  const stop = async (): Promise<void> => {
    tracer.kill('SIGINT');
    await gone;
  };
  onTestFinished(stop);
  await eventually(() => {
    if (tracer.exitCode !== null) throw new Error(`strace ended: ${said}`);
    // Each thread names its tracer.
    const threads = readdirSync(`/proc/${served.child.pid}/task`);
    return threads.every((thread) =>
      readFileSync(`/proc/${served.child.pid}/task/${thread}/status`, 'utf8').includes(`TracerPid:\t${tracer.pid}`),
    );
  });
  return stop;
}

// Attaching to a process that is no child of strace's is root's.
const untraceable = process.getuid?.() !== 0 || lacksComponent('strace');

describe.skipIf(untraceable)('writing', () => {
  async function start() {
    const folder = temporaryFolder();
    const data = join(folder, 'data');
    const served = await serve([...within(folder), `--data=${data}`]);
    const { scope } = (await served.client.nodes()).nodes[0]!;
    const target = { url: served.ready.url!, token: served.token, legacySocket: served.ready.legacy_socket! };
    const clock = await listenToClock(target, scope);
    onTestFinished(() => clock.close());
    await eventually(async () => (await served.client.status()).store.durable_until > 0);
    return { served, data, clock, scope };
  }
  const WRITES = 'pwrite64,write,ftruncate,fallocate';
  const SYNCS = 'fsync,fdatasync';

  test.each([
    ['EROFS', 'a file system that has become read-only'],
    ['EIO', 'a disk that fails'],
    ['ENOSPC', 'a disk that is full'],
  ])('is refused (%s: %s): the live view goes on, the status says so, it recovers', async (code) => {
    const { served, data, clock, scope } = await start();
    const stop = await tamper(served, data, `inject=${WRITES},${SYNCS}:error=${code}`);
    const bad = await eventually(async () => {
      const { store } = await served.client.status();
      return store.error !== null && store;
    });
    const heard = clock.lateness.length;
    await eventually(() => clock.lateness.length > heard + 10);
    expect((await served.client.series(scope)).series.length).toBeGreaterThan(5);
    await stop();
    const good = await eventually(async () => {
      const { store } = await served.client.status();
      return store.error === null && store.durable_until > bad.durable_until && store;
    });
    // What is durable can be read.
    const { times } = await served.client.query({ scope, from: 0, to: Date.now() + 1000, series: ['vigie_runs_live'] });
    expect(times.at(-1)).toBeGreaterThanOrEqual(good.durable_until - 5000);
    expect(Math.max(...clock.lateness)).toBeLessThan(1000);
  });

  test('takes half a second each time: no tick waits for it', async () => {
    const { served, data, clock } = await start();
    const stop = await tamper(served, data, `inject=${WRITES},${SYNCS}:delay_enter=500000`);
    const heard = clock.lateness.length;
    await eventually(() => clock.lateness.length > heard + 60);
    const slow = await served.client.status();
    expect(Math.max(...clock.lateness)).toBeLessThan(1000);
    expect(slow.store.error).toBeNull();
    await stop();
    await eventually(async () => {
      const { store } = await served.client.status();
      return store.durable_until > slow.time && store.queued < 100;
    });
  });
});
