import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChild } from './child.ts';
import { type Engine, startEngine } from './engine.ts';
import { cpuSeconds } from './proc.ts';
import { median } from './report.ts';

const SOURCES = join(import.meta.dirname, '../../native');
const LINE_DEADLINE = 120_000;

/** Configures and builds the native parts below `folder`, as users get them. Returns the path of one of their files. */
export function buildNative(folder: string): (name: string) => string {
  const cmake = (...args: string[]): void =>
    void execFileSync('cmake', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  cmake('-S', SOURCES, '-B', folder);
  cmake('--build', folder, '--parallel');
  return (name) => join(folder, name);
}

export const PROCESSES = 256;
export const COUNTERS = 100;
/** Of the engine's ticks, of the programs' additions and of their messages. */
const HERTZ = 10;
/** Connections, first looks and the compiler's work are not what is measured. */
const WARM_UP_MS = 4000;
const SUM_DEADLINE = 60_000;

export interface TablesResult {
  /** CPU ns of the engine per changed entry, and per message, without what it uses when nobody is there. */
  readonly nsPerEntry: number;
  readonly nsPerMessage: number;
  readonly ratio: number;
  /** The same with all that it uses. */
  readonly nsPerEntryInAll: number;
  readonly nsPerMessageInAll: number;
  readonly idlePercent: number;
  /** Runs whose counters were not exactly what the programs added. */
  readonly wrongSums: number;
}

/** CPU seconds of the engine per second. */
async function load(engine: Engine, seconds: number): Promise<number> {
  const [cpu, from] = [cpuSeconds(engine.pid), performance.now()];
  await sleep(1000 * seconds);
  return (cpuSeconds(engine.pid) - cpu) / ((performance.now() - from) / 1000);
}

interface JobAnswer {
  readonly counters: readonly {
    readonly name: string;
    readonly ctype: { readonly Counter?: { readonly value: number } };
  }[];
}

/** Whether every counter of the job becomes `expected`. */
async function sumsTo(engine: Engine, job: string, expected: number): Promise<boolean> {
  const end = performance.now() + SUM_DEADLINE;
  for (;;) {
    const { counters } = (await engine.get(`/job/?job=${encodeURIComponent(job)}`)) as JobAnswer;
    const values = counters.filter(({ name }) => name.startsWith('mpi___')).map(({ ctype }) => ctype.Counter?.value);
    if (values.length === COUNTERS && values.every((value) => value === expected)) return true;
    if (performance.now() > end) return false;
    await sleep(200);
  }
}

/** One crowd of programs on the engine. */
async function crowd(engine: Engine, program: string, env: Record<string, string>, seconds: number) {
  const child = startChild(program, [String(PROCESSES), String(COUNTERS)], {
    env: { VIGIE_SOCKET: '', PROXY_PATH: '', PROXY_PERIOD: String(1000 / HERTZ), ...env },
  });
  try {
    await child.line(LINE_DEADLINE);
    await sleep(WARM_UP_MS);
    const used = await load(engine, seconds);
    child.say('');
    const added = Number(await child.line(LINE_DEADLINE));
    const right = await sumsTo(engine, env.PROXY_JOB_ID!, added);
    await child.finish(LINE_DEADLINE);
    return { used, right };
  } finally {
    await child.stop();
  }
}

/**
 * Tables against messages: {@link PROCESSES} programs that change each of {@link COUNTERS} counters ten times a second, on
 * an engine that samples as often, over its own sockets. The programs are the same ones, and count with libvigie; their
 * messages go in one write per batch.
 */
export async function measureTables(program: string, rounds: number, seconds: number): Promise<TablesResult> {
  const engine = await startEngine(['--memory', '--no-node', '--period', `${1000 / HERTZ}ms`]);
  const engineSocket = join(dirname(engine.legacySocket), 'vigie.socket');
  const [idle, tables, messages]: [number[], number[], number[]] = [[], [], []];
  let wrongSums = 0;
  try {
    for (let round = 0; round < rounds; round++) {
      for (const [used, name, env] of [
        [tables, 'tables', { VIGIE_SOCKET: engineSocket }],
        [messages, 'messages', { PROXY_PATH: engine.legacySocket }],
      ] as const) {
        await sleep(WARM_UP_MS);
        idle.push(await load(engine, Math.min(5, seconds)));
        const result = await crowd(engine, program, { PROXY_JOB_ID: `${name}-${round}`, ...env }, seconds);
        used.push(result.used);
        if (!result.right) wrongSums++;
      }
      process.stderr.write(`tables and messages, round ${round + 1}: done\n`);
    }
  } finally {
    await engine.stop();
  }
  const perSecond = PROCESSES * COUNTERS * HERTZ;
  const ns = (used: number): number => (used / perSecond) * 1e9;
  const nothing = median(idle);
  const [byTable, byMessage] = [median(tables), median(messages)];
  return {
    nsPerEntry: ns(byTable - nothing),
    nsPerMessage: ns(byMessage - nothing),
    ratio: (byMessage - nothing) / (byTable - nothing),
    nsPerEntryInAll: ns(byTable),
    nsPerMessageInAll: ns(byMessage),
    idlePercent: 100 * nothing,
    wrongSums,
  };
}

export const tableRows = (result: TablesResult): string[][] => [
  ['through tables, per changed entry', result.nsPerEntry.toFixed(1), result.nsPerEntryInAll.toFixed(1)],
  ['by messages, per message', result.nsPerMessage.toFixed(1), result.nsPerMessageInAll.toFixed(1)],
];
