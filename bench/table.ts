/**
 * CPU of the engine per changed entry of shared tables, against per legacy message: 256 programs × 100 counters at 10 Hz.
 *
 *     npm run bench -- table [--quick] [--rounds N] [--seconds N]
 */

import { parseArgs } from 'node:util';
import { temporaryFolder } from './support/engine.ts';
import { buildNative, COUNTERS, measureTables, PROCESSES, tableRows } from './support/native.ts';
import { printResult, printTable, verdict } from './support/report.ts';

const BUDGET = { timesLess: 10 };

const { values: flags } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, rounds: { type: 'string' }, seconds: { type: 'string' } },
});
const rounds = Number(flags.rounds ?? (flags.quick ? 1 : 3));
const seconds = Number(flags.seconds ?? (flags.quick ? 4 : 15));
if (!(rounds >= 1) || !(seconds > 0)) throw new Error('--rounds and --seconds take positive numbers');

const folder = temporaryFolder('native');
try {
  const result = await measureTables(buildNative(folder.path)('test/vigie-bench-crowd'), rounds, seconds);
  console.log(`\nEngine's CPU ns, ${PROCESSES} programs × ${COUNTERS} counters at 10 Hz, medians of ${rounds}:\n`);
  printTable(['', 'above idling', 'in all'], tableRows(result));
  console.log(
    `\n${result.ratio.toFixed(1)} times less, ≥ ${BUDGET.timesLess}: ${verdict(result.ratio >= BUDGET.timesLess)}; wrong sums: ${result.wrongSums}\n`,
  );
  printResult({ bench: 'table', node: process.version, rounds, seconds, budget: BUDGET, ...result });
  // Speed never fails a run; wrong sums always do.
  if (result.wrongSums > 0) process.exitCode = 1;
} finally {
  folder.remove();
}
