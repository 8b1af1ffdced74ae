/** Servers that let in, and then do with channels and answers what none should: it costs their own connection, and no more. */

import { createHash } from 'node:crypto';
import v8 from 'node:v8';
import vm from 'node:vm';

import type { Connection } from 'ssh2';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { SshSession } from '../../../src/engine/remote/session/session.ts';
import { wireString } from '../../../src/engine/remote/session/wire.ts';
import type { Link } from '../../../src/engine/remote/session/link.ts';
import type { ResolvedHost } from '../../../src/engine/remote/types.ts';
import { connect, DEFAULTS, MemoryHostKeys, Person } from '../../support/ssh-session.ts';
import { hear, sendPacket, stubServer } from '../../support/ssh-stub.ts';
import { lacksSshd, SshSite } from '../../support/sshd.ts';
import { eventually } from '../../support/wait.ts';

const MIB = 1 << 20;

const uint32 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => bytes.writeUInt32BE(value, 4 * i));
  return bytes;
};

const host = (port: number): ResolvedHost => ({
  ...DEFAULTS,
  ...{ name: 'evil', port, user: 'nobody', strictHostKeyChecking: 'accept-new' },
});

const never = new AbortController().signal;

/** What a server was asked to open: the number that the client gave the channel. */
const opened = (connection: Connection, then: (channel: number) => void): void =>
  hear(connection, 'CHANNEL_OPEN', (info) => then((info as { sender: number }).sender));

const CONFIRM = 91;
const DATA = 94;
const DISCONNECT = 1;
const GLOBAL_REQUEST = 80;

describe.skipIf(lacksSshd())('a server', () => {
  let site: SshSite;
  beforeAll(() => {
    site = new SshSite();
  });
  afterAll(() => site.close());

  /** Lets everybody in; `began` is told of each connection. */
  async function letsIn(name: string, began: (connection: Connection) => void): Promise<Link> {
    const { port } = await stubServer(
      site.key(name),
      (context) => context.accept(),
      (connection) => connection.on('ready', () => began(connection)),
    );
    const link = await connect({ hosts: [host(port)], keys: new MemoryHostKeys() });
    onTestFinished(() => link.close());
    return link;
  }

  test('that sends more than it was let send, to somebody who does not read, is left', async () => {
    let sent = 0;
    const link = await letsIn('flood', (connection) =>
      opened(connection, (channel) => {
        sendPacket(connection, Buffer.concat([Buffer.of(CONFIRM), uint32(channel, 0, 2 * MIB, 32_768)]));
        const piece = Buffer.concat([Buffer.of(DATA), uint32(channel), wireString(Buffer.alloc(32_000))]);
        let open = true;
        connection.on('close', () => (open = false));
        const more = (): void => {
          if (!open || sent >= 64 * MIB) return;
          for (let i = 0; i < 32; i++) sendPacket(connection, piece);
          sent += 32 * 32_000;
          setImmediate(more);
        };
        more();
      }),
    );
    const socket = await link.dialTcp('127.0.0.1', 1, never);
    socket.pause();
    socket.on('error', () => undefined);
    await expect(link.ended).resolves.toMatchObject({
      kind: 'lost',
      message: 'evil: it sends more on a channel than it may',
    });
    expect(link.traffic.in).toBeLessThan(4 * MIB);
  });

  test('that takes packets of a byte each is left: what is written would be packets without an end', async () => {
    const link = await letsIn('small', (connection) =>
      opened(connection, (channel) =>
        sendPacket(connection, Buffer.concat([Buffer.of(CONFIRM), uint32(channel, 0, 2 * MIB, 1)])),
      ),
    );
    await expect(link.dialTcp('127.0.0.1', 1, never)).rejects.toMatchObject({ phase: 'channel' });
    await expect(link.ended).resolves.toMatchObject({ message: 'evil: it takes packets of 1 bytes only' });
  });

  test('that lists host keys again and again is not listened to', async () => {
    const key = wireString(site.blob(site.key('listed')));
    const list = Buffer.concat([
      Buffer.of(GLOBAL_REQUEST),
      wireString('hostkeys-00@openssh.com'),
      Buffer.of(0),
      ...Array.from({ length: 100 }, () => key),
    ]);
    let asked = 0;
    const link = await letsIn('lists', (connection) => {
      hear(connection, 'GLOBAL_REQUEST', (name) => (asked += Number(name === 'hostkeys-prove-00@openssh.com')));
      for (let i = 0; i < 50; i++) sendPacket(connection, list);
    });
    // They were read before the answer to its last question.
    await link.dialTcp('127.0.0.1', 1, never).catch(() => undefined);
    expect(asked).toBe(0);
  });

  test('a channel that opens when nobody waits for it any more is closed', async () => {
    const open: (() => void)[] = [];
    let closed = false;
    const { port } = await stubServer(
      site.key('late'),
      (context) => context.accept(),
      (connection) =>
        connection.on('tcpip', (accept) =>
          open.push(
            () =>
              void accept()
                .on('close', () => (closed = true))
                .resume(),
          ),
        ),
    );
    const link = await connect({ hosts: [host(port)], keys: new MemoryHostKeys(), timeouts: { channel: 200 } });
    onTestFinished(() => link.close());
    await expect(link.dialTcp('127.0.0.1', 1, never)).rejects.toMatchObject({ kind: 'timeout' });
    open[0]?.();
    await eventually(() => closed);
  });

  test('channels that are closed are not kept in memory', async () => {
    v8.setFlagsFromString('--expose-gc');
    const collect = vm.runInNewContext('gc') as () => void;
    const { port } = await stubServer(
      site.key('memory'),
      (context) => context.accept(),
      (connection) => connection.on('tcpip', (accept) => void accept().resume()),
    );
    const link = await connect({ hosts: [host(port)], keys: new MemoryHostKeys() });
    onTestFinished(() => link.close());
    const channels: WeakRef<object>[] = [];
    const openOne = async (): Promise<void> => {
      const socket = await link.dialTcp('127.0.0.1', 1, never);
      channels.push(new WeakRef(socket));
      const closed = new Promise((resolve) => void socket.once('close', resolve));
      socket.destroy();
      await closed;
    };
    for (let i = 0; i < 50; i++) await openOne();
    await eventually(() => {
      collect();
      return channels.filter((one) => one.deref() !== undefined).length < 10;
    });
  });

  test('that finds one part after the other right and wants more is left', async () => {
    let asked = 0;
    const { port } = await stubServer(site.key('parts'), (context) => {
      if (context.method !== 'password') return context.reject(['password']);
      asked++;
      context.reject(['password'], true);
    });
    const person = new Person(Array.from({ length: 100 }, () => ['x']));
    await expect(connect({ hosts: [host(port)], keys: new MemoryHostKeys(), person })).rejects.toMatchObject({
      kind: 'protocol',
      phase: 'authentication',
    });
    expect(asked).toBeLessThan(12);
  });

  function session(port: number, person: Person, backoff: { first: number; most: number }): SshSession {
    const keys = new MemoryHostKeys();
    const made = new SshSession({
      ...{ host: 'evil', prompter: person, env: {}, ssh: undefined, backoff },
      resolveFor: () => () => Promise.resolve(host(port)),
      hostKeysFor: () => keys,
    });
    onTestFinished(() => made.close());
    return made;
  }

  test('that lets in and throws out again is asked more and more slowly', async () => {
    let count = 0;
    const { port } = await stubServer(
      site.key('throws'),
      (context) => context.accept(),
      (connection) =>
        connection.on('ready', () => {
          count++;
          setTimeout(() => connection.end(), 20);
        }),
    );
    const made = session(port, new Person(), { first: 10, most: 100_000 });
    await eventually(() => made.state === 'down' && count >= 3);
    expect(made.reason).toMatch(/closed/);
  });

  test('that says again what it was answered is not told of to everybody', async () => {
    const secret = `pw-${createHash('sha1').update(String(Math.random())).digest('hex').slice(0, 12)}`;
    const { port } = await stubServer(site.key('echo'), (context, connection) => {
      if (context.method !== 'password') return context.reject(['password']);
      const said = wireString(`no such ${context.password}`);
      sendPacket(connection, Buffer.concat([Buffer.of(DISCONNECT), uint32(2), said, wireString('')]));
    });
    const made = session(port, new Person([[secret]]), { first: 100_000, most: 100_000 });
    await eventually(() => made.state === 'refused' || made.state === 'down');
    expect(made.reason).toContain('no such');
    expect(made.reason).not.toContain(secret);
    expect(JSON.stringify(made.hops())).not.toContain(secret);
    expect(JSON.stringify(made.log())).not.toContain(secret);
    await expect(made.dialTcp('x', 1, AbortSignal.timeout(1000))).rejects.not.toThrow(secret);
  });
});
