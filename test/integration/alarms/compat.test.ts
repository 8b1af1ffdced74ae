/** /alarms of the old proxies, against what the Rust proxy answered. */

import { hostname } from 'node:os';
import { describe, expect, test } from 'vitest';
import { golden } from '../../support/recording.ts';
import { eventually } from '../../support/wait.ts';
import { ask, startHere, withToken, type Answer, type Here } from '../http/here.ts';
import { addRule, alarmList, rules, send } from './support.ts';

const post = (here: Pick<Here, 'url'>, path: string, body: unknown, headers = {}): Promise<Answer> =>
  ask(here, path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

interface CompatAlarm {
  readonly name: string;
  readonly metric: string;
  readonly operator: unknown;
  readonly current: number;
  readonly active: boolean;
  readonly pretty: string;
}
type Lists = Record<string, CompatAlarm[]>;

/** Times of counters, and this host's name, are those of the moment. */
const masked = (lists: unknown): Lists =>
  Object.fromEntries(
    Object.entries(lists as Lists).map(([job, alarms]) => [
      job.replace(/^Node: .*/, 'Node: HOST'),
      alarms.map((alarm) => ({ ...alarm, pretty: alarm.pretty.replace(/= \d{12,} /, '= TS ') })),
    ]),
  );

const A1 = { name: 'a1', target: 'main', metric: 'gold_http_counter', operation: '>', value: 3.0 };
const A2 = { name: 'a2', target: 'live-1', metric: 'mpi___hits___mpi_allreduce', operation: '<', value: 10.0 };

describe('/alarms of the old proxies', () => {
  test('as recorded', async () => {
    const here = await startHere({ compat: true, node: false });
    await post(here, '/push', { key: 'gold_http_counter' });
    await post(here, '/set', { key: 'gold_http_counter', value: 7.5 });
    const pusher = await here.pusher();
    pusher.job({ jobid: 'live-1' });
    pusher.describeCounter(A2.metric, `doc of ${A2.metric}`);
    pusher.increase(A2.metric, 400);
    await eventually(async () => {
      const { body } = await ask(here, '/job/?job=live-1');
      // The time of a change is that of the tick after it.
      return body.includes('"value":400') && !body.includes('"ts":0,');
    });
    const steps: [() => Promise<Answer>, number, string][] = [
      [() => post(here, '/alarms/add', A1), 200, 'alarms_add.json'],
      [() => post(here, '/alarms/add', A2), 200, 'alarms_add2.json'],
      [() => post(here, '/alarms/add', A1), 400, 'alarms_add_dup.json'],
      [() => post(here, '/alarms/add', { ...A1, name: 'a3', operation: '>=' }), 400, 'alarms_add_badop.json'],
      [() => ask(here, '/alarms'), 200, 'alarms.json'],
      [() => ask(here, '/alarms/list'), 200, 'alarms_list.json'],
      [() => ask(here, '/alarms/del?targetjob=live-1&name=a2'), 200, 'alarms_del.json'],
      [() => ask(here, '/alarms/del?targetjob=live-1&name=a2'), 400, 'alarms_del_unknown.json'],
    ];
    for (const [step, status, file] of steps) {
      const answer = await step();
      const lists = file === 'alarms.json' || file === 'alarms_list.json';
      const [told, recorded] = [answer.json(), golden(file)];
      expect([file, answer.status, answer.type]).toEqual([file, status, 'application/json; charset=utf-8']);
      expect(lists ? masked(told) : told).toEqual(lists ? masked(recorded) : recorded);
    }
  });

  test('one that was added is a rule as all others, and fires as such', async () => {
    const here = await startHere({ compat: true, node: false });
    expect((await post(here, '/alarms/add', { ...A1, value: '3' })).status).toBe(200);
    expect(await rules(here)).toMatchObject([
      { name: 'a1', origin: 'compat', scope: { kind: 'merge', name: 'main' }, op: '>', raise: 3, series: 0 },
    ]);
    // There is no such metric yet.
    expect((await ask(here, '/alarms/list')).json()).toMatchObject({
      main: [{ name: 'a1', current: 0, active: false, operator: { More: 3 } }],
    });
    expect((await ask(here, '/alarms')).json()).toEqual({ main: [], [`Node: ${hostname()}`]: [] });
    await post(here, '/push', { key: 'gold_http_counter' });
    await post(here, '/set', { key: 'gold_http_counter', value: 4 });
    await eventually(async () => (await alarmList(here)).alarms.length === 1);
    expect((await alarmList(here)).alarms).toMatchObject([{ name: 'a1', state: 'firing', value: 4, place: 'main' }]);
  });

  test('a gauge is told with its parts', async () => {
    const here = await startHere({ compat: true, node: false });
    for (const value of [10, 30]) {
      const pusher = await here.pusher();
      pusher.job({ jobid: 'j' });
      pusher.describeGauge('g{a="b"}', 'a gauge');
      pusher.set('g{a="b"}', value);
    }
    await post(here, '/alarms/add', { name: 'g', target: 'j', metric: 'g{a="b"}', operation: '=', value: 20 });
    await eventually(async () => ((await ask(here, '/alarms')).json() as Lists)['j']?.length === 1);
    expect(((await ask(here, '/alarms')).json() as Lists)['j']).toEqual([
      {
        ...{ name: 'g', metric: 'g{a="b"}', operator: { Equal: 20 }, current: 20, active: true },
        pretty: 'g : g{a="b"} (a gauge) = 20 (Min: 10, Max : 30, Hits: 2, Total : 40) GAUGE = 20',
      },
    ]);
  });

  test('each job has names of its own; rules have one each', async () => {
    const here = await startHere({ compat: true, node: false });
    await addRule(here, { name: 'a1' });
    for (const target of ['main', `Node: ${hostname()}`, 'job', '__proto__']) {
      expect((await post(here, '/alarms/add', { ...A1, target })).json()).toEqual(golden('alarms_add.json'));
    }
    expect(new Set((await rules(here)).map(({ name }) => name)).size).toBe(5);
    const lists = new Map(Object.entries((await ask(here, '/alarms/list')).json() as Lists));
    expect([...lists.keys()].sort()).toEqual([`Node: ${hostname()}`, '__proto__', 'job', 'main']);
    for (const list of lists.values()) expect(list.map(({ name }) => name)).toEqual(['a1']);
    // What was not made here cannot be deleted here.
    await post(here, '/alarms/del', { target: 'main', name: 'a1' });
    expect((await post(here, '/alarms/del', { target: 'main', name: 'a1' })).status).toBe(400);
    expect(await rules(here)).toHaveLength(4);
  });

  test('rules of the console that these words can say are listed, too', async () => {
    const here = await startHere({ compat: true, node: false });
    await addRule(here, { name: 'sum', scope: { kind: 'merge', name: 'main' }, metric: 'vigie_runs_live', op: '<' });
    await addRule(here, { name: 'one job', scope: { kind: 'run', jobid: 'j' }, metric: 'm', op: '=' });
    await addRule(here, { name: 'many jobs', scope: { kind: 'run', jobid: 'j*' }, metric: 'm' });
    await addRule(here, { name: 'rate', scope: { kind: 'merge', name: 'main' }, measure: { kind: 'rate' } });
    await addRule(here, { name: 'other', scope: { kind: 'merge', name: 'main' }, op: '!=' });
    await addRule(here, { name: 'off', scope: { kind: 'merge', name: 'main' }, enabled: false });
    const lists = (await ask(here, '/alarms/list')).json() as Lists;
    const names = Object.entries(lists).map(([job, alarms]) => [job, alarms.map(({ name }) => name)]);
    expect(Object.fromEntries(names)).toEqual({ main: ['sum'], [`Node: ${hostname()}`]: [], j: ['one job'] });
    expect(lists['main']).toMatchObject([{ current: 0, active: true, operator: { Less: 10 } }]);
  });

  test.each([
    {},
    { ...A1, name: '' },
    { ...A1, name: undefined },
    { ...A1, name: 'x\u0000y' },
    { ...A1, name: 'x'.repeat(300) },
    { ...A1, target: '' },
    { ...A1, target: 'job*' },
    { ...A1, metric: '' },
    { ...A1, metric: 7 },
    { ...A1, value: 'much' },
    { ...A1, value: null },
    { ...A1, operation: '' },
    [],
    'null',
    '{',
  ])('hostile parameters %# are refused in the old shape', async (body) => {
    const here = await startHere({ compat: true, node: false });
    const answer = await post(here, '/alarms/add', body);
    expect([answer.status, answer.json()]).toEqual([400, { operation: expect.any(String) as string, success: false }]);
    expect(await rules(here)).toEqual([]);
  });

  test.each(['{}{}', 'm{a=~"x"}', 'm"', 'a b', '{__name__="x"}', 'm{', 'x'.repeat(1024), '\\', '*'])(
    'the metric %s is a name, not a pattern',
    async (metric) => {
      const here = await startHere({ compat: true, node: false });
      const answer = await post(here, '/alarms/add', { ...A1, metric });
      expect([answer.status, answer.json()]).toEqual([200, golden('alarms_add.json')]);
      await post(here, '/push', { key: metric });
      await post(here, '/set', { key: metric, value: 9 });
      await post(here, '/push', { key: 'other' });
      await post(here, '/set', { key: 'other', value: 9 });
      await eventually(async () => (await alarmList(here)).alarms.length > 0);
      expect((await alarmList(here)).alarms).toHaveLength(1);
      expect((await ask(here, '/alarms')).json()).toMatchObject({ main: [{ name: 'a1', current: 9 }] });
    },
  );

  test('without --compat a GET deletes nothing, and all of it needs the token', async () => {
    const here = await startHere({ node: false });
    expect((await post(here, '/alarms/add', A1)).status).toBe(401);
    expect((await post(here, '/alarms/add', A1, withToken(here))).status).toBe(200);
    expect((await ask(here, '/alarms')).status).toBe(401);
    const del = '/alarms/del?targetjob=main&name=a1';
    expect((await ask(here, del, { headers: withToken(here) })).status).toBe(405);
    expect((await ask(here, '/alarms/del?targetjob=main', { headers: withToken(here) })).status).toBe(405);
    expect((await post(here, '/alarms/del', { target: 'main', name: 'a1' }, withToken(here))).json()).toEqual({
      ...{ operation: 'Deleted a1 from main', success: true },
    });
    const { token } = (await send(here, 'POST', '/tokens', { name: 'watcher', role: 'view' })).json() as {
      token: string;
    };
    expect((await post(here, '/alarms/add', A1, { authorization: `Bearer ${token}` })).status).toBe(403);
  });
});
