/** A real Alertmanager is told, grouped, reminded, and told of the end. */

import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { createNotifier } from '../../../src/engine/alarms/notify/index.ts';
import type { Notifier } from '../../../src/engine/alarms/notifier.ts';
import { NewChannel, Route } from '../../../src/shared/api/channels.ts';
import { Alarms, MemoryRecords, alarm, resolved } from '../../support/alarm-notify.ts';
import { closedPort } from '../../support/bad-server.ts';
import { lacksComponent } from '../../support/components.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';

const Alerts = z.array(
  z.object({
    labels: z.record(z.string(), z.string()),
    annotations: z.record(z.string(), z.string()),
    startsAt: z.string(),
    endsAt: z.string(),
    status: z.object({ state: z.string() }),
  }),
);

const CONFIG = 'route:\n  receiver: nobody\nreceivers:\n  - name: nobody\n';

const lacks = lacksComponent('prometheus-alertmanager');
let base = '';
let stop = async (): Promise<void> => undefined;

async function started(port: number): Promise<void> {
  const folder = temporaryFolder();
  const config = join(folder, 'alertmanager.yml');
  writeFileSync(config, CONFIG);
  const child = spawn(
    'prometheus-alertmanager',
    [
      `--config.file=${config}`,
      `--storage.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ],
    { stdio: 'ignore' },
  );
  stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  };
  base = `http://127.0.0.1:${port}`;
  await eventually(async () => (await fetch(`${base}/-/ready`)).ok, { timeout: 60_000 });
}

beforeAll(async () => {
  if (!lacks) await started(await closedPort());
});
afterAll(() => stop());

const alerts = async (): Promise<z.infer<typeof Alerts>> =>
  Alerts.parse(await (await fetch(`${base}/api/v2/alerts?active=true`)).json());
const names = async (): Promise<string[]> => (await alerts()).map(({ labels }) => labels['mount'] ?? '').sort();

async function open(alarms: Alarms): Promise<{ notifier: Notifier; id: string }> {
  const notifier = createNotifier(new MemoryRecords(), alarms, {
    ...{ data: null, engine: 'here', settings: { private: true, plaintext: false } },
  });
  await notifier.restore();
  const settings = { kind: 'alertmanager', url: base } as const;
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
    const list = await alerts();
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
  await stop();
  await started(Number(new URL(base).port));
  expect(await names()).toEqual([]);
  notifier.tick(Date.now() + 61_000);
  await eventually(async () => (await names()).join() === 'a,b');
  await notifier.close();
});

test.skipIf(lacks)('thousands at once arrive', { timeout: 120_000 }, async () => {
  await stop();
  await started(Number(new URL(base).port));
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
  const settings = { kind: 'alertmanager', url: `${base}/nothing/here`, username: '' } as const;
  await expect(notifier.test({ settings }, AbortSignal.timeout(20_000))).resolves.toMatchObject({
    ok: false,
    answer: expect.stringMatching(/^404/),
  });
  await notifier.close();
});
