/** What goes wrong on the way, and what is said: hosts that hang in each phase, die, stop, have no room. */

import { createServer, request } from 'node:http';
import net from 'node:net';

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import type { ResolvedHost } from '../../../src/engine/remote/types.ts';
import type { Link } from '../../../src/engine/remote/session/link.ts';
import { mayRetry } from '../../../src/engine/remote/session/failure.ts';
import { createLog } from '../../../src/engine/remote/session/log.ts';
import { connect, DEFAULTS, MemoryHostKeys, output, Person, type Attempt } from '../../support/ssh-session.ts';
import { silentServer, stubServer } from '../../support/ssh-stub.ts';
import { freePort, lacksSshd, type Sshd, SshSite } from '../../support/sshd.ts';
import { eventually } from '../../support/wait.ts';

describe.skipIf(lacksSshd())('failures', () => {
  let site: SshSite;
  let server: Sshd;
  let key: string;
  const keys = new MemoryHostKeys();
  const signal = AbortSignal.timeout(600_000);

  beforeAll(async () => {
    site = new SshSite();
    key = site.key('user');
    site.authorize(key);
    server = await site.sshd();
    learn(server);
  });
  afterAll(() => site.close());

  function learn(...servers: Pick<Sshd, 'port' | 'hostKeys'>[]): void {
    for (const one of servers) keys.learn(one.port, ...one.hostKeys.map((file) => site.blob(file)));
  }

  const host = (port: number, more: Partial<ResolvedHost> = {}): ResolvedHost => ({
    ...DEFAULTS,
    ...{ name: 'login', port, user: site.user, identityFiles: [key] },
    ...more,
  });

  async function open(port: number, more: Partial<ResolvedHost> = {}, attempt: Partial<Attempt> = {}): Promise<Link> {
    const link = await connect({ hosts: [host(port, more)], keys, ...attempt });
    onTestFinished(() => link.close());
    return link;
  }

  /** A server of the test's own in place of one over there. */
  async function listen(handler: (socket: net.Socket) => void): Promise<number> {
    const there = net.createServer(handler);
    onTestFinished(() => void there.close());
    await new Promise<void>((resolve) => void there.listen(0, '127.0.0.1', resolve));
    return (there.address() as net.AddressInfo).port;
  }

  describe('each phase has its own timeout and its own words', () => {
    const stubKey = (): string => site.key(`stub${Math.random()}`);
    const lax = { strictHostKeyChecking: 'accept-new' } as const;

    test('dns', async () => {
      await expect(open(22, { hostname: 'no-such-host.invalid' })).rejects.toMatchObject({
        phase: 'dns',
        kind: 'unreachable',
      });
    });

    test('tcp: nothing listens', async () => {
      await expect(open(await freePort())).rejects.toMatchObject({
        phase: 'tcp',
        kind: 'unreachable',
        message: expect.stringContaining('nothing listens') as string,
      });
    });

    test('tcp: nothing answers', async () => {
      // A backlog that is full: the kernel drops what comes, as a firewall does.
      const full = net.createServer();
      await new Promise<void>((resolve) => void full.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, resolve));
      const { port } = full.address() as net.AddressInfo;
      onTestFinished(() => void full.close());
      // An address for documentation: nobody has it, and what is sent there gets lost or refused at once.
      const attempt = open(port, { hostname: '192.0.2.1' }, { timeouts: { tcp: 300 } });
      await expect(attempt).rejects.toMatchObject({ phase: 'tcp', host: 'login' });
    });

    test('banner', async () => {
      const { port } = await silentServer();
      await expect(open(port, {}, { timeouts: { banner: 200 } })).rejects.toMatchObject({
        phase: 'banner',
        kind: 'timeout',
      });
    });

    test('key exchange', async () => {
      const { port } = await silentServer('SSH-2.0-Hangs\r\n');
      await expect(open(port, {}, { timeouts: { 'key-exchange': 200 } })).rejects.toMatchObject({
        phase: 'key-exchange',
        kind: 'timeout',
      });
    });

    test('authentication', async () => {
      const { port } = await stubServer(stubKey(), () => undefined);
      await expect(open(port, lax, { timeouts: { authentication: 500 } })).rejects.toMatchObject({
        phase: 'authentication',
        kind: 'timeout',
      });
    });

    test('channel', async () => {
      const { port } = await stubServer(
        stubKey(),
        (context) => context.accept(),
        // Never answered.
        (connection) => connection.on('ready', () => void connection.on('tcpip', () => undefined)),
      );
      const link = await open(port, lax, { timeouts: { channel: 300 } });
      await expect(link.dialTcp('127.0.0.1', 1, signal)).rejects.toMatchObject({ phase: 'channel', kind: 'timeout' });
    });

    test('a web server, and an SSH that is too old', async () => {
      const web = await silentServer('HTTP/1.1 400 Bad Request\r\n\r\n');
      await expect(open(web.port)).rejects.toMatchObject({
        kind: 'protocol',
        message: expect.stringContaining('web server') as string,
      });
      const old = await silentServer('SSH-1.5-old\r\n');
      await expect(open(old.port)).rejects.toMatchObject({
        kind: 'protocol',
        message: expect.stringContaining('too old') as string,
      });
    });

    test('a person who thinks long is no timeout', async () => {
      const { port } = await stubServer(stubKey(), (context) => {
        if (context.method === 'password') context.accept();
        else context.reject(['password']);
      });
      const person = new Person([], 'once');
      const slow = <T>(value: T): Promise<T> => new Promise((resolve) => void setTimeout(() => resolve(value), 1500));
      person.trust = () => slow('once' as const);
      person.ask = () => slow(['whatever']);
      await open(port, {}, { person, timeouts: { 'key-exchange': 1000, authentication: 1000 } });
    });
  });

  test('a host that does not wait for the answer: told, and not tried again by itself, which would ask again', async () => {
    const hasty = await site.sshd({ lines: ['LoginGraceTime 3'] });
    learn(hasty);
    const person = new Person();
    person.ask = (_question, given) =>
      new Promise((resolve) => given.addEventListener('abort', () => resolve(null), { once: true }));
    const failure = await open(hasty.port, { identityFiles: [] }, { person }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ kind: 'cancelled', phase: 'authentication' });
    expect((failure as Error).message).toMatch(/while it waited for an answer: connect again/);
    expect(mayRetry(failure)).toBe(false);
  });

  test('two prompts of a one-time code, in one dialog, cleaned of control characters', async () => {
    const { port } = await stubServer(site.key('codes'), (context) => {
      if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive']);
      const prompts = [
        { prompt: 'Password: ', echo: false },
        { prompt: '\u001b[31mOne-time code:\u202e ', echo: true },
      ];
      context.prompt(prompts, 'Two factors', 'Look at your phone', (answers) => {
        if (answers.join('|') === 'pw|123456') context.accept();
        else context.reject(['keyboard-interactive']);
      });
    });
    const person = new Person([
      ['pw', 'wrong'],
      ['pw', '123456'],
    ]);
    await open(port, { strictHostKeyChecking: 'accept-new' }, { person });
    expect(person.asked).toMatchObject([
      {
        failed: 0,
        instruction: 'Two factors\nLook at your phone',
        fields: [
          { text: 'Password:', echo: false },
          { text: '[31mOne-time code:', echo: true },
        ],
      },
      { failed: 1 },
    ]);
  });

  test('a host that asks for ever is left', async () => {
    const { port } = await stubServer(site.key('forever'), (context) => {
      if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive']);
      const again = (): void => context.prompt([{ prompt: 'And?', echo: true }], again);
      again();
    });
    const person = new Person(Array.from({ length: 1000 }, () => ['more']));
    await expect(open(port, { strictHostKeyChecking: 'accept-new' }, { person })).rejects.toThrow('more questions');
  });

  test('fifty channels on one connection, each with its own bytes', async () => {
    const port = await listen((socket) => void socket.pipe(socket));
    const link = await open(server.port);
    const sockets = await Promise.all(Array.from({ length: 50 }, () => link.dialTcp('127.0.0.1', port, signal)));
    expect(link.channels).toBe(50);
    const answers = sockets.map(async (socket, i) => {
      const text = `${i} `.repeat(20_000);
      let got = '';
      socket.on('data', (chunk: Buffer) => (got += chunk.toString()));
      const ended = new Promise((resolve) => void socket.once('end', resolve));
      socket.end(text);
      await ended;
      return got === text;
    });
    expect(await Promise.all(answers)).toEqual(sockets.map(() => true));
    await eventually(() => link.channels === 0);
    expect(link.traffic.in).toBeGreaterThan(1_000_000);
    expect(link.traffic.out).toBe(link.traffic.in);
    expect(server.sessions().length).toBeGreaterThan(0);
  });

  test('HTTP through a channel', async () => {
    const web = createServer((incoming, response) => void response.end(`you asked for ${incoming.url}`));
    await new Promise<void>((resolve) => void web.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void web.close());
    const { port } = web.address() as net.AddressInfo;
    const link = await open(server.port);
    for (let i = 0; i < 3; i++) {
      const socket = await link.dialTcp('127.0.0.1', port, signal);
      const body = await new Promise<string>((resolve, reject) => {
        const asking = request({ path: `/${i}`, createConnection: () => socket }, (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => (text += chunk.toString()));
          response.on('end', () => resolve(text));
        });
        asking.setTimeout(20_000).on('error', reject).end();
      });
      expect(body).toBe(`you asked for /${i}`);
    }
    await eventually(() => link.channels === 0);
  });

  test('a remote port that is closed; forwarding that is forbidden', async () => {
    const link = await open(server.port);
    await expect(link.dialTcp('127.0.0.1', await freePort(), signal)).rejects.toMatchObject({
      kind: 'remote',
      message: expect.stringContaining('refused there') as string,
    });
    await expect(link.dialUnix('/nonexistent/socket', signal)).rejects.toMatchObject({ kind: 'remote' });
    const strict = await site.sshd({ lines: ['AllowTcpForwarding no'] });
    learn(strict);
    const other = await open(strict.port);
    await expect(other.dialTcp('127.0.0.1', server.port, signal)).rejects.toThrow('does not allow it');
    expect(await output(other, 'echo still there')).toBe('still there');
  });

  test('MaxSessions reached: told, and what is open goes on', async () => {
    const few = await site.sshd({ lines: ['MaxSessions 2'] });
    learn(few);
    const link = await open(few.port);
    const [one, two] = [await link.exec('cat', signal), await link.exec('cat', signal)];
    await expect(link.exec('cat', signal)).rejects.toThrow(/\(MaxSessions\), or allows none(?: \(.+\))?$/);
    one.stdin.end();
    one.stdout.resume();
    expect(await one.code).toBe(0);
    const three = await eventually(async () => link.exec('exit 7', signal));
    three.stdin.end();
    three.stdout.resume();
    expect(await three.code).toBe(7);
    two.close();
  });

  test('sshd dies: the link ends, and so do its channels', async () => {
    const mortal = await site.sshd();
    learn(mortal);
    const port = await listen((socket) => void socket.pipe(socket));
    const link = await open(mortal.port);
    const socket = await link.dialTcp('127.0.0.1', port, signal);
    const closed = new Promise((resolve) => void socket.once('close', resolve));
    mortal.signal('SIGKILL');
    expect(await link.ended).toMatchObject({ kind: 'lost', host: 'login' });
    await closed;
    await expect(link.dialTcp('127.0.0.1', port, signal)).rejects.toMatchObject({ kind: 'lost' });
  });

  test('sshd is stopped (SIGSTOP): noticed by its silence', async () => {
    const frozen = await site.sshd();
    learn(frozen);
    const link = await open(frozen.port, { serverAliveInterval: 1, serverAliveCountMax: 2 });
    await eventually(() => link.latency !== null);
    frozen.signal('SIGSTOP');
    onTestFinished(() => frozen.signal('SIGCONT'));
    expect(await link.ended).toMatchObject({
      kind: 'lost',
      message: expect.stringContaining('signs of life') as string,
    });
  });

  test('a way on which everything is lost from one moment on: noticed, and no channel waits for ever', async () => {
    let silent = false;
    const sockets = new Set<net.Socket>();
    const lossy = await listen((near) => {
      const far = net.connect(server.port, '127.0.0.1');
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(from);
        from.on('data', (chunk: Buffer) => void (silent || to.write(chunk)));
        from.on('error', () => undefined);
        from.on('close', () => silent || to.destroy());
      }
    });
    onTestFinished(() => sockets.forEach((socket) => socket.destroy()));
    learn({ port: lossy, hostKeys: server.hostKeys });
    const port = await listen((socket) => void socket.pipe(socket));
    const link = await open(lossy, { serverAliveInterval: 1, serverAliveCountMax: 2 });
    const socket = await link.dialTcp('127.0.0.1', port, signal);
    const closed = new Promise((resolve) => void socket.once('close', resolve));
    silent = true;
    expect(await link.ended).toMatchObject({ kind: 'lost' });
    await closed;
    expect(link.channels).toBe(0);
  });

  test('a hop dies: the reason names it', async () => {
    const [hop, behind] = [await site.sshd(), await site.sshd()];
    learn(hop, behind);
    const hosts = [
      host(hop.port, { name: 'gate' }),
      host(behind.port, { name: 'inner', proxyJump: [{ host: 'gate' }] }),
    ];
    const link = await connect({ hosts, keys });
    onTestFinished(() => link.close());
    hop.signal('SIGKILL');
    expect(await link.ended).toMatchObject({ kind: 'lost', host: 'gate' });
  });

  test.each(['aes128-gcm@openssh.com', 'chacha20-poly1305@openssh.com', 'aes128-ctr'])(
    'keys are exchanged anew in the middle of much that is sent: %s',
    async (cipher) => {
      const often = await site.sshd({ lines: ['RekeyLimit 256K'] });
      learn(often);
      const link = await open(often.port, { ciphers: [cipher] });
      const { stdin, stdout, code } = await link.exec('cat', signal);
      const sent = Buffer.from(Array.from({ length: 400_000 }, (_, i) => i % 251));
      const chunks: Buffer[] = [];
      stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
      for (let i = 0; i < 5; i++) stdin.write(sent);
      stdin.end();
      expect(await code).toBe(0);
      const got = Buffer.concat(chunks);
      expect(got.equals(Buffer.concat(Array.from({ length: 5 }, () => sent)))).toBe(true);
    },
  );

  test('a command that is over at once: its code is known, also behind a hop', async () => {
    const behind = await site.sshd();
    learn(behind);
    const hosts = [
      host(server.port, { name: 'gate' }),
      host(behind.port, { name: 'inner', proxyJump: [{ host: 'gate' }] }),
    ];
    const links = [await open(server.port), await connect({ hosts, keys })];
    onTestFinished(() => links.forEach((link) => link.close()));
    for (const link of links) {
      for (let i = 0; i < 20; i++) {
        const { stdin, stdout, code } = await link.exec(`exit ${i}`, signal);
        stdin.end();
        stdout.resume();
        expect(await code).toBe(i);
      }
    }
  });

  test('a hop that may not forward, and one behind which nothing listens, are told in their own names', async () => {
    const hosts = [
      host(server.port, { name: 'gate' }),
      host(await freePort(), { name: 'inner', proxyJump: [{ host: 'gate' }] }),
    ];
    await expect(connect({ hosts, keys })).rejects.toMatchObject({
      message: expect.stringMatching(/on gate: .*refused there/) as string,
    });
  });

  test('a ProxyJump that goes in circles', async () => {
    const hosts = [
      host(1, { name: 'a', proxyJump: [{ host: 'b' }] }),
      host(1, { name: 'b', proxyJump: [{ host: 'a' }] }),
    ];
    await expect(connect({ hosts, keys })).rejects.toThrow('circles');
  });

  test('ProxyCommand, with what it says in the log', async () => {
    const log = createLog();
    const command = `sh -c 'echo through %h >&2; exec node -e "const s=require(\\"net\\").connect(%p,\\"%h\\");process.stdin.pipe(s).pipe(process.stdout)"'`;
    const link = await open(server.port, { proxyCommand: command }, { log });
    expect(await output(link, 'echo in')).toBe('in');
    expect(log.lines().map(({ text }) => text)).toContain('ProxyCommand: through 127.0.0.1');
  });
});
