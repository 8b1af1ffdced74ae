/** The engine is killed while alarms are pending, firing, acknowledged and silenced: it goes on where it was. */

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { serve, within, type Served } from '../engine/child.ts';
import type { Here } from '../http/here.ts';
import { addRule, addSilence, alarmIn, alarmList, history, rules, send, silences } from './support.ts';

const START = 1_795_188_214_224;

interface Life extends Here {
  readonly served: Served;
}

async function live(folder: string, ...flags: string[]): Promise<Life> {
  const served = await serve([...within(folder), '--no-node', `--data=${join(folder, 'data')}`, ...flags]);
  const { client, token } = served;
  const engine = { token } as unknown as Here['engine'];
  return { served, engine, url: served.ready.url!, folder, client, log: [], pusher: () => served.pusher() };
}

/** The same job again: its run goes on. */
async function jobOf(here: Here, value: number): Promise<(value: number) => void> {
  const pusher = await here.pusher();
  pusher.job({ jobid: 'job-1', command: './solver', start_time: START });
  pusher.describeGauge('m');
  pusher.set('m', value);
  return (next) => pusher.set('m', next);
}

/** What is told is on the disk; that it is pending is told at once. */
const durable = async (here: Here, events: number): Promise<void> =>
  void (await eventually(async () => (await history(here)).events.length === events));

test('killed while pending: it fires once, no earlier than the rule says, and from when it began', async () => {
  const folder = temporaryFolder();
  const first = await live(folder);
  await addRule(first, { for: '2s' });
  await jobOf(first, 11);
  const pending = await alarmIn(first, 'pending');
  await durable(first, 1);
  await first.served.stop('SIGKILL');

  const second = await live(folder);
  expect((await alarmList(second)).alarms).toMatchObject([{ id: pending.id, state: 'pending', since: pending.since }]);
  await jobOf(second, 11);
  const firing = await alarmIn(second, 'firing');
  expect(firing.id).toBe(pending.id);
  expect(firing.fired! - pending.since).toBeGreaterThanOrEqual(2000);
  await durable(second, 2);
  expect((await history(second)).events.map(({ was, state, number }) => [was, state, number])).toEqual([
    ['pending', 'firing', 2],
    ['inactive', 'pending', 1],
  ]);
});

test('killed while pending, and well when it is back: it never fires', async () => {
  const folder = temporaryFolder();
  const first = await live(folder);
  await addRule(first, { for: '1h' });
  await jobOf(first, 11);
  await alarmIn(first, 'pending');
  await durable(first, 1);
  await first.served.stop('SIGKILL');
  const second = await live(folder);
  await jobOf(second, 1);
  await eventually(async () => (await alarmList(second)).alarms.length === 0);
  await durable(second, 2);
  expect((await history(second)).events.map(({ state }) => state)).toEqual(['inactive', 'pending']);
});

test('killed while firing: still firing, acknowledged and silenced, told once, resolved when it is over', async () => {
  const folder = temporaryFolder();
  const first = await live(folder);
  const rule = await addRule(first, { labels: { team: 'x' }, clear: 5 });
  const set = await jobOf(first, 11);
  const firing = await alarmIn(first, 'firing');
  await send(first, 'POST', '/alarms/acknowledge', { alarms: [firing.id], comment: 'mine' });
  const silence = await addSilence(first);
  set(8);
  await durable(first, 2);
  const before = await alarmIn(first, 'firing');
  expect(before.silenced).toEqual([silence.id]);
  await first.served.stop('SIGKILL');

  const second = await live(folder);
  const [after] = (await alarmList(second)).alarms;
  expect(after).toMatchObject({
    ...{ id: firing.id, state: 'firing', since: firing.since, fired: firing.fired, silenced: [silence.id] },
    ...{ acknowledged: before.acknowledged, labels: before.labels, place: 'job-1 ./solver' },
  });
  expect((await rules(second)).map(({ id, state }) => [id, state])).toEqual([[rule.id, 'firing']]);
  expect((await silences(second)).map(({ id, hits }) => [id, hits])).toEqual([[silence.id, 1]]);
  // Within the band: it neither fires again nor ends.
  const again = await jobOf(second, 8);
  await eventually(async () => (await alarmList(second)).alarms[0]?.value === 8);
  expect((await history(second)).events).toHaveLength(2);
  again(4);
  expect(await alarmIn(second, 'resolved')).toMatchObject({ acknowledged: null });
  await durable(second, 3);
  await second.served.stop('SIGKILL');

  const third = await live(folder);
  expect((await alarmList(third)).alarms).toMatchObject([{ id: firing.id, state: 'resolved', acknowledged: null }]);
  const { events } = await history(third);
  expect(events.map(({ number, kind, state }) => [number, kind, state])).toEqual([
    [3, 'state', 'resolved'],
    [2, 'acknowledged', null],
    [1, 'state', 'firing'],
  ]);
});

test('stopped in order while firing: runs that are closed with the engine resolve nothing', async () => {
  const folder = temporaryFolder();
  const first = await live(folder);
  await addRule(first);
  await jobOf(first, 11);
  const firing = await alarmIn(first, 'firing');
  expect(await first.served.stop('SIGTERM')).toEqual({ code: 0, signal: null });
  const second = await live(folder);
  expect((await alarmList(second)).alarms).toMatchObject([{ id: firing.id, state: 'firing', since: firing.since }]);
  const set = await jobOf(second, 11);
  set(1);
  await alarmIn(second, 'resolved');
  expect((await history(second)).events.map(({ state }) => state)).toEqual(['resolved', 'firing']);
});

test('a rule that was deleted just before the kill takes its alarms with it', async () => {
  const folder = temporaryFolder();
  const first = await live(folder);
  const rule = await addRule(first);
  await jobOf(first, 11);
  await alarmIn(first, 'firing');
  await durable(first, 1);
  expect((await send(first, 'DELETE', `/alarms/rules/${rule.id}`)).status).toBe(204);
  await first.served.stop('SIGKILL');
  const second = await live(folder);
  expect(await rules(second)).toEqual([]);
  expect((await alarmList(second)).alarms).toEqual([]);
});
