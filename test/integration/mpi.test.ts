/** MPI programs under `vigie-run`, as users start them: what they say that they did is what the engine has. */

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { EngineClient } from '../../src/client/http.ts';
import { lacksComponent } from '../support/components.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { eventually } from '../support/wait.ts';
import {
  BINDINGS,
  buildExporters,
  buildPrograms,
  counted,
  environment,
  expected,
  LIBRARIES,
  type Library,
  mpirun,
  NEEDED,
  start,
} from './mpi/build.ts';

const folder = temporaryFolder();
const program = (name: string) => path.join(folder, name);
const lacking = NEEDED.some((name) => lacksComponent(name));

let vigieRun = '';
let engine: Engine;
let client: EngineClient;

beforeAll(async () => {
  if (lacking) return;
  vigieRun = await buildExporters(path.join(folder, 'build'));
  await buildPrograms(folder);
  engine = await startEngine({ args: ['--memory', '--grace', '250ms'] });
  client = new EngineClient({ socket: engine.ready.socket! });
}, 600_000);

afterAll(async () => void (await (engine as Engine | undefined)?.stop()));

/** `mpirun -np N vigie-run -j JOB -- PROGRAM`, or without mpirun for 0 ranks. */
function launch(library: Library, job: string, ranks: number, command: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const launcher = ranks > 0 ? mpirun(library, ranks) : [];
  return start(
    [...launcher, vigieRun, '-j', job, '--', ...command],
    { ...environment, VIGIE_SOCKET: engine.ready.socket!, ...env },
    folder,
  );
}

/** The one ended run of the job, its counters, and those of its ranks. */
async function ended(job: string, from: EngineClient = client) {
  const run = await eventually(async () => {
    const found = (await from.runs({ state: 'ended' })).runs.filter(({ jobid }) => jobid === job);
    expect(found.length).toBeLessThan(2);
    return found[0];
  });
  const { series, ranks, versions } = await from.profile(run.id);
  const values = new Map(series.map((one) => [one.name, 'value' in one ? (one.value ?? 0) : 0]));
  const summed = new Map(
    series.map((one, i) => [one.name, ranks.reduce((sum, rank) => sum + (rank.values[i] ?? 0), 0)]),
  );
  return { run, values, ranks, summed, exporters: (versions?.exporters ?? []).map(({ name }) => name) };
}

describe.skipIf(lacking).each(LIBRARIES)('%s', (library) => {
  const all: readonly [string, string[]][] = [
    ['C', [`calls-${library}`, `file-${library}`]],
    ...BINDINGS.map((name): [string, string[]] => [`Fortran, ${name}`, [`${name}-${library}`]]),
  ];

  test.each(all)('%s: all calls and bytes of 4 ranks, to the last one', async (name, [file, ...words]) => {
    const job = `${library} ${name}`;
    const outcome = await launch(library, job, 4, [program(file!), ...words]);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    const wanted = expected(outcome.stdout);
    expect(wanted['mpi___hits___mpi_init']).toBe(4);
    const { run, values, ranks, summed, exporters } = await ended(job);
    expect(counted(values)).toEqual(wanted);
    expect(counted(summed)).toEqual(wanted);
    expect(run.size).toBe(4);
    expect(ranks.map(({ rank }) => rank).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);

    expect(exporters).toEqual(['vigie_mpi', 'vigie_run']);
    const cpu = [...summed].find(([key]) => key === 'process_cpu_seconds_total')?.[1];
    expect(cpu).toBeGreaterThan(0);
    expect(cpu).toBeCloseTo(values.get('process_cpu_seconds_total')!, 6);

    const time = values.get('total___mpi___time___total')!;
    let parts = 0;
    for (const [key, value] of values) if (key.startsWith('mpi___time___')) parts += value;
    expect(time).toBeGreaterThan(0);
    expect(parts).toBeCloseTo(time, 6);
    const wait = values.get('total___mpi___time___wait')!;
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThan(time);
  });

  test('to a legacy proxy: its messages have the same sums', async () => {
    const socket = path.join(temporaryFolder(), 'proxy.socket');
    const streams: Buffer[][] = [];
    let open = 0;
    const server = createServer((peer) => {
      const chunks: Buffer[] = [];
      streams.push(chunks);
      open++;
      peer.on('data', (bytes: Buffer) => void chunks.push(bytes)).on('close', () => open--);
    }).listen(socket);
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const env = { VIGIE_SOCKET: '', PROXY_PATH: socket, PROXY_PERIOD: '50' };
    const outcome = await launch(
      library,
      `${library} legacy`,
      4,
      [program(`calls-${library}`), `legacy-${library}`],
      env,
    );
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    await eventually(() => open === 0);

    const peers = streams.map((chunks) => {
      const peer = connect(engine.ready.legacy_socket!);
      peer.write(Buffer.concat(chunks));
      return peer;
    });
    const { run } = await eventually(async () => {
      const found = (await client.runs({ state: 'live' })).runs.find(({ jobid }) => jobid === `${library} legacy`);
      return found && found.clients === peers.length ? { run: found } : undefined;
    });
    for (const peer of peers) peer.end();
    const { values, run: after } = await ended(`${library} legacy`);
    expect(after.id).toBe(run.id);
    expect(counted(values)).toEqual(expected(outcome.stdout));
  });

  test.each(['before', 'after', 'threads'])('calls %s', async (mode) => {
    const job = `${library} ${mode}`;
    const outcome = await launch(library, job, 2, [program(`failures-${library}`), mode]);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    const { values } = await ended(job);
    expect(counted(values)).toEqual(expected(outcome.stdout));
    if (mode === 'threads') expect(values.get('mpi___hits___mpi_sendrecv')).toBe(2 * 4 * 500);
  });

  test.each(['exit', 'abort', 'kill'])('a program that leaves by %s: its last counts', async (mode) => {
    const job = `${library} ${mode}`;
    const outcome = await launch(library, job, 2, [program(`failures-${library}`), mode]);
    expect(outcome.code === 0 && outcome.signal === null).toBe(false);
    const { values } = await ended(job);
    const wanted = expected(outcome.stdout);
    // The launcher may kill the others before they have said anything: what is counted is never less than what was said.
    for (const [name, value] of Object.entries(wanted)) expect(values.get(name), name).toBeGreaterThanOrEqual(value);
    expect(wanted['mpi___hits___mpi_allreduce']).toBeGreaterThan(0);
  });

  test('another tool that is preloaded counts, too', async () => {
    const tool = program(`tool-${library}.so`);
    const command = [program(`calls-${library}`), `tool-${library}.file`];
    const outcome = await launch(library, `${library} tool`, 4, command, { LD_PRELOAD: tool });
    expect(outcome.code).toBe(0);
    const { values } = await ended(`${library} tool`);
    const wanted = expected(outcome.stdout);
    expect(counted(values)).toEqual(wanted);
    const said = [...outcome.stderr.matchAll(/^tool: (\d+) (\d+)$/gm)];
    const sum = (at: number) => said.reduce((total, match) => total + Number(match[at]), 0);
    expect(sum(1)).toBe(wanted['mpi___hits___mpi_send']);
    // It sees those, too, that the program asked not to count.
    expect(sum(2)).toBe(wanted['mpi___hits___mpi_barrier']! + 4);
  });

  test('below a shell script', async () => {
    const script = program(`script-${library}.sh`);
    writeFileSync(script, `#!/bin/sh\nls / >/dev/null\n"$1" after\n`, { mode: 0o755 });
    const outcome = await launch(library, `${library} script`, 2, [script, program(`failures-${library}`)]);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(counted((await ended(`${library} script`)).values)).toEqual(expected(outcome.stdout));
  });

  test.each([['itself'], ['itself for all of it', 'all']])('loaded by the program %s', async (how, ...words) => {
    const name = library === 'openmpi' ? 'libmpi.so.40' : 'libmpich.so.12';
    const outcome = await launch(library, `${library} ${how}`, 0, [program('dlopens'), name, ...words]);
    expect(outcome).toMatchObject({ code: 0 });
    expect(counted((await ended(`${library} ${how}`)).values)).toEqual(expected(outcome.stdout));
    expect(outcome.stdout).toContain('mpi_finalize 1');
  });

  test('with the exporter of the other library only: it runs, and is told once', async () => {
    const own = path.join(temporaryFolder(), 'bin');
    mkdirSync(own);
    const other = library === 'openmpi' ? 'mpich' : 'openmpi';
    for (const file of [
      'vigie-run',
      'libvigie-preload.so',
      'libvigie-exporter-mpi.so',
      `libvigie-exporter-mpi-${other}.so`,
    ])
      copyFileSync(path.join(path.dirname(vigieRun), file), path.join(own, file));
    const command = [
      path.join(own, 'vigie-run'),
      '-j',
      `${library} other`,
      '--',
      program(`failures-${library}`),
      'after',
    ];
    const env = { ...environment, VIGIE_SOCKET: engine.ready.socket! };
    const outcome = await start([...mpirun(library, 2), ...command], env, folder);
    expect(outcome.code).toBe(0);
    expect(outcome.stderr.match(/counts no MPI calls/g)).toHaveLength(1);
    const { values } = await ended(`${library} other`);
    expect(counted(values)).toEqual({});
    expect(values.get('has_finished')).toBe(2);
  });

  test('ranks that start one after the other are one run', async () => {
    const script = program(`loop-${library}.sh`);
    writeFileSync(script, `#!/bin/sh\nfor i in 1 2 3; do "$@" after; sleep 0.3; done\n`, { mode: 0o755 });
    const command = [script, vigieRun, '-j', `${library} loop`, '--', program(`failures-${library}`)];
    // One that waits for the next rank.
    const patient = await startEngine({ args: ['--memory', '--grace', '2s'] });
    const env = { ...environment, VIGIE_SOCKET: patient.ready.socket! };
    const outcome = await start(command, env, folder);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    const { values } = await ended(`${library} loop`, new EngineClient({ socket: patient.ready.socket! }));
    expect(counted(values)).toEqual(expected(outcome.stdout));
    expect(values.get('mpi___hits___mpi_init')).toBe(3);
  });

  test('an engine that is restarted meanwhile goes on with the same ranks', async () => {
    const own = temporaryFolder();
    const socket = path.join(own, 's');
    const args = ['--socket', socket, '--legacy-socket', path.join(own, 'l'), '--data', path.join(own, 'data')];
    const options = { folder: own, args: [...args, '--grace', '1s', '--period', '200ms'] };
    const job = `${library} restarted`;
    const first = await startEngine(options);
    const go = path.join(own, 'go');
    const over = launch(library, job, 4, [program(`paced-${library}`), go], { VIGIE_SOCKET: socket });
    const reads = (from: EngineClient, clients: number) =>
      eventually(async () => {
        const run = (await from.runs({ state: 'live' })).runs.find(({ jobid }) => jobid === job);
        return run?.ranks === 4 && run.clients === clients ? run : undefined;
      });
    const run = await reads(new EngineClient({ socket: first.ready.socket! }), 4);
    // Some of what was counted is stored.
    await new Promise((done) => setTimeout(done, 1500));
    await first.stop('SIGKILL');
    const second = await startEngine(options);
    const after = new EngineClient({ socket: second.ready.socket! });
    expect((await reads(after, 4)).id).toBe(run.id);
    writeFileSync(go, '');
    const outcome = await over;
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    await eventually(async () => (await after.runs({ state: 'live' })).runs.length === 0);
    const { run: last, series, ranks } = await after.profile(run.id);
    expect([last.state, last.ranks]).toEqual(['finished', 4]);
    const at = (name: string) => series.findIndex((one) => one.name === `mpi___hits___mpi_${name}`);
    const said = [...outcome.stdout.matchAll(/^rank (\d+) allreduce (\d+)$/gm)].map(([, ...both]) => both.map(Number));
    expect(ranks.map(({ rank, values }) => [rank, values[at('allreduce')]])).toEqual(
      said.toSorted(([a], [b]) => a! - b!),
    );
    expect(ranks.map(({ values }) => values[at('get_address')] ?? 0)).toEqual([0, 1, 2, 3]);
  });

  test('vigie-run before the launcher: one launch, whose ranks have their numbers', async () => {
    const job = `${library} launcher`;
    const command = [vigieRun, '-j', job, '--', ...mpirun(library, 2), program(`failures-${library}`), 'after'];
    const outcome = await start(command, { ...environment, VIGIE_SOCKET: engine.ready.socket! }, folder);
    expect(outcome.code).toBe(0);
    const { ranks, run, values } = await ended(job);
    expect([run.ranks, values.get('has_started'), values.get('mpi___hits___mpi_init')]).toEqual([3, 1, 2]);
    const series = (await client.profile(run.id)).series.map(({ name }) => name);
    const hits = series.indexOf('mpi___hits___mpi_init');
    expect(ranks.map(({ rank, values: own }) => [rank, own[hits]])).toEqual([
      [0, 1],
      [1, 1],
      [2, null],
    ]);
  });

  test('without an engine it runs as it does alone', async () => {
    const env = { VIGIE_SOCKET: path.join(folder, 'none.socket') };
    const outcome = await launch(library, 'nobody', 2, [program(`failures-${library}`), 'after'], env);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
  });
});

test('the data on functions is in order, each once', () => {
  const file = path.resolve(import.meta.dirname, '../../native/exporters/mpi/functions.txt');
  const names = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(' ')[0]!);
  expect(names).toEqual([...new Set(names)].toSorted());
});
