/** Programs whose system calls and I/O are counted, under the real launcher and on a real engine. */

import { readFileSync } from 'node:fs';
import path from 'node:path';

import { EngineClient } from '../../../src/client/http.ts';
import { type Engine, startEngine } from '../../support/engine.ts';
import { buildNative } from '../../support/native.ts';
import { eventually } from '../../support/wait.ts';
import { start } from '../mpi/build.ts';

const TARGETS = ['vigie-run', 'vigie-preload', 'vigie-exporter-io', 'vigie-exporter-strace', 'vigie-tracer'];
const PROGRAMS = ['vigie-test-calls', 'vigie-test-calls-static', 'vigie-test-io'];

/** Builds the native parts below `folder` and starts an engine. */
export async function prepare(folder: string) {
  const built = await buildNative(path.join(folder, 'build'), [...TARGETS, ...PROGRAMS]);
  const engine = await startEngine({ args: ['--memory', '--grace', '200ms'] });
  return new Bench(engine, built, folder);
}

export class Bench {
  readonly engine: Engine;
  readonly client: EngineClient;
  readonly folder: string;
  readonly vigieRun: string;
  readonly calls: string;
  readonly staticCalls: string;
  readonly io: string;
  readonly #built: (name: string) => string;

  constructor(engine: Engine, built: (name: string) => string, folder: string) {
    this.engine = engine;
    this.#built = built;
    this.client = new EngineClient({ socket: engine.ready.socket! });
    this.folder = folder;
    this.vigieRun = built('run/vigie-run');
    this.calls = built('exporters/syscalls/test/vigie-test-calls');
    this.staticCalls = built('exporters/syscalls/test/vigie-test-calls-static');
    this.io = built('exporters/io/test/vigie-test-io');
  }

  /** The same programs and another engine. */
  with(engine: Engine): Bench {
    return new Bench(engine, this.#built, this.folder);
  }

  get env(): NodeJS.ProcessEnv {
    return { PATH: process.env['PATH'], HOME: this.folder, VIGIE_SOCKET: this.engine.ready.socket! };
  }

  /** `vigie-run -j JOB OPTIONS -- COMMAND`; no options: as it is by itself. */
  run(job: string, options: readonly string[], command: readonly string[]) {
    return start([this.vigieRun, '-j', job, ...options, '--', ...command], this.env, this.folder);
  }

  plain(command: readonly string[]) {
    return start(command, this.env, this.folder);
  }

  /** Values of the ended run of a job. */
  async counters(job: string): Promise<ReadonlyMap<string, number>> {
    const run = await eventually(
      async () => (await this.client.runs({ state: 'ended' })).runs.find(({ jobid }) => jobid === job),
      { timeout: 60_000 },
    );
    const { series } = await this.client.profile(run.id);
    return new Map(series.map(({ name, value }) => [name, value ?? 0]));
  }
}

/** Calls by their name. */
export function hits(counters: ReadonlyMap<string, number>, layer = 'strace'): Record<string, number> {
  const prefix = `${layer}___hits___`;
  const found = [...counters].filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(found.map(([name, value]) => [name.slice(prefix.length), value]));
}

/** What `strace -c -f -o FILE` wrote: calls by their name. */
export function summary(file: string): Record<string, number> {
  const rows = readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((words) => words.length >= 5 && /^[\d.]+$/.test(words[0]!) && words.at(-1) !== 'total');
  return Object.fromEntries(rows.map((words) => [words.at(-1)!, Number(words[3])]));
}
