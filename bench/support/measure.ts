import { setTimeout as sleep } from 'node:timers/promises';
import type { StartConsumer } from './consumers.ts';
import { counterName, expectedSum, runLoad } from './load.ts';
import type { LoadOptions } from './load.ts';
import { cpuSeconds, residentBytes } from './proc.ts';
import { median } from './report.ts';

/** One load on one fresh, warmed up consumer. */
export interface Run {
  readonly messages: number;
  /** Until the last byte was read. */
  readonly seconds: number;
  /** Of the consumer, all threads, garbage collection and compilation after the last byte included. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  /** Counters whose sum was not exactly the expected one. */
  readonly wrongSums: number;
}

/** What is left to do after the last byte was read is done within this time. */
const SETTLE_MS = 200;
const LOAD_DEADLINE = 300_000;
/** Sent before anything is measured: all of them run for days, so what compiling the code costs once is left out. */
const WARM_UP: LoadOptions = { connections: 4, counters: 10, rounds: 10_000, mode: 'batched', job: 'warm-up' };
const SUMS_DEADLINE = 5_000;

export async function measureOnce(program: string, start: StartConsumer, options: LoadOptions): Promise<Run> {
  const consumer = await start();
  try {
    const { sums } = consumer;
    let earlier: ReadonlyMap<string, number> = new Map();
    if (sums !== null) {
      await (await runLoad(program, consumer.socket, WARM_UP, LOAD_DEADLINE)).close();
      // A proxy does not know the job yet; a consumer without jobs has its sums already.
      earlier = await sums(options.job).catch(() => earlier);
    }
    await sleep(SETTLE_MS);
    const before = cpuSeconds(consumer.pid);
    const load = await runLoad(program, consumer.socket, options, LOAD_DEADLINE);
    await sleep(SETTLE_MS);
    const used = cpuSeconds(consumer.pid) - before;
    const memory = residentBytes(consumer.pid).now;
    // While the connections are open, so that the job is still running.
    const wrongSums = sums === null ? 0 : await countWrong(() => sums(options.job), earlier, options);
    await load.close();
    const { messages, seconds } = load.result;
    return { messages, seconds, cpuSeconds: used, residentBytes: memory, wrongSums };
  } finally {
    await consumer.stop();
  }
}

/** Asked again for a while: a consumer may show what it read a moment later. */
async function countWrong(
  read: () => Promise<ReadonlyMap<string, number>>,
  earlier: ReadonlyMap<string, number>,
  options: LoadOptions,
): Promise<number> {
  const end = performance.now() + SUMS_DEADLINE;
  for (;;) {
    const sums = await read();
    let wrong = 0;
    for (let m = 0; m < options.counters; m++) {
      const name = counterName(m);
      if ((sums.get(name) ?? 0) - (earlier.get(name) ?? 0) !== expectedSum(m, options)) wrong++;
    }
    if (wrong === 0 || performance.now() > end) return wrong;
    await sleep(200);
  }
}

/** Medians over the runs of one case. */
export interface Summary {
  readonly messagesPerCpuSecond: number;
  readonly cpuMicrosecondsPerMessage: number;
  readonly messagesPerSecond: number;
  readonly residentBytes: number;
  readonly wrongSums: number;
}

export function summarise(runs: readonly Run[]): Summary {
  const of = (value: (run: Run) => number): number => median(runs.map(value));
  const cpuMicrosecondsPerMessage = of((run) => (run.cpuSeconds / run.messages) * 1e6);
  return {
    messagesPerCpuSecond: 1e6 / cpuMicrosecondsPerMessage,
    cpuMicrosecondsPerMessage,
    messagesPerSecond: of((run) => run.messages / run.seconds),
    residentBytes: of((run) => run.residentBytes),
    wrongSums: runs.reduce((sum, run) => sum + run.wrongSums, 0),
  };
}
