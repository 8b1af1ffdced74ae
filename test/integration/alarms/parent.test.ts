/** An engine above another one: it shows the other's alarms, and tells of them once, where the other one cannot. */

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { startHere, type Here } from '../http/here.ts';
import { readLive } from '../http/reader.ts';
import { addTarget } from '../targets/support.ts';
import { addRule, addSilence, alarmIn, alarmList, job, send } from './support.ts';

/** Takes messages of a webhook: the titles that came. */
async function hook(): Promise<{ url: string; titles: string[] }> {
  const titles: string[] = [];
  const server: Server = createServer((request, response) => {
    let text = '';
    request.on('data', (part: Buffer) => (text += part.toString()));
    request.on('end', () => {
      titles.push((JSON.parse(text) as { title: string }).title);
      response.end('ok');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, titles };
}

async function tellTo(here: Here, url: string): Promise<void> {
  const added = await send(here, 'POST', '/channels', { name: 'hook', settings: { kind: 'webhook', url } });
  expect(added.status, added.body).toBe(201);
  const { id } = added.json() as { id: string };
  const routes = [{ channels: [id], group_interval: '0s' }];
  expect((await send(here, 'PUT', '/channels/routes', { routes })).status).toBe(200);
}

const joined = (parent: Here, child: Here) =>
  addTarget(parent, {
    url: child.url,
    type: 'vigie',
    period: '250ms',
    auth: { kind: 'bearer', token: child.engine.token },
  });

test('shows the alarms of the engine below, with where they are from, and follows them', async () => {
  const [parent, child] = [await startHere({ node: false }), await startHere({ node: false })];
  await addRule(child);
  const pusher = await job(child, 'job-1');
  pusher.set('m', 11);
  const own = await alarmIn(child, 'firing');
  const target = await joined(parent, child);
  const shown = await alarmIn(parent, 'firing');
  expect(shown).toEqual({
    ...own,
    ...{ id: `${target.id}/${own.id}`, from: target.url },
  });
  expect((await alarmList(parent)).counts).toMatchObject({ firing: 1 });
  const reader = await readLive(parent);
  reader.send({ type: 'watch', topic: 'alarms' });
  await eventually(() => reader.of('alarms')[0]?.alarms[0]?.id === shown.id);
  // A silence there is one here; one here is none there.
  await addSilence(child);
  await eventually(async () => (await alarmList(parent)).counts.silenced === 1);
  pusher.set('m', 1);
  await alarmIn(parent, 'resolved');
  await eventually(() => reader.of('alarms').at(-1)?.alarms[0]?.state === 'resolved');
  await send(parent, 'DELETE', `/targets/${target.id}`);
  await eventually(async () => (await alarmList(parent)).alarms.length === 0);
  await eventually(() => reader.of('alarms').at(-1)?.removed.includes(shown.id));
  expect((await alarmList(child)).alarms).toHaveLength(1);
});

test('tells of them once, also when it was started anew in between; not where the engine below has a channel', async () => {
  const folder = temporaryFolder();
  const data = join(folder, 'data');
  const child = await startHere({ node: false });
  await addRule(child);
  const pusher = await job(child, 'job-1');
  const { url, titles } = await hook();
  const parent = await startHere({ node: false, data }, folder);
  await tellTo(parent, url);
  await joined(parent, child);
  pusher.set('m', 11);
  await alarmIn(parent, 'firing');
  await eventually(() => titles.length === 1);
  await parent.engine.close();

  const again = await startHere({ node: false, data }, folder);
  await alarmIn(again, 'firing');
  await eventually(async () => (await alarmList(again)).alarms[0]?.value === 11);
  pusher.set('m', 1);
  await alarmIn(again, 'resolved');
  await eventually(() => titles.length === 2);
  expect(titles.map((title) => title.startsWith('Resolved'))).toEqual([false, true]);

  // From now on the engine below tells of its own.
  const below = await hook();
  await tellTo(child, below.url);
  await eventually(async () => (await alarmList(child)).alarms[0]?.told === true);
  pusher.set('m', 12);
  await alarmIn(again, 'firing');
  await eventually(() => below.titles.length === 1);
  pusher.set('m', 1);
  await alarmIn(again, 'resolved');
  await eventually(() => below.titles.length === 2);
  expect(titles).toHaveLength(2);
});
