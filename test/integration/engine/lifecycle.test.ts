import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { connectLive, liveUrl } from '../http/reader.ts';
import { serve, within, type Served } from './child.ts';

const START = 1_795_188_214_224;

const endedRun = (engine: Served, jobid: string, state: string) =>
  eventually(async () =>
    (await engine.client.runs({ state: 'ended' })).runs.find((r) => r.jobid === jobid && r.state === state),
  );

const liveRun = (engine: Served, jobid: string, series: number) =>
  eventually(async () =>
    (await engine.client.runs({ state: 'live' })).runs.find((r) => r.jobid === jobid && r.series === series),
  );

async function valueOf(engine: Served, scope: string, key: string): Promise<number | null | undefined> {
  return (await engine.client.series(scope)).series.find((s) => s.key === key)?.value;
}

/** What is stored of a counter, oldest first, without the times at which it was not there. */
async function history(engine: Served, scope: string, key: string): Promise<number[]> {
  const { series } = await engine.client.query({
    scope,
    series: [key],
    from: 0,
    to: Date.now() + 60_000,
    maxPoints: 20_000,
  });
  return (series[0]?.last ?? []).filter((v) => v !== null);
}

describe('the ready line', () => {
  test('is one JSON line with exactly its members, and all there is on stdout; the log is JSON on stderr', async () => {
    const folder = temporaryFolder();
    const engine = await serve([...within(folder), `--data=${join(folder, 'data')}`]);
    expect(Object.keys(JSON.parse(engine.stdout()) as object)).toEqual([
      'event',
      'url',
      'socket',
      'legacy_socket',
      'token_file',
      'data',
      'pid',
    ]);
    expect(engine.ready).toEqual({
      event: 'ready',
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string,
      socket: join(folder, 'engine.socket'),
      legacy_socket: join(folder, 'legacy.socket'),
      token_file: join(folder, 'data', 'token'),
      data: join(folder, 'data'),
      pid: engine.child.pid,
    });
    const pusher = await engine.pusher();
    pusher.job({ jobid: 'j' });
    await liveRun(engine, 'j', 0);
    expect(await engine.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(engine.stdout().split('\n')).toHaveLength(2);
    const lines = engine.stderr().trim().split('\n');
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines)
      expect(JSON.parse(line)).toMatchObject({
        level: expect.any(Number) as number,
        time: expect.any(Number) as number,
        msg: expect.any(String) as string,
      });
    // The token is for its file only.
    expect(engine.stdout() + engine.stderr()).not.toContain(engine.token);
  });

  test('what is off is null', async () => {
    const folder = temporaryFolder();
    const engine = await serve([...within(folder), '--memory', '--listen=off', '--legacy-socket=off']);
    expect(engine.ready).toMatchObject({
      url: null,
      legacy_socket: null,
      data: null,
      token_file: join(folder, 'token'),
    });
    expect((await engine.client.status()).engine.legacy_socket).toBeNull();
  });
});

describe('a stop in order', () => {
  test('SIGHUP does not end an engine without a terminal: it was started with nohup', async () => {
    const engine = await serve([...within(temporaryFolder()), '--memory']);
    engine.child.kill('SIGHUP');
    // The next signal is another one and comes later: without a terminal only this one ends it.
    expect((await engine.client.status()).engine.pid).toBe(engine.child.pid);
    expect(await engine.stop('SIGTERM')).toEqual({ code: 0, signal: null });
  });

  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s: exit 0, last values in the profile, open runs interrupted, sockets and lock gone, all of it there after a restart',
    async (signal) => {
      const folder = temporaryFolder();
      // No tick comes: what is stored of the open run is what the last look saw.
      const flags = [...within(folder), `--data=${join(folder, 'data')}`, '--period=1h'];
      const first = await serve(flags);
      const [done, open] = [await first.pusher(), await first.pusher()];
      done.job({ jobid: 'done', command: './done', start_time: START });
      done.describeCounter('x_total', 'Xs');
      done.increase('x_total', 5);
      open.job({ jobid: 'open', command: './open', start_time: START + 1 });
      open.describeCounter('x_total', 'Xs');
      open.describeGauge('g');
      open.increase('x_total', 1);
      open.set('g', { min: 1, max: 3, hits: 2, total: 4 });
      await liveRun(first, 'done', 1);
      await done.close();
      const finished = await endedRun(first, 'done', 'finished');
      const running = await liveRun(first, 'open', 2);
      open.increase('x_total', 41);
      await eventually(async () => (await valueOf(first, running.scope, 'x_total')) === 42);
      expect(await first.stop(signal)).toEqual({ code: 0, signal: null });
      expect(existsSync(first.ready.socket!)).toBe(false);
      expect(existsSync(first.ready.legacy_socket!)).toBe(false);
      expect(readdirSync(join(folder, 'data'))).not.toContain('lock.json');

      const second = await serve(flags);
      expect(second.token).toBe(first.token);
      expect((await second.client.status()).engine.epoch).toBe(2);
      const { runs } = await second.client.runs();
      expect(runs.map((r) => [r.jobid, r.state])).toEqual([
        ['open', 'interrupted'],
        ['done', 'finished'],
      ]);
      expect(await second.client.run(finished.id)).toEqual(finished);
      const profile = await second.client.profile(running.id);
      expect(profile.run).toMatchObject({ state: 'interrupted', clients: 0, command: './open' });
      expect(profile.run.end_time).toBeGreaterThan(0);
      expect(profile.series.map((s) => [s.key, s.value])).toEqual([
        ['x_total', 42],
        ['g', 2],
      ]);
      expect((await second.client.profile(finished.id)).series[0]).toMatchObject({
        key: 'x_total',
        value: 5,
        doc: 'Xs',
      });
      expect((await history(second, running.scope, 'x_total')).at(-1)).toBe(42);
      expect((await history(second, finished.scope, 'x_total')).at(-1)).toBe(5);
      expect(await valueOf(second, finished.scope, 'x_total')).toBe(5);
      // The node's too: before the stop it was looked at only once, when nobody had sent anything.
      const { host } = (await second.client.status()).engine;
      expect(Math.max(...(await history(second, `node/${host}`, 'vigie_ingest_messages_total')))).toBeGreaterThan(5);
    },
  );

  test('a second signal does not wait', async () => {
    const folder = temporaryFolder();
    const engine = await serve([...within(folder), '--memory']);
    engine.child.kill('SIGTERM');
    engine.child.kill('SIGTERM');
    const { code, signal } = await engine.exited;
    // Two signals may arrive as one.
    expect([signal, code === 0 || code === 130]).toEqual([null, true]);
  });

  test('connections that do nothing, and readers that do not answer, do not delay it', async () => {
    const folder = temporaryFolder();
    const engine = await serve([...within(folder), '--memory']);
    const idle = await Promise.all(Array.from({ length: 5 }, () => engine.pusher()));
    const reader = await connectLive(liveUrl({ url: engine.ready.url! }), { authorization: `Bearer ${engine.token}` });
    await reader.next('hello');
    reader.socket.pause();
    expect(await engine.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(idle).toHaveLength(5);
  }, 20_000);
});

describe('a client that comes back', () => {
  async function interrupted(end: 'SIGKILL' | 'SIGTERM'): Promise<{ flags: string[]; id: string; before: number[] }> {
    const folder = temporaryFolder();
    const flags = [...within(folder), `--data=${join(folder, 'data')}`];
    const first = await serve(flags);
    const pusher = await first.pusher();
    pusher.job({ jobid: 'goes-on', command: './a.out', start_time: START });
    pusher.describeCounter('x_total');
    pusher.describeGauge('g');
    pusher.increase('x_total', 10);
    pusher.set('g', 7);
    const run = await liveRun(first, 'goes-on', 2);
    const seen = (await first.client.status()).time;
    await eventually(async () => (await valueOf(first, run.scope, 'x_total')) === 10);
    await eventually(async () => (await first.client.status()).store.durable_until > seen + 200);
    const before = await history(first, run.scope, 'x_total');
    await first.stop(end);
    return { flags, id: run.id, before };
  }

  test.each(['SIGKILL', 'SIGTERM'] as const)(
    'after %s, with equal job id and start time, goes on with its run: same id, counters go on, one history',
    async (end) => {
      const { flags, id, before } = await interrupted(end);
      const second = await serve(flags);
      const stored = (await second.client.runs()).runs[0]!;
      expect([stored.id, stored.state]).toEqual([id, 'interrupted']);
      const pusher = await second.pusher();
      pusher.job({ jobid: 'goes-on', command: './a.out', start_time: START });
      pusher.describeCounter('x_total');
      pusher.increase('x_total', 5);
      const run = await eventually(async () =>
        (await second.client.runs({ state: 'live' })).runs.find((r) => r.clients === 1),
      );
      expect([run.id, run.state, run.start_time, run.end_time]).toEqual([id, 'running', START, 0]);
      await eventually(async () => (await valueOf(second, run.scope, 'x_total')) === 15);
      expect(await valueOf(second, run.scope, 'g')).toBe(7);
      // Once in the list, and its profile is that of now.
      expect((await second.client.runs()).runs.map((r) => [r.id, r.state])).toEqual([[id, 'running']]);
      expect((await second.client.profile(id)).series.find((s) => s.key === 'x_total')!.value).toBe(15);
      await eventually(async () => (await history(second, run.scope, 'x_total')).at(-1) === 15);
      const all = await history(second, run.scope, 'x_total');
      expect(all.length).toBeGreaterThan(before.length);
      expect(all).toEqual(all.toSorted((a, b) => a - b));
      expect(all[0]).toBe(before[0]);
      await pusher.close();
      await endedRun(second, 'goes-on', 'finished');
      expect((await second.client.profile(id)).series.find((s) => s.key === 'x_total')!.value).toBe(15);
      expect((await second.client.runs()).runs).toHaveLength(1);
    },
  );

  test.each([
    ['another start time', { jobid: 'goes-on', start_time: START + 1000 }],
    ['no start time', { jobid: 'goes-on', start_time: 0 }],
    ['another job id', { jobid: 'other', start_time: START }],
  ])('with %s begins a run of its own', async (_name, desc) => {
    const { flags, id } = await interrupted('SIGKILL');
    const second = await serve(flags);
    const pusher = await second.pusher();
    pusher.job(desc);
    pusher.describeCounter('x_total');
    pusher.increase('x_total', 5);
    const run = await liveRun(second, desc.jobid, 1);
    expect(run.id).not.toBe(id);
    await eventually(async () => (await valueOf(second, run.scope, 'x_total')) === 5);
    expect((await second.client.run(id)).state).toBe('interrupted');
    expect((await second.client.profile(id)).series.find((s) => s.key === 'x_total')!.value).toBe(10);
  });
});
