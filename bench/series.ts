/**
 * What live series and runs take: memory per series, and a thousand runs held and closed at once, with both stores.
 *
 *     npm run bench -- series [--hold SECONDS] [--series N] [--runs N] [--repeat N]
 */

import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startEngine, type Engine } from './support/engine.ts';
import { connectClient, countersMessage, jobMessage, sendAll, seriesName, valueMessage } from './support/names.ts';
import { cpuSeconds, residentBytes } from './support/proc.ts';
import { median, megabytes, printResult, printTable, verdict } from './support/report.ts';

const BUDGET = { bytesPerSeries: 250, runsResidentBytes: 120e6, closeSeconds: 2 };
/** No more than one run may have. */
const SERIES_PER_RUN = 20_000;
const RUN_SERIES = 100;
/** The engine's default. */
const GRACE_SECONDS = 1;
const SETTLE_MS = 5_000;
const DEADLINE_MS = 120_000;

const { values: flags } = parseArgs({
  options: {
    hold: { type: 'string', default: '20' },
    series: { type: 'string', default: '200000' },
    runs: { type: 'string', default: '1000' },
    repeat: { type: 'string', default: '1' },
  },
});
const [hold, total, runCount, repeat] = [flags.hold, flags.series, flags.runs, flags.repeat].map(Number) as [
  ...[number, number, number, number],
];
if (!(hold > 0 && total > 0 && runCount > 0 && repeat > 0)) throw new Error('every option takes a number');

interface StatusAnswer {
  readonly series: number;
  readonly ingest: { readonly rejected: Readonly<Record<string, number>> };
  readonly runs: { readonly live: number; readonly ended: number };
}
const statusOf = async (engine: Engine): Promise<StatusAnswer> => (await engine.get('/api/v1/status')) as StatusAnswer;

async function until(engine: Engine, reached: (status: StatusAnswer) => boolean, everyMs = 100): Promise<StatusAnswer> {
  const end = performance.now() + DEADLINE_MS;
  for (;;) {
    const status = await statusOf(engine);
    if (reached(status)) return status;
    if (performance.now() > end) throw new Error(`not reached: ${JSON.stringify(status)}`);
    await sleep(everyMs);
  }
}

const numbers = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);

/** One counter of each client moves once a second, as long as it is held. Returns the most memory seen meanwhile. */
async function holdAll(engine: Engine, clients: readonly Socket[], first: (i: number) => number): Promise<number> {
  let most = residentBytes(engine.pid).now;
  for (let second = 0; second < hold; second++) {
    await Promise.all(clients.map((client, i) => sendAll(client, valueMessage(first(i), 1))));
    await sleep(1000);
    most = Math.max(most, residentBytes(engine.pid).now);
  }
  return most;
}

const closeAll = (clients: readonly Socket[]): void => {
  for (const client of clients) client.destroy();
};

interface Wide {
  readonly before: number;
  readonly after: number;
  readonly most: number;
  readonly bytesPerSeries: number;
  readonly wrong: number;
}

async function measureWide(args: readonly string[]): Promise<Wide> {
  const engine = await startEngine(args);
  const clients: Socket[] = [];
  try {
    await sleep(SETTLE_MS);
    const base = (await statusOf(engine)).series;
    const before = residentBytes(engine.pid).now;
    for (let from = 0; from < total; from += SERIES_PER_RUN) {
      const client = await connectClient(engine.legacySocket);
      clients.push(client);
      const count = Math.min(SERIES_PER_RUN, total - from);
      await sendAll(client, jobMessage(`wide-${from}`) + countersMessage(numbers(from, count), 1 + (from % 7)));
    }
    // Some of the node's own may have come meanwhile.
    await until(engine, ({ series }) => series >= base + total);
    const most = await holdAll(engine, clients, (i) => i * SERIES_PER_RUN);
    const after = residentBytes(engine.pid).now;
    const wrong = await countWrong(engine, 'wide-0', numbers(0, Math.min(SERIES_PER_RUN, total)), (n) =>
      n === 0 ? 1 + hold : 1,
    );
    return { before, after, most, bytesPerSeries: (after - before) / total, wrong };
  } finally {
    closeAll(clients);
    await engine.stop();
  }
}

interface JobAnswer {
  readonly counters: readonly { readonly name: string; readonly ctype: { Counter?: { value: number } } }[];
}

/** Counters that are not exactly what was sent. */
async function countWrong(
  engine: Engine,
  job: string,
  wanted: readonly number[],
  expected: (n: number) => number,
): Promise<number> {
  const { counters } = (await engine.get(`/job/?job=${job}`)) as JobAnswer;
  const found = new Map(counters.map(({ name, ctype }) => [name, ctype.Counter?.value]));
  return wanted.filter((n) => found.get(seriesName(n)) !== expected(n)).length;
}

interface Many {
  readonly before: number;
  readonly most: number;
  readonly cpuPerSecond: number;
  /** From the closing of all clients until no run is open, without the grace. */
  readonly closeSeconds: number;
  readonly profiles: number;
  readonly afterClose: number;
}

async function measureMany(args: readonly string[]): Promise<Many> {
  const engine = await startEngine(args);
  const clients: Socket[] = [];
  try {
    await sleep(SETTLE_MS);
    const before = residentBytes(engine.pid).now;
    const counters = countersMessage(numbers(0, RUN_SERIES), 1);
    for (let i = 0; i < runCount; i++) clients.push(await connectClient(engine.legacySocket));
    await Promise.all(clients.map((client, i) => sendAll(client, jobMessage(`run-${i}`) + counters)));
    await until(engine, ({ runs, series }) => runs.live === runCount && series >= runCount * RUN_SERIES);
    const cpu = cpuSeconds(engine.pid);
    const from = performance.now();
    const most = await holdAll(engine, clients, () => 0);
    const cpuPerSecond = (cpuSeconds(engine.pid) - cpu) / ((performance.now() - from) / 1000);
    const closed = performance.now();
    closeAll(clients);
    await until(engine, ({ runs }) => runs.live === 0, 25);
    const closeSeconds = (performance.now() - closed) / 1000 - GRACE_SECONDS;
    const profiles = await countProfiles(engine);
    return { before, most, cpuPerSecond, closeSeconds, profiles, afterClose: residentBytes(engine.pid).now };
  } finally {
    closeAll(clients);
    await engine.stop();
  }
}

/** Of every run: its profile is there and complete. */
async function countProfiles(engine: Engine): Promise<number> {
  let complete = 0;
  for (let i = 0; i < runCount; i++) {
    const profile = (await engine.get(`/profiles/get?jobid=run-${i}`).catch(() => null)) as JobAnswer | null;
    const values = new Map(profile?.counters.map(({ name, ctype }) => [name, ctype.Counter?.value]));
    const right = numbers(0, RUN_SERIES).every((n) => values.get(seriesName(n)) === (n === 0 ? 1 + hold : 1));
    if (right) complete++;
  }
  return complete;
}

const stores = [
  ['disk', []],
  ['--memory', ['--memory']],
] as const;
const wide = new Map<string, Wide[]>();
const many = new Map<string, Many[]>();
for (let i = 0; i < repeat; i++) {
  for (const [name, args] of stores) {
    wide.set(name, [...(wide.get(name) ?? []), await measureWide(args)]);
    process.stderr.write(`${total} series, ${name}: done\n`);
    many.set(name, [...(many.get(name) ?? []), await measureMany(args)]);
    process.stderr.write(`${runCount} runs, ${name}: done\n`);
  }
}

const of = <T>(results: readonly T[], value: (result: T) => number): number => median(results.map(value));
console.log(`\n${total} series with names of 40 characters, held ${hold} s, medians of ${repeat}:\n`);
printTable(
  ['store', 'RSS at 0', 'RSS', 'most', 'B per series', 'budget', ''],
  [...wide].map(([name, results]) => {
    const perSeries = of(results, (r) => r.bytesPerSeries);
    return [
      name,
      megabytes(of(results, (r) => r.before)),
      megabytes(of(results, (r) => r.after)),
      megabytes(of(results, (r) => r.most)),
      perSeries.toFixed(0),
      `≤ ${BUDGET.bytesPerSeries}`,
      verdict(perSeries <= BUDGET.bytesPerSeries),
    ];
  }),
);
console.log(`\n${runCount} runs × ${RUN_SERIES} series, held ${hold} s, then all clients closed at once:\n`);
printTable(
  [
    'store',
    'RSS at 0',
    'most RSS',
    'budget',
    '',
    'CPU s/s',
    'closed after grace + s',
    'budget',
    '',
    'profiles',
    'RSS then',
  ],
  [...many].map(([name, results]) => {
    const most = of(results, (r) => r.most);
    const close = of(results, (r) => r.closeSeconds);
    return [
      name,
      megabytes(of(results, (r) => r.before)),
      megabytes(most),
      `≤ ${megabytes(BUDGET.runsResidentBytes)}`,
      verdict(most <= BUDGET.runsResidentBytes),
      of(results, (r) => r.cpuPerSecond).toFixed(3),
      close.toFixed(2),
      `≤ ${BUDGET.closeSeconds}`,
      verdict(close <= BUDGET.closeSeconds),
      String(Math.min(...results.map((r) => r.profiles))),
      megabytes(of(results, (r) => r.afterClose)),
    ];
  }),
);
console.log();
const wrong = [...wide.values()].flat().reduce((sum, r) => sum + r.wrong, 0);
const lost = [...many.values()].flat().reduce((sum, r) => sum + runCount - r.profiles, 0);
printResult({
  bench: 'series',
  ...{ node: process.version, repeat, hold, series: total, runs: runCount, budget: BUDGET, wrong, lost },
  wide: Object.fromEntries(wide),
  many: Object.fromEntries(many),
});
// Memory and speed never fail a run; wrong sums and lost profiles always do.
if (wrong + lost > 0) process.exitCode = 1;
