import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/wait.ts';
import { startHere } from './http/here.ts';

const run = promisify(execFile);
const build = mkdtempSync(path.join(tmpdir(), 'vigie-native-'));
const source = path.resolve(import.meta.dirname, '../../native');
const targets = ['vigie', 'vigie_static', 'vigie-test-client', 'vigie-test-compat'];

beforeAll(async () => {
  await run('cmake', ['-S', source, '-B', build]);
  await run('cmake', ['--build', build, '--target', ...targets]);
}, 300_000);

afterAll(() => rmSync(build, { recursive: true, force: true }));

test('libvigie’s own tests', async () => {
  // Other tests use the same directory on tmpfs at the same time: what fails once is run once more, by itself.
  const repeat = ['--repeat', 'until-pass:2', '--output-on-failure'];
  const { stdout } = await run('ctest', ['--test-dir', build, '-R', '^client-', ...repeat]).catch(
    ({ stdout: said }: { stdout: string }) => ({ stdout: said }),
  );
  expect(stdout).toContain('100% tests passed');
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
