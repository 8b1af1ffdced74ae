/**
 * What readers of 10,000 series cost the engine, and how long they wait, while every series changes once per period.
 *
 *     npm run bench -- http [--series N] [--ticks N] [--pairs N] [--readers N]
 *
 * One request per tick, so that no answer can be made beforehand; what the engine does without any is measured in turn
 * and subtracted. Then several readers ask at the same moment, once per tick, and wait for their answers.
 */

import { Agent, request } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startEngine, type Engine } from './support/engine.ts';
import { connectClient, countersMessage, jobMessage, sendAll, seriesName, valueMessage } from './support/names.ts';
import { cpuSeconds } from './support/proc.ts';
import { median, printResult, printTable, verdict } from './support/report.ts';

const BUDGET = { cpuMs: 5, p99Ms: 15 };
const PATHS = ['/metrics', '/job/?job=main'] as const;
const PERIOD_MS = 250;
const WARM_UP = 20;

const { values: flags } = parseArgs({
  options: {
    series: { type: 'string', default: '10000' },
    ticks: { type: 'string', default: '20' },
    pairs: { type: 'string', default: '5' },
    readers: { type: 'string', default: '8' },
  },
});
const [series, ticks, pairs, readers] = [flags.series, flags.ticks, flags.pairs, flags.readers].map(Number) as [
  ...[number, number, number, number],
];
if (!(series > 0 && ticks > 0 && pairs > 0 && readers > 0)) throw new Error('every option takes a number');

interface Answer {
  readonly ms: number;
  readonly bytes: number;
  readonly chunks: readonly Buffer[];
}

/** One GET on a connection that stays open. */
function get(engine: Engine, agent: Agent, path: string): Promise<Answer> {
  const from = performance.now();
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${engine.token}` };
    request(new URL(path, engine.url), { agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const ms = performance.now() - from;
        if (response.statusCode !== 200) return reject(new Error(`${path}: ${response.statusCode}`));
        resolve({ ms, bytes: chunks.reduce((sum, chunk) => sum + chunk.length, 0), chunks });
      });
    })
      .on('error', reject)
      .end();
  });
}

/** All counters of one program, which move once per tick. */
class Program {
  readonly #client: Socket;
  readonly #values: string;
  value = 1;

  constructor(client: Socket) {
    this.#client = client;
    this.#values = Array.from({ length: series }, (_, n) => valueMessage(n, 1)).join('');
  }

  async move(): Promise<void> {
    this.value++;
    await sendAll(this.#client, this.#values);
  }
}

/** Values in the answer that are not what was sent. */
function countWrong(path: string, text: string, value: number): number {
  const found = new Map<string, number>();
  if (path.startsWith('/metrics')) {
    for (const line of text.split('\n')) {
      const at = line.lastIndexOf(' ');
      if (!line.startsWith('#')) found.set(line.slice(0, at), Number(line.slice(at + 1)));
    }
  } else {
    const job = JSON.parse(text) as { counters: { name: string; ctype: { Counter?: { value: number } } }[] };
    for (const { name, ctype } of job.counters) found.set(name, ctype.Counter?.value ?? NaN);
  }
  let wrong = 0;
  for (let n = 0; n < series; n++) if (found.get(seriesName(n)) !== value) wrong++;
  return wrong;
}

/** CPU seconds of the engine over one period, in which something is asked after the values have moved. */
async function measureTick(engine: Engine, program: Program, ask: () => Promise<void>): Promise<number> {
  const before = cpuSeconds(engine.pid);
  const from = performance.now();
  await program.move();
  // The engine has read it long before.
  await sleep(PERIOD_MS / 2);
  await ask();
  await sleep(Math.max(0, PERIOD_MS - (performance.now() - from)));
  return cpuSeconds(engine.pid) - before;
}

const percentile = (values: readonly number[], part: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(part * values.length))]!;

interface Result {
  readonly path: string;
  readonly bytes: number;
  /** Per request, each pair. */
  readonly cpuMs: readonly number[];
  readonly baselineMs: number;
  readonly single: readonly number[];
  readonly together: readonly number[];
  readonly wrong: number;
}

async function measure(engine: Engine, program: Program, path: string): Promise<Result> {
  const agent = new Agent({ keepAlive: true, maxSockets: readers });
  let last: Answer | null = null;
  const [cpuMs, baselines, single, together]: number[][] = [[], [], [], []];
  const one = async (): Promise<void> => {
    last = await get(engine, agent, path);
    single!.push(last.ms);
  };
  const all = async (): Promise<void> => {
    const answers = await Promise.all(Array.from({ length: readers }, () => get(engine, agent, path)));
    for (const { ms } of answers) together!.push(ms);
  };
  for (let i = 0; i < WARM_UP; i++) {
    await program.move();
    await all();
  }
  [single, together].forEach((list) => (list!.length = 0));
  for (let pair = 0; pair < pairs; pair++) {
    let [baseline, used] = [0, 0];
    // In turn, so that what else the machine does meets both.
    for (let i = 0; i < ticks; i++) {
      baseline += await measureTick(engine, program, async () => {});
      used += await measureTick(engine, program, one);
    }
    cpuMs!.push(((used - baseline) * 1000) / ticks);
    baselines!.push((baseline * 1000) / ticks);
    for (let i = 0; i < ticks; i++) await measureTick(engine, program, all);
  }
  await program.move();
  await sleep(PERIOD_MS);
  await one();
  agent.destroy();
  const { bytes, chunks } = last!;
  const wrong = countWrong(path, Buffer.concat(chunks).toString(), program.value);
  return { path, bytes, cpuMs: cpuMs!, baselineMs: median(baselines!), single: single!, together: together!, wrong };
}

const engine = await startEngine(['--memory', '--period', `${PERIOD_MS}ms`]);
try {
  const client = await connectClient(engine.legacySocket);
  const all = Array.from({ length: series }, (_, n) => n);
  await sendAll(client, jobMessage('bench') + countersMessage(all, 1));
  const program = new Program(client);
  const results: Result[] = [];
  for (const path of PATHS) results.push(await measure(engine, program, path));
  client.destroy();

  console.log(
    `${series} series, one request per tick, ${pairs} × ${ticks} ticks, medians; what ticks cost is subtracted:\n`,
  );
  printTable(
    ['path', 'body', 'CPU ms/request', 'budget', '', 'CPU ms/tick without', 'p50 ms', 'p99 ms'],
    results.map((r) => [
      r.path,
      `${(r.bytes / 1e6).toFixed(2)} MB`,
      median(r.cpuMs).toFixed(2),
      `≤ ${BUDGET.cpuMs}`,
      verdict(median(r.cpuMs) <= BUDGET.cpuMs),
      r.baselineMs.toFixed(2),
      percentile(r.single, 0.5).toFixed(1),
      percentile(r.single, 0.99).toFixed(1),
    ]),
  );
  console.log(`\n${readers} readers at the same moment, once per tick:\n`);
  printTable(
    ['path', 'answers', 'p50 ms', 'p99 ms', 'budget', ''],
    results.map((r) => [
      r.path,
      String(r.together.length),
      percentile(r.together, 0.5).toFixed(1),
      percentile(r.together, 0.99).toFixed(1),
      `≤ ${BUDGET.p99Ms}`,
      verdict(percentile(r.together, 0.99) <= BUDGET.p99Ms),
    ]),
  );
  console.log();
  const wrong = results.reduce((sum, r) => sum + r.wrong, 0);
  printResult({
    ...{
      bench: 'http',
      node: process.version,
      series,
      ticks,
      pairs,
      readers,
      period: PERIOD_MS,
      budget: BUDGET,
      wrong,
    },
    results: results.map(({ single, together, ...rest }) => ({
      ...rest,
      medianCpuMs: median(rest.cpuMs),
      p99Ms: percentile(single, 0.99),
      p99TogetherMs: percentile(together, 0.99),
    })),
  });
  // Speed never fails a run; wrong values always do.
  if (wrong > 0) process.exitCode = 1;
} finally {
  await engine.stop();
}
