/** Host keys, hops, and what the user's own ssh does for us, against Debian's sshd and real known_hosts files. */

import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { fingerprint } from '../../../src/engine/remote/fingerprint.ts';
import { KnownHosts } from '../../../src/engine/remote/known-hosts.ts';
import { createLog } from '../../../src/engine/remote/session/log.ts';
import type { Link } from '../../../src/engine/remote/session/link.ts';
import type { HostKeys, ResolvedHost } from '../../../src/engine/remote/types.ts';
import { findProgram } from '../../../scripts/lib/components.mjs';
import { lacksComponent } from '../../support/components.ts';
import { connect, DEFAULTS, output, Person, type Attempt } from '../../support/ssh-session.ts';
import { freePort, lacksSshd, type Sshd, SshSite } from '../../support/sshd.ts';
import { eventually } from '../../support/wait.ts';

function reach(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => (socket.destroy(), resolve(true)));
    socket.once('error', () => resolve(false));
  });
}

describe.skipIf(lacksSshd())('hosts', () => {
  let site: SshSite;
  let servers: [Sshd, Sshd, Sshd];
  let key: string;

  beforeAll(async () => {
    site = new SshSite();
    key = site.key('user');
    site.authorize(key);
    servers = [await site.sshd(), await site.sshd(), await site.sshd()];
  });
  afterAll(() => site.close());

  const publicKey = (file: string): string => readFileSync(`${file}.pub`, 'utf8').split(' ').slice(0, 2).join(' ');
  const line = ({ port, hostKeys }: Sshd, marker = ''): string =>
    hostKeys.map((file) => `${marker}[127.0.0.1]:${port} ${publicKey(file)}\n`).join('');

  function knownHosts(...lines: string[]): string {
    const file = site.file();
    writeFileSync(file, lines.join(''));
    return file;
  }

  const keysOf = (file: string): HostKeys => new KnownHosts({ user: [file], global: [], hash: false });
  const print = (of: Sshd): string => fingerprint(site.blob(of.hostKeys[0] ?? ''));

  const host = (name: string, { port }: Sshd, more: Partial<ResolvedHost> = {}): ResolvedHost => ({
    ...DEFAULTS,
    ...{ name, port, user: site.user, identityFiles: [key] },
    ...more,
  });

  /** a, b through a, c through b. */
  const way = (more: Partial<ResolvedHost> = {}): [ResolvedHost, ResolvedHost, ResolvedHost] => [
    host('a', servers[0], more),
    host('b', servers[1], { ...more, proxyJump: [{ host: 'a' }] }),
    host('c', servers[2], { ...more, proxyJump: [{ host: 'b' }] }),
  ];

  async function open(attempt: Attempt): Promise<Link> {
    const link = await connect(attempt);
    onTestFinished(() => link.close());
    return link;
  }

  test('an unknown host is asked about with its fingerprint; yes for good is written down, once is not', async () => {
    const file = knownHosts();
    const [one] = servers;
    const once = new Person([], 'once');
    await open({ hosts: [host('a', one)], keys: keysOf(file), person: once });
    expect(once.trusted).toMatchObject([
      { host: 'a', hop: 1, keyType: 'ssh-ed25519', fingerprint: print(one), others: [] },
    ]);
    expect(readFileSync(file, 'utf8')).toBe('');
    await open({ hosts: [host('a', one)], keys: keysOf(file), person: new Person([], 'always') });
    expect(execFileSync('ssh-keygen', ['-F', `[127.0.0.1]:${one.port}`, '-f', file], { encoding: 'utf8' })).toContain(
      publicKey(one.hostKeys[0] ?? ''),
    );
    const silent = new Person();
    await open({ hosts: [host('a', one)], keys: keysOf(file), person: silent });
    expect(silent.trusted).toEqual([]);
  });

  test('no is no, and nothing of the user was sent', async () => {
    const person = new Person([], 'no');
    const one = await site.sshd();
    await expect(open({ hosts: [host('a', one)], keys: keysOf(knownHosts()), person })).rejects.toMatchObject({
      kind: 'host-key',
      host: 'a',
    });
    await eventually(() => one.log.includes('Connection closed by') || one.log.includes('Connection reset by'));
    expect(one.log).not.toContain(site.user);
  });

  test('StrictHostKeyChecking: yes refuses what is unknown, accept-new writes it down without asking', async () => {
    const file = knownHosts();
    const strict = host('a', servers[0], { strictHostKeyChecking: 'yes' });
    const person = new Person([], 'always');
    await expect(open({ hosts: [strict], keys: keysOf(file), person })).rejects.toMatchObject({ kind: 'host-key' });
    await open({ hosts: [{ ...strict, strictHostKeyChecking: 'accept-new' }], keys: keysOf(file), person });
    expect(person.trusted).toEqual([]);
    expect(readFileSync(file, 'utf8')).toBe(line(servers[0]));
  });

  test('a hashed name is known', async () => {
    const file = knownHosts(line(servers[0]));
    execFileSync('ssh-keygen', ['-H', '-f', file], { stdio: 'pipe' });
    expect(readFileSync(file, 'utf8')).toMatch(/^\|1\|/);
    const person = new Person();
    expect(await output(await open({ hosts: [host('a', servers[0])], keys: keysOf(file), person }), 'echo in')).toBe(
      'in',
    );
  });

  test('a changed key is refused, with both fingerprints; a revoked one, too', async () => {
    const [one, other] = servers;
    const changed = knownHosts(line({ port: one.port, hostKeys: other.hostKeys } as Sshd));
    const person = new Person([], 'always');
    const attempt = open({ hosts: [host('a', one)], keys: keysOf(changed), person });
    await expect(attempt).rejects.toMatchObject({ kind: 'host-key', host: 'a' });
    const message = await attempt.catch((error: Error) => error.message);
    expect(message).toContain(print(one));
    expect(message).toContain(print(other));
    expect(message).toContain(`${changed}:1`);
    expect(person.warned).toMatchObject([
      { host: 'a', why: 'changed', fingerprint: print(one), was: [{ fingerprint: print(other) }] },
    ]);
    expect(person.trusted).toEqual([]);
    const revoked = knownHosts(line(one, '@revoked '), line(one));
    await expect(open({ hosts: [host('a', one)], keys: keysOf(revoked), person })).rejects.toThrow('revoked');
    expect(person.warned.at(-1)?.why).toBe('revoked');
  });

  test('a changed key with StrictHostKeyChecking no: as OpenSSH, a key may go on, a password is not given away', async () => {
    const [one, other] = servers;
    const changed = (): HostKeys => keysOf(knownHosts(line({ port: one.port, hostKeys: other.hostKeys } as Sshd)));
    const lax = host('a', one, { strictHostKeyChecking: 'no' });
    expect(await output(await open({ hosts: [lax], keys: changed() }), 'echo in')).toBe('in');
    const person = new Person([[site.password]]);
    await expect(open({ hosts: [{ ...lax, identityFiles: [] }], keys: changed(), person })).rejects.toMatchObject({
      kind: 'refused',
    });
    expect(person.asked).toEqual([]);
  });

  test('of several types the one that is known is asked for', async () => {
    const both = await site.sshd({ hostKeys: [site.key('hosted'), site.key('hostrsa', { type: 'rsa' })] });
    const rsa = both.hostKeys[1] ?? '';
    const file = knownHosts(`[127.0.0.1]:${both.port} ${publicKey(rsa)}\n`);
    expect(await output(await open({ hosts: [host('a', both)], keys: keysOf(file) }), 'echo in')).toBe('in');
  });

  test('two and three hops, each with its own key under its own name', async () => {
    const file = knownHosts();
    const person = new Person([], 'always');
    const link = await open({ hosts: way(), keys: keysOf(file), person });
    expect(await output(link, 'echo $SSH_CONNECTION')).toMatch(new RegExp(` ${servers[2].port}$`));
    expect(person.trusted.map((one) => [one.host, one.hop, one.fingerprint])).toEqual([
      ['a', 1, print(servers[0])],
      ['b', 2, print(servers[1])],
      ['c', 3, print(servers[2])],
    ]);
    expect(person.trusted[0]?.path).toEqual(['a', 'b', 'c']);
    const two = await open({ hosts: way().slice(0, 2), keys: keysOf(file) });
    expect(await output(two, 'echo $SSH_CONNECTION')).toMatch(new RegExp(` ${servers[1].port}$`));
  });

  test('a hop whose key changed: refused in its name, and what is behind it is never asked', async () => {
    const wrong = { port: servers[1].port, hostKeys: servers[2].hostKeys } as Sshd;
    const person = new Person([[site.password]], 'always');
    const last = await site.sshd();
    const hosts = [...way().slice(0, 2), host('c', last, { proxyJump: [{ host: 'b' }] })];
    const attempt = open({ hosts, keys: keysOf(knownHosts(line(servers[0]), line(wrong))), person });
    await expect(attempt).rejects.toMatchObject({ kind: 'host-key', host: 'b' });
    expect(person.hops()).toEqual([]);
    // One came: the test's own look whether it listens.
    expect(last.log.match(/Connection from/g)?.length ?? 0).toBeLessThanOrEqual(1);
  });

  test('an encrypted key for three hops is asked for once', async () => {
    const secret = site.key('forall', { passphrase: 'one for all' });
    site.authorize(key, secret);
    const person = new Person([['one for all']]);
    const file = knownHosts(...servers.map((one) => line(one)));
    await open({ hosts: way({ identityFiles: [secret] }), keys: keysOf(file), person });
    expect(person.asked.map(({ host: from }) => from)).toEqual(['a']);
  });

  describe.skipIf(lacksComponent('ssh'))("the user's own ssh", () => {
    const ssh = findProgram('ssh') ?? '';

    async function signed(): Promise<{ one: Sshd; ca: string }> {
      const ca = site.key(`ca${Math.random()}`);
      const file = site.key(`signed${Math.random()}`);
      execFileSync('ssh-keygen', ['-q', '-s', ca, '-I', 'host', '-h', '-n', '127.0.0.1', '-V', '+1d', `${file}.pub`]);
      const one = await site.sshd({ hostKeys: [file], lines: [`HostCertificate ${file}-cert.pub`] });
      return { one, ca };
    }

    test('a host with a certificate: ssh carries the connection, and says so', async () => {
      const { one, ca } = await signed();
      const file = knownHosts(`@cert-authority [127.0.0.1]:* ${publicKey(ca)}\n`);
      const log = createLog();
      const config = site.file();
      writeFileSync(config, `IdentityFile ${key}\nIdentitiesOnly yes\nStrictHostKeyChecking yes\n`);
      const signedHost = host('127.0.0.1', one, { userKnownHostsFiles: [file], configFile: config });
      const link = await open({ hosts: [signedHost], keys: keysOf(file), log, ssh, env: process.env });
      expect(link.through).toBe('ssh');
      expect(
        log
          .lines()
          .map(({ text }) => text)
          .join('\n'),
      ).toContain('certificate, which ssh only can check');
      expect(await output(link, 'echo in')).toBe('in');
      const socket = await link.dialTcp('127.0.0.1', servers[0].port, AbortSignal.timeout(20_000));
      const banner = await new Promise<string>(
        (resolve) => void socket.once('data', (chunk: Buffer) => resolve(chunk.toString())),
      );
      expect(banner).toMatch(/^SSH-2\.0-/);
      socket.destroy();
      link.close();
      expect(await link.ended).toBeNull();
    });

    test("a user's certificate, with a password of a hop asked through the engine: never in argv or environment", async () => {
      const ca = site.key(`userca${Math.random()}`);
      const mine = site.key(`mine${Math.random()}`, { passphrase: 'of the certificate' });
      execFileSync('ssh-keygen', ['-q', '-s', ca, '-I', 'me', '-n', site.user, '-V', '+1d', `${mine}.pub`]);
      const one = await site.sshd({ lines: [`TrustedUserCAKeys ${ca}.pub`] });
      const file = knownHosts();
      const config = site.file();
      writeFileSync(config, `IdentityFile ${mine}\nIdentitiesOnly yes\nGlobalKnownHostsFile none\n`);
      const certified = host('127.0.0.1', one, {
        identityFiles: [mine],
        userKnownHostsFiles: [file],
        configFile: config,
      });
      const person = new Person([['of the certificate']], 'always');
      let seen = '';
      const answer = person.ask.bind(person);
      person.ask = (question, signal) => {
        seen += execFileSync('ps', ['axeww', '-o', 'args'], { encoding: 'utf8', maxBuffer: 64 << 20 });
        return answer(question, signal);
      };
      const log = createLog();
      const link = await open({ hosts: [certified], keys: keysOf(file), person, ssh, env: process.env, log });
      expect(await output(link, 'id -un')).toBe(site.user);
      expect(person.trusted).toMatchObject([{ fingerprint: print(one), keyType: 'ED25519' }]);
      expect(person.asked).toMatchObject([{ kind: 'passphrase', host: '127.0.0.1' }]);
      expect(readFileSync(file, 'utf8')).toBe(line(one));
      seen += execFileSync('ps', ['axeww', '-o', 'args'], { encoding: 'utf8', maxBuffer: 64 << 20 });
      expect(seen).toContain('askpass');
      expect(seen).not.toContain('of the certificate');
      expect(JSON.stringify(log.lines())).not.toContain('of the certificate');
    });

    test('a key exchange that is too new for the built-in SSH', async () => {
      const kex = 'sntrup761x25519-sha512@openssh.com';
      const one = await site.sshd({ lines: [`KexAlgorithms ${kex}`] });
      const file = knownHosts(line(one));
      const config = site.file();
      writeFileSync(config, `IdentityFile ${key}\nIdentitiesOnly yes\nStrictHostKeyChecking yes\n`);
      const newer = host('127.0.0.1', one, { userKnownHostsFiles: [file], configFile: config });
      const log = createLog();
      const link = await open({ hosts: [newer], keys: keysOf(file), ssh, env: process.env, log });
      expect(link.through).toBe('ssh');
      expect(log.lines().some(({ text }) => text.includes('key exchange algorithm in common'))).toBe(true);
      expect(await output(link, 'echo in')).toBe('in');
    });

    test('a certificate in the agent: tried by ssh before anybody is asked for a password', async () => {
      const ca = site.key(`agentca${Math.random()}`);
      const mine = site.key(`agentkey${Math.random()}`);
      execFileSync('ssh-keygen', ['-q', '-s', ca, '-I', 'me', '-n', site.user, '-V', '+1d', `${mine}.pub`]);
      const one = await site.sshd({ lines: [`TrustedUserCAKeys ${ca}.pub`] });
      const file = knownHosts(line(one));
      const config = site.file();
      writeFileSync(config, `IdentityFile none\nStrictHostKeyChecking yes\n`);
      const agent = await site.agent(mine);
      const certified = host('127.0.0.1', one, { identityFiles: [], userKnownHostsFiles: [file], configFile: config });
      const person = new Person();
      const env = { ...process.env, SSH_AUTH_SOCK: agent };
      const link = await open({ hosts: [certified], keys: keysOf(file), ssh, env, person });
      expect(link.through).toBe('ssh');
      expect(await output(link, 'id -un')).toBe(site.user);
      expect(person.asked).toEqual([]);
    });

    test('each hop asks in its own name, and its key is kept only where that was said', async () => {
      const { one, ca } = await signed();
      const gate = await site.sshd();
      const locked = site.key(`locked${Math.random()}`, { passphrase: 'of the hop' });
      site.authorize(key, locked);
      const [file, other] = [knownHosts(`@cert-authority [127.0.0.1]:${one.port} ${publicKey(ca)}\n`), site.file()];
      const config = site.file();
      const both = 'IdentitiesOnly yes\nGlobalKnownHostsFile none\nUserKnownHostsFile';
      writeFileSync(
        config,
        [
          ...['Host gate', `IdentityFile ${locked}`, `${both} ${other}`],
          ...['Host inner', `IdentityFile ${key}`, `${both} ${file}`, 'Host *', 'HostName 127.0.0.1', ''],
        ].join('\n'),
      );
      const hosts = [
        host('gate', gate, { identityFiles: [locked], userKnownHostsFiles: [other], configFile: config }),
        host('inner', one, {
          ...{ userKnownHostsFiles: [file], configFile: config, revokedHostKeys: '/dev/null' },
          proxyJump: [{ host: 'gate' }],
        }),
      ];
      const reached = async (trusts: 'once' | 'always'): Promise<Person> => {
        const person = new Person([['of the hop'], ['of the hop']], trusts);
        const link = await open({ hosts, keys: keysOf(other), ssh, env: process.env, person });
        expect(link.through).toBe('ssh');
        expect(await output(link, 'echo in')).toBe('in');
        link.close();
        return person;
      };
      // The built-in SSH asks first, which comes as far as the hop; then ssh, which goes the whole way.
      const once = await reached('once');
      const asks = { host: 'gate', hop: 1, path: ['gate', 'inner'] };
      expect(once.trusted).toMatchObject([asks, asks].map((ask) => ({ ...ask, fingerprint: print(gate) })));
      expect(once.asked).toMatchObject([asks, { ...asks, kind: 'passphrase', title: 'ssh asks for gate' }]);
      expect(existsSync(other) ? readFileSync(other, 'utf8') : '').toBe('');
      expect((await reached('always')).trusted).toHaveLength(1);
      expect(readFileSync(other, 'utf8')).toBe(line(gate));
    });

    test('a forward that is refused leaves the others as they are', async () => {
      const one = servers[0];
      const file = knownHosts(line(one));
      const config = site.file();
      writeFileSync(config, `IdentityFile ${key}\nIdentitiesOnly yes\nGlobalKnownHostsFile none\n`);
      const more = { userKnownHostsFiles: [file], configFile: config, revokedHostKeys: '/dev/null' };
      const link = await open({ hosts: [host('127.0.0.1', one, more)], keys: keysOf(file), ssh, env: process.env });
      const says = async (port: number): Promise<string> => {
        const socket = await link.dialTcp('127.0.0.1', port, AbortSignal.timeout(20_000));
        const said = await new Promise<string>(
          (resolve) => void socket.once('data', (chunk) => resolve(String(chunk))),
        );
        socket.destroy();
        return said;
      };
      // Its name is longer than ssh takes.
      const refused = link.dialTcp('x'.repeat(5000), 1, AbortSignal.timeout(20_000));
      refused.catch(() => undefined);
      expect(await says(servers[1].port)).toContain('SSH-2.0');
      await expect(refused).rejects.toMatchObject({ phase: 'channel' });
      expect(await says(servers[2].port)).toContain('SSH-2.0');
    });

    test('behind a hop: ssh goes the whole way, and the hop after it is reached through ssh', async () => {
      const { one, ca } = await signed();
      const file = knownHosts(
        line(servers[0]),
        line(servers[2]),
        `@cert-authority [127.0.0.1]:${one.port} ${publicKey(ca)}\n`,
      );
      const config = site.file();
      const common = `IdentityFile ${key}\nIdentitiesOnly yes\nStrictHostKeyChecking yes\nUserKnownHostsFile ${file}\n`;
      writeFileSync(config, `Host gate inner\nHostName 127.0.0.1\nHost *\n${common}`);
      const more = { userKnownHostsFiles: [file], configFile: config };
      const hosts = [
        host('gate', servers[0], more),
        host('inner', one, { ...more, proxyJump: [{ host: 'gate' }] }),
        host('last', servers[2], { ...more, proxyJump: [{ host: 'inner' }] }),
      ];
      const link = await open({ hosts, keys: keysOf(file), ssh, env: process.env });
      expect(link.through).toBe('ssh2');
      expect(await output(link, 'echo $SSH_CONNECTION')).toMatch(new RegExp(` ${servers[2].port}$`));
    });

    test('RevokedHostKeys is a list that only ssh reads: it carries the connection, and refuses what is on it', async () => {
      const [one, two] = [servers[0], servers[1]];
      const file = knownHosts(line(one), line(two));
      const [list, config] = [site.file(), site.file()];
      execFileSync('ssh-keygen', ['-q', '-k', '-f', list, `${two.hostKeys[0]}.pub`]);
      const common = `IdentityFile ${key}\nIdentitiesOnly yes\nStrictHostKeyChecking yes\nGlobalKnownHostsFile none\n`;
      writeFileSync(config, `${common}RevokedHostKeys ${list}\n`);
      const more = { userKnownHostsFiles: [file], configFile: config, revokedHostKeys: list };
      const common2 = { keys: keysOf(file), ssh, env: process.env };
      const log = createLog();
      const link = await open({ ...common2, hosts: [host('127.0.0.1', one, more)], log });
      expect(link.through).toBe('ssh');
      expect(log.lines().some(({ text }) => text.includes('RevokedHostKeys can be read by ssh only'))).toBe(true);
      await expect(open({ ...common2, hosts: [host('127.0.0.1', two, more)] })).rejects.toMatchObject({
        kind: 'host-key',
        message: expect.stringContaining('revoked') as string,
      });
      const withoutSsh = open({ hosts: [host('127.0.0.1', one, more)], keys: keysOf(file) });
      await expect(withoutSsh).rejects.toThrow('ssh is not installed');
    });

    test('nothing of the configuration runs, forwards or stays behind by itself, of the host and of hops', async () => {
      const { one, ca } = await signed();
      const file = knownHosts(
        ...servers.map((each) => line(each)),
        `@cert-authority [127.0.0.1]:${one.port} ${publicKey(ca)}\n`,
      );
      const [config, ran, master] = [site.file(), site.file(), site.file()];
      const port = await freePort();
      writeFileSync(
        config,
        [
          ...['Host gate second inner', 'HostName 127.0.0.1', 'Host *', `IdentityFile ${key}`, 'IdentitiesOnly yes'],
          ...['StrictHostKeyChecking yes', `UserKnownHostsFile ${file}`, 'GlobalKnownHostsFile none'],
          ...['PermitLocalCommand yes', `LocalCommand echo %n >> ${ran}`, `RemoteCommand echo remote >> ${ran}`],
          ...['ForkAfterAuthentication yes', 'ControlMaster auto', `ControlPath ${master}-%n`, 'ControlPersist yes'],
          ...[`LocalForward 127.0.0.1:${port} 127.0.0.1:1`, 'ForwardAgent yes', ''],
        ].join('\n'),
      );
      // What it would do by itself.
      const args = ['-F', config, '-p', String(servers[0].port), '-l', site.user, '-o', 'ControlMaster=no'];
      execFileSync(ssh, [...args, '-o', 'RemoteCommand=none', '-o', 'ForkAfterAuthentication=no', 'gate', 'true']);
      expect(readFileSync(ran, 'utf8')).toBe('gate\n');
      writeFileSync(ran, '');
      const more = { userKnownHostsFiles: [file], configFile: config };
      const hosts = [
        host('gate', servers[0], more),
        host('second', servers[1], { ...more, proxyJump: [{ host: 'gate' }] }),
        host('inner', one, { ...more, proxyJump: [{ host: 'second' }] }),
      ];
      const link = await open({ hosts, keys: keysOf(file), ssh, env: process.env });
      expect(link.through).toBe('ssh');
      expect(await output(link, 'echo $SSH_CONNECTION')).toMatch(new RegExp(` ${one.port}$`));
      expect(readFileSync(ran, 'utf8')).toBe('');
      await expect(reach(port)).resolves.toBe(false);
      const running = (): string =>
        execFileSync('ps', ['axww', '-o', 'args'], { encoding: 'utf8', maxBuffer: 64 << 20 });
      expect(running()).toContain(config);
      link.close();
      await eventually(() => !running().includes(config));
      expect(existsSync(`${master}-gate`) || existsSync(`${master}-inner`)).toBe(false);
    });

    test('a Unix socket over there, and a folder that is gone afterwards', async () => {
      const { one, ca } = await signed();
      const file = knownHosts(`@cert-authority [127.0.0.1]:* ${publicKey(ca)}\n`);
      const config = site.file();
      writeFileSync(config, `IdentityFile ${key}\nIdentitiesOnly yes\n`);
      const signedHost = host('127.0.0.1', one, { userKnownHostsFiles: [file], configFile: config });
      const link = await open({ hosts: [signedHost], keys: keysOf(file), ssh, env: process.env });
      const there = site.file();
      const echo = net.createServer((socket) => void socket.pipe(socket));
      onTestFinished(() => void echo.close());
      await new Promise<void>((resolve) => void echo.listen(there, resolve));
      chmodSync(there, 0o777);
      const socket = await link.dialUnix(there, AbortSignal.timeout(20_000));
      socket.write('there and back');
      expect(String(await new Promise((resolve) => void socket.once('data', resolve)))).toBe('there and back');
      const folders = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('vigie-ssh-'));
      const before = folders();
      link.close();
      // At once: an engine that stops does not wait for it.
      expect(before.some((name) => !existsSync(path.join(tmpdir(), name)))).toBe(true);
    });

    test('without ssh installed it is said what is missing', async () => {
      const { one, ca } = await signed();
      const file = knownHosts(`@cert-authority [127.0.0.1]:* ${publicKey(ca)}\n`);
      await expect(open({ hosts: [host('a', one)], keys: keysOf(file) })).rejects.toThrow('ssh is not installed');
    });

    test('what ssh refuses is told in its words', async () => {
      const { one, ca } = await signed();
      const file = knownHosts(`@cert-authority [127.0.0.1]:* ${publicKey(ca)}\n`);
      const config = site.file();
      writeFileSync(config, 'BatchMode yes\nIdentitiesOnly yes\nIdentityFile none\n');
      const signedHost = host('127.0.0.1', one, { userKnownHostsFiles: [file], configFile: config });
      await expect(open({ hosts: [signedHost], keys: keysOf(file), ssh, env: process.env })).rejects.toMatchObject({
        kind: 'refused',
        message: expect.stringContaining('Permission denied') as string,
      });
    });
  });
});
