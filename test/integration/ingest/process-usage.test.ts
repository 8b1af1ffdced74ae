/** CPU time and memory of programs under the real launcher, beside what they say of themselves. */

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';

import type { EngineClient } from '../../../src/client/http.ts';
import { ProfileAnalysis } from '../../../src/shared/api/profile-analysis.ts';
import type { Profile } from '../../../src/shared/api/profiles.ts';
import { startEngine } from '../../support/engine.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { type Bench, prepare } from '../syscalls/build.ts';

const CPU = 'process_cpu_seconds_total';
const MEMORY = 'process_resident_memory_bytes';
const MIB = 1024 ** 2;
const call = promisify(execFile);
const native = path.join(import.meta.dirname, '..', '..', '..', 'native');
const folder = temporaryFolder();

/** Uses so much CPU, with so much memory meanwhile; says how much it was; then waits until its input ends, if it is told. */
const BURN = `
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
static double used(void) {
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) + (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1e-6;
}
int main(int count, char **words) {
  size_t bytes = (size_t)atol(words[2]) << 20;
  char *memory = malloc(bytes + 1);
  memset(memory, 1, bytes + 1);
  while (used() < atof(words[1])) memory[bytes / 2]++;
  if (count > 3) {
    char c;
    printf("burnt\\n");
    fflush(stdout);
    while (read(0, &c, 1) > 0) {}
  }
  free(memory);
  printf("%.6f\\n", used());
  return 0;
}
`;

/** Has a client of Prometheus inside, as far as that can be seen from outside. */
const OWN = `
#include <unistd.h>
#include <vigie.h>
int main(void) {
  vigie_counter *cpu;
  vigie_gauge *memory;
  vigie_counter_new_double(&cpu, "${CPU}", "its own");
  vigie_gauge_new(&memory, "${MEMORY}", "its own");
  vigie_counter_add_double(cpu, 1000);
  vigie_gauge_set(memory, 7);
  sleep(2);
  return 0;
}
`;

let bench: Bench;
let burn: string;
let burnStatic: string;
let own: string;

async function compile(name: string, source: string, flags: readonly string[] = []): Promise<string> {
  const program = path.join(folder, name);
  writeFileSync(`${program}.c`, source);
  await call('cc', ['-O1', '-o', program, `${program}.c`, ...flags]);
  return program;
}

beforeAll(async () => {
  bench = await prepare(folder);
  const library = path.join(path.dirname(bench.vigieRun), '..', 'client');
  const linked = ['-I', path.join(native, 'include'), `-L${library}`, `-Wl,-rpath,${library}`, '-lvigie'];
  [burn, burnStatic, own] = await Promise.all([
    compile('burn', BURN),
    compile('burn-static', BURN, ['-static']),
    compile('own', OWN, linked),
  ]);
}, 600_000);

afterAll(async () => void (await (bench as Bench | undefined)?.engine.stop()));

async function profileOf(job: string, client: EngineClient = bench.client): Promise<Profile> {
  const run = await eventually(
    async () => (await client.runs({ state: 'ended' })).runs.find(({ jobid }) => jobid === job),
    { timeout: 60_000 },
  );
  return client.profile(run.id);
}

interface Started {
  readonly pid: number;
  /** What it has said so far. */
  stdout(): string;
  /** Its input ends. */
  release(): void;
  kill(): void;
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string }>;
}

function start(command: readonly string[], { env } = bench): Started {
  const child = spawn(command[0]!, command.slice(1), { cwd: folder, env, stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  return {
    pid: child.pid!,
    stdout: () => stdout,
    release: () => void child.stdin.end(),
    kill: () => void child.kill('SIGKILL'),
    ended: once(child, 'close').then(([code]) => ({ code: code as number | null, stdout })),
  };
}

const run = (job: string, options: readonly string[], command: readonly string[], on = bench): Started =>
  start([on.vigieRun, '-j', job, ...options, '--', ...command], on);

/** Present value of a live run's series; 0: there is none. */
async function now(job: string, family: string, { client } = bench): Promise<number> {
  const live = (await client.runs({ state: 'live' })).runs.find(({ jobid }) => jobid === job);
  if (!live) return 0;
  return (await client.series(live.scope)).series.find((one) => one.family === family)?.value ?? 0;
}

const find = ({ series }: Profile, family: string) => series.find((one) => one.family === family);
const cpuOf = (profile: Profile): number => find(profile, CPU)?.value ?? NaN;
const peakOf = (profile: Profile): number => find(profile, MEMORY)?.gauge?.max ?? NaN;
/** Seconds that the programs said. */
const said = (stdout: string): number =>
  stdout
    .split('\n')
    .filter((line) => /^[\d.]+$/.test(line))
    .reduce((sum, line) => sum + Number(line), 0);

/** Beside what they said, seconds: starting, leaving, the shell, and ticks of the kernel's clock. */
const REST = 0.5;

test('children of one launch add up, with what they used in their last moments', async () => {
  const script = `${burn} 0.6 1 & ${burn} 0.9 1 & wait; ${burn} 0.05 1; exec ${burn} 0.4 1`;
  const { code, stdout } = await run('add-up', [], ['sh', '-c', script]).ended;
  expect(code).toBe(0);
  const profile = await profileOf('add-up');
  expect(profile.run.ranks).toBe(1);
  // The last one goes on with the process, and the CPU time, of the shell.
  expect(said(stdout)).toBeGreaterThan(1.95);
  expect(cpuOf(profile)).toBeGreaterThan(said(stdout) - 0.02);
  expect(cpuOf(profile)).toBeLessThan(said(stdout) + REST);
  const place = profile.series.findIndex(({ family }) => family === CPU);
  expect(profile.ranks.map(({ values }) => values[place])).toEqual([expect.closeTo(cpuOf(profile))]);
}, 60_000);

test('memory that is there for a moment only is in the profile, and the footprint is measured', async () => {
  expect((await run('moment', [], [burn, '0.02', '200']).ended).code).toBe(0);
  const profile = await profileOf('moment');
  expect(peakOf(profile)).toBeGreaterThan(200 * MIB);
  expect(peakOf(profile)).toBeLessThan(260 * MIB);
  const answer = await bench.client.raw(`/api/v1/profiles/${profile.run.id}/analysis`);
  const { axes } = ProfileAnalysis.parse(JSON.parse(answer.body)).footprint;
  const values = Object.fromEntries(axes.map(({ id, value }) => [id, value]));
  expect(values['cpu']).toBeGreaterThan(0);
  expect(values['memory']).toBe(peakOf(profile));
}, 60_000);

test('memory of a rank is that of all its processes that live', async () => {
  const script = `exec 3<&0; ${burn} 0 100 wait <&3 & ${burn} 0 150 wait <&3 & wait`;
  const program = run('together', [], ['sh', '-c', script]);
  await eventually(async () => (await now('together', MEMORY)) > 250 * MIB, { timeout: 30_000 });
  expect(await now('together', MEMORY)).toBeLessThan(350 * MIB);
  program.release();
  await program.ended;
  expect(peakOf(await profileOf('together'))).toBeGreaterThan(250 * MIB);
}, 60_000);

test('a program that is killed has what was seen of it', async () => {
  const program = run('killed', [], [burn, '0.8', '50', 'wait']);
  await eventually(async () => (await now('killed', CPU)) > 0.75, { timeout: 60_000 });
  program.kill();
  await program.ended;
  const profile = await profileOf('killed');
  expect(cpuOf(profile)).toBeGreaterThan(0.75);
  expect(cpuOf(profile)).toBeLessThan(0.8 + REST);
  expect(peakOf(profile)).toBeGreaterThan(50 * MIB);
}, 90_000);

test('what a program says of itself is not touched', async () => {
  expect((await run('own', [], [own]).ended).code).toBe(0);
  const profile = await profileOf('own');
  expect(cpuOf(profile)).toBe(1000);
  expect(find(profile, MEMORY)?.gauge).toEqual({ min: 7, max: 7, hits: 1, total: 7 });
}, 60_000);

test.each([
  ['with libraries of ours in it', () => burn],
  ['static', () => burnStatic],
])(
  'under a tracer it is the program that is measured: %s',
  async (name, program) => {
    const traced = run(name, ['-e', 'ptrace'], [program(), '0.8', '100', 'wait']);
    await eventually(async () => (await now(name, CPU)) > 0.75, { timeout: 60_000 });
    traced.release();
    const { code, stdout } = await traced.ended;
    expect(code).toBe(0);
    const profile = await profileOf(name);
    expect(cpuOf(profile)).toBeGreaterThan(0.75);
    expect(cpuOf(profile)).toBeLessThan(said(stdout) + REST);
    expect(peakOf(profile)).toBeGreaterThan(100 * MIB);
  },
  90_000,
);

test('of a process that was attached to counts what it uses from then on', async () => {
  const program = start([burn, '1', '60', 'wait']);
  await eventually(() => program.stdout().includes('burnt'), { timeout: 60_000 });
  const tracer = start([bench.vigieRun, '-j', 'attached', '-S', `${program.pid}`]);
  await eventually(async () => (await now('attached', MEMORY)) > 60 * MIB, { timeout: 60_000 });
  program.release();
  await program.ended;
  await tracer.ended;
  const profile = await profileOf('attached');
  expect(find(profile, CPU)?.value ?? 0).toBeLessThan(0.5);
  expect(peakOf(profile)).toBeGreaterThan(60 * MIB);
}, 90_000);

test('an engine that is killed counts nothing twice, and goes on where it was', async () => {
  const place = temporaryFolder();
  const first = bench.with(await startEngine({ folder: place, args: ['--period', '100ms'] }));
  const program = run('restart', [], [burn, '1.5', '1', 'wait'], first);
  await eventually(async () => (await now('restart', CPU, first)) > 0.4, { timeout: 60_000 });
  await first.engine.stop('SIGKILL');
  // Some of it is used while no engine is there.
  await eventually(() => program.stdout().includes('burnt'), { timeout: 60_000 });
  const second = bench.with(await startEngine({ folder: place, args: ['--period', '100ms'] }));
  await eventually(async () => (await now('restart', CPU, second)) > 1.45, { timeout: 60_000 });
  program.release();
  const { stdout } = await program.ended;
  const profile = await profileOf('restart', second.client);
  expect(cpuOf(profile)).toBeGreaterThan(said(stdout) - 0.02);
  expect(cpuOf(profile)).toBeLessThan(said(stdout) + REST);
}, 180_000);
