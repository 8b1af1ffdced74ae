/** Channels, routes and messages of a real engine, over its API. */

import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { AuditEntry } from '../../../src/shared/api/audit.ts';
import {
  Channel,
  ChannelList,
  ChannelTestResult,
  DeliveryList,
  ShownRoutes,
  type ChannelSettingsInput,
  type Delivery,
  type NewChannelInput,
} from '../../../src/shared/api/channels.ts';
import { httpServer } from '../../support/bad-server.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { ask, startHere, type Here } from '../http/here.ts';
import { readLive } from '../http/reader.ts';
import { addRule, alarmIn, alarmList, good, history, job, send } from './support.ts';

interface Hook {
  readonly url: string;
  readonly bodies: { kind: string; title: string; alarms: { status: string; description: string; value: number }[] }[];
  readonly headers: Record<string, unknown>[];
  status: number;
}

async function hook(): Promise<Hook> {
  const found: Hook = { url: '', bodies: [], headers: [], status: 200 };
  const port = await httpServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      found.headers.push(request.headers);
      found.bodies.push(JSON.parse(Buffer.concat(parts).toString('utf8')) as Hook['bodies'][number]);
      response.writeHead(found.status).end('seen');
    });
  });
  return Object.assign(found, { url: `http://127.0.0.1:${port}/hook` });
}

const webhook = (url: string, over: object = {}): ChannelSettingsInput => ({ kind: 'webhook', url, ...over });

const add = async (here: Here, settings: ChannelSettingsInput, over: Partial<NewChannelInput> = {}): Promise<Channel> =>
  good(await send(here, 'POST', '/channels', { name: 'hook', settings, ...over }), 201, Channel);
const channel = async (here: Here, id: string): Promise<Channel> =>
  good(await send(here, 'GET', `/channels/${id}`), 200, Channel);
const deliveries = async (here: Here, query = ''): Promise<Delivery[]> =>
  good(await send(here, 'GET', `/channels/deliveries${query}`), 200, DeliveryList).deliveries;

test('an alarm is told, its end is told, and its history says so', async () => {
  const here = await startHere({ node: false });
  const server = await hook();
  const { id } = await add(here, webhook(server.url));
  good(
    await send(here, 'PUT', '/channels/routes', { routes: [{ channels: [id], group_interval: '200ms' }] }),
    200,
    ShownRoutes,
  );
  await addRule(here, { description: 'm is {{value}} on {{place}}', severity: 'critical' });
  const pusher = await job(here, 'job`<!channel>`{{value}}');
  pusher.set('m', 11);
  await eventually(() => server.bodies.length === 1);
  expect(server.bodies[0]).toMatchObject({
    kind: 'firing',
    alarms: [
      {
        status: 'firing',
        severity: 'critical',
        description: expect.stringMatching(/^m is 11 on [^\n]*$/),
        value: 11,
        threshold: 10,
      },
    ],
  });
  pusher.set('m', 1);
  await eventually(() => server.bodies.length === 2);
  expect(server.bodies[1]).toMatchObject({ kind: 'resolved', alarms: [{ status: 'resolved', value: 1 }] });
  expect(await eventually(async () => (await channel(here, id)).last?.kind === 'resolved')).toBe(true);
  expect(await deliveries(here)).toMatchObject([
    { kind: 'resolved', state: 'sent', answer: '200: seen', attempts: 1, channel: id },
    { kind: 'firing', state: 'sent' },
  ]);
  expect(await deliveries(here, '?channel=nothing')).toEqual([]);
  await eventually(async () => {
    const { events } = await history(here);
    return events.filter(({ kind, note }) => kind === 'delivered' && note === 'hook').length === 2;
  });
});

test('what is acknowledged in time is not told', async () => {
  const here = await startHere({ node: false });
  const server = await hook();
  const { id } = await add(here, webhook(server.url));
  await send(here, 'PUT', '/channels/routes', {
    routes: [{ channels: [id], group_wait: '1s', group_interval: '100ms' }],
  });
  await addRule(here);
  (await job(here, 'job-1', 'm', 'm{a="1"}')).set('m', 11);
  const first = await alarmIn(here, 'firing');
  await send(here, 'POST', '/alarms/acknowledge', { alarms: [first.id], comment: 'mine' });
  const pusher = await job(here, 'job-2');
  pusher.set('m', 12);
  await eventually(() => server.bodies.length > 0);
  expect(server.bodies.flatMap(({ alarms }) => alarms)).toMatchObject([{ value: 12 }]);
});

test('a server that fails is asked again until it takes it; the channel says what is wrong', async () => {
  const here = await startHere({ node: false });
  const server = await hook();
  server.status = 503;
  const { id } = await add(here, webhook(server.url));
  await addRule(here);
  (await job(here, 'job-1')).set('m', 11);
  await eventually(async () => (await channel(here, id)).problem === '503: seen');
  expect(await channel(here, id)).toMatchObject({ waiting: 1, last: { state: 'retrying' } });
  server.status = 200;
  await eventually(async () => (await channel(here, id)).last?.state === 'sent', { timeout: 40_000 });
  expect(new Set(server.headers.map((headers) => headers['x-vigie-delivery'])).size).toBe(1);
  expect(await channel(here, id)).toMatchObject({ waiting: 0, problem: null });
});

test('secrets go in and never come out', async () => {
  const folder = temporaryFolder();
  const data = join(folder, 'data');
  const here = await startHere({ node: false, data }, folder);
  const server = await hook();
  const secret = 's3cret-of-the-hook';
  const { id, secrets, settings } = await add(here, webhook(server.url, { bearer: secret, hmac_key: secret }));
  expect(secrets).toEqual(['hmac_key', 'bearer']);
  expect(settings).toEqual({ kind: 'webhook', url: server.url, body: '', headers: {} });
  // Left out: as it was. Empty: none.
  const changed = good(
    await send(here, 'PATCH', `/channels/${id}`, { settings: webhook(server.url, { hmac_key: '' }) }),
    200,
    Channel,
  );
  expect(changed.secrets).toEqual(['bearer']);
  good(await send(here, 'POST', '/channels/test', { id }), 200, ChannelTestResult);
  expect(server.headers[0]).toMatchObject({ authorization: `Bearer ${secret}` });
  expect(server.headers[0]).not.toHaveProperty('x-vigie-signature');
  // Nobody has them sent to another place.
  for (const [method, path, body] of [
    ['PATCH', `/channels/${id}`, { settings: webhook('http://127.0.0.1:9/') }],
    ['POST', '/channels/test', { id, settings: webhook('http://127.0.0.1:9/') }],
  ] as const) {
    const refused = await send(here, method, path, body);
    expect(refused.status).toBe(400);
    expect(refused.body).toMatch(/give bearer anew/);
  }
  const answers = await Promise.all(
    ['/channels', `/channels/${id}`, '/channels/deliveries', '/audit'].map((path) => send(here, 'GET', path)),
  );
  for (const { status, body } of answers) {
    expect(status).toBe(200);
    expect(body).not.toContain(secret);
  }
  expect(z(answers[3]!.json())).toEqual(
    expect.arrayContaining(['POST /api/v1/channels', 'PATCH /api/v1/channels/:id']),
  );
  expect(here.log.map(({ msg }) => msg).join('\n')).not.toContain(secret);
  await here.engine.close();
  expect(readFileSync(join(data, 'vigie.sqlite')).includes(secret)).toBe(false);
  const again = await startHere({ node: false, data }, folder);
  expect(await channel(again, id)).toMatchObject({ secrets: ['bearer'], name: 'hook' });
});

/** What was changed, by the audit log. */
const z = (answer: unknown): string[] =>
  (answer as { entries: unknown[] }).entries.map((entry) => AuditEntry.parse(entry).what);

test('who may only look sees channels, not where they lead to, and changes nothing', async () => {
  const here = await startHere({ node: false });
  const { id } = await add(here, webhook('https://example.org/secret-path'));
  const made = await send(here, 'POST', '/tokens', { name: 'viewer', role: 'view' });
  const { token } = made.json() as { token: string };
  const as = (method: string, path: string, body?: object) =>
    ask(here, `/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
  const list = await as('GET', '/channels');
  expect(ChannelList.parse(list.json()).channels).toMatchObject([{ id, settings: { kind: 'webhook' } }]);
  expect(list.body).not.toContain('secret-path');
  expect((await as('GET', `/channels/${id}`)).body).not.toContain('secret-path');
  for (const [method, path, body] of [
    ['POST', '/channels', { name: 'x', settings: { kind: 'desktop' } }],
    ['POST', '/channels/test', { settings: webhook('http://127.0.0.1:9/') }],
    ['PATCH', `/channels/${id}`, { enabled: false }],
    ['DELETE', `/channels/${id}`, undefined],
    ['PUT', '/channels/routes', { routes: [] }],
  ] as const) {
    expect((await as(method, path, body)).status, `${method} ${path}`).toBe(403);
  }
});

test('private addresses only where the owner allows them', async () => {
  const server = await hook();
  const here = await startHere({ node: false, alarm_channels: { private: ['10.0.0.0/8'] } });
  const refused = await send(here, 'POST', '/channels', { name: 'x', settings: webhook(server.url) });
  expect(refused.status).toBe(400);
  expect(refused.body).toMatch(/127\.0\.0\.1 is a private address/);
  const byName = webhook(server.url.replace('127.0.0.1', 'localhost'));
  const tested = good(await send(here, 'POST', '/channels/test', { settings: byName }), 200, ChannelTestResult);
  expect(tested).toMatchObject({ ok: false, answer: expect.stringMatching(/private address/) });
  expect(server.bodies).toEqual([]);
  await expect(startHere({ alarm_channels: { private: ['ten'] } })).rejects.toThrow(/alarm_channels\.private/);
});

test('a page that can show notifications gets them over the live socket', async () => {
  const here = await startHere({ node: false });
  const { id } = await add(here, { kind: 'desktop' });
  expect(good(await send(here, 'POST', '/channels/test', { id }), 200, ChannelTestResult)).toMatchObject({ ok: false });
  const reader = await readLive(here);
  reader.send({ type: 'watch', topic: 'notifications' });
  await eventually(async () => good(await send(here, 'POST', '/channels/test', { id }), 200, ChannelTestResult).ok);
  await addRule(here);
  (await job(here, 'job-1')).set('m', 11);
  const shown = await eventually(() => reader.of('notification').find(({ kind }) => kind === 'firing'));
  expect(shown).toMatchObject({
    severity: 'warning',
    title: expect.stringContaining('too much'),
    text: expect.stringContaining('= 11'),
  });
  expect(shown.alarms).toEqual((await alarmList(here)).alarms.map((alarm) => alarm.id));
});

test('what cannot be is refused in words', async () => {
  const here = await startHere({ node: false });
  await add(here, { kind: 'desktop' });
  for (const [status, code, method, path, body] of [
    [409, 'channel_exists', 'POST', '/channels', { name: 'hook', settings: { kind: 'desktop' } }],
    [400, 'bad_request', 'POST', '/channels', { name: 'x', settings: { kind: 'pager' } }],
    [400, 'bad_request', 'POST', '/channels', { name: 'x', settings: webhook('https://example.org', { body: '{' }) }],
    [400, 'bad_request', 'POST', '/channels', { name: 'x', settings: { kind: 'slack' } }],
    [404, 'channel_not_found', 'PATCH', '/channels/nothing', { enabled: false }],
    [404, 'channel_not_found', 'DELETE', '/channels/nothing', undefined],
    [404, 'channel_not_found', 'POST', '/channels/test', { id: 'nothing' }],
    [400, 'bad_request', 'PUT', '/channels/routes', { routes: [{ channels: ['nothing'] }] }],
  ] as const) {
    const answer = await send(here, method, path, body);
    expect([answer.status, (answer.json() as { code: string }).code], answer.body).toEqual([status, code]);
  }
});
