/**
 * Legacy messages applied per CPU second of the engine, beside a minimal JSON.parse consumer, sums verified exactly.
 *
 *     npm run bench -- ingest [--quick] [--repeat N]
 *     PEER_PROXY="command {socket} {port}" npm run bench -- ingest     measures another proxy too
 */

import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { startMinimal, startPeer, startReader, startVigie } from './support/consumers.ts';
import type { StartConsumer } from './support/consumers.ts';
import { temporaryFolder } from './support/engine.ts';
import { compile } from './support/load.ts';
import type { LoadOptions } from './support/load.ts';
import { measureOnce, summarise } from './support/measure.ts';
import type { Run, Summary } from './support/measure.ts';
import { megabytes, printResult, printTable, thousands, verdict } from './support/report.ts';

const BUDGET = { messagesPerCpuSecond: 1.5e6, timesMinimal: 4, tokenisedMicroseconds: 10 };
const CONNECTIONS = [1, 8, 64, 256];
const COUNTERS = [10, 500];
const TOKENISED_CONNECTIONS = [1, 8];
const JOB = 'bench';

const { values: flags } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, repeat: { type: 'string' } },
});
const repeat = Number(flags.repeat ?? (flags.quick ? 1 : 3));
if (!Number.isInteger(repeat) || repeat < 1) throw new Error('--repeat takes a number of runs');
const batchedMessages = flags.quick ? 500_000 : 3_000_000;
const tokenisedMessages = flags.quick ? 20_000 : 100_000;

const peer = process.env['PEER_PROXY'];
const consumers = new Map<string, StartConsumer>([
  ['engine', startVigie],
  ['minimal', startMinimal],
  ...(peer ? [['peer', startPeer(peer)] as const] : []),
]);

interface Case {
  readonly connections: number;
  readonly counters: number;
  readonly mode: LoadOptions['mode'];
  readonly results: ReadonlyMap<string, Summary>;
}

/** Every consumer in turn, again and again, so that what else the machine does meets all of them. */
async function runCase(program: string, options: LoadOptions, names: readonly string[]): Promise<Case> {
  const runs = new Map<string, Run[]>(names.map((name) => [name, []]));
  for (let i = 0; i < repeat; i++) {
    for (const name of names) runs.get(name)!.push(await measureOnce(program, consumers.get(name)!, options));
  }
  const { connections, counters, mode } = options;
  const results = new Map([...runs].map(([name, all]) => [name, summarise(all)]));
  process.stderr.write(`${mode}, ${connections} connections, ${counters} counters: done\n`);
  return { connections, counters, mode, results };
}

const timesMinimal = ({ results }: Case): number =>
  results.get('engine')!.messagesPerCpuSecond / results.get('minimal')!.messagesPerCpuSecond;

function printBatched(cases: readonly Case[]): void {
  const others = [...cases[0]!.results.keys()].filter((name) => name !== 'engine');
  console.log(`\nPre-encoded, 64 KiB writes, about ${batchedMessages / 1e6} M messages, medians of ${repeat}:\n`);
  printTable(
    [
      'connections × counters',
      'msg/CPU s',
      'msg/s',
      'RSS',
      ...others.map((name) => `${name} msg/CPU s`),
      '× minimal',
      'wrong sums',
    ],
    cases.map((c) => {
      const engine = c.results.get('engine')!;
      return [
        `${c.connections} × ${c.counters}`,
        thousands(engine.messagesPerCpuSecond),
        thousands(engine.messagesPerSecond),
        megabytes(engine.residentBytes),
        ...others.map((name) => thousands(c.results.get(name)!.messagesPerCpuSecond)),
        timesMinimal(c).toFixed(2),
        String(engine.wrongSums),
      ];
    }),
  );
}

function printTokenised(cases: readonly Case[]): void {
  console.log(`\nAs the Rust client sends them (40 writes a counter's value), medians of ${repeat};
the kernel alone is a C program that reads every 0.1 ms and does nothing else:\n`);
  printTable(
    ['consumer, connections', 'CPU µs/msg', "sender's msg/s", 'wrong sums'],
    cases.flatMap((c) =>
      [...c.results].map(([name, result]) => [
        `${name}, ${c.connections}`,
        result.cpuMicrosecondsPerMessage.toFixed(2),
        thousands(result.messagesPerSecond),
        name === 'kernel alone' ? '-' : String(result.wrongSums),
      ]),
    ),
  );
}

const folder = temporaryFolder('load');
try {
  const program = compile('load', folder.path);
  const full = [...consumers.keys()];
  consumers.set('kernel alone', startReader(compile('reader', folder.path)));
  const batched: Case[] = [];
  for (const counters of COUNTERS) {
    for (const connections of CONNECTIONS) {
      const rounds = Math.max(1, Math.round(batchedMessages / (connections * counters)));
      const options: LoadOptions = { connections, counters, rounds, mode: 'batched', job: JOB };
      batched.push(await runCase(program, options, full));
    }
  }
  const tokenised: Case[] = [];
  for (const connections of TOKENISED_CONNECTIONS) {
    const rounds = Math.max(1, Math.round(tokenisedMessages / (connections * 10)));
    const options: LoadOptions = { connections, counters: 10, rounds, mode: 'tokenised', job: JOB };
    tokenised.push(await runCase(program, options, [...consumers.keys()]));
  }

  printBatched(batched);
  printTokenised(tokenised);

  const slowest = Math.min(...batched.map((c) => c.results.get('engine')!.messagesPerCpuSecond));
  const least = Math.min(...batched.map(timesMinimal));
  const dearest = Math.max(...tokenised.map((c) => c.results.get('engine')!.cpuMicrosecondsPerMessage));
  const wrong = [...batched, ...tokenised].reduce(
    (sum, c) => sum + [...c.results.values()].reduce((n, r) => n + r.wrongSums, 0),
    0,
  );
  console.log('\nBudgets, each by its worst case:');
  printTable(
    ['what', 'measured', 'budget', ''],
    [
      [
        'messages per CPU second',
        thousands(slowest),
        `≥ ${thousands(BUDGET.messagesPerCpuSecond)}`,
        verdict(slowest >= BUDGET.messagesPerCpuSecond),
      ],
      ['× minimal consumer', least.toFixed(2), `≥ ${BUDGET.timesMinimal}`, verdict(least >= BUDGET.timesMinimal)],
      [
        'tokenised, CPU µs per message',
        dearest.toFixed(2),
        `≤ ${BUDGET.tokenisedMicroseconds}`,
        verdict(dearest <= BUDGET.tokenisedMicroseconds),
      ],
      ['wrong sums', String(wrong), '0', verdict(wrong === 0)],
    ],
  );
  console.log();
  printResult({
    bench: 'ingest',
    repeat,
    node: process.version,
    cpu: cpus()[0]?.model,
    load: loadavg(),
    budget: BUDGET,
    worst: { messagesPerCpuSecond: slowest, timesMinimal: least, tokenisedMicroseconds: dearest, wrongSums: wrong },
    cases: [...batched, ...tokenised].map(({ results, ...rest }) => ({ ...rest, ...Object.fromEntries(results) })),
  });
  // Speed never fails a run; wrong sums always do.
  if (wrong > 0) process.exitCode = 1;
} finally {
  folder.remove();
}
