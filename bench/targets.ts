/**
 * What scraping costs: 10,000 series of Prometheus text, of which every value changes from one answer to the next.
 *
 *     npm run bench -- targets [--series N] [--seconds N] [--rounds N] [--many N]
 *     PEER_PROXY="command {socket} {port}" npm run bench -- targets     measures another proxy too
 *
 * Asked once per second, side by side: by a target that reads into a scope; by an engine, which stores it too; and by
 * Debian's real Prometheus. A round is long enough for what was written in it to be sealed into blocks once, and an engine
 * that asks nobody runs beside: what it takes is taken off. Then an engine with N targets (1,000; 0 leaves it out) of 500 series each, every ten seconds.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { findProgram } from '../scripts/lib/components.mjs';
import { startChild, type Child } from './support/child.ts';
import { startEngine, temporaryFolder, type Engine } from './support/engine.ts';
import { Exporters } from './support/exporter.ts';
import { cpuSeconds, residentBytes } from './support/proc.ts';
import { median, megabytes, printResult, printTable, verdict } from './support/report.ts';
import { startScraper } from './support/scraper.ts';

const BUDGET = { scrapeMs: 6, storedMs: 12, manyCore: 0.4, manyBytes: 300e6 };
const WARM_UP_SECONDS = 15;
const MANY = { series: 500, periodSeconds: 10 };

const { values: flags } = parseArgs({
  options: {
    series: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '64' },
    rounds: { type: 'string', default: '3' },
    many: { type: 'string', default: '1000' },
  },
});
const [series, seconds, rounds, many] = [flags.series, flags.seconds, flags.rounds, flags.many].map(Number) as [
  ...[number, number, number, number],
];
if (!(series > 0 && seconds > 0 && rounds > 0 && many >= 0)) throw new Error('every option takes a number');

/** Somebody who asks one of the exporters. */
interface Asker {
  readonly name: string;
  readonly pid: number;
  /** CPU seconds so far that it would have taken without asking anybody. */
  idle(): number;
  stop(): Promise<void>;
}

async function post(engine: Engine, path: string, body: unknown): Promise<unknown> {
  const answer = await fetch(new URL(path, engine.url), {
    method: 'POST',
    headers: { authorization: `Bearer ${engine.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

/** CPU seconds per second, over some seconds. */
async function cpuShare(pid: number, over: number): Promise<number> {
  const [before, from] = [cpuSeconds(pid), performance.now()];
  await sleep(1000 * over);
  return (1000 * (cpuSeconds(pid) - before)) / (performance.now() - from);
}

const metricsOf = (port: number): string => `http://127.0.0.1:${port}/metrics`;

async function startTarget(port: number): Promise<Asker> {
  const child = await startScraper(metricsOf(port), 1000);
  return { name: 'target', pid: child.pid, idle: () => 0, stop: () => child.stop() };
}

async function startStoring(port: number): Promise<Asker> {
  const [engine, beside] = [await startEngine([]), await startEngine([])];
  await sleep(3000);
  await post(engine, '/api/v1/targets', { url: metricsOf(port), type: 'prometheus', period: '1s' });
  const stop = async (): Promise<void> => {
    await engine.stop();
    await beside.stop();
  };
  return { name: 'engine with its store', pid: engine.pid, idle: () => cpuSeconds(beside.pid), stop };
}

async function startPrometheus(program: string, port: number): Promise<Asker> {
  const folder = temporaryFolder('prometheus');
  const jobs = [{ job_name: 'bench', static_configs: [{ targets: [`127.0.0.1:${port}`] }] }];
  const config = { global: { scrape_interval: '1s', scrape_timeout: '1s' }, scrape_configs: jobs };
  writeFileSync(join(folder.path, 'prometheus.yml'), JSON.stringify(config));
  const child = startChild(program, [
    `--config.file=${join(folder.path, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder.path, 'data')}`,
    '--web.listen-address=127.0.0.1:0',
    '--log.level=error',
  ]);
  const stop = async (): Promise<void> => {
    await child.stop();
    folder.remove();
  };
  return { name: 'Prometheus', pid: child.pid, idle: () => 0, stop };
}

/** Its port is 21999, if nobody has it. */
async function startPeer(command: string, port: number): Promise<Asker> {
  const folder = temporaryFolder('peer');
  const own = '21999';
  const line = command.replaceAll('{socket}', join(folder.path, 'peer.socket')).replaceAll('{port}', own);
  const child: Child = startChild('/bin/sh', ['-c', `exec ${line}`], { env: { HOME: folder.path } });
  await sleep(3000);
  const share = await cpuShare(child.pid, 10);
  await fetch(`http://127.0.0.1:${own}/join?to=127.0.0.1:${port}&period=1000`);
  const stop = async (): Promise<void> => {
    await child.stop();
    folder.remove();
  };
  return { name: 'peer', pid: child.pid, idle: () => (share * performance.now()) / 1000, stop };
}

interface Measured {
  readonly name: string;
  /** CPU ms per scrape, each round. */
  readonly cpuMs: readonly number[];
  readonly scrapes: number;
}

async function measure(): Promise<{ measured: Measured[]; bytes: number }> {
  const program = findProgram('prometheus');
  const peer = process.env['PEER_PROXY'];
  const starts: ((port: number) => Promise<Asker>)[] = [
    startTarget,
    startStoring,
    ...(program === undefined ? [] : [(port: number) => startPrometheus(program, port)]),
    ...(peer ? [(port: number) => startPeer(peer, port)] : []),
  ];
  const exporters = await Exporters.start(starts.length, series);
  const askers: Asker[] = [];
  try {
    for (const [i, start] of starts.entries()) askers.push(await start(exporters.ports[i]!));
    await sleep(1000 * WARM_UP_SECONDS);
    const cpuMs = askers.map((): number[] => []);
    let scrapes = askers.map(() => 0);
    for (let round = 0; round < rounds; round++) {
      const before = await exporters.asked();
      const now = (): number[] => askers.map(({ pid, idle }) => cpuSeconds(pid) - idle());
      const begun = now();
      await sleep(1000 * seconds);
      const used = now().map((cpu, i) => cpu - begun[i]!);
      const asked = (await exporters.asked()).map((count, i) => count - before[i]!);
      for (const [i, all] of cpuMs.entries()) all.push((1000 * used[i]!) / asked[i]!);
      scrapes = scrapes.map((count, i) => count + asked[i]!);
    }
    const measured = askers.map(({ name }, i) => ({ name, cpuMs: cpuMs[i]!, scrapes: scrapes[i]! }));
    return { measured, bytes: exporters.bytes };
  } finally {
    for (const asker of askers) await asker.stop();
    await exporters.stop();
  }
}

async function measureMany(): Promise<{ core: number; rss: number; up: number; scrapesPerSecond: number }> {
  const exporters = await Exporters.start(many, MANY.series);
  const engine = await startEngine([]);
  try {
    await sleep(3000);
    const targets = exporters.ports.map(metricsOf).join('\n');
    const period = `${MANY.periodSeconds}s`;
    await post(engine, '/api/v1/targets/bulk', { action: 'add', targets, type: 'prometheus', period });
    await sleep(1000 * (2 * MANY.periodSeconds + WARM_UP_SECONDS));
    const total = async (): Promise<number> => (await exporters.asked()).reduce((sum, count) => sum + count, 0);
    const over = Math.max(seconds, 3 * MANY.periodSeconds);
    const before = await total();
    const core = await cpuShare(engine.pid, over);
    const scrapesPerSecond = ((await total()) - before) / over;
    const { counts } = (await engine.get('/api/v1/targets?limit=1')) as { counts: Record<string, number> };
    return { core, rss: residentBytes(engine.pid).now, up: counts['up'] ?? 0, scrapesPerSecond };
  } finally {
    await engine.stop();
    await exporters.stop();
  }
}

const { measured, bytes } = await measure();
const medians = new Map(measured.map(({ name, cpuMs }) => [name, median(cpuMs)]));
const [own, stored] = [medians.get('target')!, medians.get('engine with its store')!];
console.log(
  `\nCPU ms per scrape of ${series} series (${(bytes / 1e6).toFixed(2)} MB), medians of ${rounds} × ${seconds} s:\n`,
);
printTable(
  ['', 'CPU ms', 'least', 'most', 'scrapes', '× target', '× engine'],
  measured.map(({ name, cpuMs, scrapes }) => {
    const ms = medians.get(name)!;
    const numbers = [ms, Math.min(...cpuMs), Math.max(...cpuMs)].map((value) => value.toFixed(2));
    return [name, ...numbers, String(scrapes), (ms / own).toFixed(1), (ms / stored).toFixed(1)];
  }),
);
console.log(
  `\ntarget ≤ ${BUDGET.scrapeMs} ms: ${verdict(own <= BUDGET.scrapeMs)}; with the store ≤ ${BUDGET.storedMs} ms: ${verdict(stored <= BUDGET.storedMs)}`,
);
const manyResult = many > 0 ? await measureMany() : null;
if (manyResult) {
  const { core, rss, up, scrapesPerSecond } = manyResult;
  console.log(
    `\n${many} targets × ${MANY.series} series every ${MANY.periodSeconds} s: ${(100 * core).toFixed(1)} % of a core, ≤ ${100 * BUDGET.manyCore} %: ` +
      `${verdict(core <= BUDGET.manyCore)}; ${megabytes(rss)}, ≤ ${megabytes(BUDGET.manyBytes)}: ${verdict(rss <= BUDGET.manyBytes)}; ` +
      `${up} up, ${scrapesPerSecond.toFixed(1)} scrapes/s\n`,
  );
  // Speed never fails a run; targets that are not asked do.
  if (up < many) process.exitCode = 1;
}
printResult({
  bench: 'targets',
  node: process.version,
  budget: BUDGET,
  series,
  bytes,
  rounds,
  seconds,
  cpuMs: Object.fromEntries(medians),
  many: manyResult && { targets: many, ...manyResult },
});
