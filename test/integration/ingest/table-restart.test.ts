/** Shared tables over the end of an engine that nobody announced: what they count stands in the run once, and whole. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { TableWriter } from '../../support/table.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { jobDesc } from '../../unit/engine/ingest/harness.ts';
import { serve, within, type Served } from '../engine/child.ts';

const ownStart = (): bigint => BigInt(readFileSync('/proc/self/stat', 'latin1').split(') ')[1]!.split(' ')[19]!);

interface Setting {
  readonly directory: string;
  start(): Promise<Served>;
}

function setting(): Setting {
  const folder = temporaryFolder();
  const directory = join(folder, 'vigie');
  mkdirSync(directory, { mode: 0o700 });
  const flags = [...within(folder), `--data=${join(folder, 'data')}`];
  return { directory, start: () => serve(flags, { env: { XDG_RUNTIME_DIR: folder } }) };
}

/** A program with a table of its own: one counter. */
class Program {
  readonly path: string;
  readonly #writer: TableWriter;
  readonly #start: number;
  readonly #calls: number;
  #socket: Socket | null = null;
  count = 0;

  constructor(directory: string, nonce: string, { start = 0, lives = true } = {}) {
    this.#writer = new TableWriter(nonce, { start: lives ? ownStart() : 1n });
    this.#calls = this.#writer.add({ name: 'calls', kind: 'integer' });
    this.path = join(directory, `${process.pid}-${nonce}.table`);
    this.#start = start;
    this.#writer.save(this.path);
  }

  add(by: number): void {
    this.count += by;
    this.#writer.integer(this.#calls, BigInt(this.count));
    this.#writer.save(this.path);
  }

  /** One more counter. */
  grow(name: string, value: number): void {
    this.#writer.integer(this.#writer.add({ name, kind: 'integer' }), BigInt(value));
    this.#writer.save(this.path);
  }

  leave(): void {
    this.#writer.leave();
    this.#writer.save(this.path);
    this.#socket?.destroy();
  }

  async announce(engine: Served, extra: object = {}): Promise<void> {
    const socket = connect(engine.ready.socket!);
    this.#socket = socket;
    // The engine is killed.
    socket.on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
    const job = { ...jobDesc({ jobid: 'j', start_time: this.#start }), ...extra };
    socket.write(`\x01${JSON.stringify({ table: this.path, nonce: this.#writer.nonce, job })}\0`);
    const answer = await new Promise((resolve, reject) => {
      socket.once('data', (bytes: Buffer) => resolve(bytes.toString()));
      socket.once('close', () => reject(new Error('closed without an answer')));
    });
    expect(answer).toBe('{"accepted":true}\0');
  }
}

async function kill(engine: Served): Promise<void> {
  engine.child.kill('SIGKILL');
  await engine.exited;
}

const callsOf = async (engine: Served): Promise<number | null | undefined> => {
  const [run] = (await engine.client.runs({ state: 'live' })).runs;
  return run && (await engine.client.series(run.scope)).series.find(({ name }) => name === 'calls')?.value;
};

const finished = (engine: Served, id: string) =>
  eventually(async () => {
    const found = await engine.client.profile(id);
    return found.run.state === 'finished' && found;
  });

test('an engine that is killed again and again counts each call once', async () => {
  const { directory, start } = setting();
  const programs = [1, 2, 3].map(
    (n) => new Program(directory, `${n}`.repeat(32), { start: n === 3 ? 0 : 1_795_188_214_000 + n }),
  );
  let id: string | undefined;
  let engine = await start();
  for (let life = 0; life < 3; life++) {
    for (const program of programs) await program.announce(engine);
    // Between the ticks of 50 ms too, up to the end.
    for (let i = 0; i < 40; i++) {
      for (const program of programs) program.add(1 + i);
      await delay(7);
    }
    // Samples are stored once there are two of them.
    await eventually(async () => (await engine.client.status()).store.durable_until > 0);
    const [run] = (await engine.client.runs({ state: 'live' })).runs;
    id ??= run!.id;
    expect(run!.id).toBe(id);
    await kill(engine);
    for (const program of programs) program.add(1000);
    if (life === 1) for (const program of programs) program.grow('late', 5);
    engine = await start();
  }
  for (const program of programs) await program.announce(engine);
  const total = (): number => programs.reduce((sum, { count }) => sum + count, 0);
  await eventually(async () => (await callsOf(engine)) === total());
  for (const program of programs) {
    program.add(7);
    program.leave();
  }
  const profile = await finished(engine, id!);
  const values = Object.fromEntries(profile.series.map(({ name, value }) => [name, value]));
  expect(values).toMatchObject({ calls: total(), late: 15 });
  expect((await engine.client.runs({ state: 'ended' })).runs).toHaveLength(1);
  await eventually(() => programs.every(({ path }) => !existsSync(path)));
}, 120_000);

test('what a program counted that ended while no engine was there is in its run, and files of others stay', async () => {
  const { directory, start } = setting();
  const first = await start();
  const gone = new Program(directory, 'a'.repeat(32), { lives: false });
  await gone.announce(first, { rank: 3 });
  gone.add(5);
  await eventually(async () => (await callsOf(first)) === 5);
  const [run] = (await first.client.runs({ state: 'live' })).runs;
  await eventually(async () => (await first.client.status()).store.durable_until > run!.start_time);
  await kill(first);
  gone.add(37);
  const unknown = new Program(directory, 'b'.repeat(32), { lives: false });
  const living = new Program(directory, 'c'.repeat(32));
  const others = [join(directory, 'notes.table'), join(directory, `1-${'d'.repeat(32)}.table`)];
  for (const path of others) writeFileSync(path, 'not a table', { mode: 0o600 });
  spawnSync('sh', ['-c', 'mkfifo -m 600 "$1"', 'sh', join(directory, `1-${'e'.repeat(32)}.table`)]);

  const second = await start();
  await eventually(() => !existsSync(gone.path), { timeout: 60_000 });
  const profile = await finished(second, run!.id);
  expect(profile.series.find(({ name }) => name === 'calls')).toMatchObject({ value: 42 });
  expect(profile.ranks).toMatchObject([{ rank: 3 }]);
  // An unknown one may be another engine's: it goes much later.
  expect([living.path, unknown.path, ...others].map((path) => existsSync(path))).toEqual([true, true, true, true]);
}, 120_000);
