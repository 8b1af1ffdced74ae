import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { startChild } from './child.ts';

export interface LoadOptions {
  readonly connections: number;
  readonly counters: number;
  /** Values of each counter on each connection. */
  readonly rounds: number;
  readonly mode: 'batched' | 'tokenised';
  readonly job: string;
}

/** What the load generator counted. `seconds` runs until the last byte was read by the other side. */
export interface LoadResult {
  readonly messages: number;
  readonly bytes: number;
  readonly writes: number;
  readonly seconds: number;
  readonly cpu_seconds: number;
}

export interface Load {
  readonly result: LoadResult;
  /** Closes the connections, which it held open. */
  close(): Promise<void>;
}

/** The usual variable chooses another compiler. */
const COMPILER = process.env['CC'] ?? 'cc';

/** Compiles a program of bench/load into the folder. Returns its path. */
export function compile(name: 'load' | 'reader', folder: string): string {
  const program = join(folder, name);
  const source = join(import.meta.dirname, '../load', `${name}.c`);
  execFileSync(COMPILER, ['-std=c11', '-O2', '-Wall', '-Wextra', '-o', program, source], { stdio: 'inherit' });
  return program;
}

/** Sends everything and returns once it was read; the connections stay open. */
export async function runLoad(
  program: string,
  socket: string,
  options: LoadOptions,
  deadlineMs: number,
): Promise<Load> {
  const { connections, counters, rounds, mode, job } = options;
  const child = startChild(program, [
    ...['--connections', String(connections), '--counters', String(counters), '--rounds', String(rounds)],
    ...['--mode', mode, '--job', job, '--hold', socket],
  ]);
  try {
    const result = JSON.parse(await child.line(deadlineMs)) as LoadResult;
    return {
      result,
      async close() {
        await child.finish(10_000);
      },
    };
  } catch (error) {
    await child.stop();
    throw error;
  }
}

/** Counter m's name, as the load generator sends it. */
export const counterName = (m: number): string => `bench_counter_${String(m).padStart(4, '0')}`;

/** Counter m's sum when everything arrived exactly once. */
export const expectedSum = (m: number, { connections, rounds }: LoadOptions): number =>
  connections * rounds * (1 + (m % 5));
