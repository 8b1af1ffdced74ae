/**
 * CPU of the engine per changed entry of shared tables, against per legacy message, both in this process: 256 clients
 * with 100 counters each, all of which change before each round. Legacy messages come ready in memory in one piece: what
 * their sockets cost, most of it with real clients (bench/ingest.ts), is not in these figures.
 */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Budget } from '../src/engine/ingest/budget.ts';
import { Client } from '../src/engine/ingest/client.ts';
import { IngestStats } from '../src/engine/ingest/stats.ts';
import { Tables } from '../src/engine/ingest/tables.ts';
import { WireDecoder } from '../src/engine/ingest/wire.ts';
import { DEFAULT_LIMITS } from '../src/engine/limits.ts';
import { Runs } from '../src/engine/live/runs.ts';
import { Scope } from '../src/engine/live/scope.ts';
import { TableWriter } from '../test/support/table.ts';

const PROCESSES = 256;
const COUNTERS = 100;
/** Ten seconds at 10 Hz. */
const ROUNDS = 100;

const node = new Scope('node/bench', 'node');
const nothing = (): void => undefined;
const runs = new Runs({
  ...{ grace: 1000, host: 'bench', interrupted: [], now: Date.now },
  ...{ onOpen: nothing, onChange: nothing, onEnd: nothing },
});
const stats = new IngestStats();
const budget = new Budget({ limits: DEFAULT_LIMITS, maxSeries: 1e6, node, memoryFull: () => false });
const host = { runs, nodeScope: node, host: 'bench', stats, budget };
const job = (jobid: string): object => ({
  ...{ jobid, command: '', size: PROCESSES, nodelist: '', partition: '', cluster: '', run_dir: '' },
  ...{ start_time: 0, end_time: 0 },
});
const names = Array.from({ length: COUNTERS }, (_, i) => `mpi___hits___mpi_call_number_${i}`);
const cpu = (): number => {
  const { user, system } = process.cpuUsage();
  return user + system;
};
/** A job's sum over all its counters. */
const sum = (jobid: string): number => runs.live.get(jobid)!.scope.counters.reduce((a, b) => a + b, 0);

const folder = mkdtempSync(join(tmpdir(), 'vigie-'));
try {
  const directory = join(folder, 'tables');
  mkdirSync(directory, { mode: 0o700 });
  const tables = new Tables({ host, directories: [directory], started: 0, reopened: () => false });
  const writers = Array.from({ length: PROCESSES }, (_, i) => {
    const writer = new TableWriter(i.toString(16).padStart(32, '0'));
    for (const name of names) writer.add({ name, kind: 'integer' });
    const path = join(directory, `1-${writer.nonce}.table`);
    writer.save(path);
    const answer = tables.announce(JSON.stringify({ table: path, nonce: writer.nonce, job: job('tables') }), {
      destroy: nothing,
    });
    if (typeof answer === 'string') throw new Error(`refused: ${answer}`);
    return { writer, path };
  });
  const decoders = writers.map(() => {
    const decoder = new WireDecoder(new Client(host));
    decoder.push(Buffer.from(`${JSON.stringify({ JobDesc: job('messages') })}\0`));
    for (const name of names) {
      decoder.push(
        Buffer.from(`${JSON.stringify({ Desc: { name, doc: '', ctype: { Counter: { ts: 0, value: 0 } } } })}\0`),
      );
    }
    return decoder;
  });
  const messages = Buffer.from(
    names
      .map((name) => `{"Value":{"name":"${name}","value":{"Counter":{"ts":1795188214224000,"value":3.0}}}}\0`)
      .join(''),
  );
  let [byTable, byMessage] = [0, 0];
  for (let round = 1; round <= ROUNDS; round++) {
    for (const { writer, path } of writers) {
      for (let i = 0; i < COUNTERS; i++) writer.integer(i, BigInt(3 * round));
      writer.save(path);
    }
    let begun = cpu();
    tables.read();
    byTable += cpu() - begun;
    begun = cpu();
    for (const decoder of decoders) decoder.push(Buffer.from(messages));
    byMessage += cpu() - begun;
  }
  const expected = 3 * ROUNDS * PROCESSES * COUNTERS;
  if (sum('tables') !== expected || sum('messages') !== expected) throw new Error('not everything was counted');
  const entries = ROUNDS * PROCESSES * COUNTERS;
  const result = {
    bench: 'table',
    ns_per_changed_entry: Math.round((1000 * byTable) / entries),
    ns_per_message_in_memory: Math.round((1000 * byMessage) / entries),
    ratio: Number((byMessage / byTable).toFixed(1)),
  };
  console.table([result]);
  console.log(JSON.stringify(result));
  tables.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
