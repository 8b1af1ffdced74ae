/** Jobs of another engine, when they are over; those of old proxies are in compat-join.test.ts. */

import { expect, test } from 'vitest';
import { openStore } from '../../../src/engine/store/index.ts';
import { run as runOf, T0, Teller, tick } from '../../unit/engine/store/support.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { readLive } from '../http/reader.ts';
import { ask, startHere } from '../http/here.ts';
import { addTarget, metric, until } from './support.ts';

test('a job of another engine leaves a profile here, and readers of the jobs are told', async () => {
  const remote = await startHere({ node: false });
  const here = await startHere({ node: false, compat: true });
  const reader = await readLive(here);
  reader.send({ type: 'watch', topic: 'runs' });
  await reader.next('runs');
  const auth = { kind: 'bearer', token: remote.engine.token } as const;
  const { id } = await addTarget(here, { url: remote.url, auth, period: '250ms', timeout: '5s' });
  await until(here, id, ({ state }) => state === 'up');
  const pusher = await remote.pusher();
  pusher.job({ jobid: 'far', command: './far', size: 2 });
  pusher.describeCounter('c_total');
  pusher.increase('c_total', 30);
  await eventually(async () => (await metric(here, 'c_total', 'far')) === 30);
  // As an engine has it, it is live in the target only.
  expect((await here.client.runs()).runs).toEqual([]);
  const { runs } = await remote.client.runs({ state: 'live' });
  pusher.destroy();
  const { runs: told } = await reader.next('runs', ({ runs: all }) => all.length > 0);
  expect(told).toEqual([
    expect.objectContaining({ jobid: 'far', command: './far', state: 'finished', rate: null, ranks: 1 }),
  ]);
  const [run] = (await here.client.runs({ state: 'ended' })).runs;
  expect(run).toMatchObject({ id: told[0]!.id, nodes: runs[0]!.nodes, start_time: runs[0]!.start_time });
  expect(run!.scope).toBe(`target/${id}/run/${runs[0]!.id}`);
  const { series } = await eventually(() => here.client.profile(run!.id));
  expect(series.map(({ name, value }) => [name, value])).toEqual([['c_total', 30]]);
  const { desc, counters } = (await ask(here, '/profiles/get?jobid=far')).json() as {
    desc: unknown;
    counters: { name: string; ctype: unknown }[];
  };
  expect(desc).toMatchObject({ jobid: 'far', command: './far', size: 2 });
  expect(counters.find(({ name }) => name === 'c_total')?.ctype).toMatchObject({ Counter: { value: 30 } });
  expect(await metric(here, 'c_total')).toBe(30);
});

test('the other engine goes away with its job: it is there until nobody can tell any more', async () => {
  const remote = await startHere({ node: false });
  const here = await startHere({ node: false });
  const auth = { kind: 'bearer', token: remote.engine.token } as const;
  const { id } = await addTarget(here, { url: remote.url, auth, period: '250ms', timeout: '5s' });
  await until(here, id, ({ state }) => state === 'up');
  const pusher = await remote.pusher();
  pusher.job({ jobid: 'far' });
  pusher.describeCounter('c_total');
  pusher.increase('c_total', 4);
  await eventually(async () => (await metric(here, 'c_total', 'far')) === 4);
  await remote.engine.close();
  await until(here, id, ({ state }) => state === 'down');
  expect((await here.client.runs({ state: 'ended' })).runs).toEqual([]);
  const { client } = here;
  // Its place is taken from the list: nobody will tell.
  await ask(here, `/api/v1/targets/${id}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${here.engine.token}` },
  });
  const [run] = await eventually(async () => {
    const { runs } = await client.runs({ state: 'ended' });
    return runs.length > 0 ? runs : undefined;
  });
  expect(run).toMatchObject({ jobid: 'far', state: 'interrupted' });
  expect((await client.profile(run!.id)).series.map(({ name, value }) => [name, value])).toEqual([['c_total', 4]]);
});

test('one that was open when the engine was killed has a profile of its last stored values, and can go on', async () => {
  const data = temporaryFolder();
  const scope = 'target/t/run/far@1000';
  const { store } = await openStore({ data });
  store.putRun(runOf('tfar', { scope, state: 'running', jobid: 'far', end_time: 0 }));
  const teller = new Teller(scope);
  store.append(tick(T0 + 1000, teller.at(T0 + 1000, { c_total: 3 })));
  store.append(tick(T0 + 2000, teller.at(T0 + 2000, { c_total: 8 })));
  await store.flush();
  // As a kill would leave it: nobody said that the run is over.
  await store.close();
  const again = await openStore({ data });
  try {
    expect(again.interrupted).toMatchObject([
      { run: { id: 'tfar', scope, state: 'interrupted', end_time: T0 + 2000 } },
    ]);
    expect([...again.interrupted[0]!.snapshot!.columns.counters.slice(0, 1)]).toEqual([8]);
    const profile = await again.store.latestProfile('far');
    expect(profile?.series.map(({ name, value }) => [name, value])).toEqual([['c_total', 8]]);
  } finally {
    await again.store.close();
  }
});
