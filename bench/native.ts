/**
 * What instrumentation costs programs, beside the plain program: counters, launch, shared tables, MPI.
 *
 *     npm run bench -- native [--quick] [--rounds N] [--seconds N]
 */

import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { measureMpi } from './native-mpi.ts';
import { startEngine, temporaryFolder } from './support/engine.ts';
import { buildNative, COUNTERS, measureTables, PROCESSES, tableRows } from './support/native.ts';
import { median, printResult, printTable, verdict } from './support/report.ts';

const BUDGET = { counter: 10, counterOfEight: 15, launch: 3000, timesLess: 10 };
const CASES = [
  ['one_thread', 'one thread', BUDGET.counter],
  ['one_counter', '8 threads on one counter', BUDGET.counterOfEight],
  ['eight_counters', '8 threads on eight', BUDGET.counterOfEight],
] as const;

const { values: flags } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, rounds: { type: 'string' }, seconds: { type: 'string' } },
});
const rounds = Number(flags.rounds ?? (flags.quick ? 3 : 7));
const seconds = Number(flags.seconds ?? (flags.quick ? 4 : 15));
if (!(rounds >= 1) || !(seconds > 0)) throw new Error('--rounds and --seconds take positive numbers');

type Costs = Record<'plain' | 'vigie' | 'mutex', Record<(typeof CASES)[number][0], number>>;

/** A program that prints a JSON line per round. */
function lines<T>(program: string, args: readonly string[], env: NodeJS.ProcessEnv): T[] {
  const text = execFileSync(program, args, { encoding: 'utf8', env: { ...process.env, ...env } });
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

/** Measured with an engine that reads ten times a second, and the real launcher on the real engine. */
async function measureHere(built: (name: string) => string) {
  const engine = await startEngine(['--memory', '--no-node', '--period', '100ms']);
  const env = { VIGIE_SOCKET: join(dirname(engine.legacySocket), 'vigie.socket'), PROXY_JOB_ID: 'bench' };
  try {
    const costs = lines<Costs>(built('test/vigie-bench-counter'), [String(rounds)], env);
    const launches = lines<{ plain: number; with: number }>(
      built('test/vigie-bench-launch'),
      [String(50 * rounds), built('run/vigie-run'), '--', '/bin/true'],
      env,
    );
    return { costs, launches };
  } finally {
    await engine.stop();
  }
}

const folder = temporaryFolder('native');
try {
  const built = buildNative(folder.path);
  const { costs, launches } = await measureHere(built);
  const counters = CASES.map(([key, name, budget]) => {
    const of = (client: keyof Costs): number => median(costs.map((round) => round[client][key]));
    return { key, name, budget, plain: of('plain'), vigie: of('vigie'), mutex: of('mutex') };
  });
  console.log(`CPU ns of one addition, medians of ${rounds} rounds; the loop alone, and a mutex around a double:\n`);
  printTable(
    ['', 'loop alone', 'libvigie', 'mutex', 'budget', ''],
    counters.map(({ name, plain, vigie, mutex, budget }) => [
      ...[name, plain.toFixed(2), vigie.toFixed(2), mutex.toFixed(2), `≤ ${budget}`],
      verdict(vigie <= budget),
    ]),
  );

  const plain = median(launches.map((round) => round.plain));
  const launch = median(launches.map((round) => round.with)) - plain;
  console.log(`\nStart and end of a program, medians of ${launches.length}:\n`);
  printTable(
    ['', 'µs', 'budget', ''],
    [
      ['plain', plain.toFixed(0), '', ''],
      ['vigie-run, more', launch.toFixed(0), `≤ ${BUDGET.launch}`, verdict(launch <= BUDGET.launch)],
    ],
  );

  const tables = await measureTables(built('test/vigie-bench-crowd'), flags.quick ? 1 : 3, seconds);
  console.log(`\nEngine's CPU ns, ${PROCESSES} programs × ${COUNTERS} counters at 10 Hz:\n`);
  printTable(['', 'above idling', 'in all'], tableRows(tables));
  console.log(
    `\n${tables.ratio.toFixed(1)} times less, ≥ ${BUDGET.timesLess}: ${verdict(tables.ratio >= BUDGET.timesLess)}; wrong sums: ${tables.wrongSums}\n`,
  );

  const mpi = await measureMpi(built('run/vigie-run'), join(folder.path, 'mpi'), {
    rounds: Math.min(rounds, 5),
    ...(flags.quick ? { calls: 1e6, roundTrips: 1e5 } : {}),
  });

  printResult({
    bench: 'native',
    rounds,
    seconds,
    node: process.version,
    cpu: cpus()[0]?.model,
    load: loadavg(),
    budget: BUDGET,
    counters: Object.fromEntries(counters.map(({ key, plain: alone, vigie, mutex }) => [key, { alone, vigie, mutex }])),
    launchMicroseconds: { plain, more: launch },
    tables,
    mpi,
  });
  // Speed never fails a run; wrong sums always do.
  if (tables.wrongSums > 0) process.exitCode = 1;
} finally {
  folder.remove();
}
