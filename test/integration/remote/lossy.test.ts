/** Ways that lose what is sent: a real network that drops packets, and a proxy in between that hands on late and in bits. */

import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openSshSessions } from '../../../src/engine/remote/session/sessions.ts';
import type { Session } from '../../../src/engine/remote/types.ts';
import { lacksNetwork, LossyWire } from '../../support/network.ts';
import { Person } from '../../support/ssh-session.ts';
import { lacksSshd, SshSite } from '../../support/sshd.ts';
import { eventually } from '../../support/wait.ts';

const BYTES = 1_500_000;
const SLOW = { timeout: 120_000 };

describe.skipIf(lacksSshd())('a way that loses', () => {
  let site: SshSite;
  let key: string;
  beforeAll(() => {
    site = new SshSite();
    key = site.key('user');
    site.authorize(key);
  });
  afterAll(() => site.close());

  async function open(hostname: string, port: number, more: readonly string[] = []): Promise<Session> {
    const configFile = site.file();
    const lines = [
      ...['Host far', `HostName ${hostname}`, `Port ${port}`, `User ${site.user}`, `IdentityFile ${key}`],
      ...['IdentitiesOnly yes', 'IdentityAgent none', `UserKnownHostsFile ${site.file()}`, ...more],
      ...['GlobalKnownHostsFile none', 'StrictHostKeyChecking accept-new', ''],
    ];
    writeFileSync(configFile, lines.join('\n'));
    const sessions = await openSshSessions({ configFile, backoff: { first: 50, most: 500 } });
    onTestFinished(() => sessions.close());
    const session = sessions.open('far', new Person());
    await eventually(() => session.state === 'up', SLOW);
    return session;
  }

  /** All of it there and back, each byte. */
  async function echoed(session: Session, signal: AbortSignal): Promise<void> {
    const { stdin, stdout, code } = await session.exec('cat', signal);
    const sent = randomBytes(BYTES);
    const hash = createHash('sha256');
    let got = 0;
    stdout.on('data', (chunk: Buffer) => {
      hash.update(chunk);
      got += chunk.length;
    });
    stdin.end(sent);
    expect([await code, got]).toEqual([0, BYTES]);
    expect(hash.digest('hex')).toBe(createHash('sha256').update(sent).digest('hex'));
  }

  describe.skipIf(lacksNetwork())('on a network', () => {
    function wire(): LossyWire {
      const made = new LossyWire();
      onTestFinished(() => made.close());
      return made;
    }

    test('packets are dropped again and again: slower, and each byte comes', { timeout: 180_000 }, async () => {
      const way = wire();
      const server = await site.sshd({ address: way.there, namespace: way.namespace });
      onTestFinished(() => server.stop());
      const session = await open(way.there, server.port);
      way.squeeze();
      await echoed(session, AbortSignal.timeout(120_000));
      expect(way.lost).toBeGreaterThan(10);
      expect(session.state).toBe('up');
    });

    test(
      'from one moment on all are dropped: noticed, said, and back when they are not',
      { timeout: 240_000 },
      async () => {
        const way = wire();
        const server = await site.sshd({ address: way.there, namespace: way.namespace });
        onTestFinished(() => server.stop());
        const alive = ['ServerAliveInterval 1', 'ServerAliveCountMax 2', 'ConnectTimeout 2'];
        const session = await open(way.there, server.port, alive);
        await eventually(() => typeof session.hops()[0]?.latency === 'number');
        const { stdout, code } = await session.exec('cat', AbortSignal.timeout(200_000));
        stdout.resume();
        way.cut();
        await eventually(() => session.state === 'reconnecting' || session.state === 'down', SLOW);
        // No command waits for ever for a host that is not there.
        expect(await code).toBeNull();
        await eventually(() => session.state === 'down' && /nothing answered within/.test(session.reason ?? ''), SLOW);
        const waiting = session.exec('echo back', AbortSignal.timeout(120_000));
        way.mend();
        await eventually(() => session.state === 'up', SLOW);
        const { stdout: said } = await waiting;
        expect(String(await new Promise((resolve) => void said.once('data', resolve)))).toBe('back\n');
      },
    );
  });

  test('a proxy that hands on late, in bits, and stands still now and then', { timeout: 180_000 }, async () => {
    const server = await site.sshd();
    let pauses = 0;
    const slow = (from: Duplex, to: Duplex): void => {
      from.on('data', (chunk: Buffer) => {
        from.pause();
        const cut = 1 + Math.floor(Math.random() * chunk.length);
        to.write(chunk.subarray(0, cut));
        // As if what came behind had to be sent again.
        const wait = ++pauses % 50 === 0 ? 300 : 2;
        setTimeout(() => {
          if (cut < chunk.length) to.write(chunk.subarray(cut));
          from.resume();
        }, wait);
      });
      from.on('close', () => to.destroy());
      from.on('error', () => to.destroy());
    };
    const proxy = net.createServer((near) => {
      const far = net.connect(server.port, '127.0.0.1');
      slow(near, far);
      slow(far, near);
    });
    await new Promise<void>((resolve) => void proxy.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void proxy.close());
    const session = await open('127.0.0.1', (proxy.address() as net.AddressInfo).port);
    await echoed(session, AbortSignal.timeout(120_000));
    expect(pauses).toBeGreaterThan(50);
  });
});
