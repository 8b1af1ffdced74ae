import { writeFileSync } from 'node:fs';
import { hostname, homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigError, parseListen, resolveConfig } from '../../../src/engine/config.ts';
import { DEFAULT_LIMITS } from '../../../src/engine/limits.ts';
import { temporaryFolder } from '../../support/tmp.ts';

const uid = process.getuid!();

function fileWith(text: string): string {
  const path = join(temporaryFolder(), 'vigie.yaml');
  writeFileSync(path, text);
  return path;
}

const DAY = 86_400_000;

describe('defaults', () => {
  test('are those the documentation names', async () => {
    expect(await resolveConfig({}, {}, null)).toEqual({
      listen: { kind: 'tcp', host: '127.0.0.1', port: 1337, isDefault: true },
      socket: `/tmp/vigie-${uid}/engine.socket`,
      socketIsDefault: true,
      legacySocket: `/tmp/metric-proxy-${uid}.socket`,
      legacyIsDefault: true,
      data: join(homedir(), '.local/share/vigie', hostname()),
      periodMs: 1000,
      graceMs: 1000,
      tokenFile: join(homedir(), '.local/share/vigie', hostname(), 'token'),
      compat: false,
      compatNetworks: [],
      node: true,
      allowHosts: [],
      merge: new Map(),
      maxSeries: 2_000_000,
      limits: DEFAULT_LIMITS,
      retention: { raw: 14 * DAY, minute: 180 * DAY, hour: 1095 * DAY, size: 4 * 2 ** 30 },
      remoteWrite: [],
      targets: [],
      targetLimits: { side_by_side: 200, targets: 20_000, bytes: 16 * 1024 ** 2, series: 50_000, allow_private: true },
      alarmChannels: { private: true, plaintext: false },
      sshConfig: null,
      logLevel: 'info',
      host: hostname(),
      roots: { proc: '/proc', sys: '/sys' },
    });
  });

  test('the data directory follows XDG_DATA_HOME; in memory the token is beside the socket', async () => {
    expect((await resolveConfig({}, { XDG_DATA_HOME: '/xdg' }, null)).data).toBe(`/xdg/vigie/${hostname()}`);
    expect((await resolveConfig({}, { XDG_DATA_HOME: '' }, null)).data).toBe(
      join(homedir(), '.local/share/vigie', hostname()),
    );
    const memory = await resolveConfig(
      { memory: true, socket: '/run/me/engine.socket' },
      { XDG_DATA_HOME: '/xdg' },
      null,
    );
    expect([memory.data, memory.tokenFile]).toEqual([null, '/run/me/token']);
  });
});

describe('precedence', () => {
  test('where the data goes is one question: a flag for the one overrules the file for the other', async () => {
    const inMemory = await resolveConfig({ data: '/flag' }, {}, fileWith('memory: true\n'));
    expect(inMemory.data).toBe('/flag');
    expect((await resolveConfig({ memory: true }, {}, fileWith('data: /file\n'))).data).toBeNull();
  });

  test('flags before the environment before the file before the defaults', async () => {
    const file = fileWith('socket: /file/socket\nperiod: 2s\ngrace: 3s\n');
    const all = await resolveConfig({ socket: '/flag/socket', period: '5s' }, { VIGIE_SOCKET: '/env/socket' }, file);
    expect([all.socket, all.periodMs, all.graceMs]).toEqual(['/flag/socket', 5000, 3000]);
    expect((await resolveConfig({}, { VIGIE_SOCKET: '/env/socket' }, file)).socket).toBe('/env/socket');
    expect((await resolveConfig({}, {}, file)).socket).toBe('/file/socket');
    expect((await resolveConfig({}, { VIGIE_SOCKET: '' }, file)).socket).toBe('/file/socket');
    // What a command line does not say is undefined, and overrules nothing.
    expect((await resolveConfig({ socket: undefined, node: undefined }, {}, file)).socket).toBe('/file/socket');
  });

  test('all settings can stand in the file', async () => {
    const file = fileWith(`
listen: 127.0.0.1:0
socket: /s/engine.socket
legacy_socket: off
data: /d
period: 250ms
token_file: /t/token
compat: true
node: false
grace: 0.5s
allow_hosts: [login1, login1.cluster]
merge: { queue_length: max }
log_level: warn
`);
    expect(await resolveConfig({}, {}, file)).toMatchObject({
      listen: { port: 0, isDefault: false },
      socketIsDefault: false,
      legacySocket: null,
      legacyIsDefault: false,
      data: '/d',
      periodMs: 250,
      graceMs: 500,
      tokenFile: '/t/token',
      compat: true,
      node: false,
      allowHosts: ['login1', 'login1.cluster'],
      merge: new Map([['queue_length', 'max']]),
      logLevel: 'warn',
    });
  });

  test.each([
    ['compat: 10.1.0.0/16', ['10.1.0.0/16']],
    ['compat: 10.1.0.0/16, 2001:db8::/32', ['10.1.0.0/16', '2001:db8::/32']],
    ['compat: [10.1.2.3]', ['10.1.2.3']],
    ['compat: true', []],
  ])('%s', async (text, compatNetworks) => {
    expect(await resolveConfig({}, {}, fileWith(text))).toMatchObject({ compat: true, compatNetworks });
  });

  test('an empty file is no settings', async () => {
    expect((await resolveConfig({}, {}, fileWith(''))).periodMs).toBe(1000);
    expect((await resolveConfig({}, {}, fileWith('# nothing\n'))).periodMs).toBe(1000);
  });
});

describe('what cannot be used is explained', () => {
  const messageOf = async (run: Promise<unknown>): Promise<string> => {
    try {
      await run;
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      return (error as Error).message;
    }
    return 'nothing was wrong';
  };

  test.each<[string, string]>([
    ['period: 1', 'period'],
    ['period: fast', 'period: expected a duration with a unit, such as 1s, 250ms or 5m'],
    ['period: 1ms', '--period must be between 10ms and 1h'],
    ['period: 2h', '--period must be between 10ms and 1h'],
    ['grace: 40d', '--grace must be 1d at most'],
    ['compat: please', 'compat'],
    ['compat: 10.0.0.0/33', 'compat'],
    ['compat: [10.0.0.0/8, host.example]', 'compat'],
    ['compat: ""', 'compat'],
    ['compat: []', 'compat'],
    ['legacy_soket: off', 'legacy_soket'],
    ['log_level: loud', 'log_level'],
    ['merge: { x: average }', 'merge.x'],
    ['allow_hosts: login1', 'allow_hosts'],
    ['socket: ""', 'socket'],
    ['- a\n- b', 'must be a YAML mapping'],
    ['just text', 'must be a YAML mapping'],
    ['a: [', 'is not YAML'],
  ])('%s', async (text, expected) => {
    expect(await messageOf(resolveConfig({}, {}, fileWith(text)))).toContain(expected);
  });

  test('several at once', async () => {
    const message = await messageOf(resolveConfig({}, {}, fileWith('compat: 1\nnode: 2\n')));
    expect(message).toContain('compat');
    expect(message).toContain('node');
  });

  test('a file that is not there', async () => {
    const message = await messageOf(resolveConfig({}, {}, join(temporaryFolder(), 'missing.yaml')));
    expect(message).toContain('the configuration file cannot be read');
    expect(message).toContain('missing.yaml');
  });
});

describe('--listen', () => {
  test.each([
    ['127.0.0.1:8080', { kind: 'tcp', host: '127.0.0.1', port: 8080, isDefault: false }],
    ['localhost:0', { kind: 'tcp', host: 'localhost', port: 0, isDefault: false }],
    ['127.0.0.2:80', { kind: 'tcp', host: '127.0.0.2', port: 80, isDefault: false }],
    ['[::1]:0', { kind: 'tcp', host: '::1', port: 0, isDefault: false }],
    ['1338', { kind: 'tcp', host: '127.0.0.1', port: 1338, isDefault: false }],
    ['unix:/run/x.socket', { kind: 'unix', path: '/run/x.socket' }],
    ['off', { kind: 'off' }],
  ])('%s', (text, expected) => expect(parseListen(text, false)).toEqual(expected));

  test.each([
    '',
    'nonsense',
    '127.0.0.1',
    '127.0.0.1:',
    '127.0.0.1:70000',
    '127.0.0.1:-1',
    'http://127.0.0.1:80',
    '::1:80',
    'unix:',
    '127.0.0.1:0x50',
    ':',
  ])('%j is refused', (text) => expect(() => parseListen(text, true)).toThrow(ConfigError));

  test.each([
    '0.0.0.0:0',
    '10.0.0.1:1337',
    '[::]:80',
    'login1:80',
    '128.0.0.1:80',
    'localhost.example:80',
    '127.0.0.1.example:80',
  ])('%s leaves this machine: only with --insecure', (text) => {
    expect(() => parseListen(text, false)).toThrow('--insecure');
    expect(parseListen(text, true)).toMatchObject({ kind: 'tcp' });
  });
});
