/** Python and Fortran programs that count by themselves: what they give is what the engine has. */

import { execFile } from 'node:child_process';
import { cpSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { EngineClient } from '../../src/client/http.ts';
import { requireComponent } from '../support/components.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { buildNative } from '../support/native.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { eventually } from '../support/wait.ts';

const call = promisify(execFile);
const bindings = path.resolve(import.meta.dirname, '../../native/bindings');
const folder = temporaryFolder();

let clientFolder = '';
let engine: Engine;
let client: EngineClient;

beforeAll(async () => {
  const built = await buildNative(path.join(folder, 'build'), ['vigie']);
  clientFolder = built('client');
  engine = await startEngine({ args: ['--memory', '--grace', '1s'] });
  client = new EngineClient({ socket: engine.ready.socket! });
}, 300_000);

afterAll(async () => void (await (engine as Engine | undefined)?.stop()));

const environment = (job: string): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  PYTHONDONTWRITEBYTECODE: '1',
  VIGIE_SOCKET: engine.ready.socket!,
  PROXY_JOB_ID: job,
});

async function ended(job: string) {
  const found = await eventually(
    async () => (await client.runs({ state: 'ended' })).runs.find(({ jobid }) => jobid === job),
    { timeout: 60_000 },
  );
  const { series, ranks } = await client.profile(found.id);
  const ofRanks = (name: string) => {
    const index = series.findIndex((one) => one.name === name);
    return ranks.map(({ rank, values }) => [rank, values[index]]);
  };
  return { run: found, by: new Map(series.map((one) => [one.name, one])), ofRanks };
}

test('Python: counters, gauges, labels, threads, forks and refusals', { timeout: 120_000 }, async (context) => {
  const python = requireComponent('python3', context);
  const program = path.join(bindings, 'test/program.py');
  const env = { ...environment('python'), VIGIE_LIBRARY: path.join(clientFolder, 'libvigie.so') };
  const said = JSON.parse((await call(python, [program], { env })).stdout) as { available: boolean; refused: string[] };
  expect(said.available).toBe(true);
  expect(said.refused).toHaveLength(8);
  const { by } = await ended('python');
  const value = (name: string) => by.get(name)?.value;
  expect(value('python_steps_total')).toBe(10 + 1e10 + 8 * 1000 + 2 * 1000);
  expect(value('python_seconds_total')).toBe(2.5);
  expect(value('python_parts_total{phase="say \\"hé\\"\\n",of="all"}')).toBe(5);
  expect(by.get('python_levels')?.gauge).toEqual({ min: 1, max: 10, hits: 10, total: 55 });
  expect(value('python_residual')).toBe(0.5);
  expect([value('python_phase_total'), value('python_block_total')]).toEqual([5, 1]);
  expect(value('python_phase_seconds_total')).toBeGreaterThan(0);
  expect(by.get('python_steps_total')?.doc).toBe('Steps');
});

test('Python: ranks that processes without a launcher say', { timeout: 120_000 }, async (context) => {
  const python = requireComponent('python3', context);
  // The last one has been read without its rank when it says it.
  const program = `
import multiprocessing, time, vigie
work = vigie.Counter('rank_work_total')
def worker(rank):
    if rank < 2: assert vigie.set_rank(rank, 3)
    work.add(10 + rank)
    if rank == 2: time.sleep(2.5), work.add(100)
    assert vigie.set_rank(rank, 3) and not vigie.set_rank(3, 3)
    time.sleep(0.5)
work.add(1)
workers = [multiprocessing.get_context('fork').Process(target=worker, args=(rank,)) for rank in range(3)]
[one.start() for one in workers], [one.join() for one in workers]
assert [one.exitcode for one in workers] == [0, 0, 0]
`;
  const env = {
    ...environment('ranks'),
    VIGIE_LIBRARY: path.join(clientFolder, 'libvigie.so'),
    PYTHONPATH: path.join(bindings, 'python'),
  };
  await call(python, ['-c', program], { env });
  const { run, ofRanks } = await ended('ranks');
  // The parent's row is above theirs: how far hangs on who came first.
  const [parent, ...others] = ofRanks('rank_work_total').toReversed();
  expect(others.toReversed()).toEqual([
    [0, 10],
    [1, 11],
    [2, 112],
  ]);
  expect([parent![0]! > 2, parent![1]]).toEqual([true, 1]);
  expect([run.ranks, run.size]).toEqual([4, 3]);
});

test('Python without libvigie: the program runs, and is told why nothing is counted', async (context) => {
  const python = requireComponent('python3', context);
  const program = path.join(bindings, 'test/program.py');
  const env = { ...environment('none'), VIGIE_LIBRARY: '/not/there.so' };
  const said: unknown = JSON.parse((await call(python, [program], { env })).stdout);
  expect(said).toMatchObject({
    available: false,
    problem: expect.stringContaining('/not/there.so cannot be used') as string,
  });
});

test('Python finds the library of an installation beside itself', { timeout: 60_000 }, async (context) => {
  const python = requireComponent('python3', context);
  const installed = path.join(folder, 'installed');
  cpSync(path.join(bindings, 'python'), path.join(installed, 'share/vigie/python'), { recursive: true });
  cpSync(clientFolder, path.join(installed, 'lib'), { recursive: true });
  const env = { ...environment('installed'), PYTHONPATH: path.join(installed, 'share/vigie/python') };
  const script = 'import vigie; vigie.Counter("found_total").add(2); print(vigie.available, vigie.problem)';
  expect((await call(python, ['-c', script], { env })).stdout).toBe('True None\n');
  expect((await ended('installed')).by.get('found_total')?.value).toBe(2);
});

test('Fortran: counters, gauges, labels, and refusals', { timeout: 120_000 }, async (context) => {
  const gfortran = requireComponent('gfortran', context);
  const flags = ['-Wall', '-Wextra', '-Werror', '-std=f2008', '-J', folder];
  const files = [path.join(bindings, 'fortran/vigie.f90'), path.join(bindings, 'test/program.f90')];
  const program = path.join(folder, 'fortran');
  await call(gfortran, [
    ...flags,
    ...files,
    '-o',
    program,
    '-L',
    clientFolder,
    '-lvigie',
    `-Wl,-rpath,${clientFolder}`,
  ]);
  const { stdout } = await call(program, [], { env: environment('fortran') });
  expect(stdout).toBe('fortran_parts_total{phase="say \\"hello\\"",of="all"}\n');
  const { by, run, ofRanks } = await ended('fortran');
  expect([ofRanks('fortran_steps_total'), run.size]).toEqual([[[3, 10]], 4]);
  const value = (name: string) => by.get(name)?.value;
  expect(value('fortran_steps_total')).toBe(10);
  expect(value('fortran_bytes_total')).toBe(1e11);
  expect(value('fortran_seconds_total')).toBe(2.5);
  expect(value('fortran_residual')).toBe(0.5);
  expect(by.get('fortran_levels')?.gauge).toEqual({ min: 1, max: 10, hits: 10, total: 55 });
  expect(value('fortran_parts_total{phase="say \\"hello\\"",of="all"}')).toBe(5);
});
