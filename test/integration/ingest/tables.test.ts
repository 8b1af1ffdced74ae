/** Announces of shared tables over the engine's real socket, with real files. */

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Launches } from '../../../src/engine/ingest/launch.ts';
import { Tables, type TablesOptions } from '../../../src/engine/ingest/tables.ts';
import { openIngestSocket } from '../../../src/engine/ingest/socket.ts';
import { Refusals } from '../../../src/engine/refusals.ts';
import { TableWriter } from '../../support/table.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { HOST, harness, jobDesc } from '../../unit/engine/ingest/harness.ts';

const NONCE = '00112233445566778899aabbccddeeff';
const HOUR = 3_600_000;
const LAUNCH = '0123456789abcdef-1-1';
type Who = { rank?: number; launch?: string };
const ownStart = (): bigint => BigInt(readFileSync('/proc/self/stat', 'latin1').split(') ')[1]!.split(' ')[19]!);

async function engine(options: Partial<TablesOptions> = {}) {
  const folder = temporaryFolder();
  const directory = join(folder, 'tables');
  mkdirSync(directory, { mode: 0o700 });
  const parts = harness();
  const host = {
    runs: parts.runs,
    nodeScope: parts.node,
    host: HOST,
    stats: parts.stats,
    budget: parts.budget,
    launches: new Launches(),
  };
  const tables = new Tables({ host, directories: [directory], ...options });
  const path = join(folder, 's');
  const socket = await openIngestSocket(path, { host, refusals: new Refusals(), tables });
  onTestFinished(async () => {
    await socket.close();
    tables.close();
  });
  return { folder, runs: parts.runs, host, tables, directory, path, table: join(directory, `1-${NONCE}.table`) };
}

async function announce(path: string, table: string, nonce = NONCE, who: Who = {}) {
  const socket = connect(path);
  onTestFinished(() => void socket.destroy());
  socket.write(`\x01${JSON.stringify({ table, nonce, job: { ...jobDesc({ jobid: 'j' }), ...who } })}\0`);
  return { socket, answer: await reply(socket) };
}

const reply = (socket: Socket): Promise<unknown> =>
  new Promise((resolve, reject) => {
    let text = '';
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString();
      if (text.endsWith('\0')) resolve(JSON.parse(text.slice(0, -1)));
    });
    socket.once('close', () => reject(new Error('closed without an answer')));
  });

test('a table counts into the job, with its last values, and is removed', async () => {
  const { tables, runs, path, table, host } = await engine();
  const writer = new TableWriter(NONCE, { start: ownStart() });
  const calls = writer.add({ name: 'calls', kind: 'integer' });
  writer.integer(calls, 5n);
  writer.save(table);
  const { socket, answer } = await announce(path, table);
  expect(answer).toEqual({ accepted: true });
  const run = runs.live.get('j')!;
  expect([...run.scope.counters].slice(0, 1)).toEqual([5]);
  writer.integer(calls, 8n);
  writer.save(table);
  tables.read();
  expect(run.scope.counters[0]).toBe(8);
  // The process lives: a client that comes again goes on.
  socket.destroy();
  const again = await announce(path, table);
  expect(again.answer).toEqual({ accepted: true });
  expect([run.ranks, run.scope.counters[0], host.stats.tables]).toEqual([1, 8, 1]);
  writer.integer(calls, 9n);
  writer.integer(writer.add({ name: 'late', kind: 'integer' }), 3n);
  writer.leave();
  writer.save(table);
  again.socket.destroy();
  await eventually(() => host.stats.tables === 0);
  const late = run.scope.counters[run.scope.find('late')!.index];
  expect([run.scope.counters[0], late, existsSync(table)]).toEqual([9, 3, false]);
});

/** Programs that count `metric` and announce their tables, one after the other. */
async function programs() {
  const { tables, runs, path, directory, host } = await engine();
  let made = 0;
  async function program(said?: readonly [number, number], who?: Who) {
    const nonce = `${++made}`.padStart(32, '0');
    const table = join(directory, `1-${nonce}.table`);
    const writer = new TableWriter(nonce, { start: ownStart() + 1n });
    const entry = writer.add({ name: 'metric', kind: 'double' });
    const level = writer.add({ name: 'level', kind: 'gauge' });
    const save = () => {
      writer.save(table);
      tables.read();
    };
    writer.double(entry, 0.1);
    writer.gauge(level, 2n, [1, 1, 1, 1]);
    if (said) writer.rank(...said);
    writer.save(table);
    const { socket, answer } = await announce(path, table, nonce, who);
    expect(answer).toEqual({ accepted: true });
    return {
      counts: (value: number) => (writer.double(entry, value), save()),
      says: (rank: number, size: number) => (writer.rank(rank, size), save()),
      async leaves() {
        const before = host.stats.tables;
        writer.leave();
        writer.save(table);
        socket.destroy();
        await eventually(() => host.stats.tables === before - 1);
      },
    };
  }
  const run = () => runs.live.get('j')!;
  return {
    program,
    run,
    host,
    rows: () =>
      [...run().rankList()].map((rank) => [rank.rank, rank.counters[0]]).toSorted(([a], [b]) => Number(a) - Number(b)),
    sum: () => (run().scope.settle(), [run().scope.counters[0], run().scope.gauge(0).hits]),
  };
}

test('a rank that the program says is its own, before and after it has counted', async () => {
  const { program, run, rows, sum, host } = await programs();
  const third = await program([3, 4]);
  const first = await program();
  first.counts(0.3);
  expect(rows()).toEqual([
    [3, 0.1],
    [4, 0.3],
  ]);
  first.says(1, 4);
  expect(rows()).toEqual([
    [1, 0.3],
    [3, 0.1],
  ]);
  first.counts(7.3);
  expect([run().ranks, run().clients, run().desc.size, host.budget.rankValues]).toEqual([2, 2, 4, 4]);
  expect([rows(), sum()]).toEqual([
    [
      [1, 7.3],
      [3, 0.1],
    ],
    [expect.closeTo(7.4), 2],
  ]);
  // A step of the same job has the same ranks again.
  await first.leaves();
  const again = await program();
  again.says(1, 4);
  expect([run().ranks, rows()]).toEqual([
    2,
    [
      [1, expect.closeTo(7.4)],
      [3, 0.1],
    ],
  ]);
  await again.leaves();
  await third.leaves();
  expect([sum()[0], rows()]).toEqual([
    expect.closeTo(7.5),
    [
      [1, expect.closeTo(7.4)],
      [3, 0.1],
    ],
  ]);
});

test('ranks that processes of one launch say are rows beside their parent', async () => {
  const { program, run, rows, sum, host } = await programs();
  const parent = await program(undefined, { launch: LAUNCH });
  const workers = [await program(undefined, { launch: LAUNCH }), await program(undefined, { launch: LAUNCH })];
  expect(rows()).toEqual([[0, expect.closeTo(0.3)]]);
  workers.forEach((worker, rank) => {
    worker.says(rank, 2);
    worker.counts(10 * (rank + 1));
  });
  expect([rows(), run().ranks]).toEqual([
    [
      [0, 10],
      [1, 20],
      [2, expect.closeTo(0.1)],
    ],
    3,
  ]);
  parent.counts(5);
  await workers[1]!.leaves();
  expect([rows(), sum()[0], host.budget.rankValues]).toEqual([
    [
      [0, 10],
      [1, 20],
      [2, 5],
    ],
    expect.closeTo(35),
    6,
  ]);
});

test('a program alone in its launch takes its later children along', async () => {
  const { program, rows, run } = await programs();
  const only = await program(undefined, { launch: LAUNCH });
  only.says(2, 3);
  await program(undefined, { launch: LAUNCH });
  expect([rows(), run().ranks]).toEqual([[[2, expect.closeTo(0.2)]], 1]);
});

test.each([
  ['what the launcher said stays', [0, 4], { rank: 2 }, 2],
  ['of a world of one it tells nothing', [0, 1], { rank: 5 }, 5],
  ['beyond the world', [4, 4], { rank: 1 }, 1],
  ['none', [-1, -1], { rank: 1 }, 1],
] as const)('a rank in a table: %s', async (_, said, who, rank) => {
  const { program, rows } = await programs();
  const one = await program(said, who);
  one.says(said[0], said[1]);
  expect(rows()).toEqual([[rank, 0.1]]);
});

test.each([
  ['who counts for itself', undefined, true],
  ['a process that is not there', '1-1', false],
  ['text', 'x', false],
  ['a number', 7, false],
  ['too much of one', '99999999999-1', false],
] as const)('CPU time of a table: traced is %s', async (_, traced, measured) => {
  const { tables, runs, path, table } = await engine();
  const writer = new TableWriter(NONCE, { start: ownStart() });
  writer.save(table);
  const socket = connect(path);
  onTestFinished(() => void socket.destroy());
  socket.write(`\x01${JSON.stringify({ table, nonce: NONCE, traced, job: jobDesc({ jobid: 'j' }) })}\0`);
  expect(await reply(socket)).toEqual({ accepted: true });
  tables.read();
  const { scope } = runs.live.get('j')!;
  expect(scope.find('process_cpu_seconds_total') !== null).toBe(measured);
  expect(scope.find('process_resident_memory_bytes') !== null).toBe(measured);
});

test('a process that is gone without goodbye is read once more', async () => {
  const { runs, path, table, host } = await engine();
  const writer = new TableWriter(NONCE, { start: ownStart() + 1n });
  const calls = writer.add({ name: 'calls', kind: 'integer' });
  writer.save(table);
  const { socket } = await announce(path, table);
  writer.integer(calls, 4n);
  writer.save(table);
  const run = runs.live.get('j')!;
  socket.destroy();
  await eventually(() => host.stats.tables === 0);
  expect([run.scope.counters[0], existsSync(table)]).toEqual([4, false]);
});

test('a table that breaks the format is dropped with what it had counted', async () => {
  const { tables, runs, path, table, host } = await engine();
  const writer = new TableWriter(NONCE);
  writer.integer(writer.add({ name: 'calls', kind: 'integer' }), 5n);
  writer.save(table);
  const { socket } = await announce(path, table);
  const run = runs.live.get('j')!;
  writer.bytes.writeUInt32LE(77, 84);
  writer.changed();
  writer.save(table);
  tables.read();
  await eventually(() => socket.destroyed);
  expect([run.scope.counters[0], host.stats.tables, host.stats.rejected.get('table_invalid')]).toEqual([5, 0, 1]);
});

test.each([
  ['shrinks', (table: string) => truncateSync(table, 4096)],
  ['loses everything', (table: string) => truncateSync(table, 0)],
])('a table that %s is dropped with what it had counted', async (_, change) => {
  const { tables, runs, path, table, host } = await engine();
  const writer = new TableWriter(NONCE);
  writer.integer(writer.add({ name: 'calls', kind: 'integer' }), 5n);
  writer.save(table);
  const { socket } = await announce(path, table);
  const run = runs.live.get('j')!;
  change(table);
  tables.read();
  await eventually(() => socket.destroyed);
  expect([run.scope.counters[0], host.stats.tables, host.stats.rejected.get('table_invalid')]).toEqual([5, 0, 1]);
});

test('a file that takes the place of a table is neither read nor removed', async () => {
  const { tables, runs, path, table, host } = await engine();
  const writer = new TableWriter(NONCE, { start: ownStart() });
  const calls = writer.add({ name: 'calls', kind: 'integer' });
  writer.save(table);
  const { socket } = await announce(path, table);
  const other = new TableWriter(NONCE);
  other.integer(other.add({ name: 'calls', kind: 'integer' }), 1000n);
  renameSync(table, `${table}.first`);
  other.save(table);
  writer.integer(calls, 3n);
  writer.leave();
  writer.save(`${table}.first`);
  tables.read();
  const run = runs.live.get('j')!;
  expect(run.scope.counters[0]).toBe(3);
  socket.destroy();
  await eventually(() => host.stats.tables === 0);
  expect([run.scope.counters[0], existsSync(table)]).toEqual([3, true]);
});

test('a directory that is a link is not private', async () => {
  const folder = temporaryFolder();
  const [real, linked] = [join(folder, 'real'), join(folder, 'linked')];
  mkdirSync(real, { mode: 0o700 });
  symlinkSync(real, linked);
  const { path, host } = await engine({ directories: [linked] });
  const table = join(linked, `1-${NONCE}.table`);
  const writer = new TableWriter(NONCE);
  writer.save(table);
  expect((await announce(path, table)).answer).toEqual({ refused: 'table_not_private' });
  expect([existsSync(table), host.stats.tables]).toEqual([true, 0]);
});

test('what lies beside tables is neither read nor removed by the sweep', async () => {
  const { tables, directory, folder } = await engine();
  const dead = new TableWriter('f'.repeat(32), { start: 1n });
  const nonces = ['1', '2', '3', '4', '5', '6'].map((digit) => digit.repeat(32));
  const at = (nonce: string): string => join(directory, `1-${nonce}.table`);
  const elsewhere = join(folder, 'elsewhere');
  dead.save(elsewhere);
  symlinkSync(elsewhere, at(nonces[0]!));
  linkSync(elsewhere, at(nonces[1]!));
  mkdirSync(at(nonces[2]!));
  execFileSync('sh', ['-c', 'mkfifo -m 600 "$1"', 'sh', at(nonces[3]!)]);
  new TableWriter(nonces[4]!, { start: 1n }).save(at(nonces[4]!));
  if (process.getuid?.() === 0) chownSync(at(nonces[4]!), 12_345, 12_345);
  else chmodSync(at(nonces[4]!), 0o644);
  // Another nonce than its name says.
  dead.save(at(nonces[5]!));
  dead.save(at('f'.repeat(32)));
  tables.sweep(0);
  tables.sweep(HOUR);
  expect(nonces.map((nonce) => lstatSync(at(nonce), { throwIfNoEntry: false }) !== undefined)).not.toContain(false);
  expect([existsSync(elsewhere), existsSync(at('f'.repeat(32)))]).toEqual([true, false]);
});

test('the sweep leaves tables alone that another engine may have, or whose announce is on its way', async () => {
  const { tables, runs, directory, path, table } = await engine();
  const [living, foreign] = ['a', 'b'].map((digit) => join(directory, `1-${digit.repeat(32)}.table`));
  new TableWriter('a'.repeat(32), { pid: process.pid, start: ownStart() }).save(living!);
  new TableWriter('b'.repeat(32), { start: 1n }).save(foreign!);
  const late = new TableWriter(NONCE, { start: 1n });
  late.integer(late.add({ name: 'calls', kind: 'integer' }), 5n);
  late.save(table);
  tables.sweep(0);
  tables.sweep(HOUR - 1);
  expect([living, foreign, table].map((file) => existsSync(file!))).toEqual([true, true, true]);
  expect((await announce(path, table)).answer).toEqual({ accepted: true });
  expect(runs.live.get('j')!.scope.counters[0]).toBe(5);
  tables.sweep(HOUR);
  expect([living, foreign, table].map((file) => existsSync(file!))).toEqual([true, false, true]);
});

test('a refused client goes on with messages over the same connection', async () => {
  const { path, table, runs } = await engine();
  const { socket, answer } = await announce(path, table);
  expect(answer).toEqual({ refused: 'table_missing' });
  socket.write(`${JSON.stringify({ JobDesc: jobDesc({ jobid: 'by-messages' }) })}\0`);
  await eventually(() => runs.live.has('by-messages'));
});

const valid = (table: string): void => new TableWriter(NONCE).save(table);
const cases: [string, string, (table: string) => void][] = [
  ['a link', 'table_not_private', (table) => (valid(`${table}.real`), symlinkSync(`${table}.real`, table))],
  ['two names', 'table_not_private', (table) => (valid(table), linkSync(table, `${table}.too`))],
  [
    'a fifo',
    'table_not_private',
    (table) => void execFileSync('python3', ['-c', 'import os,sys; os.mkfifo(sys.argv[1], 0o600)', table]),
  ],
  ['a directory', 'table_not_private', (table) => mkdirSync(table, { mode: 0o600 })],
  ['open to others', 'table_not_private', (table) => (valid(table), chmodSync(table, 0o644))],
  ['an open directory', 'table_not_private', (table) => (valid(table), chmodSync(join(table, '..'), 0o755))],
  ['empty', 'table_invalid', (table) => writeFileSync(table, '', { mode: 0o600 })],
  ['another nonce', 'table_invalid', (table) => new TableWriter('f'.repeat(32)).save(table)],
];
if (process.getuid?.() === 0) {
  cases.push(["somebody else's", 'table_not_private', (table) => (valid(table), chownSync(table, 65534, 65534))]);
}

test.each(cases)('refused: %s', async (_, reason, make) => {
  const { path, table, host } = await engine();
  make(table);
  expect((await announce(path, table)).answer).toEqual({ refused: reason });
  expect([host.stats.tables, host.stats.rejected.get(reason as 'table_invalid')]).toEqual([0, 1]);
});

test.each(['/etc/passwd', `/tmp/1-${NONCE}.table`, 'relative'])('refused: a path elsewhere, %s', async (elsewhere) => {
  const { path } = await engine();
  const { answer } = await announce(path, elsewhere);
  expect(answer).toEqual({ refused: elsewhere === 'relative' ? 'announce_malformed' : 'table_elsewhere' });
});

test('a path that climbs out of the directory is elsewhere', async () => {
  const { path, directory, table } = await engine();
  valid(table);
  expect((await announce(path, join(directory, 'x').replace('x', `../tables/1-${NONCE}.table`))).answer).toEqual({
    refused: 'table_elsewhere',
  });
  rmSync(table);
});

test('an announce without end is cut off', async () => {
  const { path } = await engine();
  const socket = connect(path);
  socket.on('error', () => undefined);
  socket.write(`\x01${'x'.repeat(70_000)}`);
  await eventually(() => socket.destroyed || socket.readableEnded || (socket.resume(), false));
});
