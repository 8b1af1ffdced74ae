/** Finished profiles of another engine come here and stay: two real engines, real stores. */

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Profile, TRASH_TIME } from '../../../src/shared/api/profiles.ts';
import { storedRunId } from '../../../src/engine/remote/engines/engine-id.ts';
import { Run, RunList } from '../../../src/shared/api/runs.ts';
import { httpServer } from '../../support/bad-server.ts';
import { openInside } from '../../support/small-store.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { startHere, type Here } from '../http/here.ts';
import { send } from '../targets/support.ts';
import { API_VERSION } from '../../../src/shared/api/status.ts';
import { DirectSessions } from './direct-sessions.ts';
import { connectionOf, reach, until } from './support.ts';

async function finished(far: Here, jobid: string, value: number): Promise<void> {
  const pusher = await far.pusher();
  pusher.job({ jobid, command: `./${jobid}`, start_time: Date.now() });
  pusher.describeCounter('hits');
  pusher.increase('hits', value);
  await pusher.close();
  await eventually(async () => (await profiles(far)).runs.some((run) => run.jobid === jobid));
}

const profiles = async (here: Here, base = ''): Promise<RunList> =>
  RunList.parse((await send(here, 'GET', `${base}/profiles`)).json());

test('they come over, are answered with while the engine is away, and do not mix with those of here', async () => {
  const far = await startHere({ node: false });
  for (let i = 0; i < 5; i++) await finished(far, `job${i}`, i + 1);
  const folder = temporaryFolder();
  const settings = { node: false, data: join(folder, 'data') };
  const sessions = new DirectSessions({ VIGIE_SOCKET: far.engine.ready.socket });
  const near = await startHere(settings, folder, undefined, { sessions });
  await finished(near, 'job0', 99);
  const { connection, engine } = await reach(near, { host: 'login', auto: true });
  const base = `/engines/${engine}/api/v1`;
  const done = await until(near, connection, (one) => one.engine?.sync.complete !== null);
  expect(done.engine?.sync).toMatchObject({ state: 'idle', profiles: 5, reason: null });
  const there = await profiles(near, base);
  const live = await Promise.all(
    there.runs.map(async ({ id }) => Profile.parse((await send(near, 'GET', `${base}/profiles/${id}`)).json())),
  );
  await far.engine.close();

  // The connection is still up, and nothing answers behind it.
  await eventually(async () => (await send(near, 'GET', `${base}/status`)).status === 503);
  await until(near, connection, (one) => one.engine?.state !== 'up');
  const offline = await profiles(near, base);
  expect(offline.runs).toEqual(there.runs.map((run) => ({ ...run, clients: 0 })));
  for (const profile of live) {
    const kept = Profile.parse((await send(near, 'GET', `${base}/profiles/${profile.run.id}`)).json());
    expect(kept).toEqual({ ...profile, run: { ...profile.run, clients: 0 } });
    expect(Run.parse((await send(near, 'GET', `${base}/runs/${profile.run.id}`)).json())).toEqual(kept.run);
  }
  const page = RunList.parse((await send(near, 'GET', `${base}/profiles?limit=2`)).json());
  expect(page.runs).toEqual(offline.runs.slice(0, 2));
  const rest = RunList.parse((await send(near, 'GET', `${base}/profiles?cursor=${page.next}`)).json());
  expect(rest.runs).toEqual(offline.runs.slice(2));
  expect((await send(near, 'GET', `${base}/profiles/none`)).body).toContain('run_not_found');

  // Of its own, this engine has one, and of that job id it tells its own.
  expect((await profiles(near)).runs.map(({ jobid }) => jobid)).toEqual(['job0']);
  const latest = (await near.client.raw('/profiles/get?jobid=job0')).body;
  expect([latest.includes('99'), latest.includes('./job0')]).toEqual([true, true]);

  // After a restart, with nothing to reach at all.
  await near.engine.close();
  const again = await startHere(settings, folder, undefined, {
    sessions: new DirectSessions({}, (session) => session.become('down', 'gone')),
  });
  const kept = await eventually(async () => {
    const answer = await send(again, 'GET', `${base}/profiles`);
    return answer.status === 200 ? RunList.parse(answer.json()) : undefined;
  });
  expect(kept.runs).toEqual(offline.runs);
  expect((await connectionOf(again, connection)).engine).toMatchObject({ id: engine, sync: { profiles: 5 } });
  const away = await send(again, 'GET', `${base}/query?scope=x`);
  expect([away.status, away.body]).toEqual([503, expect.stringContaining('engine_unavailable')]);
});

interface Listed {
  readonly id: string;
  readonly start_time: number;
}

const described = ({ id, start_time }: Listed, more: object = {}) => ({
  ...{
    id,
    start_time,
    end_time: start_time + 1,
    jobid: id,
    command: 'c',
    size: 1,
    nodelist: '',
    partition: '',
    cluster: '',
  },
  ...{ run_dir: '', scope: `run/${id}`, state: 'finished', nodes: [], ranks: 0, clients: 0, series: 0, headline: null },
  ...more,
});

/** An engine that has these profiles, in pages of two; what it was asked for. */
async function farWith(
  runs: readonly Listed[],
  profile: (id: string) => unknown,
): Promise<{ port: number; asked: string[]; fail: Set<string> }> {
  const asked: string[] = [];
  const fail = new Set<string>();
  const port = await httpServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://x');
    response.setHeader('content-type', 'application/json');
    const say = (body: unknown): void => void response.end(JSON.stringify(body));
    if (url.pathname === '/api/v1/status') {
      return say({ name: 'vigie', version: '1', api: API_VERSION, engine: { id: 'c'.repeat(32), host: 'far' } });
    }
    if (url.pathname === '/api/v1/runs') return say({ runs: [], next: null });
    if (url.pathname === '/api/v1/store/keeps') return say({ keeps: [], next: null });
    asked.push(`${url.pathname.slice('/api/v1'.length)}${url.search.replace(/limit=\d+&?/, '')}`);
    if (url.pathname === '/api/v1/profiles') {
      const from = Number(url.searchParams.get('cursor') ?? 0);
      const next = from + 2 < runs.length ? String(from + 2) : null;
      return say({ runs: runs.slice(from, from + 2).map((run) => described(run)), next });
    }
    const id = url.pathname.split('/').at(-1)!;
    if (fail.has(id)) return void request.socket.destroy();
    say(profile(id));
  });
  return { port, asked, fail };
}

test('a round that is broken off goes on where it was, also after a restart', async () => {
  const runs = Array.from({ length: 6 }, (_, i) => ({ id: `r${6 - i}`, start_time: 1e12 + 6 - i }));
  const far = await farWith(runs, (id) => ({
    run: described(runs.find((run) => run.id === id)!),
    series: [],
    ranks: [],
  }));
  far.fail.add('r3');
  const folder = temporaryFolder();
  const settings = { node: false, data: join(folder, 'data') };
  const near = await startHere(settings, folder, undefined, { sessions: new DirectSessions({}) });
  const { connection } = await reach(near, { host: 'login', auto: true, engine: { kind: 'port', port: far.port } });
  const failed = await until(near, connection, (one) => one.engine?.sync.state === 'failed');
  expect(failed.engine?.sync).toMatchObject({ complete: null, profiles: 3 });
  await near.engine.close();

  far.fail.clear();
  far.asked.length = 0;
  const again = await startHere(settings, folder, undefined, { sessions: new DirectSessions({}) });
  const done = await until(again, connection, (one) => one.engine?.sync.complete !== null);
  expect(done.engine?.sync.profiles).toBe(6);
  // The page that was whole is not asked for again, nor is a profile that is here.
  expect(far.asked).toEqual([
    ...['/profiles?cursor=2', '/profiles/r3', '/profiles?cursor=4', '/profiles/r2', '/profiles/r1'],
  ]);
});

test('what is deleted here for good does not come again: not after a restart, nor by a connection made anew', async () => {
  // All of them are looked at in each round.
  const runs = ['r3', 'r2', 'r1'].map((id, i) => ({ id, start_time: 1e12 - i }));
  const far = await farWith(runs, (id) => ({
    run: described(runs.find((run) => run.id === id)!),
    series: [],
    ranks: [],
  }));
  const folder = temporaryFolder();
  const data = join(folder, 'data');
  const start = (): Promise<Here> =>
    startHere({ node: false, data }, folder, undefined, { sessions: new DirectSessions({}) });
  const login = { host: 'login', auto: true, engine: { kind: 'port', port: far.port } } as const;
  const here = (list: readonly { readonly id: string }[]): string[] => list.map(({ id }) => id).toSorted();
  const lists = ['/profiles?', '/profiles?cursor=2'];

  const first = await start();
  const { connection, engine } = await reach(first, login);
  await until(first, connection, (one) => one.engine?.sync.complete !== null);
  const gone = `/profiles/${storedRunId(engine, 'r2')}`;
  expect((await send(first, 'DELETE', gone)).status).toBe(200);
  await first.engine.close();
  // The time of the trash is over.
  const { store } = openInside(data);
  const steps = store.orders.purge(Date.now() + 2 * TRASH_TIME);
  while (!steps.next().done);
  store.close();

  far.asked.length = 0;
  const second = await start();
  await eventually(() => far.asked.length >= lists.length);
  const done = await until(second, connection, (one) => one.engine?.sync.state === 'idle');
  expect([done.engine?.sync.reason, far.asked]).toEqual([null, lists]);
  expect((await send(second, 'GET', gone)).status).toBe(404);

  // Off the list, and on it after another start.
  await send(second, 'DELETE', `/connections/${connection}`);
  await second.engine.close();
  far.asked.length = 0;
  const third = await start();
  const anew = await reach(third, login);
  await until(third, anew.connection, (one) => one.engine?.sync.state === 'idle' && far.asked.length >= lists.length);
  expect(far.asked).toEqual(lists);
  expect((await send(third, 'GET', gone)).status).toBe(404);
  await send(third, 'POST', `/connections/${anew.connection}/disconnect`);
  expect(here((await profiles(third, `/engines/${engine}/api/v1`)).runs)).toEqual(['r1', 'r3']);
});

test('what it says is checked: other runs, ids that are none, what is too long, a list without end', async () => {
  const runs = [
    { id: 'good', start_time: 5e12 },
    { id: 'other', start_time: 4e12 },
    { id: '../../etc/passwd', start_time: 3e12 },
    { id: 'live', start_time: 2e12 },
    { id: 'long', start_time: 1.5e12 },
    { id: 'nonsense', start_time: 1e12 },
  ];
  const far = await farWith(runs, (id) => {
    const run = runs.find((one) => one.id === id)!;
    if (id === 'nonsense') return { run: 1 };
    const more =
      { live: { state: 'running' }, long: { command: 'x'.repeat(1_000_000) }, other: { id: 'good' } }[id] ?? {};
    return { run: described(run, more), series: [], ranks: [] };
  });
  const near = await startHere({ node: false }, undefined, undefined, { sessions: new DirectSessions({}) });
  await finished(near, 'mine', 1);
  const { connection, engine } = await reach(near, { host: 'login', engine: { kind: 'port', port: far.port } });
  const done = await until(near, connection, (one) => one.engine?.sync.complete !== null);
  expect(done.engine?.sync).toMatchObject({ state: 'idle', profiles: 1, reason: expect.stringContaining('left out') });
  await send(near, 'POST', `/connections/${connection}/disconnect`);
  expect((await profiles(near, `/engines/${engine}/api/v1`)).runs.map(({ id }) => id)).toEqual(['good']);
  expect((await profiles(near)).runs.map(({ jobid }) => jobid)).toEqual(['mine']);
});
