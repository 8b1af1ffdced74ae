/** Programs built with -finstrument-functions under `vigie-run -e functions`: calls, times and names of their functions. */

import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { EngineClient } from '../../src/client/http.ts';
import { lacksComponent } from '../support/components.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { buildNative } from '../support/native.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { eventually } from '../support/wait.ts';
import { start } from './mpi/build.ts';

const call = promisify(execFile);
const sources = path.resolve(import.meta.dirname, '../../native/exporters/functions/test');
const folder = temporaryFolder();
const program = (name: string) => path.join(folder, name);
const source = (name: string) => path.join(sources, name);
const INSTRUMENTED = ['-O1', '-pthread', '-finstrument-functions'];

let vigieRun = '';
let engine: Engine;
let client: EngineClient;

const lacking = lacksComponent('c++');

beforeAll(async () => {
  if (lacking) return;
  const built = await buildNative(path.join(folder, 'build'), ['vigie-run', 'vigie-preload', 'vigie-functions']);
  vigieRun = built('run/vigie-run');
  await call('cc', [...INSTRUMENTED, source('calls.c'), '-o', program('calls')]);
  await call('cc', ['-O1', '-pthread', source('calls.c'), '-o', program('plain')]);
  await call('cc', [...INSTRUMENTED, '-shared', '-fPIC', source('library.c'), '-o', program('liblibrary.so')]);
  const linked = ['-L', folder, '-llibrary', `-Wl,-rpath,${folder}`];
  await call('c++', ['-O0', '-finstrument-functions', source('names.cpp'), '-o', program('names'), ...linked]);
  await call('cc', [...INSTRUMENTED, '-s', source('calls.c'), '-o', program('stripped')]);
  engine = await startEngine({ args: ['--memory', '--grace', '200ms'] });
  client = new EngineClient({ socket: engine.ready.socket! });
}, 600_000);

afterAll(async () => void (await (engine as Engine | undefined)?.stop()));

const run = (job: string, command: readonly string[], exporter = 'functions') =>
  start(
    [vigieRun, '-e', exporter, '-j', job, '--', ...command],
    { PATH: process.env['PATH'], VIGIE_SOCKET: engine.ready.socket! },
    folder,
  );

/** Calls, inclusive and exclusive seconds, by the function's name in the metric. */
async function functionsOf(job: string) {
  const found = await eventually(
    async () => (await client.runs({ state: 'ended' })).runs.find(({ jobid }) => jobid === job),
    { timeout: 60_000 },
  );
  const { series, versions } = await client.profile(found.id);
  const of = (prefix: string) =>
    new Map(
      series
        .filter(({ name }) => name.startsWith(prefix) && (prefix !== 'func__' || !/^func___(time|self)___/.test(name)))
        .map(({ name, value }) => [name.slice(prefix.length), value ?? 0]),
    );
  return { series, versions, hits: of('func__'), time: of('func___time___'), self: of('func___self___') };
}

test('calls, and time with and without what a function calls', { timeout: 120_000 }, async () => {
  expect(await run('plain', [program('calls')])).toMatchObject({ code: 0, stderr: '' });
  const { hits, time, self, versions } = await functionsOf('plain');
  expect(versions?.exporters.map(({ name }) => name)).toEqual(['vigie_functions', 'vigie_run']);
  expect(Object.fromEntries(hits)).toEqual({ main: 1, outer: 3, hidden_worker: 3, leaf: 3, recursive: 101 });
  // It works 10 ms by itself and 20 ms in what it calls, three times.
  expect(self.get('outer')).toBeGreaterThan(0.029);
  expect(time.get('outer')).toBeGreaterThan(0.089);
  expect(time.get('outer')! - self.get('outer')!).toBeCloseTo(time.get('hidden_worker')!, 9);
  expect(self.get('hidden_worker')).toBeGreaterThan(0.059);
  // Of calls in calls of the same function only the outermost has a time: they add up to the whole.
  expect(time.get('recursive')).toBeCloseTo(self.get('recursive')!, 9);
  const parts = [...self.values()].reduce((sum, one) => sum + one, 0);
  expect(parts).toBeCloseTo(time.get('main')!, 9);
});

test.each([
  ['jump', 0, { loop_of_jumps: 1, enters_jump: 100_000, jumps: 100_000, leaf: 100_003, main: 1 }],
  ['threads', 0, { thread: 1000, leaf: 1_000_003, threads: 1, main: 1 }],
  // The child of fork counts its own; main and what it was in are the parent's.
  ['fork', 0, { outer: 4, hidden_worker: 4, leaf: 5, main: 1 }],
  ['coroutines', 0, { coroutine: 1, leaf: 13, main: 1 }],
  ['exit', 7, { outer: 3, main: 1 }],
])('%s: every call is counted, and main has the time of all', { timeout: 120_000 }, async (what, code, expected) => {
  const outcome = await run(what, [program('calls'), what]);
  expect(outcome).toMatchObject({ code, stderr: '' });
  const plain = await start([program('plain'), what], { PATH: process.env['PATH'] }, folder);
  const said = (text: string) => (what === 'threads' ? text.replace(/done: \d+/, '') : text);
  expect([plain.code, said(plain.stdout)]).toEqual([code, said(outcome.stdout)]);
  const { hits, time } = await functionsOf(what);
  expect(Object.fromEntries(hits)).toMatchObject(expected);
  expect(time.get('main')).toBeGreaterThanOrEqual(time.get('outer')! * (what === 'fork' ? 0.7 : 0.99));
});

test('handlers of signals are counted, also those that interrupt a count', { timeout: 120_000 }, async () => {
  expect(await run('signals', [program('calls'), 'signals'])).toMatchObject({ code: 0, stderr: '' });
  const { hits } = await functionsOf('signals');
  // What a thread meets for the first time inside a count is left out, until it meets it outside of one.
  expect(hits.get('on_signal')).toBeGreaterThan(1000);
  expect(hits.get('recursive')! % 11).toBe(101 % 11);
});

test('deeper than there is room: all calls are counted', { timeout: 120_000 }, async () => {
  expect(await run('deep', [program('calls'), 'plain', '100000'])).toMatchObject({ code: 0, stderr: '' });
  const { hits, time, self } = await functionsOf('deep');
  expect(hits.get('recursive')).toBe(100_001);
  expect(time.get('main')).toBeCloseTo(
    [...self.values()].reduce((sum, one) => sum + one, 0),
    6,
  );
});

test(
  'names of C++, of a library’s hidden functions, and of a program without names',
  { timeout: 120_000 },
  async () => {
    expect(await run('names', [program('names')])).toMatchObject({ code: 0, stderr: '', stdout: '7\n' });
    const { series, hits } = await functionsOf('names');
    expect(hits.get('inside_the_library')).toBe(1);
    expect(hits.get('library_entry')).toBe(1);
    const shown = new Map(series.map(({ name, doc, value }) => [doc, [name, value]]));
    expect(shown.get('Calls of solver::fails(int) in names')).toEqual(['func___ZN6solver5failsEi', 4]);
    expect(shown.get('Calls of solver::Grid<double>::sum(double) in names')?.[1]).toBe(7);
    expect(hits.get('_Znwm')).toBeGreaterThanOrEqual(100);

    expect(await run('stripped', [program('stripped')], 'finstrument')).toMatchObject({ code: 0, stderr: '' });
    const stripped = (await functionsOf('stripped')).hits;
    const places = [...stripped.keys()].filter((name) => /^stripped_0x[0-9a-f]+$/.test(name));
    expect(places.length).toBeGreaterThanOrEqual(4);
    expect(Math.max(...stripped.values())).toBe(101);
  },
);
