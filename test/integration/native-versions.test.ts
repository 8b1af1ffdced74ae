/** Which exporters measured a run, and in which version: in its profile. */

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { afterAll, beforeAll, expect, test } from 'vitest';

import type { Profile } from '../../src/shared/api/profiles.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { eventually } from '../support/wait.ts';
import { type Bench, prepare } from './syscalls/build.ts';

const root = path.join(import.meta.dirname, '..', '..');
const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
const call = promisify(execFile);
const folder = temporaryFolder();
let bench: Bench;
let own: string;

beforeAll(async () => {
  bench = await prepare(folder);
  own = path.join(folder, 'own');
  writeFileSync(
    `${own}.c`,
    '#include <vigie.h>\nint main(void) { vigie_counter *c; vigie_counter_new(&c, "mine", 0); return vigie_counter_add(c, 1); }\n',
  );
  const library = path.join(path.dirname(bench.vigieRun), '..', 'client');
  const flags = ['-I', path.join(root, 'native/include'), `-L${library}`, `-Wl,-rpath,${library}`, '-lvigie'];
  await call('cc', ['-o', own, `${own}.c`, ...flags]);
}, 600_000);

afterAll(async () => void (await (bench as Bench | undefined)?.engine.stop()));

async function profileOf(job: string): Promise<Profile> {
  const run = await eventually(
    async () => (await bench.client.runs({ state: 'ended' })).runs.find(({ jobid }) => jobid === job),
    { timeout: 60_000 },
  );
  return bench.client.profile(run.id);
}

const exportersOf = ({ versions }: Profile) => versions?.exporters;
const told = (...names: string[]) => names.map((name) => ({ name: `vigie_${name}`, version }));

test.each([
  ['io', ['cat', '/etc/hostname'], [], ['io', 'run']],
  ['strace', ['cat', '/etc/hostname'], ['-e', 'strace'], ['run', 'strace']],
  [
    'io,strace',
    ['sh', '-c', 'cat /etc/hostname; exec cat /etc/hostname'],
    ['-e', 'io,strace'],
    ['io', 'run', 'strace'],
  ],
  ['ptrace', ['cat', '/etc/hostname'], ['-e', 'ptrace'], ['ptrace', 'run']],
] as const)('of %s', async (job, command, options, exporters) => {
  expect(await bench.run(job, options, command).then(({ code }) => code)).toBe(0);
  const profile = await profileOf(job);
  expect(exportersOf(profile)).toEqual(told(...exporters));
  const series = profile.series.filter(({ family }) => family.endsWith('_build_info'));
  expect(series.map(({ value }) => value)).toEqual(exporters.map(() => 1));
});

test('a program that only counts itself has none but that of its launcher, and without one none at all', async () => {
  expect((await bench.run('launched', ['-e', 'run'], [own])).code).toBe(0);
  expect(exportersOf(await profileOf('launched'))).toEqual(told('run'));
  await call(own, [], { env: { ...bench.env, SLURM_JOB_ID: 'alone' } });
  const profile = await profileOf('alone');
  expect(profile.series.map(({ family }) => family)).toContain('mine');
  expect(profile.series.filter(({ family }) => family.endsWith('_build_info'))).toEqual([]);
  expect(exportersOf(profile)).toEqual([]);
});

test('outside of any job nothing is told, and nothing refused', async () => {
  const library = path.join(path.dirname(bench.vigieRun), 'libvigie-exporter-io.so');
  await call('cat', ['/etc/hostname'], { env: { ...bench.env, LD_PRELOAD: library } });
  const calls = async () => (await bench.client.raw('/metrics')).body.includes('io___hits___read');
  await eventually(calls, { timeout: 60_000 });
  expect((await bench.client.status()).ingest.rejected).toEqual({});
});

test('exporters of runs that live at the same time are none of this run’s', async () => {
  const other = bench.run('other', [], ['sh', '-c', 'cat /etc/hostname; while [ ! -e go ]; do sleep 0.05; done']);
  await eventually(async () => {
    const live = (await bench.client.runs({ state: 'live' })).runs.find(({ jobid }) => jobid === 'other');
    return (
      live && (await bench.client.series(live.scope)).series.some(({ family }) => family === 'vigie_io_build_info')
    );
  });
  expect((await bench.run('this', ['-e', 'run'], ['true'])).code).toBe(0);
  expect(exportersOf(await profileOf('this'))).toEqual(told('run'));
  writeFileSync(path.join(folder, 'go'), '');
  await other;
});
