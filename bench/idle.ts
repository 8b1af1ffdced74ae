/**
 * What an engine costs that nobody talks to: default options, store on disk, node sources on, period 1 s.
 *
 *     npm run bench -- idle [--seconds N] [--warmup N]
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startEngine } from './support/engine.ts';
import { cpuSeconds, residentBytes, threadCount } from './support/proc.ts';
import { megabytes, printResult, printTable, verdict } from './support/report.ts';

const BUDGET = { cpuPercent: 0.4, residentBytes: 90e6 };

const { values: flags } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, warmup: { type: 'string', default: '5' } },
});
const seconds = Number(flags.seconds);
const warmup = Number(flags.warmup);
if (!(seconds > 0) || !(warmup >= 0)) throw new Error('--seconds and --warmup take seconds');

const engine = await startEngine([]);
try {
  // The start itself, and what the compiler does after it, are not idling.
  await sleep(warmup * 1000);
  const cpuBefore = cpuSeconds(engine.pid);
  const from = performance.now();
  await sleep(seconds * 1000);
  const cpu = cpuSeconds(engine.pid) - cpuBefore;
  const passed = (performance.now() - from) / 1000;
  const percent = (100 * cpu) / passed;
  const memory = residentBytes(engine.pid);
  console.log(`Idle engine, ${passed.toFixed(1)} s after ${warmup} s, ${threadCount(engine.pid)} threads:\n`);
  printTable(
    ['what', 'measured', 'budget', ''],
    [
      ['CPU, % of a core', percent.toFixed(3), `≤ ${BUDGET.cpuPercent}`, verdict(percent <= BUDGET.cpuPercent)],
      [
        'RSS',
        megabytes(memory.now),
        `≤ ${megabytes(BUDGET.residentBytes)}`,
        verdict(memory.now <= BUDGET.residentBytes),
      ],
      ['RSS, most so far', megabytes(memory.peak), '', ''],
    ],
  );
  console.log();
  printResult({
    bench: 'idle',
    node: process.version,
    seconds: passed,
    cpuSeconds: cpu,
    cpuPercent: percent,
    residentBytes: memory.now,
    peakResidentBytes: memory.peak,
    budget: BUDGET,
  });
} finally {
  await engine.stop();
}
