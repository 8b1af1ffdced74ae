/** `vigie client -F` over a real socket: what programs count in tables is seen between the engine's ticks. */

import { mkdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { TableWriter } from '../../support/table.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { jobDesc } from '../../unit/engine/ingest/harness.ts';
import { serve, vigie, within } from '../engine/child.ts';

const NONCE = '00112233445566778899aabbccddeeff';

test('values of a table move many times within a period, as long as somebody asks', async () => {
  const folder = temporaryFolder();
  const directory = join(folder, 'vigie');
  mkdirSync(directory, { mode: 0o700 });
  const flags = [...within(folder), '--memory', '--period=1h'];
  const engine = await serve(flags, { env: { XDG_RUNTIME_DIR: folder } });
  const start = BigInt(readFileSync('/proc/self/stat', 'latin1').split(') ')[1]!.split(' ')[19]!);
  const writer = new TableWriter(NONCE, { start });
  const calls = writer.add({ name: 'calls', kind: 'integer' });
  const path = join(directory, `${process.pid}-${NONCE}.table`);
  writer.save(path);
  const socket = connect(engine.ready.socket!);
  onTestFinished(() => void socket.destroy());
  socket.write(`\x01${JSON.stringify({ table: path, nonce: NONCE, job: jobDesc({ jobid: 'j' }) })}\0`);
  await eventually(async () => (await engine.client.status()).ingest.tables === 1);
  const before = await engine.client.status();

  const output = join(folder, 'record.json');
  const args = ['client', '-T', 'calls', '-F', '50', '-o', output, '--socket', engine.ready.socket!];
  const recording = vigie(args);
  let count = 0;
  const readings = (): { value: number }[][] => {
    try {
      return JSON.parse(readFileSync(output, 'utf8')) as { value: number }[][];
    } catch {
      return [];
    }
  };
  await eventually(
    async () => {
      writer.integer(calls, BigInt(++count));
      writer.save(path);
      await delay(5);
      return readings().length >= 12;
    },
    { timeout: 60_000, interval: 1 },
  );
  recording.child.kill('SIGINT');
  await recording.exited;
  const values = readings().map(([reading]) => reading!.value);
  expect(values).toEqual([...new Set(values)].toSorted((a, b) => a - b));
  expect(values.at(-1)).toBeLessThanOrEqual(count);

  // Nobody asks any more: the next value waits for the tick, which is an hour away.
  writer.integer(calls, BigInt(count + 1_000_000));
  writer.save(path);
  const sums = (query: string) => engine.client.raw(`/job?job=main${query}`);
  expect((await sums('')).body).not.toContain(`"value":${count + 1_000_000}`);
  expect((await engine.client.status()).sampler.ticks).toBe(before.sampler.ticks);
  expect((await sums('&fresh=1')).body).toContain(`"value":${count + 1_000_000}`);
}, 120_000);
