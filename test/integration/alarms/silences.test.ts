/** Silences over HTTP, in a real engine: what they hit, when they open and end, and what a preview says. */

import { describe, expect, test } from 'vitest';
import { SilencePreview, Silence } from '../../../src/shared/api/silences.ts';
import { eventually } from '../../support/wait.ts';
import { startHere } from '../http/here.ts';
import { addRule, addSilence, alarmIn, alarmList, good, job, send, silences } from './support.ts';

const DAY = 86_400_000;

describe('silences', () => {
  test('made, hitting what fires, ended', async () => {
    const here = await startHere({ node: false });
    await addRule(here);
    const pusher = await job(here, 'job-1');
    pusher.set('m', 11);
    const alarm = await alarmIn(here, 'firing');
    const now = Date.now();
    const silence = await addSilence(here, { comment: 'reboots' });
    expect(silence).toMatchObject({
      ...{ owner: 'owner', comment: 'reboots', state: 'active', hits: 1, ends_soon: false, recurring: null },
      window: { from: silence.from, to: silence.to },
    });
    expect((await alarmList(here)).alarms[0]!.silenced).toEqual([silence.id]);
    expect((await alarmList(here)).counts).toMatchObject({ firing: 1, silenced: 1 });
    const other = await addSilence(here, { matchers: [{ label: 'alarmname', op: '=', value: 'none' }] });
    const later = await addSilence(here, { from: now + DAY, to: now + 2 * DAY });
    expect((await silences(here)).map(({ id, state, hits }) => [id, state, hits])).toEqual(
      expect.arrayContaining([
        [silence.id, 'active', 1],
        [other.id, 'active', 0],
        [later.id, 'waiting', 0],
      ]),
    );
    expect(good(await send(here, 'GET', `/silences/${later.id}`), 200, Silence)).toEqual(later);
    const ended = good(await send(here, 'DELETE', `/silences/${silence.id}`), 200, Silence);
    expect(ended).toMatchObject({ state: 'ended', window: null, hits: 0 });
    expect((await alarmList(here)).alarms).toMatchObject([{ id: alarm.id, silenced: [] }]);
    expect((await silences(here)).at(-1)!.id).toBe(silence.id);
    // Again: it has ended.
    expect((await send(here, 'DELETE', `/silences/${silence.id}`)).status).toBe(200);
    expect((await send(here, 'DELETE', '/silences/none')).json()).toMatchObject({ code: 'silence_not_found' });
    // One that fires later is hit from the beginning.
    await addSilence(here, { matchers: [{ label: 'a', op: '=~', value: '[0-9]+' }] });
    pusher.describeGauge('m{a="17"}');
    pusher.set('m{a="17"}', 11);
    await eventually(async () => (await alarmList(here)).alarms.length === 2);
    expect((await alarmList(here)).alarms.find(({ metric }) => metric === 'm{a="17"}')!.silenced).toHaveLength(1);
  });

  test('windows open and end by the engine’s clock', async () => {
    let ahead = 0;
    const clock = { now: () => Date.now() + ahead, monotonic: () => performance.now() + ahead };
    const here = await startHere({ node: false }, undefined, clock);
    await addRule(here);
    const pusher = await job(here, 'job-1');
    pusher.set('m', 11);
    await alarmIn(here, 'firing');
    const now = clock.now();
    const soon = new Date(now + 2 * 3_600_000);
    soon.setMinutes(0, 0, 0);
    const from = `${String(soon.getHours()).padStart(2, '0')}:00`;
    const recurring = { days: [0, 1, 2, 3, 4, 5, 6], from, lasts: '30m' };
    const silence = await addSilence(here, { from: now, to: null, recurring });
    expect(silence).toMatchObject({ state: 'waiting', recurring, window: { from: soon.getTime() } });
    const isSilenced = async (): Promise<boolean> => (await alarmList(here)).alarms[0]!.silenced.length > 0;
    for (const day of [0, 1]) {
      const opens = soon.getTime() + day * DAY;
      expect(await isSilenced()).toBe(false);
      ahead += opens + 60_000 - clock.now();
      await eventually(isSilenced);
      expect((await silences(here))[0]).toMatchObject({ state: 'active', hits: 1, ends_soon: false });
      ahead += 20 * 60_000;
      await eventually(async () => (await silences(here))[0]!.ends_soon);
      ahead += 15 * 60_000;
      await eventually(async () => !(await isSilenced()));
    }
    expect((await silences(here))[0]!.state).toBe('waiting');
  });

  test('a preview says what would be hit, and offers labels', async () => {
    const here = await startHere({ node: false });
    await addRule(here, { for: '1h', name: 'slow' });
    await addRule(here, { name: 'fast' });
    const names = Array.from({ length: 60 }, (_, i) => `m{i="${String(i).padStart(2, '0')}"}`);
    const pusher = await job(here, 'job-1', ...names);
    for (const name of names) pusher.set(name, 11);
    await eventually(async () => (await alarmList(here)).alarms.length === 120);
    const preview = async (matchers: unknown): Promise<SilencePreview> =>
      good(await send(here, 'POST', '/silences/preview', { matchers }), 200, SilencePreview);
    const all = await preview([{ label: 'severity', op: '=~', value: '.*' }]);
    expect([all.hits, all.firing, all.alarms.length]).toEqual([120, 60, 50]);
    expect(all.alarms.every(({ state }) => state === 'firing')).toBe(true);
    expect(all.labels['alarmname']).toEqual(['fast', 'slow']);
    expect(all.labels['i']).toHaveLength(50);
    expect(await preview([{ label: 'i', op: '=', value: '07' }])).toMatchObject({ hits: 2, firing: 1 });
    expect(await preview([])).toMatchObject({ hits: 0, alarms: [] });
    expect(await silences(here)).toEqual([]);
  });

  test.each([
    { matchers: [] },
    { matchers: [{ label: '', op: '=', value: '' }] },
    { matchers: [{ label: 'a', op: '~', value: '' }] },
    { matchers: [{ label: 'a', op: '=~', value: '(a' }] },
    { matchers: [{ label: 'a', op: '=~', value: '(.{99}){60}' }] },
    { matchers: Array.from({ length: 65 }, () => ({ label: 'a', op: '=', value: 'b' })) },
    { from: 5, to: 5 },
    { from: 0, to: 1 },
    { to: null },
    { recurring: { days: [], from: '10:00', lasts: '1h' } },
    { recurring: { days: [7], from: '10:00', lasts: '1h' } },
    { recurring: { days: [1], from: '24:00', lasts: '1h' } },
    { recurring: { days: [1], from: '10:00', lasts: '8d' } },
    { owner: 'somebody else' },
  ])('%j is refused in words', async (wrong) => {
    const here = await startHere({ node: false });
    const now = Date.now();
    const matchers = [{ label: 'a', op: '=', value: 'b' }];
    const answer = await send(here, 'POST', '/silences', { matchers, from: now, to: now + DAY, ...wrong });
    expect([answer.status, answer.json()]).toEqual([400, expect.objectContaining({ code: 'bad_request' })]);
    expect(await silences(here)).toEqual([]);
  });
});
