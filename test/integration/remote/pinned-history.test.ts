/** History that is pinned over there comes here and stays: two real engines, real stores. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RangeResult } from '../../../src/shared/api/query.ts';
import { RunList } from '../../../src/shared/api/runs.ts';
import { API_VERSION } from '../../../src/shared/api/status.ts';
import { KeepList } from '../../../src/shared/api/store.ts';
import { httpServer } from '../../support/bad-server.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { startHere, type Here } from '../http/here.ts';
import { send } from '../targets/support.ts';
import { DirectSessions } from './direct-sessions.ts';
import { connectionOf, reach, until } from './support.ts';

const onDisk = () => ({ node: false, data: join(temporaryFolder(), 'data') });

const pinned = async (here: Here): Promise<KeepList> =>
  KeepList.parse((await send(here, 'GET', '/store/keeps')).json());

test('it comes sample by sample, is pinned here too, and is read while the engine is away', async () => {
  const far = await startHere(onDisk());
  for (const jobid of ['kept', 'other']) {
    const pusher = await far.pusher();
    pusher.job({ jobid, command: `./${jobid}`, start_time: Date.now() });
    pusher.describeCounter('hits');
    pusher.describeGauge('depth');
    for (let i = 0; i < 12; i++) {
      pusher.increase('hits', i);
      pusher.set('depth', i % 5);
      await new Promise((resolve) => void setTimeout(resolve, 60));
    }
    await pusher.close();
  }
  const runs = await eventually(async () => {
    const list = RunList.parse((await send(far, 'GET', '/profiles')).json());
    return list.runs.length === 2 ? list.runs : undefined;
  });
  const [run, other] = ['kept', 'other'].map((jobid) => runs.find((one) => one.jobid === jobid)!) as [
    (typeof runs)[0],
    (typeof runs)[0],
  ];
  expect((await send(far, 'POST', '/store/keeps', { kind: 'run', run: run.id, note: 'the good one' })).status).toBe(
    200,
  );
  const window = { kind: 'window', from: run.start_time, to: run.end_time };
  expect((await send(far, 'POST', '/store/keeps', window)).status).toBe(200);

  const settings = onDisk();
  const sessions = new DirectSessions({ VIGIE_SOCKET: far.engine.ready.socket });
  const near = await startHere(settings, undefined, undefined, { sessions });
  const { connection, engine } = await reach(near, { host: 'login', auto: true });
  const base = `/engines/${engine}/api/v1`;
  const query = (id: string) => `${base}/query?scope=run/${id}&from=${run.start_time}&to=${Date.now()}&maxPoints=20000`;
  const live = RangeResult.parse((await send(near, 'GET', query(run.id))).json());
  expect(live.times.length).toBeGreaterThan(5);
  const there = await eventually(async () => {
    const { keeps } = await pinned(near);
    return keeps.length === 1 ? keeps : undefined;
  });
  expect(there).toMatchObject([{ kind: 'window', scope: `run/${engine}.${run.id}`, note: 'the good one' }]);
  const done = await until(near, connection, (one) => one.engine?.sync.state === 'idle');
  expect(done.engine?.sync.reason).toBe('1 left out: what is pinned is not of one run');
  await far.engine.close();
  await eventually(async () => (await send(near, 'GET', `${base}/status`)).status === 503);
  await until(near, connection, (one) => one.engine?.state !== 'up');

  const offline = RangeResult.parse((await send(near, 'GET', query(run.id))).json());
  const byKey = ({ series, times }: RangeResult) => ({
    times,
    series: series.toSorted((a, b) => (a.key < b.key ? -1 : 1)),
  });
  expect(byKey(offline)).toEqual(byKey(live));
  expect(offline.series.map(({ kind }) => kind).toSorted()).toContain('gauge');
  // What was not pinned is not here: its profile is.
  expect((await send(near, 'GET', query(other.id))).status).toBe(404);
  // Unpinned here, it does not come again.
  await send(near, 'DELETE', `/store/keeps/${there[0]!.id}`);
  expect((await pinned(near)).keeps).toEqual([]);
  await near.engine.close();
  const again = await startHere(settings, undefined, undefined, {
    sessions: new DirectSessions({}, (session) => session.become('down', 'gone')),
  });
  const kept = await eventually(async () => {
    const answer = await send(again, 'GET', query(run.id));
    return answer.status === 200 ? RangeResult.parse(answer.json()) : undefined;
  });
  expect(byKey(kept)).toEqual(byKey(live));
  expect((await connectionOf(again, connection)).engine?.sync.profiles).toBe(2);
});

test('broken off, it goes on behind the last sample that is here, also after a restart', async () => {
  const start = 1_700_000_000_000;
  const end = start + 1_500_000;
  const run = {
    ...{ id: 'r1', start_time: start, end_time: end, jobid: 'j', command: 'c', size: 1, nodelist: '', partition: '' },
    ...{ cluster: '', run_dir: '', scope: 'run/r1', state: 'finished', nodes: [], ranks: 0, clients: 0, series: 1 },
    headline: null,
  };
  const asked: number[] = [];
  let fails = true;
  const port = await httpServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
    response.setHeader('content-type', 'application/json');
    const say = (body: unknown): void => void response.end(JSON.stringify(body));
    if (pathname === '/api/v1/status') {
      return say({ name: 'vigie', version: '1', api: API_VERSION, engine: { id: 'd'.repeat(32), host: 'far' } });
    }
    if (pathname === '/api/v1/runs') return say({ runs: [], next: null });
    if (pathname === '/api/v1/profiles') return say({ runs: [run], next: null });
    if (pathname === '/api/v1/profiles/r1') return say({ run, series: [], ranks: [] });
    if (pathname === '/api/v1/store/keeps') {
      return say({
        keeps: [{ id: 1, kind: 'run', scope: 'run/r1', from: start, to: end, note: '', created: 1 }],
        next: null,
      });
    }
    const [from, to] = ['from', 'to'].map((name) => Number(searchParams.get(name))) as [number, number];
    asked.push(from);
    if (fails && asked.length > 1) return void request.socket.destroy();
    const times = Array.from({ length: 151 }, (_, i) => start + 10_000 * i).filter((time) => time >= from && time < to);
    const last = times.map((time) => (time - start) / 1000);
    const none = times.map(() => null);
    say({
      ...{ scope: 'run/r1', from, to, step: 0, times },
      series: [{ key: 'hits', name: 'hits', kind: 'counter', min: none, avg: none, max: none, last }],
    });
  });
  const settings = onDisk();
  const near = await startHere(settings, undefined, undefined, { sessions: new DirectSessions({}) });
  const { connection } = await reach(near, { host: 'login', auto: true, engine: { kind: 'port', port } });
  await until(near, connection, (one) => one.engine?.sync.state === 'failed');
  await near.engine.close();
  // What came of it counts, although it is not all of it.
  const list = JSON.parse(readFileSync(join(settings.data, 'connections.json'), 'utf8')) as {
    connections: { engine: { sync: { bytes: number; pinned: string[] } } }[];
  };
  const { bytes, pinned: whole } = list.connections[0]!.engine.sync;
  expect([bytes > 100, whole]).toEqual([true, []]);
  fails = false;
  const before = asked.length;
  const again = await startHere(settings, undefined, undefined, { sessions: new DirectSessions({}) });
  const base = `/engines/${'d'.repeat(32)}/api/v1`;
  await until(again, connection, (one) => one.engine?.sync.state === 'idle');
  expect(asked.slice(before)[0]).toBeGreaterThanOrEqual(start + 530_000);
  await send(again, 'POST', `/connections/${connection}/disconnect`);
  const query = `${base}/query?scope=run/r1&from=${start}&to=${end + 1}&maxPoints=20000`;
  const { times, series } = RangeResult.parse((await send(again, 'GET', query)).json());
  expect(times).toEqual(Array.from({ length: 151 }, (_, i) => start + 10_000 * i));
  expect(series[0]?.last).toEqual(times.map((time) => (time - start) / 1000));
});
