/** How a configuration is resolved: what is asked before, which program is run, what is listed; and random ones. */

import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigError, UnclaimedError } from '../../../src/engine/remote/config/error.ts';
import { resolveFallback } from '../../../src/engine/remote/config/fallback.ts';
import { listHosts } from '../../../src/engine/remote/config/hosts.ts';
import { configRoots, loadConfig } from '../../../src/engine/remote/config/load.ts';
import { findSsh, resolveOpenSsh } from '../../../src/engine/remote/config/openssh.ts';
import { createResolver } from '../../../src/engine/remote/config/resolve.ts';
import type { ConfigAsk } from '../../../src/engine/remote/config/scan.ts';
import { requireComponent } from '../../support/components.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';

function configFile(text: string): { folder: string; file: string } {
  const folder = temporaryFolder();
  const file = join(folder, 'config');
  writeFileSync(file, text.replaceAll('@DIR@', folder));
  return { folder, file };
}

/** A program in place of ssh. */
function program(folder: string, script: string): string {
  const file = join(folder, 'ssh');
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

describe('programs of a configuration', () => {
  test('none runs before it was allowed', async (context) => {
    const ssh = requireComponent('ssh', context);
    const { folder, file } = configFile('Host b\nMatch host a exec "touch @DIR@/ran"\n  Port 2222\n');
    const mark = join(folder, 'ran');
    await expect(createResolver({ configFile: file, ssh })('a')).rejects.toThrow(/config line 2: .*not allowed/);
    expect(existsSync(mark)).toBe(false);
    const asked: (readonly ConfigAsk[])[] = [];
    let answer = false;
    const resolve = createResolver({ configFile: file, ssh, allow: async (asks) => (asked.push(asks), answer) });
    await expect(resolve('a')).rejects.toThrow(ConfigError);
    expect(existsSync(mark)).toBe(false);
    answer = true;
    expect((await resolve('a')).port).toBe(2222);
    expect(existsSync(mark)).toBe(true);
    // A yes is remembered.
    await resolve('a');
    expect(asked).toHaveLength(2);
    expect(asked[1]).toEqual([expect.objectContaining({ file, line: 2, what: 'match-exec' })]);
    // Until the command is another one.
    writeFileSync(file, `Match exec "true"\n`);
    await resolve('a');
    expect(asked).toHaveLength(3);
  });

  test('a command of a host is asked for with that host only', async (context) => {
    const ssh = requireComponent('ssh', context);
    const { file } = configFile('Host a\n  ProxyCommand nc %h %p\nHost c\n  KnownHostsCommand /bin/true\n');
    for (const way of [ssh, null]) {
      const asked: string[] = [];
      const allow = async (asks: readonly ConfigAsk[]): Promise<boolean> => {
        asked.push(...asks.map(({ what, line, text }) => `${what} ${line} ${text}`));
        return true;
      };
      const resolve = createResolver({ configFile: file, ssh: way, allow });
      await resolve('b');
      expect(asked).toEqual([]);
      expect((await resolve('a')).proxyCommand).toBe('nc %h %p');
      await resolve('a');
      await resolve('c');
      expect(asked).toEqual(['proxy-command 2 nc %h %p', 'known-hosts-command 4 /bin/true']);
      await expect(createResolver({ configFile: file, ssh: way })('a')).rejects.toThrow('not allowed');
    }
  });

  test('a file that could not be looked into is asked for, too', async (context) => {
    const ssh = requireComponent('ssh', context);
    const { file } = configFile('Include @DIR@/[c]onf\nUser ada\n');
    const asked: ConfigAsk[] = [];
    const resolve = createResolver({ configFile: file, ssh, allow: async (asks) => (asked.push(...asks), true) });
    expect((await resolve('a')).user).toBe('ada');
    expect(asked).toEqual([expect.objectContaining({ what: 'unreadable', line: 1 })]);
  });
});

describe('the user’s ssh', () => {
  test('is found in PATH, but not in a relative folder of it', async () => {
    const { folder } = configFile('');
    const file = program(folder, 'exit 0');
    expect(await findSsh({ PATH: `.:bin::${folder}` })).toBe(file);
    expect(await findSsh({ PATH: '.:' })).toBeUndefined();
    expect(await findSsh({})).toBeUndefined();
  });

  test('is given names as arguments, never as options', async () => {
    const { folder } = configFile('');
    const ssh = program(folder, `printf '%s\\n' "$@" > '${folder}/args'; echo hostname h; echo user u; echo port 22`);
    const env = process.env;
    await resolveOpenSsh({ ssh, host: 'a$(x)', user: 'u', port: 5, configFile: '/c', env });
    expect(readFileSync(join(folder, 'args'), 'utf8').split('\n')).toEqual([
      ...['-G', '-T', '-F', '/c', '-l', 'u', '-p', '5', '--', 'a$(x)', ''],
    ]);
    await expect(resolveOpenSsh({ ssh, host: '-oProxyCommand=x', env })).rejects.toThrow('cannot begin with -');
    const resolve = createResolver({ ssh, configFile: join(folder, 'args') });
    const names = ['-x', 'a b', 'a;b', '', 'a\nb', '$(a)', 'a*', '@', 'x@', '-l@a', 'u v@a', '../a'];
    for (const name of names) await expect(resolve(name), name).rejects.toThrow(/is not the name of a|cannot begin/);
    await expect(resolve('a', { port: 0 })).rejects.toThrow('not a port');
  });

  test('that hangs is ended with all it started', async () => {
    const { folder } = configFile('');
    const ssh = program(folder, `sleep 1000 & echo $! > '${folder}/pid'; wait`);
    const abort = new AbortController();
    const resolving = resolveOpenSsh({ ssh, host: 'a', env: process.env, signal: abort.signal });
    const failed = expect(resolving).rejects.toThrow('enough');
    const pid = await eventually(() => {
      const text = readFileSync(join(folder, 'pid'), 'utf8');
      return text.endsWith('\n') && Number(text);
    });
    abort.abort(new Error('enough'));
    await failed;
    await eventually(() => {
      // Gone, or waiting to be reaped by whoever reaps orphans here.
      const state = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : ') Z';
      return state.includes(') Z');
    });
  });

  test('that floods is ended, and one that fails is quoted without control characters', async () => {
    const { folder } = configFile('');
    const flood = program(folder, 'exec yes hostname');
    await expect(resolveOpenSsh({ ssh: flood, host: 'a', env: process.env })).rejects.toThrow(
      'more than a configuration',
    );
    const fail = program(folder, `printf '\\033[31mline 3: Bad\\n' >&2; exit 255`);
    await expect(resolveOpenSsh({ ssh: fail, host: 'a', env: process.env })).rejects.toThrow(
      'ssh -G a: [31mline 3: Bad',
    );
    const none = resolveOpenSsh({ ssh: join(folder, 'none'), host: 'a', env: process.env });
    await expect(none).rejects.toThrow('cannot be started');
  });
});

describe('the list of hosts', () => {
  test('has the names of all files, with where they stand', async () => {
    const { folder, file } = configFile(
      'Host a "b"\n  User x\nHost *.c !d e?\nInclude @DIR@/more @DIR@/none\nHost a f',
    );
    writeFileSync(join(folder, 'more'), '\r\nHost g\r\n  HostName h\r\nHost -x $(y) a,b\r\n');
    expect(await listHosts({ configFile: file })).toEqual({
      hosts: [
        { name: 'a', file, line: 1 },
        { name: 'b', file, line: 1 },
        { name: 'g', file: join(folder, 'more'), line: 2 },
        { name: 'f', file, line: 5 },
      ],
      problems: [],
    });
  });

  test('is the user’s own, and may be empty', async () => {
    const home = temporaryFolder();
    const own = async (): Promise<string[]> =>
      (await listHosts({ home })).hosts.filter(({ file }) => file.startsWith(home)).map(({ name }) => name);
    expect(await own()).toEqual([]);
    mkdirSync(join(home, '.ssh', 'config.d'), { recursive: true });
    writeFileSync(join(home, '.ssh/config'), 'Include config.d/* ~/.ssh/other\nHost last\n', { mode: 0o600 });
    writeFileSync(join(home, '.ssh/config.d/10-site'), 'Host site\n', { mode: 0o600 });
    writeFileSync(join(home, '.ssh/other'), 'Host other\n', { mode: 0o600 });
    expect(await own()).toEqual(['site', 'other', 'last']);
  });

  test('tells what could not be read', async () => {
    const { folder, file } = configFile('Include @DIR@/loop @DIR@/folder @DIR@/self @DIR@/open ~nobody/x\nHost a\n');
    symlinkSync(join(folder, 'loop'), join(folder, 'loop'));
    mkdirSync(join(folder, 'folder'));
    writeFileSync(join(folder, 'self'), `Include ${join(folder, 'self')}\nHost b\n`);
    writeFileSync(join(folder, 'open'), 'Host c\n');
    chmodSync(join(folder, 'open'), 0o666);
    const { hosts, problems } = await listHosts({ configFile: file });
    expect(hosts.map(({ name }) => name)).toEqual(['b', 'a']);
    const parts = [
      /loop cannot be read \(ELOOP\)/,
      /folder is not a file/,
      /more than 16 deep/,
      /written by others/,
      /~nobody/,
    ];
    for (const part of parts) expect(problems.join('\n')).toMatch(part);
  });

  test('ends, however often files include each other', async () => {
    const { folder, file } = configFile('Include @DIR@/c/*\n');
    mkdirSync(join(folder, 'c'));
    for (let i = 0; i < 9; i++) writeFileSync(join(folder, 'c', `${i}`), `Include ${folder}/c/*\nHost h${i}\n`);
    const { hosts, problems } = await listHosts({ configFile: file });
    expect(hosts.length).toBeGreaterThan(0);
    expect(problems.join('\n')).toContain('more than 500 files');
    await expect(createResolver({ configFile: file, ssh: null })('a')).rejects.toThrow(ConfigError);
  });
});

/** Configurations made of lines as people write them, without programs to run and names to look up. */
function randomConfigs(): fc.Arbitrary<string> {
  const host = fc.constantFrom('a', 'b', 'a.c', '*', 'a*', '?', '!a', '!b', '*.c', '"a"');
  const condition = fc.constantFrom(
    ...[
      'all',
      'host a',
      'host a.c,b',
      'host=b',
      'originalhost a',
      'user root',
      '!user u',
      'final',
      '!final',
      'canonical',
    ],
    ...['host "a*,!a.c"', 'localuser *', 'final all', '!host b', 'user u,v'],
  );
  const setting = fc.constantFrom(
    ...['User u', 'User v', 'User=w', 'User "x"', 'Port 1', 'Port 2', 'HostName %h.c', 'HostName b', 'HostName A.c'],
    ...[
      'IdentityFile ~/k',
      'IdentityFile /k/%h',
      'IdentityFile none',
      'ProxyJump j',
      'ProxyJump none',
      'ProxyJump u@j:3,k',
    ],
    ...[
      'ProxyCommand nc',
      'ProxyCommand none',
      'UserKnownHostsFile /a ~/b',
      'UserKnownHostsFile none',
      'Compression yes',
    ],
    ...[
      'StrictHostKeyChecking no',
      'IdentitiesOnly yes # c',
      'ConnectTimeout 1m',
      'HostKeyAlias h',
      'IdentityAgent none',
    ],
    ...['IdentityAgent ~/s', 'AddKeysToAgent confirm', 'IgnoreUnknown X*', 'Xyz 1', 'Port x', 'Ciphers aes128-ctr', ''],
    ...['User a b', 'User', 'User a#b', 'PreferredAuthentications password', 'ForwardAgent yes', 'SendEnv A B*'],
  );
  const line = fc.oneof(
    { weight: 2, arbitrary: fc.array(host, { minLength: 1, maxLength: 3 }).map((names) => `Host ${names.join(' ')}`) },
    {
      weight: 2,
      arbitrary: fc.array(condition, { minLength: 1, maxLength: 2 }).map((all) => `Match ${all.join(' ')}`),
    },
    { weight: 9, arbitrary: setting.map((text) => `  ${text}`) },
  );
  return fc.array(line, { maxLength: 14 }).map((lines) => lines.join('\n'));
}

test('random configurations: our own reader says what ssh -G says, or that it cannot', async (context) => {
  const ssh = requireComponent('ssh', context);
  const { homedir, username, uid } = userInfo();
  const { file } = configFile('');
  let [same, refused] = [0, 0];
  const KEYS = [
    'hostname',
    'user',
    'port',
    'identityfile',
    'proxyjump',
    'proxycommand',
    'userknownhostsfile',
    'ciphers',
  ];
  const more = [
    'compression',
    'stricthostkeychecking',
    'identityagent',
    'connecttimeout',
    'hostkeyalias',
    'addkeystoagent',
  ];
  const property = fc.asyncProperty(randomConfigs(), fc.constantFrom('a', 'b', 'a.c'), async (text, host) => {
    writeFileSync(file, text);
    const { status, stdout } = spawnSync(ssh, ['-G', '-F', file, '--', host], { encoding: 'utf8', timeout: 60_000 });
    const local = { home: homedir, localUser: username, localHost: hostname(), uid, env: process.env };
    const loaded = await loadConfig(configRoots(homedir, file), homedir);
    let raw;
    try {
      raw = resolveFallback(loaded, { host, ...local });
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      if (!(error instanceof UnclaimedError)) expect(status, (error as Error).message).not.toBe(0);
      refused++;
      return;
    }
    expect(status).toBe(0);
    for (const key of [...KEYS, ...more]) {
      // What is default of this ssh is compared in the corpus.
      if (key === 'ciphers' && !text.includes('Ciphers')) continue;
      const lines = stdout.split('\n').filter((one) => one.startsWith(`${key} `));
      const ours = raw.get(key) ?? [];
      const printed = key === 'userknownhostsfile' ? [ours.join(' ')] : ours;
      expect(
        printed.map((value) => `${key} ${value}`),
        key,
      ).toEqual(lines);
    }
    same++;
  });
  await fc.assert(property, { numRuns: 150 });
  expect(same).toBeGreaterThan(20);
  expect(refused).toBeGreaterThan(5);
});
