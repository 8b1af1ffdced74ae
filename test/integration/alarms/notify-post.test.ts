/** Messages over HTTP to servers that misbehave. */

import { createHmac } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { AddressPolicy } from '../../../src/engine/alarms/notify/address.ts';
import { SendError, type SendContext } from '../../../src/engine/alarms/notify/channel.ts';
import { AlarmChannelSettings } from '../../../src/engine/alarms/notify/settings.ts';
import { slackType } from '../../../src/engine/alarms/notify/slack.ts';
import { webhookType } from '../../../src/engine/alarms/notify/webhook.ts';
import { ChannelSettings, type ChannelSettingsInput } from '../../../src/shared/api/channels.ts';
import {
  authority,
  closedPort,
  endlessServer,
  httpServer,
  httpsServer,
  rawServer,
  silentServer,
} from '../../support/bad-server.ts';
import { message } from '../../support/alarm-notify.ts';

const context = (over: { timeout?: number; private?: AlarmChannelSettings['private'] } = {}): SendContext => ({
  policy: new AddressPolicy(AlarmChannelSettings.parse({ private: over.private ?? true })),
  now: Date.now,
  timeout: over.timeout ?? 20_000,
});

type Webhook = Extract<ChannelSettings, { kind: 'webhook' }>;
const webhook = (url: string, over: Partial<Extract<ChannelSettingsInput, { kind: 'webhook' }>> = {}): Webhook =>
  ChannelSettings.parse({ kind: 'webhook', url, ...over }) as Webhook;

const never = new AbortController().signal;

async function failure(settings: Webhook, given = context(), signal = never): Promise<SendError> {
  const answer: unknown = await webhookType
    .open(settings, given)
    .send(message(), signal)
    .catch((error: unknown) => error);
  expect(answer).toBeInstanceOf(SendError);
  return answer as SendError;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}

/** A server that remembers what it was sent. */
async function recorder(
  answer: (response: ServerResponse) => void = (response) => response.end('thank you'),
): Promise<{ url: string; requests: { headers: IncomingMessage['headers']; url: string; body: string }[] }> {
  const requests: { headers: IncomingMessage['headers']; url: string; body: string }[] = [];
  const port = await httpServer((request, response) => {
    void bodyOf(request).then((body) => {
      requests.push({ headers: request.headers, url: request.url ?? '', body });
      answer(response);
    });
  });
  return { url: `http://127.0.0.1:${port}`, requests };
}

test('posted with its id and signed; the answer is shown', async () => {
  const { url, requests } = await recorder();
  const settings = webhook(`${url}/hook?x=1`, { hmac_key: 'geheim', bearer: 'word', headers: { 'X-Room': 'a' } });
  const sent = message({}, [{ description: 'größer', place: 'a\r\nInjected: yes' }]);
  await expect(webhookType.open(settings, context()).send(sent, never)).resolves.toBe('200: thank you');
  const [{ headers, body, url: asked }] = requests as [(typeof requests)[number]];
  expect(asked).toBe('/hook?x=1');
  expect(headers).toMatchObject({
    ...{
      'x-vigie-delivery': 'abc123',
      'content-type': 'application/json',
      authorization: 'Bearer word',
      'x-room': 'a',
    },
    'x-vigie-signature': `sha256=${createHmac('sha256', 'geheim').update(body).digest('hex')}`,
  });
  expect(headers).not.toHaveProperty('injected');
  expect(JSON.parse(body)).toMatchObject({ version: 1, id: 'abc123', alarms: [{ description: 'größer' }] });
});

test('nothing listens', async () => {
  const port = await closedPort();
  expect(await failure(webhook(`http://127.0.0.1:${port}`))).toMatchObject({
    message: `connection refused by 127.0.0.1:${port}: is it running?`,
    permanent: false,
  });
});

test('nobody has this name', async () => {
  const { message: words, permanent } = await failure(webhook('http://nobody.invalid/'));
  expect(words).toMatch(/nobody\.invalid/);
  expect(permanent).toBe(false);
});

test('a server that hangs', async () => {
  const port = await silentServer();
  expect((await failure(webhook(`http://127.0.0.1:${port}`), context({ timeout: 300 }))).message).toBe(
    `no answer from 127.0.0.1:${port} within 0.3 s`,
  );
  expect((await failure(webhook(`https://127.0.0.1:${port}`), context({ timeout: 300 }))).message).toMatch(/no answer/);
});

test('given up in the middle', async () => {
  const port = await silentServer();
  expect((await failure(webhook(`http://127.0.0.1:${port}`), context(), AbortSignal.timeout(100))).message).toBe(
    'given up',
  );
});

test.each([
  [500, false],
  [503, false],
  [401, false],
  [404, false],
  [429, false],
  [400, true],
  [413, true],
  [422, true],
])('status %i, given up for good: %s', async (status, permanent) => {
  const { url } = await recorder((response) => response.writeHead(status, { 'retry-after': '7' }).end('no\u0000 way'));
  expect(await failure(webhook(url))).toMatchObject({ message: `${status}: no  way`, permanent, retryAfter: 7000 });
});

test('a redirect is not followed', async () => {
  const { url: elsewhere, requests } = await recorder();
  const { url } = await recorder((response) => response.writeHead(307, { location: `${elsewhere}/x` }).end());
  const { message: words, permanent } = await failure(webhook(url));
  expect(words).toBe(`307: redirects are not followed; give the address it leads to, if it is right (${elsewhere}/x)`);
  expect(permanent).toBe(false);
  expect(requests).toEqual([]);
});

test('an answer without an end: what came is shown, and it was taken', async () => {
  const port = await endlessServer('HTTP/1.1 200 OK\r\n\r\n', Buffer.alloc(65_536, 'x'), 0);
  const answer = await webhookType.open(webhook(`http://127.0.0.1:${port}`), context()).send(message(), never);
  expect(answer).toMatch(/^200: x+…$/);
  expect(answer.length).toBeLessThan(4200);
});

test('an answer that drips: its status is enough', async () => {
  const port = await endlessServer('HTTP/1.1 202 Accepted\r\ncontent-length: 999\r\n\r\n', Buffer.from('.'), 50);
  await expect(
    webhookType.open(webhook(`http://127.0.0.1:${port}`), context()).send(message(), never),
  ).resolves.toMatch(/^202: \.+$/);
});

test('a head that drips is late', async () => {
  const port = await endlessServer('HTTP/1.1 200 OK\r\n', Buffer.from('x: y\r\n'), 50);
  expect((await failure(webhook(`http://127.0.0.1:${port}`), context({ timeout: 500 }))).message).toMatch(/no answer/);
});

test('what answers is not HTTP, or hangs up', async () => {
  const garbage = await rawServer((socket) => void socket.end('220 mail.example.org ESMTP\r\n'));
  expect((await failure(webhook(`http://127.0.0.1:${garbage}`))).message).toMatch(/is not HTTP/);
  const hangup = await rawServer((socket) => socket.once('data', () => socket.destroy()));
  expect((await failure(webhook(`http://127.0.0.1:${hangup}`))).message).toMatch(/closed the connection/);
});

test('a certificate that nobody signed, and TLS where there is none', async () => {
  const { key, cert } = authority().selfSigned('IP:127.0.0.1');
  const port = await httpsServer({ key, cert }, (_request, response) => response.end('ok'));
  expect((await failure(webhook(`https://127.0.0.1:${port}`))).message).toMatch(/certificate .* not known here/);
  const { url } = await recorder();
  expect((await failure(webhook(url.replace('http', 'https')))).message).toMatch(/does not speak TLS/);
});

test('a private address only where the owner allows it, also behind a name', async () => {
  const { url, requests } = await recorder();
  const port = new URL(url).port;
  for (const host of ['127.0.0.1', 'localhost', '0x7f.1', '[::ffff:127.0.0.1]']) {
    const { message: words } = await failure(webhook(`http://${host}:${port}/`), context({ private: false }));
    expect(words).toMatch(/private address, which this engine's settings forbid/);
  }
  expect((await failure(webhook(url), context({ private: ['10.0.0.0/8'] }))).message).toMatch(/private address/);
  expect(requests).toEqual([]);
  await webhookType.open(webhook(url), context({ private: ['127.0.0.0/8'] })).send(message(), never);
  expect(requests).toHaveLength(1);
});

test('Slack: what comes back never shows the address', async () => {
  const { url, requests } = await recorder((response) =>
    response.writeHead(404).end('nothing is at /services/T0/SECRET here'),
  );
  const settings = { kind: 'slack', url: `${url}/services/T0/SECRET`, channel: '' } as const;
  const error: unknown = await slackType
    .open(settings, context())
    .send(message(), never)
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ message: '404: nothing is at … here', permanent: false });
  expect(JSON.parse(requests[0]!.body)).toMatchObject({ text: '`Disk full: node7`' });
});

test('a key that comes back in the answer is not shown', async () => {
  const { url } = await recorder((response) => response.end('your token is word-of-mouth'));
  const settings = webhook(url, { bearer: 'word-of-mouth' });
  await expect(webhookType.open(settings, context()).send(message(), never)).resolves.toBe('200: your token is …');
});
