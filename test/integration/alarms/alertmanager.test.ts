/** A real Alertmanager is told, grouped, reminded, and told of the end. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { createNotifier } from '../../../src/engine/alarms/notify/index.ts';
import type { Notifier } from '../../../src/engine/alarms/notifier.ts';
import { NewChannel, Route } from '../../../src/shared/api/channels.ts';
import { Alarms, MemoryRecords, alarm, resolved } from '../../support/alarm-notify.ts';
import { startAlertmanager, type Alertmanager } from '../../support/alarm-receivers.ts';
import { lacksComponent } from '../../support/components.ts';
import { eventually } from '../../support/wait.ts';

const lacks = lacksComponent('prometheus-alertmanager');
let alertmanager: Alertmanager;

beforeAll(async () => {
  if (!lacks) alertmanager = await startAlertmanager();
});
afterAll(async () => {
  if (!lacks) await alertmanager.stop();
});

const names = async (): Promise<string[]> =>
  (await alertmanager.alerts()).map(({ labels }) => labels['mount'] ?? '').sort();

async function open(alarms: Alarms): Promise<{ notifier: Notifier; id: string }> {
  const notifier = createNotifier(new MemoryRecords(), alarms, {
    ...{ data: null, engine: 'here', settings: { private: true, plaintext: false } },
  });
  await notifier.restore();
  const settings = { kind: 'alertmanager', url: alertmanager.base } as const;
  const { id } = await notifier.addChannel(NewChannel.parse({ name: 'am', settings, per_minute: 600 }));
  await notifier.setRoutes([Route.parse({ channels: [id], group_interval: '200ms' })]);
  return { notifier, id };
}

test.skipIf(lacks)('alarms appear with their labels, and go when they end', { timeout: 120_000 }, async () => {
  const alarms = new Alarms();
  const { notifier } = await open(alarms);
  const hostile = alarm('a', {
    fired: Date.now() - 1000,
    place: 'p\r\nq',
    description: '{{ .Labels }} <b>',
    link: 'https://example.org/r',
    labels: { 'odd name': 'x' },
  });
  notifier.changed(alarms.put(hostile, alarm('b', { fired: Date.now() })), Date.now());
  const found = await eventually(async () => {
    const list = await alertmanager.alerts();
    return list.length === 2 && list;
  });
  const first = found.find(({ labels }) => labels['mount'] === 'a')!;
  expect(first).toMatchObject({
    labels: { alertname: 'Disk full', alarmname: 'Disk full', severity: 'warning', metric: 'disk_used', odd_name: 'x' },
    annotations: { place: 'p q', value: '97.125', threshold: '95', description: '{{ .Labels }} <b>' },
    status: { state: 'active' },
  });
  notifier.changed(alarms.put(resolved(hostile, Date.now())), Date.now());
  await eventually(async () => (await names()).join() === 'b');
  expect(notifier.deliveries({ limit: 10 })).toMatchObject([
    { kind: 'resolved', state: 'sent' },
    { kind: 'firing', state: 'sent' },
  ]);
  notifier.changed(alarms.put(resolved(alarm('b'), Date.now())), Date.now());
  await eventually(async () => (await names()).length === 0);
  await notifier.close();
});

test.skipIf(lacks)('one that forgot everything is reminded', { timeout: 120_000 }, async () => {
  const alarms = new Alarms();
  const { notifier } = await open(alarms);
  notifier.changed(alarms.put(alarm('a', { fired: Date.now() }), alarm('b', { fired: Date.now() })), Date.now());
  await eventually(async () => (await names()).join() === 'a,b');
  // Silent here; there it goes on.
  notifier.changed(alarms.put(alarm('b', { silenced: ['s'] })), Date.now());
  await alertmanager.stop();
  alertmanager = await startAlertmanager(Number(new URL(alertmanager.base).port));
  expect(await names()).toEqual([]);
  notifier.tick(Date.now() + 61_000);
  await eventually(async () => (await names()).join() === 'a,b');
  await notifier.close();
});

test.skipIf(lacks)('thousands at once arrive', { timeout: 120_000 }, async () => {
  await alertmanager.stop();
  alertmanager = await startAlertmanager(Number(new URL(alertmanager.base).port));
  const alarms = new Alarms();
  const { notifier } = await open(alarms);
  const all = Array.from({ length: 3000 }, (_, i) => alarm(`n${i}`, { fired: Date.now() }));
  notifier.changed(alarms.put(...all), Date.now());
  await eventually(async () => (await names()).length === 3000, { timeout: 60_000, interval: 200 });
  expect(notifier.deliveries({ limit: 10 })).toMatchObject([{ alarms: 3000, state: 'sent', attempts: 1 }]);
  await notifier.close();
});

test.skipIf(lacks)('what it does not take is shown', async () => {
  const { notifier, id } = await open(new Alarms());
  await expect(notifier.test({ id }, AbortSignal.timeout(20_000))).resolves.toMatchObject({ ok: true, answer: '200' });
  const settings = { kind: 'alertmanager', url: `${alertmanager.base}/nothing/here`, username: '' } as const;
  await expect(notifier.test({ settings }, AbortSignal.timeout(20_000))).resolves.toMatchObject({
    ok: false,
    answer: expect.stringMatching(/^404/),
  });
  await notifier.close();
});
