/** Rules and what they come to, in a real engine: changed over HTTP, told of in lists and in the history. */

import { describe, expect, test } from 'vitest';
import { type AlarmList, AlarmPack, AlarmPacks, Rule } from '../../../src/shared/api/alarms.ts';
import { AuditList } from '../../../src/shared/api/audit.ts';
import { eventually } from '../../support/wait.ts';
import { ask, startHere, withToken } from '../http/here.ts';
import { addRule, alarmIn, alarmList, good, history, job, RULE, rules, send } from './support.ts';

describe('the list of rules', () => {
  test('added, read, changed and deleted', async () => {
    const here = await startHere({ node: false });
    const rule = await addRule(here, { for: '90s', measure: { kind: 'avg', window: '5m' }, labels: { team: 'hpc' } });
    expect(rule).toMatchObject({
      ...{ name: 'too much', metric: 'm', op: '>', raise: 10, clear: null, for: '90s', keep_firing_for: '0ms' },
      ...{ measure: { kind: 'avg', window: '5m' }, labels: { team: 'hpc' }, origin: 'hand', state: 'inactive' },
      ...{ series: 0, problem: null, enabled: true, severity: 'warning' },
    });
    expect(rule.sentence).toContain('over 5m');
    expect(await rules(here)).toEqual([rule]);
    expect(good(await send(here, 'GET', `/alarms/rules/${rule.id}`), 200, Rule)).toEqual(rule);
    const patched = good(await send(here, 'PATCH', `/alarms/rules/${rule.id}`, { raise: 20, clear: 15 }), 200, Rule);
    expect(patched).toMatchObject({ raise: 20, clear: 15, for: '90s', labels: { team: 'hpc' }, created: rule.created });
    expect((await send(here, 'DELETE', `/alarms/rules/${rule.id}`)).status).toBe(204);
    expect(await rules(here)).toEqual([]);
    for (const [method, body] of [
      ['GET', undefined],
      ['PATCH', { raise: 1 }],
      ['DELETE', undefined],
    ] as const) {
      const answer = await send(here, method, `/alarms/rules/${rule.id}`, body);
      expect([answer.status, answer.json()]).toEqual([404, expect.objectContaining({ code: 'rule_not_found' })]);
    }
  });

  test('names are unique, also among those that change', async () => {
    const here = await startHere({ node: false });
    await addRule(here);
    const other = await addRule(here, { name: 'another' });
    const twice = await send(here, 'POST', '/alarms/rules', RULE);
    expect([twice.status, twice.json()]).toEqual([409, expect.objectContaining({ code: 'rule_exists' })]);
    const renamed = await send(here, 'PATCH', `/alarms/rules/${other.id}`, { name: 'too much' });
    expect(renamed.status).toBe(409);
    expect((await send(here, 'PATCH', `/alarms/rules/${other.id}`, { name: 'another', raise: 3 })).status).toBe(200);
  });

  test.each([
    [{ metric: '' }],
    [{ metric: 'm{a=~"(("}' }],
    [{ metric: 'm{' }],
    [{ raise: 10, clear: 11 }],
    [{ op: '=', clear: 3 }],
    [{ op: '=>' }],
    [{ for: '10' }],
    [{ for: '8d' }],
    [{ measure: { kind: 'avg', window: '7h' } }],
    [{ measure: { kind: 'ratio', to: 'm' } }],
    [{ name: 'a\nb' }],
    [{ name: ' ' }],
    [{ link: 'javascript:alert(1)' }],
    [{ labels: { 'a-b': 'c' } }],
    [{ labels: { severity: 'none' } }],
    [{ metric: `m{${'a="b",'.repeat(65)}}` }],
    [{ scope: { kind: 'rank' } }],
    [{ unknown: 1 }],
    [{ raise: 'NaN' }],
  ])('%j is refused in words', async (wrong) => {
    const here = await startHere({ node: false });
    const answer = await send(here, 'POST', '/alarms/rules', { ...RULE, ...wrong });
    expect([answer.status, answer.json()]).toEqual([400, expect.objectContaining({ code: 'bad_request' })]);
    expect(await rules(here)).toEqual([]);
  });

  test('who may only look changes nothing; changes stand in the audit log', async () => {
    const here = await startHere({ node: false });
    const { token } = (await send(here, 'POST', '/tokens', { name: 'watcher', role: 'view' })).json() as {
      token: string;
    };
    const asViewer = async (method: string, path: string, body?: unknown): Promise<number> => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      return (await ask(here, `/api/v1${path}`, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) }))
        .status;
    };
    const rule = await addRule(here);
    expect(await asViewer('GET', '/alarms')).toBe(200);
    expect(await asViewer('GET', '/alarms/rules')).toBe(200);
    expect(await asViewer('POST', '/silences/preview', { matchers: [] })).toBe(200);
    expect(await asViewer('POST', '/alarms/rules', RULE)).toBe(403);
    expect(await asViewer('DELETE', `/alarms/rules/${rule.id}`)).toBe(403);
    expect(await asViewer('POST', '/alarms/acknowledge', { alarms: ['x'] })).toBe(403);
    expect(await asViewer('POST', '/silences', { matchers: [], from: 0, to: 1 })).toBe(403);
    const { entries } = AuditList.parse((await send(here, 'GET', '/audit')).json());
    const told = entries.map(({ what, summary, outcome }) => [what, summary, outcome]);
    expect(told).toContainEqual(['POST /api/v1/alarms/rules', 'name=too much metric=m severity=warning', 'done']);
    expect(told).toContainEqual(['DELETE /api/v1/alarms/rules/:id', `id=${rule.id}`, 'refused']);
  });

  test('what comes with Vigie is switched on and off', async () => {
    const here = await startHere({ node: false });
    const { packs } = good(await send(here, 'GET', '/alarms/packs'), 200, AlarmPacks);
    expect(packs.map(({ id }) => id).sort()).toEqual(['jobs', 'nodes']);
    expect(packs.flatMap((pack) => pack.rules).every(({ on, sentence }) => !on && sentence !== '')).toBe(true);
    const on = await send(here, 'POST', '/alarms/packs/nodes', { rules: ['full-disk', 'swap'], on: true });
    const pack = good(on, 200, AlarmPack);
    expect(pack.rules.filter((rule) => rule.on).map(({ id }) => id)).toEqual(['full-disk', 'swap']);
    expect((await rules(here)).map(({ name, origin }) => [name, origin])).toEqual([
      ['Disk is full', 'pack'],
      ['Node swaps', 'pack'],
    ]);
    // Again, beside one that is new.
    await send(here, 'POST', '/alarms/packs/nodes', { rules: ['full-disk', 'memory'], on: true });
    expect(await rules(here)).toHaveLength(3);
    await send(here, 'POST', '/alarms/packs/nodes', { rules: ['full-disk', 'memory', 'swap'], on: false });
    expect(await rules(here)).toEqual([]);
    expect((await send(here, 'POST', '/alarms/packs/none', { rules: ['x'], on: true })).json()).toMatchObject({
      code: 'pack_not_found',
    });
    expect((await send(here, 'POST', '/alarms/packs/nodes', { rules: ['x'], on: true })).json()).toMatchObject({
      code: 'rule_not_found',
    });
  });
});

describe('what a rule comes to', () => {
  test('fires, is acknowledged, resolves; the history says with which values', async () => {
    const here = await startHere({ node: false });
    const rule = await addRule(here, { description: '{{metric}} of {{place}} is {{value}}, more than {{threshold}}' });
    expect(rule).toMatchObject({ state: 'inactive', series: 0 });
    const pusher = await job(here, 'job-1', 'm{a="b"}');
    pusher.set('m{a="b"}', 5);
    await eventually(async () => (await rules(here))[0]?.series === 1);
    expect((await rules(here))[0]!.counts).toMatchObject({ inactive: 1, firing: 0 });
    expect((await alarmList(here)).alarms).toEqual([]);
    pusher.set('m{a="b"}', 12.5);
    const alarm = await alarmIn(here, 'firing');
    const { scope } = (await here.client.runs({ state: 'live' })).runs[0]!;
    expect(alarm).toMatchObject({
      ...{ rule: rule.id, name: 'too much', severity: 'warning', scope, place: 'job-1 ./solver', metric: 'm{a="b"}' },
      ...{ value: 12.5, threshold: 10, silenced: [], acknowledged: null, from: null },
      description: 'm{a="b"} of job-1 ./solver is 12.5, more than 10',
    });
    expect(alarm.labels).toMatchObject({ a: 'b', alarmname: 'too much', severity: 'warning', scope });
    expect((await rules(here))[0]).toMatchObject({ state: 'firing', counts: { inactive: 0, firing: 1 } });

    const said = await send(here, 'POST', '/alarms/acknowledge', { alarms: [alarm.id, 'none'], comment: 'on it' });
    expect([said.status, said.json()]).toEqual([200, { changed: 1 }]);
    expect((await alarmList(here)).alarms[0]!.acknowledged).toMatchObject({ by: 'owner', comment: 'on it' });
    expect((await alarmList(here)).counts).toMatchObject({ firing: 1, acknowledged: 1 });
    pusher.set('m{a="b"}', 3);
    const over = await alarmIn(here, 'resolved');
    expect(over).toMatchObject({ id: alarm.id, acknowledged: null, value: 3 });
    pusher.set('m{a="b"}', 30);
    expect((await alarmIn(here, 'firing')).acknowledged).toBeNull();

    const { events, next } = await history(here);
    expect(next).toBeNull();
    expect(events.map(({ kind, was, state, value, note }) => [kind, was, state, value, note])).toEqual([
      ['state', 'resolved', 'firing', 30, ''],
      ['state', 'firing', 'resolved', 3, ''],
      ['acknowledged', null, null, 12.5, 'owner: on it'],
      ['state', 'inactive', 'firing', 12.5, ''],
    ]);
    expect(events.map(({ number }) => number)).toEqual([4, 3, 2, 1]);
    const first = await history(here, '?limit=2');
    expect(first.events).toEqual(events.slice(0, 2));
    expect((await history(here, `?limit=2&cursor=${first.next}`)).events).toEqual(events.slice(2));
    expect((await history(here, `?metric=${encodeURIComponent('m{a="b"}')}&scope=${scope}`)).events).toHaveLength(4);
    expect((await history(here, '?metric=other')).events).toEqual([]);
    expect((await history(here, '?search=ON%20IT')).events).toHaveLength(1);
    expect((await history(here, `?to=${events[3]!.time}`)).events).toEqual([events[3]]);
    expect((await send(here, 'GET', '/alarms/history?cursor=x')).status).toBe(400);
  });

  test('a run that ends resolves what fired there', async () => {
    const here = await startHere({ node: false });
    await addRule(here, { no_data: 'fire' });
    const pusher = await job(here, 'job-1');
    pusher.set('m', 11);
    await alarmIn(here, 'firing');
    await pusher.close();
    const alarm = await alarmIn(here, 'resolved');
    expect(alarm.place).toBe('job-1 ./solver');
    expect((await history(here)).events.map(({ state }) => state)).toEqual(['resolved', 'firing']);
  });

  test('a rule that is changed, switched off or deleted while it fires resolves once, and says why', async () => {
    const here = await startHere({ node: false });
    const rule = await addRule(here);
    const pusher = await job(here, 'job-1');
    pusher.set('m', 11);
    await alarmIn(here, 'firing');
    // What it is told with only: it goes on.
    await send(here, 'PATCH', `/alarms/rules/${rule.id}`, { severity: 'critical', labels: { team: 'x' } });
    const same = await alarmIn(here, 'firing');
    expect(same).toMatchObject({ severity: 'critical', labels: { team: 'x', severity: 'critical' } });
    expect((await history(here)).events).toHaveLength(1);
    // Its condition: begun anew.
    await send(here, 'PATCH', `/alarms/rules/${rule.id}`, { raise: 100 });
    await eventually(async () => (await alarmList(here)).alarms.length === 0);
    await send(here, 'PATCH', `/alarms/rules/${rule.id}`, { raise: 10 });
    await alarmIn(here, 'firing');
    await send(here, 'PATCH', `/alarms/rules/${rule.id}`, { enabled: false });
    await eventually(async () => (await alarmList(here)).alarms.length === 0);
    await send(here, 'PATCH', `/alarms/rules/${rule.id}`, { enabled: true });
    await alarmIn(here, 'firing');
    await send(here, 'DELETE', `/alarms/rules/${rule.id}`);
    await eventually(async () => (await alarmList(here)).alarms.length === 0);
    const { events } = await history(here);
    expect(events.map(({ kind, was, state }) => `${kind} ${was} ${state}`).toReversed()).toEqual([
      'state inactive firing',
      'rule_changed firing resolved',
      'state inactive firing',
      'rule_changed firing resolved',
      'state inactive firing',
      'rule_deleted firing resolved',
    ]);
  });

  test('a metric that does not exist yet, the sum of all jobs, and a node', async () => {
    const here = await startHere({ node: false });
    await addRule(here, { name: 'sum', scope: { kind: 'merge', name: 'main' }, metric: 'calls', raise: 25 });
    await addRule(here, { name: 'node', scope: { kind: 'node' }, metric: 'vigie_runs_live', raise: 1 });
    const first = await here.pusher();
    first.job({ jobid: 'a' });
    first.describeCounter('calls');
    first.increase('calls', 20);
    const second = await here.pusher();
    second.job({ jobid: 'b' });
    second.describeCounter('calls');
    await eventually(async () => (await alarmList(here)).alarms.some(({ name }) => name === 'node'));
    expect((await alarmList(here)).alarms.map(({ name }) => name)).toEqual(['node']);
    second.increase('calls', 6);
    const { alarms } = await eventually(async () => {
      const list = await alarmList(here);
      return list.alarms.length === 2 ? list : undefined;
    });
    expect(alarms.find(({ name }) => name === 'sum')).toMatchObject({ scope: 'merge/main', place: 'main', value: 26 });
  });

  test('an alarm list goes page by page, worst first, and by what is asked for', async () => {
    const here = await startHere({ node: false });
    await addRule(here, { name: 'calm', severity: 'info', raise: 1 });
    await addRule(here, { name: 'bad', severity: 'critical', raise: 100 });
    await addRule(here, { name: 'later', for: '1h', raise: 1 });
    const names = Array.from({ length: 7 }, (_, i) => `m{i="${i}"}`);
    const pusher = await job(here, 'job-1', ...names);
    for (const [i, name] of names.entries()) pusher.set(name, i < 2 ? 200 : 50);
    await eventually(async () => (await alarmList(here)).alarms.length === 16);
    const all = (await alarmList(here)).alarms;
    expect(all.map(({ state, severity }) => `${state} ${severity}`)).toEqual([
      ...Array.from({ length: 2 }, () => 'firing critical'),
      ...Array.from({ length: 7 }, () => 'firing info'),
      ...Array.from({ length: 7 }, () => 'pending warning'),
    ]);
    const paged = [];
    let query = '?limit=3';
    for (;;) {
      const page: AlarmList = await alarmList(here, query);
      expect(page.counts).toMatchObject({ firing: 9, pending: 7, inactive: 5 });
      paged.push(...page.alarms);
      if (page.next === null) break;
      query = `?limit=3&cursor=${page.next}`;
    }
    expect(paged).toEqual(all);
    expect((await alarmList(here, '?severity=critical')).alarms).toHaveLength(2);
    expect((await alarmList(here, '?state=pending&search=I%3D%223')).alarms).toHaveLength(1);
    expect((await alarmList(here, '?search=LATER')).alarms).toHaveLength(7);
    expect((await alarmList(here, `?rule=${all[0]!.rule}`)).alarms).toHaveLength(2);
    expect((await alarmList(here, '?scope=run/none')).alarms).toHaveLength(0);
    expect((await ask(here, '/api/v1/alarms?cursor=e30', { headers: withToken(here) })).status).toBe(400);
  });
});
