/**
 * What sending costs: samples per CPU second from the columns to compressed requests, of a run with many series of which a
 * third moves at each tick, and how long a turn of the event loop is meanwhile.
 *
 *     npm run bench -- remote-write [--series N] [--ticks N]
 */

import { setImmediate as turn } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Scope } from '../src/engine/live/scope.ts';
import { Encoder } from '../src/engine/remote-write/encoder.ts';
import { scopeLabels } from '../src/engine/remote-write/labels.ts';
import { LabelBudget, SeriesBytes } from '../src/engine/remote-write/series-bytes.ts';
import { printResult, printTable, verdict } from './support/report.ts';

const BUDGET = { samplesPerCpuSecond: 500_000 };

const { values: flags } = parseArgs({
  options: { series: { type: 'string', default: '20000' }, ticks: { type: 'string', default: '60' } },
});
const count = Number(flags.series);
const ticks = Number(flags.ticks);
if (!(count > 0) || !(ticks > 0)) throw new Error('--series and --ticks take numbers');

const scope = new Scope('run/dGhlIHJ1biBp', 'run');
for (let i = 0; i < count; i++) scope.register(`mpi___hits___function_${i}{comm="${i % 7}"}`, '', 'counter');
const labels = scopeLabels(scope.id, 'node0001', '4711', {});
const series = new SeriesBytes({ scope, labels, keep: () => true, budget: new LabelBudget() });
let [bytes, samples] = [0, 0];
const encoder = new Encoder({
  batchSamples: 2000,
  batchWait: 0,
  emit(batch) {
    bytes += batch.body.length;
    samples += batch.samples;
  },
  dropped: () => {
    throw new Error('samples were left out');
  },
});

const turns: number[] = [];
let time = 1_700_000_000_000;

/** One tick, encoded between other work; returns CPU seconds. */
async function tick(): Promise<number> {
  time += 1000;
  for (let i = 0; i < count; i += 3) scope.putCounter(i, scope.counters[i]! + 1.25 * i);
  const before = process.cpuUsage();
  encoder.take(series, time);
  for (let last = performance.now(); encoder.oldest !== Infinity;) {
    await turn();
    turns.push(performance.now() - last);
    last = performance.now();
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

const first = await tick();
for (let i = 0; i < 10; i++) await tick();
[bytes, samples] = [0, 0];
turns.length = 0;
let seconds = 0;
for (let i = 0; i < ticks; i++) seconds += await tick();
turns.sort((a, b) => a - b);
const at = (share: number): number => turns[Math.floor(share * (turns.length - 1))] ?? NaN;
const rate = samples / seconds;
printTable(
  ['', 'samples', 'samples per CPU second', 'bytes per sample', 'turn p50 ms', 'p99 ms'],
  [
    ['first tick', String(count), (count / first).toFixed(0), '', '', ''],
    ['then', String(samples), rate.toFixed(0), (bytes / samples).toFixed(1), at(0.5).toFixed(2), at(0.99).toFixed(2)],
  ],
);
console.log(
  `\nat least ${BUDGET.samplesPerCpuSecond} samples per CPU second: ${verdict(rate >= BUDGET.samplesPerCpuSecond)}`,
);
printResult({
  bench: 'remote-write',
  samplesPerCpuSecond: Math.round(rate),
  bytesPerSample: bytes / samples,
  p50: at(0.5),
  p99: at(0.99),
});
