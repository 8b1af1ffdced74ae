/** Mail to a real SMTP server. */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { AddressPolicy } from '../../../src/engine/alarms/notify/address.ts';
import type { Message, SendContext } from '../../../src/engine/alarms/notify/channel.ts';
import { emailType } from '../../../src/engine/alarms/notify/email.ts';
import { AlarmChannelSettings } from '../../../src/engine/alarms/notify/settings.ts';
import { ChannelSettings, type ChannelSettingsInput } from '../../../src/shared/api/channels.ts';
import { authority, closedPort, rawServer, silentServer, type Authority } from '../../support/bad-server.ts';
import { message } from '../../support/alarm-notify.ts';
import { temporaryFolder } from '../../support/tmp.ts';

interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly secure: boolean;
  readonly user: string;
  readonly text: string;
}

let ca: Authority;
let caFile: string;
beforeAll(() => {
  ca = authority();
  caFile = join(temporaryFolder(), 'ca.pem');
  writeFileSync(caFile, ca.ca);
});

async function smtpServer(
  over: SMTPServerOptions = {},
  names = 'DNS:localhost',
): Promise<{ port: number; mails: Mail[] }> {
  const mails: Mail[] = [];
  const { key, cert } = ca.sign(names, 2);
  const server = new SMTPServer({
    ...{ key, cert, logger: false, authOptional: true, disableReverseLookup: true },
    onAuth(auth, _session, callback) {
      if (auth.password === 'right') callback(null, { user: auth.username ?? '' });
      else callback(Object.assign(new Error(`5.7.8 ${auth.password} is wrong`), { responseCode: 535 }));
    },
    onData(stream, session, callback) {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          ...{ from: mailFrom === false ? '' : mailFrom.address, to: rcptTo.map(({ address }) => address) },
          ...{ secure: session.secure, user: String(session.user ?? ''), text: Buffer.concat(parts).toString('utf8') },
        });
        callback(null, 'queued as 42');
      });
    },
    ...over,
  });
  server.on('error', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  onTestFinished(() => new Promise<void>((resolve) => server.close(resolve)));
  return { port: (server.server.address() as AddressInfo).port, mails };
}

const context = (timeout = 20_000, allow: AlarmChannelSettings['private'] = true): SendContext => ({
  policy: new AddressPolicy(AlarmChannelSettings.parse({ private: allow })),
  now: Date.now,
  timeout,
});

type Input = Partial<Extract<ChannelSettingsInput, { kind: 'email' }>>;

function send(port: number, over: Input = {}, sent: Message = message(), given = context()): Promise<string> {
  const settings = ChannelSettings.parse({
    ...{ kind: 'email', host: 'localhost', port, from: 'vigie@example.org', to: ['ops@example.org'], ca_file: caFile },
    ...over,
  }) as Extract<ChannelSettings, { kind: 'email' }>;
  return emailType.open(settings, given).send(sent, new AbortController().signal);
}

const failure = (...given: Parameters<typeof send>): Promise<unknown> =>
  send(...given).then(
    (answer) => `sent: ${answer}`,
    (error: unknown) => error,
  );

const headers = (text: string): string[] =>
  text
    .slice(0, text.indexOf('\r\n\r\n'))
    .replaceAll(/\r\n[ \t]+/g, ' ')
    .split('\r\n');

test('STARTTLS, a password, two who are told', async () => {
  const { port, mails } = await smtpServer();
  const answer = await send(port, { username: 'vigie', password: 'right', to: ['a@example.org', 'b@example.org'] });
  expect(answer).toBe('250 queued as 42');
  const [mail] = mails;
  expect(mail).toMatchObject({
    from: 'vigie@example.org',
    to: ['a@example.org', 'b@example.org'],
    secure: true,
    user: 'vigie',
  });
  expect(headers(mail!.text)).toEqual(
    expect.arrayContaining([
      'From: Vigie <vigie@example.org>',
      'Subject: Disk full: node7',
      'Message-ID: <abc123@here>',
      'References: <t1.alarms@here>',
      'X-Vigie-Delivery: abc123',
      'Auto-Submitted: auto-generated',
    ]),
  );
  expect(mail!.text).toContain('(limit 95)');
});

test('TLS from the first byte', async () => {
  const { port, mails } = await smtpServer({ secure: true });
  await expect(send(port, { security: 'tls' })).resolves.toContain('queued');
  expect(mails).toMatchObject([{ secure: true }]);
});

test('without TLS on this machine', async () => {
  const { port, mails } = await smtpServer();
  await expect(send(port, { security: 'none', ca_file: '' })).resolves.toContain('queued');
  expect(mails).toMatchObject([{ secure: false }]);
});

test('hostile names make no headers, recipients or lines of SMTP', async () => {
  const { port, mails } = await smtpServer();
  const hostile = 'x\r\nBcc: all@example.org\r\n\r\n.\r\nRCPT TO:<all@example.org>\r\n<script>alert(1)</script>';
  await send(
    port,
    {},
    message({ title: hostile, engine: hostile, id: 'i', thread: hostile }, [
      { name: hostile, place: hostile, metric: hostile, description: `ok\n.\n${hostile}` },
    ]),
  );
  expect(mails).toHaveLength(1);
  expect(mails[0]!.to).toEqual(['ops@example.org']);
  const found = headers(mails[0]!.text);
  expect(found.filter((line) => /^(bcc|to|subject|message-id):/i.test(line))).toHaveLength(3);
  expect(found.find((line) => line.startsWith('Subject:'))).toContain('Bcc: all@example.org');
  expect(found).toEqual(expect.arrayContaining([expect.stringMatching(/^Content-Type: text\/plain/)]));
});

test('a server that has no STARTTLS is not told in clear', async () => {
  const { port, mails } = await smtpServer({ disabledCommands: ['STARTTLS'] });
  expect(await failure(port)).toMatchObject({
    permanent: false,
    message: expect.stringMatching(/does not offer STARTTLS/),
  });
  expect(mails).toEqual([]);
});

test('a certificate of somebody unknown, for another name, or pinned by the wrong authority', async () => {
  const { port, mails } = await smtpServer();
  expect(await failure(port, { ca_file: '' })).toMatchObject({
    message: expect.stringMatching(/certificate .* not known here/),
    permanent: false,
  });
  const other = await smtpServer({}, 'DNS:mail.example.org');
  expect(await failure(other.port)).toMatchObject({ message: expect.stringMatching(/certificate .* another name/) });
  expect(await failure(port, { ca_file: '/dev/zero' })).toMatchObject({
    message: 'ca_file /dev/zero is no file of certificates (PEM) that can be read',
  });
  expect([...mails, ...other.mails]).toEqual([]);
});

test('a password that is not accepted: tried again later, and never shown', async () => {
  const { port, mails } = await smtpServer();
  const error = await failure(port, { username: 'vigie', password: 'hunter2' });
  expect(error).toMatchObject({
    permanent: false,
    message: expect.stringMatching(/did not accept the user vigie and the password: 535 5\.7\.8 … is wrong/),
  });
  expect(mails).toEqual([]);
});

test('recipients that are refused', async () => {
  const { port } = await smtpServer({
    onRcptTo: ({ address }, _session, callback) =>
      callback(address.startsWith('no') ? Object.assign(new Error('no such user'), { responseCode: 550 }) : null),
  });
  expect(await failure(port, { to: ['no@example.org'] })).toMatchObject({
    permanent: true,
    message: expect.stringContaining('no such user'),
  });
  await expect(send(port, { to: ['a@example.org', 'no@example.org'] })).resolves.toBe(
    '250 queued as 42 (not taken for no@example.org)',
  );
});

test('a server that is too busy is asked again, one that does not want it is not', async () => {
  const refuse = (responseCode: number): SMTPServerOptions => ({
    onData(stream, _session, callback) {
      stream.resume();
      stream.on('end', () => callback(Object.assign(new Error('not now'), { responseCode })));
    },
  });
  const busy = await smtpServer(refuse(451));
  expect(await failure(busy.port)).toMatchObject({ permanent: false, message: expect.stringContaining('not now') });
  const unwilling = await smtpServer(refuse(554));
  expect(await failure(unwilling.port)).toMatchObject({ permanent: true });
});

test('nothing listens, hangs, speaks something else, or hangs up', async () => {
  const closed = await closedPort();
  expect(await failure(closed)).toMatchObject({
    message: `connection refused by localhost:${closed}: is it running?`,
    permanent: false,
  });
  const silent = await silentServer();
  expect(await failure(silent, {}, message(), context(500))).toMatchObject({
    message: `localhost:${silent} did not answer within 0.5 s`,
  });
  expect(await failure(silent, { security: 'tls' }, message(), context(500))).toMatchObject({
    message: expect.stringMatching(/did not answer/),
  });
  const http = await rawServer((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  expect(await failure(http)).toMatchObject({ name: 'SendError', permanent: false });
  const hangup = await rawServer((socket) => void socket.destroy());
  expect(await failure(hangup)).toMatchObject({ name: 'SendError', permanent: false });
});

test('a private address only where the owner allows it', async () => {
  const { port, mails } = await smtpServer();
  expect(await failure(port, {}, message(), context(20_000, false))).toMatchObject({
    message: expect.stringMatching(/private address/),
  });
  expect(await failure(port, { host: '127.0.0.1' }, message(), context(20_000, ['10.0.0.0/8']))).toMatchObject({
    message: expect.stringMatching(/private address/),
  });
  expect(mails).toEqual([]);
});
