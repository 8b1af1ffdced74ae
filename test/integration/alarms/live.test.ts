/** The live topic `alarms`: complete, ordered, numbered, and resumed without a hole. */

import { describe, expect, test } from 'vitest';
import type { LiveAlarms } from '../../../src/shared/api/live.ts';
import { eventually } from '../../support/wait.ts';
import { startHere } from '../http/here.ts';
import { readLive } from '../http/reader.ts';
import { addRule, addSilence, alarmIn, alarmList, history, job, send } from './support.ts';

/** What a reader that follows all messages knows. */
function known(messages: readonly LiveAlarms[]): Map<string, string> {
  const alarms = new Map<string, string>();
  for (const { all, alarms: changed, removed } of messages) {
    if (all) alarms.clear();
    for (const { id, state } of changed) alarms.set(id, state);
    for (const id of removed) alarms.delete(id);
  }
  return alarms;
}

const numbers = (messages: readonly LiveAlarms[]): number[] =>
  messages.flatMap(({ events }) => events.map(({ number }) => number));

describe('the topic alarms', () => {
  test('tells all once, then what changed, with each event once and in order', async () => {
    const here = await startHere({ node: false });
    const rule = await addRule(here);
    const pusher = await job(here, 'job-1', 'm', 'm{a="1"}');
    pusher.set('m', 11);
    const first = await alarmIn(here, 'firing');
    const reader = await readLive(here);
    reader.send({ type: 'watch', topic: 'alarms' });
    const [all] = await eventually(() => (reader.of('alarms').length > 0 ? reader.of('alarms') : undefined));
    expect(all).toMatchObject({ all: true, events: [], number: 1, missed: false, counts: { firing: 1 }, removed: [] });
    expect(all!.alarms).toEqual([first]);

    pusher.set('m{a="1"}', 12);
    await eventually(() => known(reader.of('alarms')).size === 2);
    await send(here, 'POST', '/alarms/acknowledge', { alarms: [first.id] });
    const silence = await addSilence(here);
    await eventually(() => {
      const last = reader.of('alarms').at(-1)!;
      return last.counts.silenced === 2 && last.counts.acknowledged === 1;
    });
    const told = reader.of('alarms').flatMap(({ alarms }) => alarms);
    expect(told.findLast(({ id }) => id === first.id)).toMatchObject({ silenced: [silence.id], acknowledged: {} });
    pusher.set('m', 1);
    await eventually(() => known(reader.of('alarms')).get(first.id) === 'resolved');
    await send(here, 'DELETE', `/alarms/rules/${rule.id}`);
    await eventually(() => known(reader.of('alarms')).size === 0);
    const messages = reader.of('alarms');
    expect(messages.filter((message) => message.all)).toHaveLength(1);
    expect(numbers(messages)).toEqual([2, 3, 4, 5]);
    expect(messages.at(-1)!.number).toBe(5);
    expect(messages.at(-1)!.counts).toMatchObject({ firing: 0, silenced: 0, acknowledged: 0 });
    expect((await history(here)).events.toReversed().slice(1)).toEqual(messages.flatMap(({ events }) => events));
  });

  test('a reader that comes back has each event of the time between exactly once', async () => {
    const here = await startHere({ node: false });
    await addRule(here);
    const pusher = await job(here, 'job-1');
    const flip = async (times: number): Promise<void> => {
      for (let i = 0; i < times; i++) {
        const { number } = (await history(here, '?limit=1')).events[0] ?? { number: 0 };
        pusher.set('m', number % 2 === 0 ? 11 : 1);
        await eventually(async () => (await history(here, '?limit=1')).events[0]?.number === number + 1);
      }
    };
    await flip(2);
    const before = await readLive(here);
    before.send({ type: 'watch', topic: 'alarms' });
    await eventually(() => before.of('alarms').length > 0);
    await flip(2);
    await eventually(() => before.of('alarms').at(-1)!.number === 4);
    before.socket.terminate();
    await flip(3);
    const after = await readLive(here);
    after.send({ type: 'watch', topic: 'alarms', since: 4 });
    await eventually(() => after.of('alarms').at(-1)?.number === 7);
    await flip(1);
    await eventually(() => after.of('alarms').at(-1)?.number === 8);
    expect(numbers(before.of('alarms'))).toEqual([3, 4]);
    expect(numbers(after.of('alarms'))).toEqual([5, 6, 7, 8]);
    expect(after.of('alarms').every(({ missed }) => !missed)).toBe(true);
    expect([...known(after.of('alarms')).values()]).toEqual(['resolved']);
  });

  test('a number that is none of this engine’s is told as missed', async () => {
    const here = await startHere({ node: false });
    await addRule(here);
    const pusher = await job(here, 'job-1');
    pusher.set('m', 11);
    await alarmIn(here, 'firing');
    const reader = await readLive(here);
    reader.send({ type: 'watch', topic: 'alarms', since: 1000 });
    const [all] = await eventually(() => (reader.of('alarms').length > 0 ? reader.of('alarms') : undefined));
    expect(all).toMatchObject({ all: true, missed: true, events: [], number: 1 });
  });

  test('values move while somebody looks, and nothing is told to who has left the topic', async () => {
    const here = await startHere({ node: false });
    await addRule(here);
    const pusher = await job(here, 'job-1');
    pusher.set('m', 11);
    await alarmIn(here, 'firing');
    const [reader, other] = [await readLive(here), await readLive(here)];
    reader.send({ type: 'watch', topic: 'alarms' });
    other.send({ type: 'watch', topic: 'alarms' });
    await eventually(() => other.of('alarms').length > 0);
    other.send({ type: 'unwatch', topic: 'alarms' }, { type: 'watch', topic: 'runs' });
    await eventually(() => other.of('runs').length > 0);
    pusher.set('m', 99);
    await eventually(() => reader.of('alarms').some(({ alarms }) => alarms[0]?.value === 99), { timeout: 60_000 });
    expect((await alarmList(here)).alarms[0]!.value).toBe(99);
    expect(other.of('alarms')).toHaveLength(1);
  });
});
