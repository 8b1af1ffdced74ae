/** Servers, agents and peers that mean harm: whatever they send ends in words, and costs neither memory nor the process. */

import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { listAgent, signWithAgent } from '../../../src/engine/remote/session/agent.ts';
import { SshFailure } from '../../../src/engine/remote/session/failure.ts';
import { wireString } from '../../../src/engine/remote/session/wire.ts';
import type { ResolvedHost } from '../../../src/engine/remote/types.ts';
import { connect, DEFAULTS, MemoryHostKeys, Person } from '../../support/ssh-session.ts';
import { stubServer } from '../../support/ssh-stub.ts';
import { lacksSshd, SshSite } from '../../support/sshd.ts';
import { eventually } from '../../support/wait.ts';

const host = (port: number): ResolvedHost => ({
  ...DEFAULTS,
  ...{ name: 'evil', port, user: 'nobody', strictHostKeyChecking: 'accept-new' },
});

async function listen(handler: (socket: net.Socket) => void, at?: string): Promise<number> {
  const open = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    open.add(socket);
    socket.on('error', () => socket.destroy());
    handler(socket);
  });
  onTestFinished(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  await new Promise<void>((resolve) => {
    if (at === undefined) server.listen(0, '127.0.0.1', resolve);
    else server.listen(at, resolve);
  });
  return at === undefined ? (server.address() as net.AddressInfo).port : 0;
}

describe('a server', () => {
  test('that says anything after its banner', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), fc.boolean(), async (bytes, packet) => {
        // As a packet, so that more than its length is looked at.
        const head = Buffer.alloc(5);
        head.writeUInt32BE(bytes.length + 5, 0);
        head[4] = 4;
        const body = packet ? Buffer.concat([head, bytes, Buffer.alloc(4)]) : Buffer.from(bytes);
        const port = await listen((socket) => void socket.end(Buffer.concat([Buffer.from('SSH-2.0-x\r\n'), body])));
        const attempt = connect({ hosts: [host(port)], keys: new MemoryHostKeys() });
        await expect(attempt).rejects.toBeInstanceOf(SshFailure);
      }),
      { numRuns: 100 },
    );
  });

  test('that wants to exchange keys with numbers that take seconds is left', async () => {
    const packet = (payload: Buffer): Buffer => {
      const padding = 16 - ((payload.length + 5) % 8);
      const head = Buffer.alloc(5);
      head.writeUInt32BE(payload.length + padding + 1, 0);
      head[4] = padding;
      return Buffer.concat([head, payload, Buffer.alloc(padding)]);
    };
    const kex = 'diffie-hellman-group-exchange-sha256';
    const lists = [kex, 'ssh-ed25519', ...['aes128-ctr', 'aes128-ctr'], ...['hmac-sha2-256', 'hmac-sha2-256']];
    const offer = [...lists, 'none', 'none', '', ''].map((list) => wireString(list));
    const prime = Buffer.alloc(1250, 0x7f);
    const port = await listen((socket) => {
      socket.write('SSH-2.0-x\r\n');
      socket.write(packet(Buffer.concat([Buffer.of(20), Buffer.alloc(16), ...offer, Buffer.alloc(5)])));
      socket.on('data', (chunk) => {
        // KEX_DH_GEX_REQUEST: at least, best, at most.
        const at = chunk.indexOf(Buffer.of(34, 0, 0));
        if (at >= 0) socket.write(packet(Buffer.concat([Buffer.of(31), wireString(prime), wireString(Buffer.of(2))])));
      });
    });
    const attempt = connect({ hosts: [{ ...host(port), kexAlgorithms: [kex] }], keys: new MemoryHostKeys() });
    await expect(attempt).rejects.toMatchObject({
      message: 'evil: its key exchange wants numbers of more than 8192 bits',
    });
  });

  test('that says hello for ever', async () => {
    const port = await listen((socket) => {
      const line = Buffer.alloc(32 * 1024, 'x\r\n');
      const more = (): void => void (socket.destroyed || socket.write(line, more));
      more();
    });
    await expect(connect({ hosts: [host(port)], keys: new MemoryHostKeys() })).rejects.toMatchObject({
      kind: 'protocol',
    });
  });
});

describe('an agent', () => {
  const socketPath = (): string => {
    const file = path.join(
      tmpdir(),
      `vigie-agent-${createHash('sha1').update(String(Math.random())).digest('hex').slice(0, 12)}`,
    );
    onTestFinished(() => rmSync(file, { force: true }));
    return file;
  };

  test.each([
    ['nothing', Buffer.alloc(0), 'closed the connection'],
    ['a length that is too long', Buffer.from('ffffffff', 'hex'), 'too long'],
    ['less than it announces', Buffer.from('000000500c', 'hex'), 'closed the connection'],
    ['a refusal', Buffer.from('0000000105', 'hex'), 'will not list'],
    ['a count of keys without keys', Buffer.from('000000050c00000003', 'hex'), 'something else than keys'],
    ['a count that nobody has', Buffer.from('000000050cffffffff', 'hex'), 'will not list'],
  ])('that answers %s', async (_name, answer, words) => {
    const file = socketPath();
    await listen((socket) => void socket.once('data', () => socket.end(answer)), file);
    await expect(listAgent(file)).rejects.toThrow(words);
    await expect(signWithAgent(file, Buffer.alloc(4), Buffer.alloc(4), undefined)).rejects.toThrow(/agent/);
  });

  test('that does not answer', async () => {
    const file = socketPath();
    await listen((socket) => void socket.resume(), file);
    await expect(listAgent(file, undefined, 200)).rejects.toThrow('does not answer');
    const end = new AbortController();
    setTimeout(() => end.abort(), 50);
    await expect(listAgent(file, end.signal)).rejects.toThrow('cancelled');
  });
});

describe.skipIf(lacksSshd())('with keys', () => {
  let site: SshSite;
  beforeAll(() => {
    site = new SshSite();
  });
  afterAll(() => site.close());

  test('a server with more prompts than anybody reads', async () => {
    const { port } = await stubServer(site.key('prompts'), (context) => {
      if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive']);
      context.prompt(
        Array.from({ length: 65 }, () => ({ prompt: 'x', echo: true })),
        () => undefined,
      );
    });
    const person = new Person([['x']]);
    await expect(connect({ hosts: [host(port)], keys: new MemoryHostKeys(), person })).rejects.toMatchObject({
      kind: 'protocol',
    });
    expect(person.asked).toEqual([]);
  });

  test('a host prompts in its own name only, whatever it says', async () => {
    const { port } = await stubServer(site.key('names'), (context) => {
      if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive']);
      context.prompt([{ prompt: 'Password of bank', echo: false }], 'bank', '<b>bank</b>', () => context.accept());
    });
    const person = new Person([['x']]);
    const link = await connect({ hosts: [host(port)], keys: new MemoryHostKeys(), person });
    onTestFinished(() => link.close());
    expect(person.asked).toMatchObject([{ host: 'evil', hop: 1, path: ['evil'], title: 'evil asks nobody' }]);
  });

  test('what is sent to somebody who does not read is not kept in memory', async () => {
    const key = site.key('user');
    site.authorize(key);
    const server = await site.sshd();
    const keys = new MemoryHostKeys();
    keys.learn(server.port, ...server.hostKeys.map((file) => site.blob(file)));
    let sent = 0;
    const flood = await listen((socket) => {
      const block = Buffer.alloc(1 << 20);
      const more = (): void => {
        if (socket.destroyed) return;
        socket.write(block, () => {
          sent += block.length;
          more();
        });
      };
      more();
    });
    const link = await connect({ hosts: [{ ...host(server.port), user: site.user, identityFiles: [key] }], keys });
    onTestFinished(() => link.close());
    const socket = await link.dialTcp('127.0.0.1', flood, AbortSignal.timeout(60_000));
    socket.pause();
    let before = -1;
    // Until nothing more is taken from it.
    await eventually(
      () => {
        const stands = sent === before && sent > 0;
        before = sent;
        return stands;
      },
      { interval: 500 },
    );
    expect(link.traffic.in).toBeLessThan(16 << 20);
    expect(socket.readableLength).toBeLessThan(4 << 20);
    socket.destroy();
    await eventually(() => link.channels === 0);
  });

  test('a channel that nobody wants any more when it opens is closed', async () => {
    const late: (() => void)[] = [];
    let closed = false;
    const { port } = await stubServer(
      site.key('late'),
      (context) => context.accept(),
      (connection) =>
        connection.on('tcpip', (accept) => {
          late.push(() =>
            accept()
              .on('close', () => (closed = true))
              .resume(),
          );
        }),
    );
    const link = await connect({ hosts: [host(port)], keys: new MemoryHostKeys() });
    onTestFinished(() => link.close());
    const end = new AbortController();
    const dialling = link.dialTcp('127.0.0.1', 1, end.signal);
    await eventually(() => late.length === 1);
    end.abort();
    await expect(dialling).rejects.toMatchObject({ kind: 'cancelled' });
    late[0]?.();
    await eventually(() => closed);
    expect(link.channels).toBe(0);
  });
});
