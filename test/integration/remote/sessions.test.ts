/** Sessions as the engine has them: by the user's configuration, coming back by themselves, waiting where a person is needed. */

import { writeFileSync } from 'node:fs';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { openSshSessions, type SessionsOptions } from '../../../src/engine/remote/session/sessions.ts';
import type { Session } from '../../../src/engine/remote/types.ts';
import { Person } from '../../support/ssh-session.ts';
import { lacksSshd, type Sshd, SshSite } from '../../support/sshd.ts';
import { eventually } from '../../support/wait.ts';

/** Seconds. */
const FREEZE = Number(process.env['VIGIE_SSH_FREEZE'] ?? 0);

describe.skipIf(lacksSshd())('sessions', () => {
  let site: SshSite;
  let key: string;
  const soon = { first: 50, most: 200 };

  beforeAll(() => {
    site = new SshSite();
    key = site.key('user');
    site.authorize(key);
  });
  afterAll(() => site.close());

  /** A configuration: `all` for every host, then one block each. */
  function config(all: readonly string[], hosts: Readonly<Record<string, readonly string[]>>, identity = key): string {
    const file = site.file();
    const blocks = Object.entries(hosts).map(([name, lines]) => [`Host ${name}`, ...lines].join('\n'));
    const common = [
      ...[
        `User ${site.user}`,
        'HostName 127.0.0.1',
        `IdentityFile ${identity}`,
        'IdentitiesOnly yes',
        'IdentityAgent none',
      ],
      ...[`UserKnownHostsFile ${site.file()}`, 'GlobalKnownHostsFile none'],
    ];
    writeFileSync(file, `${[...blocks, 'Host *', ...all, ...common].join('\n')}\n`);
    return file;
  }

  async function open(
    configFile: string,
    host: string,
    person: Person,
    options: SessionsOptions = {},
  ): Promise<Session> {
    const sessions = await openSshSessions({ configFile, backoff: soon, ...options });
    onTestFinished(() => sessions.close());
    return sessions.open(host, person);
  }

  async function banner(session: Session, server: Sshd): Promise<string> {
    const socket = await session.dialTcp('127.0.0.1', server.port, AbortSignal.timeout(60_000));
    const said = await new Promise((resolve) => void socket.once('data', resolve));
    socket.destroy();
    return String(said);
  }

  test('two hops by a configuration file; hops, log, traffic', async () => {
    const [gate, inner] = [await site.sshd(), await site.sshd()];
    const file = config(['StrictHostKeyChecking ask'], {
      gate: [`Port ${gate.port}`],
      inner: [`Port ${inner.port}`, 'ProxyJump gate'],
    });
    const person = new Person([], 'always');
    const session = await open(file, 'inner', person);
    const states: string[] = [];
    session.onState(() => states.at(-1) !== session.state && states.push(session.state));
    expect(await banner(session, inner)).toMatch(/^SSH-2\.0-OpenSSH/);
    expect(states).toEqual(['connecting', 'asking', 'connecting', 'asking', 'connecting', 'up']);
    expect(person.trusted.map(({ host, hop }) => `${hop} ${host}`)).toEqual(['1 gate', '2 inner']);
    expect(session.hops()).toMatchObject([
      { name: 'gate', host: `${site.user}@127.0.0.1:${gate.port}`, state: 'up', through: 'ssh2', reason: null },
      { name: 'inner', host: `${site.user}@127.0.0.1:${inner.port}`, state: 'up' },
    ]);
    expect(session.hops().every(({ fingerprint }) => fingerprint?.startsWith('SHA256:'))).toBe(true);
    expect(session.traffic().in).toBeGreaterThan(0);
    expect(session.log().map(({ text }) => text)).toContain(`inner: let ${site.user} in`);
    await session.close();
    expect(session.state).toBe('closed');
    await expect(session.dialTcp('127.0.0.1', 1, AbortSignal.timeout(1000))).rejects.toThrow('closed');
  });

  test('sshd dies and comes back: so does the session, and who dials meanwhile waits', async () => {
    const server = await site.sshd();
    const file = config(['StrictHostKeyChecking accept-new'], { login: [`Port ${server.port}`] });
    const session = await open(file, 'login', new Person());
    expect(await banner(session, server)).toMatch(/^SSH/);
    const before = session.traffic().in;
    await server.stop();
    await eventually(() => session.state === 'reconnecting' || session.state === 'down');
    await eventually(() => session.state === 'down');
    expect(session.reason).toContain('nothing listens');
    const waiting = session.dialTcp('127.0.0.1', server.port, AbortSignal.timeout(60_000));
    await server.start();
    (await waiting).destroy();
    expect(session.state).toBe('up');
    expect(session.reason).toBeNull();
    expect(session.traffic().in).toBeGreaterThanOrEqual(before);
  });

  test('a hop that stops is noticed and taken again when it goes on', async () => {
    const [gate, inner] = [await site.sshd(), await site.sshd()];
    const file = config(
      ['StrictHostKeyChecking accept-new', 'ServerAliveInterval 1', 'ServerAliveCountMax 2', 'ConnectTimeout 2'],
      { gate: [`Port ${gate.port}`], inner: [`Port ${inner.port}`, 'ProxyJump gate'] },
    );
    const session = await open(file, 'inner', new Person());
    await eventually(() => session.state === 'up');
    await eventually(() => session.hops().every(({ latency }) => latency !== null));
    gate.signal('SIGSTOP');
    try {
      await eventually(() => session.state !== 'up', { timeout: 60_000 });
      await eventually(() => session.hops()[0]?.state === 'down', { timeout: 60_000 });
    } finally {
      gate.signal('SIGCONT');
    }
    await eventually(() => session.state === 'up', { timeout: 60_000 });
  }, 180_000);

  // With the keepalives that nobody has set.
  test(
    'sshd is stopped for a minute: whatever was noticed of it, it is there again afterwards',
    async (context) => {
      if (FREEZE === 0) context.skip('takes minutes: VIGIE_SSH_FREEZE=60 npm run test:ssh');
      const server = await site.sshd();
      const file = config(['StrictHostKeyChecking accept-new'], { login: [`Port ${server.port}`] });
      const session = await open(file, 'login', new Person());
      await eventually(() => typeof session.hops()[0]?.latency === 'number');
      server.signal('SIGSTOP');
      try {
        await sleep(FREEZE * 1000);
      } finally {
        server.signal('SIGCONT');
      }
      const { stdout, code } = await session.exec('echo here', AbortSignal.timeout(120_000));
      stdout.resume();
      expect(await code).toBe(0);
      expect(session.state).toBe('up');
    },
    FREEZE * 1000 + 300_000,
  );

  test('what needs a person is not tried again by itself, and who dials is told at once', async () => {
    const server = await site.sshd();
    // A key that is not let in, and nobody to ask for a password.
    const other = site.key('stranger');
    const file = config(['StrictHostKeyChecking accept-new'], { login: [`Port ${server.port}`] }, other);
    const session = await open(file, 'login', new Person());
    const dialled = session.dialTcp('127.0.0.1', 1, AbortSignal.timeout(60_000));
    await expect(dialled).rejects.toMatchObject({ kind: 'cancelled', host: 'login' });
    expect(session.state).toBe('refused');
    expect(session.hops()).toMatchObject([{ name: 'login', state: 'refused' }]);
  });

  test('a host that is unknown to the name server: down, in words, until the signal of who dials ends', async () => {
    const file = config([], { nowhere: ['HostName no-such-host.invalid'] });
    const session = await open(file, 'nowhere', new Person());
    await eventually(() => session.state === 'down');
    expect(session.reason).toContain('no such host');
    await expect(session.dialTcp('127.0.0.1', 1, AbortSignal.timeout(300))).rejects.toThrow('no such host');
  });

  test('the clock jumps: the computer slept, and a connection that is dead by now is not waited for', async () => {
    const server = await site.sshd();
    // By itself it would look again in an hour.
    const file = config(['StrictHostKeyChecking accept-new', 'ServerAliveInterval 3600', 'ConnectTimeout 2'], {
      login: [`Port ${server.port}`],
    });
    let jump = 0;
    const session = await open(file, 'login', new Person(), { now: () => Date.now() + jump });
    await eventually(() => session.state === 'up');
    server.signal('SIGSTOP');
    try {
      jump = 3_600_000;
      await eventually(() => session.state !== 'up', { timeout: 120_000 });
    } finally {
      server.signal('SIGCONT');
    }
    const said = session.log().map(({ text }) => text);
    expect(said.some((text) => text.includes('the computer slept'))).toBe(true);
    expect(said.some((text) => text.includes('still there'))).toBe(true);
    await eventually(() => session.state === 'up', { timeout: 60_000 });
  }, 240_000);

  test('a ProxyCommand is asked about before it runs; no means no', async () => {
    const server = await site.sshd();
    const file = config(['StrictHostKeyChecking accept-new'], { login: [`ProxyCommand nc 127.0.0.1 ${server.port}`] });
    const session = await open(file, 'login', new Person());
    await eventually(() => session.state === 'refused');
    expect(session.reason).toContain('not allowed');
  });

  test('closing while a dialog is open ends it', async () => {
    const server = await site.sshd();
    const file = config(['StrictHostKeyChecking ask'], { login: [`Port ${server.port}`] });
    const person = new Person();
    let until: AbortSignal | undefined;
    person.trust = (question, signal) => {
      until = signal;
      person.trusted.push(question);
      return new Promise(() => undefined);
    };
    const session = await open(file, 'login', person);
    await eventually(() => person.trusted.length === 1);
    expect(session.state).toBe('asking');
    await session.close();
    expect(session.state).toBe('closed');
    expect(until?.aborted).toBe(true);
  });

  test('nothing of the connection is left when it is closed', async () => {
    const server = await site.sshd();
    const file = config(['StrictHostKeyChecking accept-new'], { login: [`Port ${server.port}`] });
    const echo = net.createServer((socket) => void socket.pipe(socket));
    await new Promise<void>((resolve) => void echo.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void echo.close());
    const session = await open(file, 'login', new Person());
    await session.dialTcp('127.0.0.1', (echo.address() as net.AddressInfo).port, AbortSignal.timeout(60_000));
    await session.close();
    await eventually(() => server.sessions().length === 0);
    expect(session.channels).toBe(0);
  });
});
