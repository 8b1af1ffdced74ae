/** `vigie status`, `vigie doctor` and `vigie bundle` as their users run them. */

import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Diagnosis } from '../../../src/shared/api/diagnosis.ts';
import { Status } from '../../../src/shared/api/status.ts';
import { startEngine } from '../../support/engine.ts';
import { runVigie } from '../../support/launch.ts';
import { temporaryFolder } from '../../support/tmp.ts';

/** A program that accepts connections and is no engine. */
async function listenOn(where: string | number): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => undefined));
  if (typeof where === 'number') server.listen(where, '127.0.0.1');
  else server.listen(where);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function doctor(args: readonly string[], folder: string, env = {}) {
  const { code, stdout, stderr } = await runVigie(['doctor', '--json', ...args], { folder, env });
  expect(stderr).toBe('');
  const { checks, level } = Diagnosis.parse(JSON.parse(stdout));
  return { code, level, checks, of: (id: string) => checks.filter((check) => check.id === id) };
}

describe('vigie status', () => {
  test('finds the engine by its socket, the environment, and what its data directory tells', async () => {
    const folder = temporaryFolder();
    const data = join(folder, 'data');
    const engine = await startEngine({ folder, args: ['--data', data] });
    const socket = engine.ready.socket!;
    // As engines write it; here also where they do not.
    const file = join(data, 'engine.json');
    if (!existsSync(file)) writeFileSync(file, JSON.stringify({ ...engine.ready, event: undefined }));
    const usual = join(folder, 'share', 'vigie', hostname());
    mkdirSync(usual, { recursive: true });
    writeFileSync(join(usual, 'engine.json'), readFileSync(file));

    for (const [args, env] of [
      [['--socket', socket], {}],
      [[], { VIGIE_SOCKET: socket }],
      [['--data', data], {}],
      // Flags count more than the environment.
      [['--data', data], { VIGIE_SOCKET: join(folder, 'none') }],
      [[], { XDG_DATA_HOME: join(folder, 'share') }],
    ] as const) {
      const { code, stdout, stderr } = await runVigie(['status', '--json', ...args], { folder, env });
      expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
      expect(Status.parse(JSON.parse(stdout)).engine.pid).toBe(engine.ready.pid);
    }
    const { code, stdout } = await runVigie(['status', '--data', data], { folder, env: {} });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^engine +Vigie .* pid \d+ on /);
    expect(stdout).toMatch(/^health +ok$/m);
    expect(stdout).toContain(engine.url);
  });

  test('fails and says what to do when none runs', async () => {
    const folder = temporaryFolder();
    const data = join(folder, 'data');
    mkdirSync(data);
    // Left behind by an engine that was killed.
    writeFileSync(join(data, 'engine.json'), JSON.stringify({ socket: join(folder, 'gone.socket'), pid: 1 }));
    for (const args of [
      ['--socket', join(folder, 'none')],
      ['--data', data],
      ['--data', join(folder, 'nothing')],
    ]) {
      const { code, stdout, stderr } = await runVigie(['status', ...args], { folder, env: {} });
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toContain('no engine answers');
      expect(stderr).toContain('`vigie serve`');
    }
  });

  test('says why it is not the one that is there', async () => {
    const folder = temporaryFolder();
    const other = join(folder, 'other.socket');
    await listenOn(other);
    const engine = await startEngine({ folder });
    const socket = engine.ready.socket!;
    process.kill(engine.ready.pid, 'SIGSTOP');
    onTestFinished(() => void process.kill(engine.ready.pid, 'SIGCONT'));
    const [silent, stopped] = await Promise.all(
      [other, socket].map((path) => runVigie(['status', '--socket', path], { folder, env: {} })),
    );
    expect(silent).toMatchObject({ code: 1, stderr: expect.stringContaining('no answer within 5 s') });
    expect(stopped).toMatchObject({ code: 1, stderr: expect.stringContaining('no answer within 5 s') });
    process.kill(engine.ready.pid, 'SIGCONT');
    expect(await runVigie(['status', '--socket', socket], { folder, env: {} })).toMatchObject({ code: 0 });
  });
});

describe('vigie doctor', () => {
  test('finds an engine in order, and says so in words', async () => {
    const folder = temporaryFolder();
    const engine = await startEngine({ folder });
    const socket = engine.ready.socket!;
    const found = await doctor(['--socket', socket], folder);
    expect(found.checks.filter((check) => check.area !== 'disk' && check.level === 'problem')).toEqual([]);
    for (const id of ['engine', 'engine_socket', 'legacy_socket', 'data', 'token', 'node', 'sqlite', 'vigie']) {
      expect({ id, levels: found.of(id).map((check) => check.level) }).toEqual({ id, levels: ['ok'] });
    }
    const { stdout } = await runVigie(['doctor', '--socket', socket], { folder, env: {} });
    expect(stdout).toMatch(/^engine\n {2}ok {7}an engine answers: pid /);
    expect(stdout).toMatch(/\d+ problems?, \d+ warnings?, \d+ ok\n$/);
  });

  test('finds what an engine left behind that was killed, and what others may not have', async () => {
    const folder = temporaryFolder();
    const engine = await startEngine({ folder });
    const { socket, data, token_file: token } = engine.ready;
    await engine.stop('SIGKILL');
    const args = ['--socket', socket!, '--data', data!];
    const stale = await doctor(args, folder);
    expect(stale.of('engine')).toMatchObject([{ level: 'warning' }]);
    expect(stale.of('engine_socket')).toMatchObject([
      { level: 'warning', found: expect.stringContaining('left behind') },
    ]);

    chmodSync(token!, 0o644);
    chmodSync(data!, 0o755);
    const open = await doctor(args, folder);
    expect(open.code).toBe(1);
    expect(open.of('token')).toMatchObject([{ level: 'problem', advice: expect.stringContaining('chmod 600') }]);
    expect(open.of('data_mode')).toMatchObject([{ level: 'warning', advice: `chmod 700 ${data!}` }]);
  });

  test('names the program that has the old proxy’s socket, and the port', async () => {
    const folder = temporaryFolder();
    const legacy = join(folder, 'old.socket');
    await listenOn(legacy);
    const port = await listenOn(0);
    const config = join(folder, 'config.yaml');
    writeFileSync(config, `listen: 127.0.0.1:${port}\nlegacy_socket: ${legacy}\n`);
    const found = await doctor(['--config', config, '--socket', join(folder, 'none'), '--data', folder], folder);
    expect(found.code).toBe(1);
    expect(found.of('legacy_proxy')).toMatchObject([{ level: 'warning' }]);
    expect(found.of('legacy_proxy')[0]?.found).toContain(`(pid ${process.pid})`);
    expect(found.of('port')).toMatchObject([
      { level: 'problem', found: expect.stringContaining(`(pid ${process.pid})`) },
    ]);
  });

  test('finds what is in the place of a socket', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'engine.socket');
    writeFileSync(path, '');
    const found = await doctor(['--socket', path, '--data', join(folder, 'data')], folder);
    expect(found.of('engine_socket')).toMatchObject([{ level: 'problem' }]);
    expect(found.code).toBe(1);
  });
});

test('vigie bundle writes a file for its user alone, and none over another', async () => {
  const folder = temporaryFolder();
  const args = ['bundle', 'help.json', '--socket', join(folder, 'none'), '--data', join(folder, 'data')];
  const first = await runVigie(args, { folder, env: {} });
  expect(first).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('help.json is written') });
  expect(statSync(join(folder, 'help.json')).mode & 0o777).toBe(0o600);
  const before = readFileSync(join(folder, 'help.json'), 'utf8');
  const second = await runVigie(args, { folder, env: {} });
  expect(second).toMatchObject({ code: 1, stderr: expect.stringContaining('is there already') });
  expect(readFileSync(join(folder, 'help.json'), 'utf8')).toBe(before);
});
