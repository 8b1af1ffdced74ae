/** Ports of this machine that lead over there: bytes come over whole, whoever ends first. Real sockets on both sides. */

import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { MAX_FORWARDS } from '../../../src/shared/api/connections.ts';
import { Forwards, type Dial } from '../../../src/engine/remote/forwards.ts';
import { connect as connectSsh, MemoryHostKeys } from '../../support/ssh-session.ts';
import { DEFAULTS } from '../../support/ssh-session.ts';
import { lacksSshd, SshSite } from '../../support/sshd.ts';

const TO = { socket: '/x' };

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function forwardTo(dial: Dial): Promise<number> {
  const forwards = new Forwards(dial, () => undefined);
  onTestFinished(() => forwards.close());
  return (await forwards.add({ port: 0, to: TO })).listen.port;
}

describe.skipIf(lacksSshd())('through sshd', () => {
  async function through(port: number): Promise<number> {
    const site = new SshSite();
    onTestFinished(() => site.close());
    const key = site.key('user');
    site.authorize(key);
    const { port: sshd, hostKeys } = await site.sshd();
    const keys = new MemoryHostKeys();
    keys.learn(sshd, ...hostKeys.map((file) => site.blob(file)));
    const link = await connectSsh({
      hosts: [{ ...DEFAULTS, name: 'far', port: sshd, user: site.user, identityFiles: [key] }],
      keys,
    });
    onTestFinished(() => link.close());
    return forwardTo((_to, signal) => link.dialTcp('127.0.0.1', port, signal));
  }

  test('who says all and closes its half still gets the answer', async () => {
    const far = createServer({ allowHalfOpen: true }, (socket) => {
      void text(socket).then((said) => socket.end(`heard ${said}`));
    });
    const socket = connect({ port: await through(await listening(far)), allowHalfOpen: true });
    socket.end('everything');
    expect(await text(socket)).toBe('heard everything');
  });

  test('what was sent before the other side closed comes whole, however slowly it is read', async () => {
    const size = 20 << 20;
    const far = createServer((socket) => socket.on('error', () => undefined).end(Buffer.alloc(size, 1)));
    const socket = connect({ port: await through(await listening(far)) });
    let got = 0;
    socket.on('data', (chunk) => {
      got += chunk.length;
      socket.pause();
      void delay(1).then(() => socket.resume());
    });
    await once(socket, 'close');
    expect(got).toBe(size);
  });
});

test('as many as there may be, and no more, also when they are asked for at once', async () => {
  const forwards = new Forwards(
    () => Promise.reject(new Error('nobody')),
    () => undefined,
  );
  onTestFinished(() => forwards.close());
  const all = await Promise.allSettled(
    Array.from({ length: MAX_FORWARDS + 5 }, () => forwards.add({ port: 0, to: TO })),
  );
  expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(MAX_FORWARDS);
  expect(forwards.records()).toHaveLength(MAX_FORWARDS);
});

test('kept ports that are opened twice at once are opened once, and nothing is said of it', async () => {
  const port = await new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port: free } = server.address() as AddressInfo;
      server.close(() => resolve(free));
    });
  });
  const forwards = new Forwards(
    () => Promise.reject(new Error('nobody')),
    () => undefined,
    [{ id: 'a', port, to: TO }],
  );
  onTestFinished(() => forwards.close());
  await Promise.all([forwards.openAll(), forwards.openAll()]);
  expect(forwards.list()).toMatchObject([{ listening: true, problem: null }]);
  forwards.close();
  const refused = connect(port, '127.0.0.1');
  expect((await once(refused, 'error'))[0]).toMatchObject({ code: 'ECONNREFUSED' });
});
