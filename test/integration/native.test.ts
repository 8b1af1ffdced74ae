import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { requireComponent } from '../support/components.ts';
import { eventually } from '../support/wait.ts';
import { startHere } from './http/here.ts';

const run = promisify(execFile);
const build = mkdtempSync(path.join(tmpdir(), 'vigie-native-'));
const source = path.resolve(import.meta.dirname, '../../native');
const targets = ['vigie', 'vigie_static', 'vigie-test-client', 'vigie-test-compat'];
const runTargets = ['vigie-run', 'vigie-preload', 'vigie-run-jobs-test', 'vigie-run-socket-test'];

beforeAll(async () => {
  await run('cmake', ['-S', source, '-B', build]);
  await run('cmake', ['--build', build, '--target', ...targets, 'vigie-test-headers', ...runTargets]);
}, 300_000);

afterAll(() => rmSync(build, { recursive: true, force: true }));

async function ctest(folder: string, pattern: string): Promise<void> {
  // Tables of their own: other tests use the usual directory at the same time.
  const tables = mkdtempSync('/dev/shm/vigie-ctest-');
  const env = { ...process.env, XDG_RUNTIME_DIR: tables };
  try {
    const args = ['--test-dir', folder, '-R', pattern, '--output-on-failure'];
    // What failed stands on stdout.
    const { stdout } = await run('ctest', args, { env }).catch((error: { stdout: string }) => error);
    expect(stdout).toContain('100% tests passed');
  } finally {
    rmSync(tables, { recursive: true, force: true });
  }
}

test('libvigie’s own tests', () => ctest(build, '^client-'), 300_000);

test('vigie-run’s own tests', () => ctest(build, '^run\\.'), 300_000);

test('libvigie’s with sanitizers', async () => {
  const folder = path.join(build, 'sanitized');
  await run('cmake', ['-S', source, '-B', folder, '-DCMAKE_BUILD_TYPE=Debug', '-DVIGIE_SANITIZE=address,undefined']);
  await run('cmake', ['--build', folder, '--target', 'vigie-test-client']);
  await ctest(folder, '^client-[^h]');
}, 300_000);

test('one of them under valgrind', async (context) => {
  requireComponent('valgrind', context);
  await ctest(build, '^valgrind-refused$');
}, 300_000);

test.each([
  ['legacy_socket', 'PROXY_PATH'],
  ['socket', 'VIGIE_SOCKET'],
] as const)(
  'a program of the Rust client’s interface counts into the %s, to the last call',
  async (which, variable) => {
    const { engine, client } = await startHere({ node: false, period: '1s' });
    const env = { ...process.env, PROXY_JOB_ID: 'capi', PROXY_PERIOD: '50', PROXY_PATH: '', VIGIE_SOCKET: '' };
    await run(path.join(build, 'test/vigie-test-compat'), { env: { ...env, [variable]: engine.ready[which]! } });
    const ended = await eventually(async () => client.profile((await client.runs({ state: 'ended' })).runs[0]!.id));

    expect(ended.run).toMatchObject({ jobid: 'capi', size: 1, run_dir: process.cwd() });
    const values = new Map(ended.series.map((series) => [series.name, series]));
    expect(values.get('capi_events_total')).toMatchObject({ value: 100 });
    expect(values.get('has_started')).toMatchObject({ value: 1 });
    expect(values.get('has_finished')).toMatchObject({ value: 1 });
    expect((await client.status()).ingest.rejected).toEqual({});
  },
);

test('under vigie-run, such a program has started and finished once', async () => {
  const { engine, client } = await startHere({ node: false, period: '1s' });
  const command = ['-j', 'capi', '--', path.join(build, 'test/vigie-test-compat')];
  await run(path.join(build, 'run/vigie-run'), ['-e', 'run', ...command], {
    env: { ...process.env, PROXY_PATH: '', VIGIE_SOCKET: engine.ready.socket },
  });
  const ended = await eventually(async () => client.profile((await client.runs({ state: 'ended' })).runs[0]!.id));
  const values = new Map(ended.series.map((series) => [series.name, series]));
  expect(values.get('capi_events_total')).toMatchObject({ value: 100 });
  expect(values.get('has_started')).toMatchObject({ value: 1 });
  expect(values.get('has_finished')).toMatchObject({ value: 1 });
});
