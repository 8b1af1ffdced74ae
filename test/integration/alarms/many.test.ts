/** Ten thousand alarms at the same moment, dead targets, and text of strangers. */

import { describe, expect, test } from 'vitest';
import { AlarmHistory, RuleImportResult, type Alarm } from '../../../src/shared/api/alarms.ts';
import type { LiveAlarms } from '../../../src/shared/api/live.ts';
import { eventually } from '../../support/wait.ts';
import { startHere } from '../http/here.ts';
import { readLive } from '../http/reader.ts';
import { addTarget } from '../targets/support.ts';
import { addRule, alarmList, good, history, job, rules, send } from './support.ts';

const MANY = 10_000;

describe('ten thousand alarms at once', () => {
  test('are all listed, told live in pieces, acknowledged together, kept, and resolved', async () => {
    const here = await startHere({ node: false });
    await addRule(here);
    const names = Array.from({ length: MANY }, (_, i) => `m{i="${i}"}`);
    const pusher = await job(here, 'job-1', ...names);
    for (const name of names) pusher.set(name, 1);
    await eventually(async () => (await rules(here))[0]!.series === MANY, { timeout: 60_000 });
    const reader = await readLive(here);
    reader.send({ type: 'watch', topic: 'alarms' });
    await eventually(() => reader.of('alarms').length > 0);
    for (const name of names) pusher.set(name, 11);
    await eventually(async () => (await alarmList(here, '?limit=1')).counts.firing === MANY, { timeout: 60_000 });
    await eventually(() => told(reader.of('alarms')) === MANY, { timeout: 60_000 });
    const numbers = reader.of('alarms').flatMap(({ events }) => events.map(({ number }) => number));
    expect(numbers).toEqual(Array.from({ length: MANY }, (_, i) => i + 1));
    expect(Math.max(...reader.of('alarms').map(({ alarms }) => alarms.length))).toBeLessThanOrEqual(1000);

    // Who comes now has them all, too.
    const late = await readLive(here);
    late.send({ type: 'watch', topic: 'alarms', since: 0 });
    await eventually(() => told(late.of('alarms')) === MANY, { timeout: 60_000 });
    expect(late.of('alarms')[0]).toMatchObject({ all: true });

    const alarms: Alarm[] = [];
    for (let cursor = ''; ;) {
      const page = await alarmList(here, `?limit=5000${cursor}`);
      alarms.push(...page.alarms);
      if (page.next === null) break;
      cursor = `&cursor=${page.next}`;
    }
    const ids = alarms.map(({ id }) => id);
    expect(new Set(ids).size).toBe(MANY);
    const said = await send(here, 'POST', '/alarms/acknowledge', { alarms: ids });
    expect(said.json()).toEqual({ changed: MANY });
    for (const name of names) pusher.set(name, 1);
    await eventually(async () => (await alarmList(here, '?limit=1')).counts.resolved === MANY, { timeout: 60_000 });
    await eventually(
      async () => {
        const { events } = good(await send(here, 'GET', '/alarms/history?limit=1'), 200, AlarmHistory);
        return events[0]!.number === 3 * MANY;
      },
      { timeout: 60_000 },
    );
    expect((await alarmList(here, '?limit=1')).counts).toMatchObject({ firing: 0, acknowledged: 0 });
  }, 240_000);
});

/** Alarms that a reader knows to fire. */
function told(messages: readonly LiveAlarms[]): number {
  const firing = new Set<string>();
  for (const { alarms } of messages) for (const { id, state } of alarms) if (state === 'firing') firing.add(id);
  return firing.size;
}

test('a target that does not answer is named by the rule of the pack, and is well again when it is removed', async () => {
  const here = await startHere({ node: false });
  await send(here, 'POST', '/alarms/packs/nodes', { rules: ['dead-target'], on: true });
  const [rule] = await rules(here);
  await send(here, 'PATCH', `/alarms/rules/${rule!.id}`, { for: '200ms', no_data_after: '1s' });
  const dead = await addTarget(here, { url: 'http://127.0.0.1:1/metrics', period: '250ms' });
  const { alarms } = await eventually(async () => {
    const list = await alarmList(here);
    return list.alarms[0]?.state === 'firing' ? list : undefined;
  });
  expect(alarms).toMatchObject([
    {
      metric: 'vigie_target_up{target="http://127.0.0.1:1/metrics"}',
      description: 'http://127.0.0.1:1/metrics has not answered for a minute or more. Its page says why.',
    },
  ]);
  await send(here, 'DELETE', `/targets/${dead.id}`);
  await eventually(async () => (await alarmList(here)).alarms[0]?.state === 'resolved');
});

describe('text of strangers', () => {
  const HOSTILE = 'x{a="{{labels.alarmname}}",b="<img src=x onerror=alert(1)>",c="\\"\\n{{value}}"}';

  test('in names, labels and commands stays text', async () => {
    const here = await startHere({ node: false });
    await addRule(here, {
      metric: 'x',
      description: '{{metric}} {{labels.a}} {{place}} {{labels.none}} {{constructor}} {{labels.__proto__}}',
      labels: { __proto__: 'x', constructor: 'y' } as unknown as Record<string, string>,
    });
    const pusher = await here.pusher();
    pusher.job({ jobid: 'j-{{value}}', command: './a "\u202e\u0007{{value}}' });
    pusher.describeGauge(HOSTILE);
    pusher.set(HOSTILE, 11);
    const { alarms } = await eventually(async () => {
      const list = await alarmList(here);
      return list.alarms.length === 1 ? list : undefined;
    });
    const [alarm] = alarms;
    expect(alarm!.metric).toBe(HOSTILE);
    expect(alarm!.labels).toMatchObject({ a: '{{labels.alarmname}}', alarmname: 'too much', constructor: 'y' });
    expect(alarm!.description).toContain('{{labels.alarmname}} j-{{value}} ./a "');
    // oxlint-disable-next-line no-control-regex -- exactly these
    expect(alarm!.description).not.toMatch(/[\u0000-\u001f\u202e]/);
    const { events } = await history(here, `?metric=${encodeURIComponent(HOSTILE)}`);
    expect(events).toHaveLength(1);
  });

  test('a series does not pass itself off as another alarm', async () => {
    const here = await startHere({ node: false });
    await addRule(here, { severity: 'critical' });
    const name = 'm{alarmname="other",engine="e",scope="s",severity="info"}';
    const pusher = await job(here, 'job-1', name);
    pusher.set(name, 11);
    const { alarms } = await eventually(async () => {
      const list = await alarmList(here);
      return list.alarms.length === 1 ? list : undefined;
    });
    expect(alarms[0]!.labels).toMatchObject({ alarmname: 'too much', severity: 'critical', scope: alarms[0]!.scope });
    expect(alarms[0]!.labels['engine']).not.toBe('e');
  });

  test('YAML is taken or refused rule by rule', async () => {
    const here = await startHere({ node: false });
    await addRule(here, { name: 'one' });
    const exported = await send(here, 'GET', '/alarms/rules/export');
    expect(exported.headers['content-type']).toBe('application/yaml; charset=utf-8');
    const yaml = `${exported.body}
  - name: two
    scope: { kind: node }
    metric: proxy_load1
    raise: 8
  - name: bad
    scope: { kind: node }
    metric: 'm{'
  - 7
`;
    const take = async (more: object): Promise<string[]> => {
      const answer = good(await send(here, 'POST', '/alarms/rules/import', { yaml, ...more }), 200, RuleImportResult);
      return answer.items.map(({ name, outcome }) => `${name} ${outcome}`);
    };
    const wanted = ['one unchanged', 'two added', 'bad refused', 'rule 4 refused'];
    expect(await take({ dry_run: true })).toEqual(wanted);
    expect(await rules(here)).toHaveLength(1);
    expect(await take({})).toEqual(wanted);
    expect((await rules(here)).map(({ name }) => name)).toEqual(['one', 'two']);
    const [one] = await rules(here);
    await send(here, 'PATCH', `/alarms/rules/${one!.id}`, { raise: 77 });
    expect((await take({}))[0]).toBe('one refused');
    expect((await take({ replace: true })).slice(0, 2)).toEqual(['one changed', 'two unchanged']);
    expect((await rules(here))[0]).toMatchObject({ id: one!.id, raise: 10 });
    const again = (await send(here, 'GET', '/alarms/rules/export')).body;
    expect(again).toContain('proxy_load1');
    for (const hostile of ['', `a: ${'['.repeat(10_000)}`, '{"rules":{}}', '!!js/function x', '\u0000']) {
      const answer = await send(here, 'POST', '/alarms/rules/import', { yaml: hostile });
      expect([hostile.slice(0, 20), answer.status]).toEqual([hostile.slice(0, 20), 400]);
    }
    // One that has itself in it.
    const circle = await send(here, 'POST', '/alarms/rules/import', { yaml: '- &a [*a]' });
    expect(good(circle, 200, RuleImportResult).items).toMatchObject([{ outcome: 'refused' }]);
    expect(await rules(here)).toHaveLength(2);
  });
});
