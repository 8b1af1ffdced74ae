/** Programs under `vigie-run`, as users start them: the job appears by itself, and the program notices nothing. */

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { EngineClient } from '../../src/client/http.ts';
import { VERSION } from '../../src/engine/version.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { eventually } from '../support/wait.ts';

const sources = path.join(import.meta.dirname, '..', '..', 'native', 'run');
const call = promisify(execFile);
const folder = temporaryFolder();
const build = path.join(folder, 'with a blank');
const vigieRun = path.join(build, 'vigie-run');

let engine: Engine;
let client: EngineClient;

beforeAll(async () => {
  await call('cmake', ['-S', sources, '-B', build, '-DBUILD_TESTING=OFF']);
  await call('cmake', ['--build', build]);
  engine = await startEngine({ args: ['--memory', '--grace', '200ms'] });
  client = new EngineClient({ socket: engine.ready.socket! });
}, 300_000);

afterAll(async () => void (await engine.stop()));

interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly pid: number;
}

function start(jobid: string, command: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(vigieRun, ['-j', jobid, '--', ...command], {
    cwd: folder,
    env: { PATH: process.env['PATH'], VIGIE_SOCKET: engine.ready.socket!, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const outcome = once(child, 'close').then(([code, signal]): Outcome => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
    stdout,
    stderr,
    pid: child.pid ?? 0,
  }));
  return { child, outcome };
}

const liveRun = (jobid: string) =>
  eventually(async () => (await client.runs({ state: 'live' })).runs.find((run) => run.jobid === jobid));

/** All ended runs of the job, once there is one; the counters of the last. */
async function ended(jobid: string) {
  const runs = await eventually(async () => {
    const found = (await client.runs({ state: 'ended' })).runs.filter((run) => run.jobid === jobid);
    return found.length > 0 ? found : undefined;
  });
  const { series } = await client.profile(runs[0]!.id);
  return {
    runs,
    run: runs[0]!,
    counters: Object.fromEntries(series.map((one) => [one.name, 'value' in one ? one.value : null])),
  };
}

const begun = (starts = 1) => ({
  has_started: starts,
  'tau_metric_proxy_run_total{operation="exec"}': starts,
  [`vigie_run_build_info{version="${VERSION}"}`]: 1,
});

const finished = (code: number, starts = 1) => ({
  ...begun(starts),
  has_finished: starts,
  [`vigie_exit_total{code="${code}"}`]: starts,
});

function compile(name: string, source: string, flags: readonly string[] = []) {
  const program = path.join(folder, name);
  writeFileSync(`${program}.c`, source);
  return call('cc', ['-o', program, `${program}.c`, ...flags]).then(() => program);
}

describe('a program that ends by itself', () => {
  test('appears with its description while it runs, and is finished afterwards', async () => {
    const { outcome } = start('plain', [
      'sh',
      '-c',
      'while [ ! -e go ]; do sleep 0.02; done; echo out; exit 7',
      'a "b"',
    ]);
    const live = await liveRun('plain');
    expect(live).toMatchObject({ state: 'running', size: 1, ranks: 1, run_dir: folder, nodelist: '', clients: 1 });
    expect(live.command).toBe('sh -c while [ ! -e go ]; do sleep 0.02; done; echo out; exit 7 a "b"');
    expect(Math.abs(live.start_time - Date.now())).toBeLessThan(60_000);
    writeFileSync(path.join(folder, 'go'), '');
    expect(await outcome).toMatchObject({ code: 7, signal: null, stdout: 'out\n', stderr: '' });
    const { run, runs, counters } = await ended('plain');
    expect(runs).toHaveLength(1);
    expect(run).toMatchObject({ state: 'finished', ranks: 1, clients: 0 });
    expect(counters).toEqual(finished(7));
  });

  test.each([
    ['exit', 'import sys; sys.exit(3)', 3],
    ['_exit', 'import os; os._exit(4)', 4],
    ['return from main', 'pass', 0],
  ])('python: %s', async (name, program, code) => {
    expect(await start(`python ${name}`, ['python3', '-c', program]).outcome).toMatchObject({ code, stderr: '' });
    expect((await ended(`python ${name}`)).counters).toEqual(finished(code));
  });

  test('quick_exit, with its handlers', async () => {
    const program = await compile(
      'quick',
      `#include <stdlib.h>
#include <unistd.h>
static void handler(void) { (void)!write(1, "handled", 7); }
int main(void) { at_quick_exit(handler); quick_exit(14); }`,
    );
    expect(await start('quick', [program]).outcome).toMatchObject({ code: 14, stdout: 'handled', stderr: '' });
    expect((await ended('quick')).counters).toEqual(finished(14));
  });

  test('with threads, one of which ends it', async () => {
    const program = `
import os, threading
def work(n):
    s = sum(range(20000))
    if n == 7: os._exit(9)
for n in range(8): threading.Thread(target=work, args=(n,)).start()
threading.Event().wait()`;
    expect(await start('threads', ['python3', '-c', program]).outcome).toMatchObject({ code: 9, stderr: '' });
    expect((await ended('threads')).counters).toEqual(finished(9));
  });

  test('as a script that starts programs and then replaces itself: one process of one run', async () => {
    const script = path.join(folder, 'a script.sh');
    writeFileSync(
      script,
      '#!/bin/sh\nfor i in 1 2 3; do ls /nowhere 2>/dev/null; done\necho $$\nexec sh -c "exit 5"\n',
      {
        mode: 0o755,
      },
    );
    const outcome = await start('script', [script]).outcome;
    expect(outcome).toMatchObject({ code: 5, stdout: `${outcome.pid}\n`, stderr: '' });
    const { run, runs, counters } = await ended('script');
    expect(runs).toHaveLength(1);
    expect(run.ranks).toBe(1);
    expect(counters).toEqual(finished(5));
  });
});

describe('a program that goes another way', () => {
  test.each(['SIGKILL', 'SIGTERM', 'SIGSEGV'] as const)('%s: its run ends, started and killed', async (signal) => {
    const { child, outcome } = start(signal, ['sleep', '600']);
    await liveRun(signal);
    child.kill(signal);
    expect(await outcome).toMatchObject({ code: null, signal });
    const { run, counters } = await ended(signal);
    expect(run).toMatchObject({ state: 'finished', ranks: 1 });
    expect(counters).toEqual({ ...begun(), 'vigie_exit_total{code="killed"}': 1 });
  });

  test('that replaces itself by one without a loader: what becomes of it is not known, and not called killed', async () => {
    const program = await compile('static-sleep', '#include <unistd.h>\nint main(void) { sleep(1); return 3; }', [
      '-static',
    ]);
    const { outcome } = start('unknown', ['sh', '-c', `exec "${program}"`]);
    expect((await liveRun('unknown')).clients).toBe(1);
    expect(await outcome).toMatchObject({ code: 3, stderr: '' });
    const { run, counters } = await ended('unknown');
    expect(counters).toEqual(begun());
    expect(run.end_time - run.start_time).toBeGreaterThan(900);
  });

  test('killed after it has replaced itself twice', async () => {
    const { child, outcome } = start('last', ['sh', '-c', 'exec sh -c "exec sleep 600"']);
    await liveRun('last');
    await eventually(() => readFileSync(`/proc/${child.pid}/cmdline`, 'utf8') === 'sleep\x00600\x00');
    // Longer than a closed connection is looked into.
    await eventually(async () =>
      (await client.runs({ state: 'live' })).runs.some(({ jobid, clients }) => jobid === 'last' && clients === 1),
    );
    child.kill('SIGKILL');
    await outcome;
    const { run, counters } = await ended('last');
    expect(run.ranks).toBe(1);
    expect(counters).toMatchObject({ has_started: 1, 'vigie_exit_total{code="killed"}': 1 });
  });

  test('that forks without exec: only the process itself counts, and its end is the end', async () => {
    const program = `
import os, sys, time
if os.fork() == 0:
    os.close(1); os.close(2)
    time.sleep(3); os._exit(77)
if os.fork() == 0: sys.exit(66)
os.wait()
sys.exit(2)`;
    expect(await start('forks', ['python3', '-c', program]).outcome).toMatchObject({ code: 2, stderr: '' });
    const { runs, counters } = await ended('forks');
    expect(runs).toHaveLength(1);
    expect(counters).toEqual(finished(2));
  });

  test('that closes all descriptors and takes every number: it stays connected', async () => {
    const program = await compile(
      'closes',
      `#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>
int main(void) {
  closefrom(3); close_range(3, ~0U, 0);
  for (int fd = 3; fd < 4096; fd++) close(fd);
  if (open("/dev/null", O_RDONLY) != 3) return 1; /* as without vigie-run */
  usleep(700000); /* longer than the grace time */
  for (int fd = 900; fd < 1100; fd++) if (dup2(3, fd) != fd) return 1;
  return 8;
}`,
    );
    expect(await start('closes', [program]).outcome).toMatchObject({ code: 8, stderr: '' });
    const { runs, counters } = await ended('closes');
    expect(runs).toHaveLength(1);
    expect(counters).toEqual(finished(8));
  });

  test('that closes them by system calls and opens files under their numbers: no byte of ours is in them', async () => {
    const program = await compile(
      'raw',
      `#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv) {
  (void)argc;
  for (int fd = 3; fd < 1100; fd++) syscall(SYS_close, fd);
  int file = open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0600);
  for (int fd = file + 1; fd < 1000; fd++) if (dup(file) != fd) return 1;
  return 6;
}`,
    );
    const file = path.join(folder, 'untouched');
    expect(await start('raw', [program, file]).outcome).toMatchObject({ code: 6, stderr: '' });
    expect(readFileSync(file)).toHaveLength(0);
    expect((await ended('raw')).counters).toEqual(finished(6));
  });

  test('that changes its user', async () => {
    if (process.getuid?.() !== 0) return;
    const program = 'import os; os.setgid(65534); os.setuid(65534); raise SystemExit(1)';
    expect(await start('uid', ['python3', '-c', program]).outcome).toMatchObject({ code: 1, stderr: '' });
    expect((await ended('uid')).counters).toEqual(finished(1));
  });

  test('without a loader: it just runs', async () => {
    const program = await compile('static', 'int main(void) { return 12; }', ['-static']);
    expect(await start('static', [program]).outcome).toMatchObject({ code: 12, stdout: '', stderr: '' });
  });
});

test('many at once are one run of many ranks', async () => {
  const outcomes = await Promise.all(
    Array.from({ length: 40 }, () => start('many', ['sh', '-c', 'sleep 1; exit 0']).outcome),
  );
  expect(outcomes.every(({ code, stderr }) => code === 0 && stderr === '')).toBe(true);
  const { runs } = await ended('many');
  let total = 0;
  for (const run of runs) {
    const { series } = await client.profile(run.id);
    for (const one of series) if (one.name === 'has_finished' && 'value' in one) total += one.value ?? 0;
  }
  expect(total).toBe(40);
});

test.each([
  ['no engine', () => path.join(folder, 'none.socket')],
  ['a path that no socket can have', () => `/${'x'.repeat(300)}`],
  ['a file in its place', () => vigieRun],
])('%s: the program runs as if nothing were there', async (_, socket) => {
  const { outcome } = start('alone', ['sh', '-c', 'echo $$; exit 11'], { VIGIE_SOCKET: socket() });
  const result = await outcome;
  expect(result).toMatchObject({ code: 11, stdout: `${result.pid}\n`, stderr: '' });
});

test('an engine that is restarted meanwhile is told the end', async () => {
  const own = temporaryFolder();
  const args = [
    '--socket',
    path.join(own, 's'),
    '--data',
    path.join(own, 'data'),
    '--legacy-socket',
    path.join(own, 'l'),
  ];
  const first = await startEngine({ folder: own, args: [...args, '--grace', '200ms'] });
  const program = 'while [ ! -e again ]; do sleep 0.02; done; exit 13';
  const { outcome } = start('restart', ['sh', '-c', program], { VIGIE_SOCKET: first.ready.socket! });
  const before = new EngineClient({ socket: first.ready.socket! });
  await eventually(async () => (await before.runs({ state: 'live' })).runs[0]);
  await first.stop();
  const second = await startEngine({ folder: own, args: [...args, '--grace', '200ms'] });
  writeFileSync(path.join(folder, 'again'), '');
  expect(await outcome).toMatchObject({ code: 13, stderr: '' });
  const after = new EngineClient({ socket: second.ready.socket! });
  const run = await eventually(async () =>
    (await after.runs({ state: 'ended' })).runs.find(({ jobid, state }) => jobid === 'restart' && state === 'finished'),
  );
  const { series } = await after.profile(run.id);
  expect(series.map(({ name }) => name)).toEqual(expect.arrayContaining(['has_started', 'has_finished']));
  expect((await after.runs({ state: 'ended' })).runs).toHaveLength(1);
});

test('bin/vigie-run says how to build what is not built', async () => {
  const bin = path.join(import.meta.dirname, '..', '..', 'bin', 'vigie-run');
  const own = temporaryFolder();
  await call('mkdir', [path.join(own, 'bin')]);
  await call('cp', [bin, path.join(own, 'bin')]);
  await expect(call(path.join(own, 'bin', 'vigie-run'), ['true'])).rejects.toMatchObject({
    code: 127,
    stderr: expect.stringContaining('npm run native') as string,
  });
  await call('mkdir', ['-p', path.join(own, 'native', 'build')]);
  await call('ln', ['-s', build, path.join(own, 'native', 'build', 'run')]);
  expect(existsSync(path.join(own, 'native/build/run/vigie-run'))).toBe(true);
  expect((await call(path.join(own, 'bin', 'vigie-run'), ['echo', 'a  b'])).stdout).toBe('a  b\n');
});
