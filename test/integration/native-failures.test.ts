/** Programs that count with libvigie under vigie-run, and everything that goes wrong: the values stay right, the program its own. */

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { EngineClient } from '../../src/client/http.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { buildNative } from '../support/native.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { eventually } from '../support/wait.ts';

const call = promisify(execFile);
const folder = temporaryFolder();
/** Tables of their own: other engines and programs of this user use the usual directory at the same time. */
const tables = mkdtempSync('/dev/shm/vigie-test-');
const root = process.getuid?.() === 0;
const asRoot = root ? test : test.skip;

let built: (name: string) => string;
let engine: Engine;
let client: EngineClient;

beforeAll(async () => {
  const targets = ['vigie', 'vigie-run', 'vigie-preload', 'vigie-test-actor'];
  built = await buildNative(path.join(folder, 'build'), targets);
  engine = await startEngine({
    args: ['--memory', '--grace', '250ms', '--period', '100ms'],
    env: { XDG_RUNTIME_DIR: tables },
  });
  client = new EngineClient({ socket: engine.ready.socket! });
}, 300_000);

afterAll(async () => {
  await engine.stop();
  rmSync(tables, { recursive: true, force: true });
});

const environment = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  VIGIE_SOCKET: engine.ready.socket!,
  XDG_RUNTIME_DIR: tables,
  ...more,
});

/** `setup`: shell commands in a mount namespace of its own, before the program. */
interface How {
  readonly env?: NodeJS.ProcessEnv;
  readonly setup?: string;
}

/** The actor under vigie-run. */
function act(jobid: string, actions: readonly string[], { env = {}, setup }: How = {}) {
  const command = [built('run/vigie-run'), '-j', jobid, '--', built('test/vigie-test-actor'), ...actions];
  const all = setup === undefined ? command : ['unshare', '-m', 'sh', '-c', `${setup}; exec "$@"`, 'sh', ...command];
  const child = spawn(all[0]!, all.slice(1), { env: environment(env), stdio: ['pipe', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => (said[name] += text));
  }
  const outcome = once(child, 'close').then(([code, signal]) => ({
    code: code as unknown,
    signal: signal as unknown,
    ...said,
  }));
  return { child, outcome, said: (text: string) => eventually(() => said.stdout.includes(text)) };
}

/** An engine that waits for ranks that come late. */
const startPatient = () =>
  startEngine({ args: ['--memory', '--grace', '2s', '--period', '100ms'], env: { XDG_RUNTIME_DIR: tables } });

interface Ended {
  readonly run: { readonly ranks: number; readonly state: string };
  readonly values: Readonly<Record<string, number>>;
}

async function ended(jobid: string, of = client): Promise<Ended> {
  const run = await eventually(async () =>
    (await of.runs({ state: 'ended' })).runs.find((one) => one.jobid === jobid && one.state === 'finished'),
  );
  expect((await of.runs({ state: 'ended' })).runs.filter((one) => one.jobid === jobid)).toHaveLength(1);
  const { series } = await of.profile(run.id);
  return {
    run,
    values: Object.fromEntries(series.map((one) => [one.name, 'value' in one ? (one.value ?? NaN) : NaN])),
  };
}

const value = async (jobid: string, of: EngineClient): Promise<number | undefined> => {
  const run = (await of.runs({ state: 'live' })).runs.find((one) => one.jobid === jobid);
  const series = run && (await of.profile(run.id)).series.find(({ name }) => name === 'acted_total');
  return series && 'value' in series ? (series.value ?? undefined) : undefined;
};

describe('what programs do', () => {
  test.each<[string, string[], number, number]>([
    ['threads', ['threads', '8', '1000', 'threads', '8', '1000'], 16_000, 1],
    ['forks', ['add', '1', 'fork', 'add', '10', 'fork', 'add', '100'], 1 + 2 * 10 + 4 * 100, 1],
    ['replaces itself', ['add', '1', 'exec', 'add', '2', 'exec', 'add', '4'], 7, 1],
    ['closes all descriptors', ['add', '1', 'close', 'add', '2'], 3, 1],
    ['nothing', [], 0, 1],
  ])('%s', async (name, actions, expected, ranks) => {
    expect(await act(name, [...actions, 'say', 'done', 'exit', '5']).outcome).toMatchObject({ code: 5, stderr: '' });
    const { run, values } = await ended(name);
    expect(run.ranks).toBe(ranks);
    expect(values).toMatchObject({ acted_total: expected, has_started: 1, has_finished: 1 });
    expect(values['vigie_exit_total{code="5"}']).toBe(1);
  });

  asRoot('changes its user and its root, and counts what it did not count before', async () => {
    const actions = ['add', '1', 'setuid', '65534', 'add', '2', 'new', 'later_total', 'add', '4'];
    expect(await act('uid', actions).outcome).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect((await ended('uid')).values).toMatchObject({ acted_total: 3, has_finished: 1 });
    const empty = path.join(folder, 'empty root');
    mkdirSync(empty);
    const outcome = await act('chroot', ['add', '1', 'wait', 'chroot', empty, 'add', '2', 'exit', '3'], {
      setup: 'exec </dev/null',
    }).outcome;
    expect(outcome).toMatchObject({ code: 3, stdout: '', stderr: '' });
    expect((await ended('chroot')).values).toMatchObject({ acted_total: 3 });
  });

  test('killed: its last counts are kept', async () => {
    const { child, said, outcome } = act('killed', ['add', '41', 'say', 'counted', 'wait']);
    await said('counted');
    child.kill('SIGKILL');
    expect(await outcome).toMatchObject({ signal: 'SIGKILL' });
    expect((await ended('killed')).values).toMatchObject({ acted_total: 41, 'vigie_exit_total{code="killed"}': 1 });
  });

  test('aborts', async () => {
    expect(await act('aborts', ['add', '7', 'abort']).outcome).toMatchObject({ signal: 'SIGABRT', stderr: '' });
    expect((await ended('aborts')).values).toMatchObject({ acted_total: 7, 'vigie_exit_total{code="killed"}': 1 });
  });

  test('Python with threads, which loads the library itself', async () => {
    const program = `
import ctypes, sys, threading
lib = ctypes.CDLL(sys.argv[1])
counter = ctypes.c_void_p()
assert lib.vigie_counter_new(ctypes.byref(counter), b"python_total", b"") == 0
add = lib.vigie_counter_add
add.argtypes = [ctypes.c_void_p, ctypes.c_uint64]
def work():
    for _ in range(500): add(counter, 3)
threads = [threading.Thread(target=work) for _ in range(8)]
for each in threads: each.start()
for each in threads: each.join()
print("out")`;
    const args = ['-j', 'python', '--', 'python3', '-c', program, built('client/libvigie.so')];
    expect(await call(built('run/vigie-run'), args, { env: environment() })).toMatchObject({
      stdout: 'out\n',
      stderr: '',
    });
    expect((await ended('python')).values).toMatchObject({ python_total: 12_000, has_finished: 1 });
  });

  test('256 at once: one run, 256 ranks, nothing missing', async () => {
    const loop = 'for i in $(seq 256); do "$0" -j crowd -- "$1" add 3 add "$i" & done; wait';
    const args = ['-c', loop, built('run/vigie-run'), built('test/vigie-test-actor')];
    const { socket } = (await startPatient()).ready;
    const env = environment({ VIGIE_SOCKET: socket! });
    expect(await call('sh', args, { env })).toMatchObject({ stdout: '', stderr: '' });
    const { run, values } = await ended('crowd', new EngineClient({ socket: socket! }));
    expect(run.ranks).toBe(256);
    expect(values).toMatchObject({ acted_total: 256 * 3 + (256 * 257) / 2, has_started: 256, has_finished: 256 });
  });

  test('a loop of a shell, and ranks that come late, are one run', async () => {
    const loop = 'for i in 1 2 3; do "$0" -- "$1" add $i; sleep 0.1; done; "$0" sh -c "echo \\$PROXY_JOB_ID"';
    const { socket } = (await startPatient()).ready;
    const { stdout } = await call('sh', ['-c', loop, built('run/vigie-run'), built('test/vigie-test-actor')], {
      env: environment({ VIGIE_SOCKET: socket! }),
    });
    const { run, values } = await ended(stdout.trim(), new EngineClient({ socket: socket! }));
    expect(run.ranks).toBe(4);
    expect(values).toMatchObject({ acted_total: 6, has_finished: 4 });
  });
});

describe('what the machine does not have', () => {
  asRoot.each([
    ['no tmpfs at all', 'umount -R /dev/shm || mount --bind "$OTHER" /dev/shm', 'missing'],
    ['a full tmpfs', 'mount -t tmpfs -o size=4k none /dev/shm; head -c 4096 /dev/zero >/dev/shm/full', 'full'],
    ['room for a header only', 'mount -t tmpfs -o size=20k none /dev/shm', 'little'],
    ['a container’s own /dev/shm', 'mount -t tmpfs none /dev/shm', 'own-shm'],
  ])('%s: the values come as messages', async (_, setup, jobid) => {
    const how = { setup, env: { OTHER: folder, PROXY_PERIOD: '20' } };
    const actions = ['add', '5', 'new', 'second_total', 'add', '6', 'threads', '8', '10', 'say', 'done', 'exit', '9'];
    expect(await act(jobid, actions, how).outcome).toMatchObject({ code: 9, stdout: 'done\n', stderr: '' });
    const { run, values } = await ended(jobid);
    expect(run.ranks).toBe(1);
    expect(values).toMatchObject({ acted_total: 5, second_total: 86, has_finished: 1 });
  });

  asRoot('a container’s own /tmp, with the engine outside: as if there were no engine', async () => {
    const setup = [
      'mount -t tmpfs none /run && mkdir /run/vigie && mount --bind "$BUILD" /run/vigie && mount -t tmpfs none /tmp',
      'mount -t tmpfs none /dev/shm && cd /run/vigie && export LD_LIBRARY_PATH=/run/vigie/client VIGIE_SOCKET=',
      'exec run/vigie-run test/vigie-test-actor add 5 say done exit 9',
    ].join(' && ');
    const outcome = await act('own-tmp', [], { setup, env: { BUILD: built('') } }).outcome;
    expect(outcome).toMatchObject({ code: 9, stdout: 'done\n', stderr: '' });
  });

  test.each([['a directory of tables that the engine does not read', { XDG_RUNTIME_DIR: '/dev/shm' }, 'elsewhere']])(
    '%s: the announce is refused, the values come as messages',
    async (_, env, jobid) => {
      const before = (await client.status()).ingest.rejected['table_elsewhere'] ?? 0;
      expect(await act(jobid, ['add', '5', 'fork', 'add', '1'], { env }).outcome).toMatchObject({
        code: 0,
        stderr: '',
      });
      expect((await ended(jobid)).values).toMatchObject({ acted_total: 7 });
      expect((await client.status()).ingest.rejected['table_elsewhere']).toBe(before + 2);
    },
  );
});

describe('the engine', () => {
  const actions = ['add', '5', 'threads', '4', '25', 'say', 'done', 'exit', '6'];

  test('full: the program does not notice', async () => {
    const full = await startEngine({ args: ['--memory', '--max-series', '1'] });
    const env = { VIGIE_SOCKET: full.ready.socket! };
    expect(await act('full', actions, { env }).outcome).toEqual({
      code: 6,
      signal: null,
      stdout: 'done\n',
      stderr: '',
    });
  });

  test.each([
    ['absent', false],
    ['there, but reads and answers nothing', true],
  ])('%s: the program does not notice', async (_, listens) => {
    const socket = path.join(temporaryFolder(), 's');
    const server = createServer((connection) => connection.pause().on('error', () => undefined));
    if (listens) {
      server.listen(socket);
      onTestFinished(() => void server.close());
    }
    const { outcome } = act('alone', actions, { env: { VIGIE_SOCKET: socket } });
    expect(await outcome).toEqual({ code: 6, signal: null, stdout: 'done\n', stderr: '' });
  });

  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'ended by %s and started again: nothing twice, nothing lost',
    async (signal) => {
      const own = temporaryFolder();
      const at = (name: string): string => path.join(own, name);
      const args = [
        '--socket',
        at('s'),
        '--data',
        at('data'),
        '--legacy-socket',
        at('l'),
        '--grace',
        '2s',
        '--period',
        '100ms',
      ];
      const first = await startEngine({ folder: own, args, env: { XDG_RUNTIME_DIR: tables } });
      const { child, said, outcome } = act(
        signal,
        ['add', '5', 'wait', 'add', '7', 'say', 'more', 'wait', 'add', '9'],
        {
          env: { VIGIE_SOCKET: at('s') },
        },
      );
      const before = new EngineClient({ socket: at('s') });
      await eventually(async () => (await value(signal, before)) === 5);
      await first.stop(signal);
      child.stdin.write('\n');
      await said('more');
      await startEngine({ folder: own, args, env: { XDG_RUNTIME_DIR: tables } });
      const after = new EngineClient({ socket: at('s') });
      await eventually(async () => (await value(signal, after)) === 12);
      child.stdin.end('\n');
      expect(await outcome).toMatchObject({ code: 0, stdout: 'more\n', stderr: '' });
      const { values } = await ended(signal, after);
      expect(values).toMatchObject({ acted_total: 21, has_finished: 1 });
    },
  );

  test('killed, and then the program: the next engine finds what it counted last', async () => {
    const own = temporaryFolder();
    const at = (name: string): string => path.join(own, name);
    const args = ['--socket', at('s'), '--data', at('data'), '--legacy-socket', at('l'), '--period', '100ms'];
    const start = () => startEngine({ folder: own, args, env: { XDG_RUNTIME_DIR: tables } });
    const first = await start();
    const { child, said, outcome } = act('both', ['add', '5', 'wait', 'add', '7', 'say', 'more', 'wait'], {
      env: { VIGIE_SOCKET: at('s') },
    });
    const before = new EngineClient({ socket: at('s') });
    await eventually(async () => (await value('both', before)) === 5);
    const seen = Date.now();
    await eventually(async () => (await before.status()).store.durable_until > seen + 200);
    await first.stop('SIGKILL');
    child.stdin.write('\n');
    await said('more');
    child.kill('SIGKILL');
    await outcome;
    await start();
    const after = new EngineClient({ socket: at('s') });
    const run = await eventually(
      async () => (await after.runs({ state: 'ended' })).runs.find(({ state }) => state === 'finished'),
      { timeout: 60_000 },
    );
    const { series } = await after.profile(run.id);
    expect(series.find(({ name }) => name === 'acted_total')).toMatchObject({ value: 12 });
    expect((await after.runs({ state: 'ended' })).runs).toHaveLength(1);
    await eventually(() => readdirSync(path.join(tables, 'vigie')).every((name) => !name.startsWith(`${child.pid}-`)));
  }, 120_000);
});

test('a script that is not there, or not allowed: the launcher says so, as a shell does', async () => {
  const script = path.join(folder, 'a script');
  writeFileSync(script, '#!/nowhere/sh\n', { mode: 0o755 });
  await expect(call(built('run/vigie-run'), ['--', script], { env: environment() })).rejects.toMatchObject({
    code: 127,
  });
});
