/** known_hosts files, compared with `ssh-keygen -F`, `-l`, `-H`, `-R` and with what `ssh` itself does of a key. */

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, type TestContext } from 'vitest';
import { fingerprint, keyTypeOf } from '../../../src/engine/remote/fingerprint.ts';
import { KnownHosts, nameOf } from '../../../src/engine/remote/known-hosts.ts';
import type { HostKeyName } from '../../../src/engine/remote/types.ts';
import { requireComponent } from '../../support/components.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';

interface Key {
  readonly file: string;
  readonly type: string;
  readonly base64: string;
  readonly blob: Buffer;
}

function makeKey(folder: string, name: string, type: string): Key {
  const file = join(folder, name);
  const bits = type === 'rsa' ? ['-b', '2048'] : [];
  expect(spawnSync('ssh-keygen', ['-q', '-t', type, ...bits, '-N', '', '-f', file]).status).toBe(0);
  const [keyType, base64] = readFileSync(`${file}.pub`, 'utf8').split(' ') as [string, string];
  return { file, type: keyType, base64, blob: Buffer.from(base64, 'base64') };
}

function keygen(...args: string[]): { status: number | null; out: string } {
  const { status, stdout } = spawnSync('ssh-keygen', args, { encoding: 'utf8', timeout: 60_000 });
  return { status, out: stdout };
}

/** A folder with two keys of one type, and a known_hosts file in it. */
function setting(context: TestContext): { folder: string; file: string; one: Key; two: Key } {
  requireComponent('ssh', context);
  const folder = temporaryFolder();
  return {
    ...{ folder, file: join(folder, 'known_hosts') },
    ...{ one: makeKey(folder, 'one', 'ed25519'), two: makeKey(folder, 'two', 'ed25519') },
  };
}

const line = (hosts: string, key: Key): string => `${hosts} ${key.type} ${key.base64}`;
const only = (file: string): KnownHosts => new KnownHosts({ user: [file], global: [] });
const host = (hostname: string, port = 22): HostKeyName => ({ hostname, port });

describe('fingerprints', () => {
  test.for(['ed25519', 'rsa', 'ecdsa'])('of a key of type %s is what ssh-keygen -l prints', (type, context) => {
    requireComponent('ssh', context);
    const key = makeKey(temporaryFolder(), 'key', type);
    expect(keygen('-l', '-f', `${key.file}.pub`).out.split(' ')[1]).toBe(fingerprint(key.blob));
    expect(keyTypeOf(key.blob)).toBe(key.type);
  });
});

/** Each: what stands before the key in the file, and the names that are asked for. */
const NAMES: readonly [string, string, readonly HostKeyName[]][] = [
  ['a name', 'alpha', [host('alpha'), host('ALPHA'), host('alph'), host('alpha', 2222)]],
  ['a list', 'alpha,beta,10.0.0.1', [host('beta'), host('10.0.0.1'), host('10.0.0.12'), host('gamma')]],
  ['a port', '[alpha]:2222', [host('alpha', 2222), host('alpha', 2223), host('alpha')]],
  ['wildcards', '*.example.org,node?', [host('a.example.org'), host('example.org'), host('node1'), host('node12')]],
  ['negation', '*.example.org,!bad.example.org', [host('a.example.org'), host('bad.example.org')]],
  ['negation first', '!bad*,*', [host('badger'), host('good')]],
  ['a wildcard of ports', '[10.0.0.1]:*', [host('10.0.0.1', 2201), host('10.0.0.1')]],
  ['an address', '2001:db8::1', [host('2001:db8::1'), host('2001:db8::2')]],
  ['an address with a port', '[2001:db8::1]:2222', [host('2001:db8::1', 2222), host('2001:db8::1')]],
  ['upper case in the file', 'Alpha.Example.ORG', [host('alpha.example.org'), host('beta')]],
];

describe('names are matched as ssh-keygen -F matches them', () => {
  for (const hashed of [false, true]) {
    test.for(NAMES)(`%s${hashed ? ', hashed' : ''}`, async ([, hosts, names], context) => {
      const { file, one } = setting(context);
      writeFileSync(file, `${line(hosts, one)}\n`);
      if (hashed) expect(keygen('-H', '-f', file).status).toBe(0);
      for (const name of names) {
        const found = keygen('-F', nameOf(name), '-f', file).out.includes(one.base64);
        const types = await only(file).knownTypes(name);
        expect(types, nameOf(name)).toEqual(found ? [one.type] : []);
      }
    });
  }
});

describe('what a file says of a key', () => {
  test('known, with file and line', async (context) => {
    const { file, one, two } = setting(context);
    writeFileSync(file, `# a comment\n\n${line('beta', two)}\n${line('alpha', one)} with a comment\n`);
    expect(await only(file).lookup(host('alpha'), one.blob)).toEqual({ kind: 'known', at: { file, line: 4 } });
  });

  test('changed: both fingerprints can be shown', async (context) => {
    const { file, one, two } = setting(context);
    writeFileSync(file, `${line('alpha', one)}\n`);
    expect(await only(file).lookup(host('alpha'), two.blob)).toEqual({
      kind: 'changed',
      was: [{ file, line: 1, keyType: 'ssh-ed25519', fingerprint: fingerprint(one.blob) }],
    });
  });

  test('several keys of a host, of several types and in several files', async (context) => {
    const { folder, file, one, two } = setting(context);
    const rsa = makeKey(folder, 'rsa', 'rsa');
    const site = join(folder, 'site');
    writeFileSync(file, `${line('alpha', rsa)}\n`);
    writeFileSync(site, `${line('alpha', one)}\n${line('alpha', two)}\n`);
    const both = new KnownHosts({ user: [file], global: [site, join(folder, 'not-there')] });
    expect(await both.lookup(host('alpha'), two.blob)).toEqual({ kind: 'known', at: { file: site, line: 2 } });
    expect(await both.knownTypes(host('alpha'))).toEqual(['ssh-rsa', 'ssh-ed25519']);
    expect(both.problems).toEqual([]);
  });

  test('revoked counts above all, wherever it stands', async (context) => {
    const { file, one, two } = setting(context);
    writeFileSync(file, `${line('alpha', one)}\n@revoked ${line('*', one)}\n`);
    expect(await only(file).lookup(host('alpha'), one.blob)).toEqual({ kind: 'revoked', at: { file, line: 2 } });
    expect((await only(file).lookup(host('alpha'), two.blob)).kind).toBe('changed');
    expect((await only(file).lookup(host('beta'), two.blob)).kind).toBe('unknown');
  });

  test('an authority is no key of the host', async (context) => {
    const { file, one, two } = setting(context);
    writeFileSync(file, `@cert-authority ${line('*.example.org', one)}\n`);
    const name = host('a.example.org');
    expect(await only(file).lookup(name, two.blob)).toEqual({ kind: 'needs-ca', at: { file, line: 1 } });
    expect((await only(file).lookup(name, one.blob)).kind).toBe('needs-ca');
    expect(await only(file).hasAuthority(name)).toBe(true);
    expect(await only(file).hasAuthority(host('example.org'))).toBe(false);
    expect(await only(file).knownTypes(name)).toEqual([]);
  });

  test('an alias stands for name and port', async (context) => {
    const { file, one } = setting(context);
    writeFileSync(file, `${line('cluster', one)}\n`);
    const name = { ...host('login7.example.org', 2222), alias: 'Cluster' };
    expect((await only(file).lookup(name, one.blob)).kind).toBe('known');
    expect((await only(file).lookup(host('login7.example.org', 2222), one.blob)).kind).toBe('unknown');
  });

  test('a key that is listed without the port is known; another one there is no change, but is told', async (context) => {
    const { file, one, two } = setting(context);
    writeFileSync(file, `${line('alpha', one)}\n`);
    expect((await only(file).lookup(host('alpha', 2222), one.blob)).kind).toBe('known');
    expect(await only(file).lookup(host('alpha', 2222), two.blob)).toEqual({
      kind: 'unknown',
      others: [{ file, line: 1, keyType: 'ssh-ed25519', fingerprint: fingerprint(one.blob) }],
    });
  });

  test('CRLF, tabs and a missing end of line', async (context) => {
    const { file, one, two } = setting(context);
    writeFileSync(file, `${line('alpha', one)}\r\n\t${line('beta', two).replaceAll(' ', '\t ')}`);
    expect((await only(file).lookup(host('alpha'), one.blob)).kind).toBe('known');
    expect((await only(file).lookup(host('beta'), two.blob)).kind).toBe('known');
  });

  test('lines that say nothing are passed over and told', async (context) => {
    const { file, one } = setting(context);
    const wrong = ['alpha', `@unknown ${line('alpha', one)}`, `alpha ssh-rsa ${one.base64}`, 'alpha ssh-rsa ???'];
    writeFileSync(file, [...wrong, `alpha ${one.type} ${one.base64.slice(0, 8)}`, line('|1|x|y', one), ''].join('\n'));
    const hosts = only(file);
    expect(await hosts.lookup(host('alpha'), one.blob)).toEqual({ kind: 'unknown', others: [] });
    expect(hosts.problems).toHaveLength(5);
    expect(hosts.problems[2]).toContain(`${file} line 3`);
  });

  test('files that cannot be read are told and count as empty', async (context) => {
    const { folder, one } = setting(context);
    const fifo = join(folder, 'fifo');
    expect(spawnSync('mkfifo', [fifo]).status).toBe(0);
    const hosts = new KnownHosts({ user: [folder, fifo], global: ['/dev/null', join(folder, 'none')] });
    expect((await hosts.lookup(host('alpha'), one.blob)).kind).toBe('unknown');
    expect(hosts.problems).toEqual([expect.stringContaining(folder), expect.stringContaining(fifo)]);
  });

  test('nor one that is there and does not open', async (context) => {
    const { folder, one } = setting(context);
    // Root may read all files, but nobody follows a link to itself.
    const loop = join(folder, 'loop');
    symlinkSync(loop, loop);
    const hosts = only(loop);
    expect((await hosts.lookup(host('alpha'), one.blob)).kind).toBe('unknown');
    expect(hosts.problems).toEqual([`${loop} cannot be read (ELOOP)`]);
  });
});

describe('a key that is added', () => {
  for (const hash of [false, true]) {
    test(`is found by ssh-keygen${hash ? ', hashed' : ''}, and can be removed by it`, async (context) => {
      const { file, one, two } = setting(context);
      writeFileSync(file, line('beta', two));
      const hosts = new KnownHosts({ user: [file], global: [], hash });
      const name = host('alpha', 2222);
      expect((await hosts.lookup(name, one.blob)).kind).toBe('unknown');
      expect(await hosts.add(name, one.blob)).toEqual({ file, line: 2 });
      // The missing end of the line before was put there.
      expect(keygen('-F', 'beta', '-f', file).out).toContain(two.base64);
      const found = keygen('-F', '[alpha]:2222', '-f', file).out;
      expect(found).toContain('line 2');
      expect(found).toContain(one.base64);
      expect(readFileSync(file, 'utf8').includes('alpha')).toBe(!hash);
      expect(await hosts.lookup(name, one.blob)).toEqual({ kind: 'known', at: { file, line: 2 } });
      expect(await only(file).lookup(name, one.blob)).toEqual({ kind: 'known', at: { file, line: 2 } });
      expect(keygen('-R', '[alpha]:2222', '-f', file).status).toBe(0);
      expect((await only(file).lookup(name, one.blob)).kind).toBe('unknown');
    });
  }

  test('is written once, however many connections by way of one host add it', async (context) => {
    const { file, one } = setting(context);
    const several = Array.from({ length: 3 }, () => only(file));
    for (const each of several) expect((await each.lookup(host('alpha'), one.blob)).kind).toBe('unknown');
    const added = await Promise.all(several.map((each) => each.add(host('alpha'), one.blob)));
    expect(added).toEqual(several.map(() => ({ file, line: 1 })));
    expect(readFileSync(file, 'utf8')).toBe(`alpha ssh-ed25519 ${one.base64}\n`);
  });

  test('makes the file and its folder for the user alone', async (context) => {
    const { folder, one } = setting(context);
    const file = join(folder, 'new', 'known_hosts');
    await new KnownHosts({ user: [file], global: [] }).add(host('alpha'), one.blob);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'new')).mode & 0o777).toBe(0o700);
    expect(readFileSync(file, 'utf8')).toBe(`alpha ssh-ed25519 ${one.base64}\n`);
  });

  test('cannot be written for other hosts than the one that was meant', async (context) => {
    const { file, one } = setting(context);
    const names = ['*', 'a,b', 'a b', 'a\nb', '!a', '|1|x', '@revoked', '#a', 'a\u0000', ''];
    for (const name of names)
      await expect(only(file).add(host(name), one.blob), name).rejects.toThrow('name like this');
    await expect(only(file).add({ ...host('a'), alias: '* ssh' }, one.blob)).rejects.toThrow('name like this');
    await expect(only(file).add(host('a'), Buffer.from('no key'))).rejects.toThrow('no key');
    await expect(new KnownHosts({ user: [], global: [file] }).add(host('a'), one.blob)).rejects.toThrow('names no');
  });

  test('says in words when it cannot be written', async (context) => {
    const { folder, one } = setting(context);
    await expect(only(folder).add(host('alpha'), one.blob)).rejects.toThrow(/cannot be written \(EISDIR\)/);
    const missing = join(folder, 'a', 'b', 'known_hosts');
    await expect(only(missing).add(host('alpha'), one.blob)).rejects.toThrow(/cannot be written \(ENOENT\)/);
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((closed) => server.close(closed));
  return port;
}

/** An sshd that nobody logs into: only its key is looked at. */
async function startSshd(sshd: string, folder: string, key: Key): Promise<number> {
  const port = await freePort();
  const config = join(folder, 'sshd_config');
  writeFileSync(config, `Port ${port}\nListenAddress 127.0.0.1\nHostKey ${key.file}\nPidFile none\nUsePAM no\n`);
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  chmodSync(key.file, 0o600);
  const child: ChildProcess = spawn(sshd, ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr!.on('data', (piece: Buffer) => (said += piece.toString()));
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill();
    await once(child, 'exit');
  });
  await eventually(() => said.includes('Server listening'));
  return port;
}

/** What ssh makes of the host's key: it goes on to log in (and may not), or it stops at the key. */
function verdictOfSsh(ssh: string, file: string, port: number): 'known' | 'refused' {
  const options = [
    `UserKnownHostsFile=${file}`,
    'GlobalKnownHostsFile=none',
    'StrictHostKeyChecking=yes',
    'BatchMode=yes',
  ];
  const more = ['PreferredAuthentications=none', 'HostKeyAlgorithms=ssh-ed25519', 'ConnectTimeout=30'];
  const args = [...options, ...more].flatMap((option) => ['-o', option]);
  const { stderr } = spawnSync(ssh, ['-F', 'none', ...args, '-p', String(port), '127.0.0.1', 'true'], {
    encoding: 'utf8',
  });
  if (stderr.includes('Permission denied')) return 'known';
  expect(stderr).toContain('Host key verification failed');
  return 'refused';
}

test('ssh accepts the same keys of a real sshd', async (context) => {
  const [ssh, sshd] = [requireComponent('ssh', context), requireComponent('sshd', context)];
  const { folder, file, one, two } = setting(context);
  const rsa = makeKey(folder, 'rsa', 'rsa');
  const port = await startSshd(sshd, folder, one);
  const name = host('127.0.0.1', port);
  const own = `[127.0.0.1]:${port}`;
  const files: readonly [string, string][] = [
    [line(own, one), 'known'],
    [line('[127.0.0.1]:*', one), 'known'],
    [line('127.0.0.1', one), 'known'],
    [line('*', one), 'known'],
    [line(`${own},!*`, one), 'unknown'],
    [line(own, two), 'changed'],
    // A key of another type is a change, too.
    [line(own, rsa), 'changed'],
    [`${line(own, two)}\n${line(own, one)}`, 'known'],
    [`${line(own, rsa)}\n${line('127.0.0.1', one)}`, 'changed'],
    [`${line(own, one)}\n@revoked ${line('*', one)}`, 'revoked'],
    [`@cert-authority ${line('*', one)}`, 'needs-ca'],
    [line('127.0.0.1', two), 'unknown'],
    ['', 'unknown'],
  ];
  for (const [text, expected] of files) {
    writeFileSync(file, `${text}\n`);
    const { kind } = await only(file).lookup(name, one.blob);
    expect(kind, text).toBe(expected);
    expect(verdictOfSsh(ssh, file, port), text).toBe(kind === 'known' ? 'known' : 'refused');
  }
});
