/** What libvigie says to a legacy proxy, byte by byte beside the recorded client that made the same calls. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';

import { beforeAll, expect, onTestFinished, test } from 'vitest';

import { buildNative } from '../support/native.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { harness, type Connection } from '../unit/engine/ingest/harness.ts';

const folder = temporaryFolder();
let built: (name: string) => string;

beforeAll(async () => {
  built = await buildNative(path.join(folder, 'build'), ['vigie-test-legacy']);
}, 300_000);

/** Every read of what the program sent to the proxy in `$PROXY_PATH`. */
async function record(env: NodeJS.ProcessEnv): Promise<Buffer[]> {
  const socket = path.join(temporaryFolder(), 'proxy');
  const reads: Buffer[] = [];
  const server = createServer((connection) => void connection.on('data', (bytes: Buffer) => reads.push(bytes)));
  await once(server.listen(socket), 'listening');
  onTestFinished(() => void server.close());
  const program = spawn(built('test/vigie-test-legacy'), {
    env: { PROXY_PATH: socket, PROXY_JOB_ID: 'capi-1', XDG_RUNTIME_DIR: '', ...env },
    stdio: 'inherit',
  });
  expect((await once(program, 'close'))[0]).toBe(0);
  await new Promise((resolve) => setTimeout(resolve, 100));
  return reads;
}

/** Without what differs from one run to the next. */
const canonical = (bytes: Buffer): string[] =>
  bytes
    .toString('utf8')
    .split('\0')
    .filter((message) => message !== '')
    .map((message) => message.replace(/"ts":\d{16}/, '"ts":T').replace(/"start_time":\d{13}/, '"start_time":T'))
    .map((message) => message.replace(/"(command|run_dir)":"[^"]*"/g, '"$1":"…"'));

test('the bytes are those of the recorded client, one write per batch, and the codec takes them all', async () => {
  const reads = await record({ PROXY_PERIOD: '3600000' });
  const recorded = readFileSync(path.join(import.meta.dirname, '../fixtures/proxy/wire-capi-0.bin'));
  const ours = Buffer.concat(reads);
  const expected = canonical(recorded);
  // Each client writes the description of a job first, and then in the order in which its metrics were made.
  expect(canonical(ours)).toEqual(expected);
  for (const read of reads) expect(read.at(-1)).toBe(0);

  const sums = [recorded, ours].map((bytes) => {
    const { connect, runs, stats } = harness();
    const connection: Connection = connect();
    expect(connection.push(bytes)).toBe(true);
    expect(stats.rejected.size).toBe(0);
    return [...runs.live.get('capi-1')!.scope.counters];
  });
  expect(sums[1]).toEqual(sums[0]);
});

test.each([
  ['20', 3],
  ['3600000', 3],
])('$PROXY_PERIOD of %s ms', async (period, atLeast) => {
  const reads = await record({ PROXY_PERIOD: period });
  expect(reads.length).toBeGreaterThanOrEqual(atLeast);
  const events = canonical(Buffer.concat(reads)).filter((message) =>
    message.startsWith('{"Value":{"name":"capi_events'),
  );
  expect(events.reduce((sum, message) => sum + Number(/"value":([\d.]+)\}\}/.exec(message)![1]), 0)).toBe(30);
});
