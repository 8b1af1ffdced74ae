/**
 * An hour of everything at once: random clients, garbage, killed clients, readers that stop reading, clock steps; and at
 * the end a killed engine. It ends with exact sums, flat memory, and no leaked run, handle or file.
 *
 *     npm run soak [-- --minutes N] [--seed N]
 *
 * Works on loopback and in a folder of its own, and is bounded in time. The engine's clock is set back and forth with
 * libfaketime, without touching this machine's.
 */

import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';
import { findProgram } from '../scripts/lib/components.mjs';
import { EngineClient } from '../src/client/http.ts';
import { Pusher } from '../src/client/pusher.ts';
import { startChild, type Child } from './support/child.ts';
import { temporaryFolder } from './support/engine.ts';
import { residentBytes, threadCount } from './support/proc.ts';
import { random } from './support/random.ts';
import { median, printResult, printTable, verdict } from './support/report.ts';

/** Memory is looked at from this minute on: before it, caches and tables fill. */
const SETTLED = 15;
const GROWTH = 0.05;
const WORKERS = 6;
/** A run is looked at this long after its last client left, in ms: the grace is 1 s. */
const CHECK_AFTER = 8000;
const READY = 300_000;

const { values: flags } = parseArgs({
  options: { minutes: { type: 'string', default: '60' }, seed: { type: 'string', default: String(Date.now() % 1e6) } },
});
const minutes = Number(flags.minutes);
const seed = Number(flags.seed);
if (!(minutes >= 1) || !Number.isInteger(seed)) throw new Error('--minutes takes 1 or more, --seed an integer');
const { int, pick, chance } = random(seed);

const ROOT = join(import.meta.dirname, '..');
const folder = temporaryFolder('soak');
const at = (name: string): string => join(folder.path, name);
const clockFile = at('clock');
const faketime = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu']
  .map((directory) => `${directory}/faketime/libfaketime.so.1`)
  .find((path) => existsSync(path));
if (faketime === undefined || findProgram('faketime') === undefined) {
  throw new Error('faketime is not installed (Debian package faketime)');
}

const setClock = (seconds: number): void => writeFileSync(clockFile, `${seconds >= 0 ? '+' : ''}${seconds}\n`);

async function startEngine(): Promise<Child> {
  const child = startChild(
    join(ROOT, 'bin/vigie'),
    ['serve', '--listen', '127.0.0.1:0', '--socket', at('vigie.socket'), '--legacy-socket', at('legacy.socket')].concat(
      ['--data', at('data'), '--log-level', 'error'],
    ),
    {
      env: {
        VIGIE_SKIP_BUILD: '1',
        HOME: folder.path,
        LD_PRELOAD: faketime!,
        FAKETIME_TIMESTAMP_FILE: clockFile,
        FAKETIME_CACHE_DURATION: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      },
    },
  );
  ready = JSON.parse(await child.line(READY)) as typeof ready;
  token = readFileSync(ready.token_file, 'utf8').trim();
  return child;
}

let ready: { url: string; token_file: string };
let token = '';
setClock(0);
let engine = await startEngine();
const api = new EngineClient({ socket: at('vigie.socket') });

const counts = { runs: 0, checked: 0, wrong: 0, killed: 0, garbage: 0, requests: 0, sockets: 0, steps: 0, messages: 0 };
const faults: string[] = [];
function fault(text: string): void {
  counts.wrong++;
  if (faults.push(text) <= 20) process.stderr.write(`WRONG: ${text}\n`);
}

/** Nothing below may end the soak but a fault of the engine. */
async function forever(until: () => boolean, work: () => Promise<void>): Promise<void> {
  while (!until()) {
    try {
      await work();
    } catch (error) {
      fault(error instanceof Error ? error.message : String(error));
      await sleep(1000);
    }
  }
}

interface Expected {
  readonly jobid: string;
  readonly totals: Map<string, number>;
  readonly ranks: number;
  /** Killed clients: what they had sent is an upper bound. */
  readonly exact: boolean;
  readonly checkAt: number;
}
const expected: Expected[] = [];
const finished: { readonly jobid: string; readonly totals: Map<string, number> }[] = [];

const NAMES = Array.from({ length: 150 }, (_, i) =>
  i % 3 === 0 ? `soak_${i}_total{part="${i % 7}",kind="a b"}` : `mpi___${i % 2 ? 'hits' : 'size'}___call_${i}`,
);

/** A job of random shape, whose sums are known. */
async function runJob(): Promise<void> {
  const jobid = `soak-${counts.runs++}${chance(0.1) ? ' ünïcode <b>' : ''}`;
  const ranks = int(1, 6);
  const exact = !chance(0.2);
  const totals = new Map<string, number>();
  const names = Array.from({ length: int(1, 40) }, () => pick(NAMES));
  const pushers = await Promise.all(Array.from({ length: ranks }, () => Pusher.connect(at('legacy.socket'))));
  for (const pusher of pushers) {
    pusher.job({ jobid, command: `./soak ${ranks}`, size: ranks, start_time: Date.now() });
    for (const name of new Set(names)) pusher.describeCounter(name);
    if (chance(0.5)) pusher.describeGauge('soak_gauge');
  }
  for (let round = int(1, 60); round > 0; round--) {
    for (const pusher of pushers) {
      for (let n = int(1, 50); n > 0; n--) {
        const name = pick(names);
        const by = int(0, 1_000_000);
        pusher.increase(name, by);
        totals.set(name, (totals.get(name) ?? 0) + by);
        counts.messages++;
      }
      if (chance(0.02)) pusher.raw('\0\0');
    }
    await sleep(chance(0.05) ? int(200, 1500) : int(0, 40));
  }
  if (exact) await Promise.all(pushers.map((pusher) => pusher.close()));
  else {
    counts.killed += ranks;
    for (const pusher of pushers) pusher.destroy();
  }
  expected.push({ jobid, totals, ranks, exact, checkAt: performance.now() + CHECK_AFTER });
}

async function checkJobs(): Promise<void> {
  while (expected.length > 0 && expected[0]!.checkAt <= performance.now()) {
    const { jobid, totals, exact } = expected.shift()!;
    const profile = await api.raw(`/profiles/get?jobid=${encodeURIComponent(jobid)}`);
    counts.checked++;
    if (profile.status !== 200) {
      // A client that was killed before the engine had read its first message has left nothing.
      if (exact) fault(`${jobid}: no profile (${profile.status} ${profile.body.slice(0, 200)})`);
      continue;
    }
    const { counters } = JSON.parse(profile.body) as { counters: CompatCounter[] };
    const got = new Map(counters.map((one) => [normal(one.name), one.ctype.Counter?.value ?? NaN]));
    for (const [name, total] of totals) {
      const value = got.get(normal(name)) ?? 0;
      if (exact ? value !== total : value > total) fault(`${jobid}: ${name} is ${value}, sent ${total}`);
    }
    if (exact) {
      finished.push({ jobid, totals });
      if (finished.length > 300) finished.splice(int(0, 299), 1);
    }
  }
  await sleep(200);
}
interface CompatCounter {
  readonly name: string;
  readonly ctype: { readonly Counter?: { readonly value: number } };
}
/** Labels may be told in another order. */
function normal(name: string): string {
  const [family, labels] = name.split('{');
  return labels === undefined ? name : `${family}{${labels.replace('}', '').split(',').sort().join(',')}`;
}

const GARBAGE: readonly (() => Buffer | string)[] = [
  () => Buffer.from(Array.from({ length: int(1, 5000) }, () => int(0, 255))),
  () => '{"JobDesc":{"jobid":',
  () => `{"Value":{"name":"${'x'.repeat(int(1, 100_000))}","value":{"Counter":{"ts":0,"value":1}}}}\0`,
  () => `${'['.repeat(int(1, 20_000))}\0`,
  () => `{"Value":{"name":"a","value":{"Counter":{"ts":0,"value":${'9'.repeat(int(1, 5000))}}}}}\0`,
  () => '{"Desc":{"name":"__proto__","doc":"","ctype":{"Counter":{"ts":0,"value":0}}}}\0',
  () => 'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
  () => `GET /${'a'.repeat(int(1, 300_000))} HTTP/1.1\r\n`,
  () => '\0'.repeat(int(1, 10_000)),
];

/** Bytes that nobody should send, and then the end of the connection, politely or not. */
async function sendGarbage(): Promise<void> {
  counts.garbage++;
  const socket = connect(chance(0.6) ? { path: at('legacy.socket') } : tcp());
  socket.on('error', () => undefined);
  socket.resume();
  socket.write(pick(GARBAGE)());
  await sleep(int(0, 500));
  if (chance(0.5)) socket.destroy();
  else {
    socket.end();
    setTimeout(() => socket.destroy(), 3000).unref();
  }
}
function tcp(): { host: string; port: number } {
  const { hostname, port } = new URL(ready.url);
  return { host: hostname, port: Number(port) };
}

const PATHS = [
  '/metrics',
  '/job/?job=main',
  '/job/list',
  '/profiles',
  '/api/v1/runs?limit=50',
  '/api/v1/status',
  '/api/v1/nodes',
  '/healthz',
  '/ui/jobs',
  '/api/v1/query?scope=run/none&from=0&to=1&maxPoints=10',
  '/api/v1/%ff/../x?a=%00',
];

/** A request with or without a token; now and then its answer is not read to the end. */
function ask(): Promise<void> {
  counts.requests++;
  return new Promise((resolve) => {
    const outgoing = request(`${ready.url}${pick(PATHS)}`, {
      headers: chance(0.95)
        ? { authorization: `Bearer ${token}` }
        : { authorization: 'Bearer wrong-wrong-wrong-wrong' },
      timeout: 30_000,
    });
    outgoing.on('response', (answer) => {
      if ((answer.statusCode ?? 0) >= 500) fault(`${outgoing.path}: ${answer.statusCode}`);
      if (chance(0.05)) outgoing.destroy();
      answer.on('close', resolve).resume();
    });
    outgoing.on('timeout', () => {
      fault(`${outgoing.path}: no answer in 30 s`);
      outgoing.destroy();
    });
    outgoing.on('error', () => resolve()).end();
  });
}

/** A live reader that follows the node and the runs for a while; some never read. */
async function watch(): Promise<void> {
  counts.sockets++;
  const socket = new WebSocket(`${ready.url.replace('http', 'ws')}/api/v1/live`, {
    headers: { authorization: `Bearer ${token}` },
  });
  socket.on('error', () => undefined);
  socket.on('open', () => {
    socket.send(JSON.stringify({ type: 'watch', topic: 'runs' }));
    socket.send(JSON.stringify({ type: 'subscribe', id: 1, scope: `node/${hostScope}`, from: Date.now() - 60_000 }));
    if (chance(0.3)) socket.pause();
    if (chance(0.2)) socket.send('garbage');
  });
  await sleep(int(100, 20_000));
  if (chance(0.5)) socket.close();
  socket.terminate();
}
const { nodes } = await api.nodes();
const hostScope = nodes[0]?.scope.replace(/^node\//, '') ?? 'none';

/** Hours forth and back. */
async function stepClock(): Promise<void> {
  await sleep(int(60_000, 150_000));
  counts.steps++;
  setClock(pick([3600, -3600, 60, -60, 0, 86_400, 0]));
}

const handles = (): number => readdirSync(`/proc/${engine.pid}/fd`).length;
const dataBytes = (): number =>
  readdirSync(at('data')).reduce(
    (sum, name) => sum + (statSync(join(at('data'), name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );

interface Sample {
  readonly minute: number;
  readonly rss: number;
  readonly handles: number;
  readonly threads: number;
  readonly data: number;
}
const samples: Sample[] = [];
function sample(minute: number): void {
  const { now } = residentBytes(engine.pid);
  const one = { minute, rss: now, handles: handles(), threads: threadCount(engine.pid), data: dataBytes() };
  samples.push(one);
  process.stderr.write(
    `minute ${minute}: ${(now / 1e6).toFixed(1)} MB, ${one.handles} handles, ${one.threads} threads, ${(one.data / 1e6).toFixed(0)} MB on disk; ${JSON.stringify(counts)}\n`,
  );
}

await sleep(3000);
const handlesBefore = handles();
const end = performance.now() + minutes * 60_000;
const over = (): boolean => performance.now() >= end;
console.log(`seed ${seed}, ${minutes} minutes`);
const workers = [
  ...Array.from({ length: WORKERS }, () => forever(over, runJob)),
  forever(over, async () => {
    await sendGarbage();
    await sleep(int(0, 200));
  }),
  ...Array.from({ length: 2 }, () =>
    forever(over, async () => {
      await ask();
      await sleep(int(0, 100));
    }),
  ),
  ...Array.from({ length: 4 }, () => forever(over, watch)),
];
void forever(over, stepClock);
const checker = forever(() => over() && expected.length === 0, checkJobs);
for (let minute = 1; minute <= minutes; minute++) {
  await sleep(Math.max(0, end - (minutes - minute) * 60_000 - performance.now()));
  sample(minute);
}
await Promise.all(workers);
await checker;
setClock(0);

// Everybody has gone: nothing of them may be left.
await sleep(8000);
const after = await api.status();
if (after.runs.live !== 0) fault(`${after.runs.live} runs are left`);
if (after.ingest.connections !== 0) fault(`${after.ingest.connections} clients are left`);
if (after.live.readers !== 0) fault(`${after.live.readers} live readers are left`);
const handlesAfter = handles();
if (handlesAfter > handlesBefore + 5) fault(`${handlesAfter - handlesBefore} handles more than before`);

// The engine is killed: what was finished is still there, to the last call.
process.kill(engine.pid, 'SIGKILL');
await engine.stop();
engine = await startEngine();
for (const { jobid, totals } of finished) {
  expected.push({ jobid, totals, ranks: 0, exact: true, checkAt: 0 });
}
while (expected.length > 0) await checkJobs();
await engine.stop();
const left = readdirSync(folder.path).filter((name) => /socket|\.next$|\.part$/.test(name));
if (left.length > 0) fault(`files are left: ${left.join(', ')}`);
if (existsSync(join(at('data'), 'lock.json'))) fault('the lock is left');

const settled = samples.filter(({ minute }) => minute >= Math.min(SETTLED, minutes / 2));
const third = Math.max(1, Math.floor(settled.length / 3));
const first = median(settled.slice(0, third).map((one) => one.rss));
const last = median(settled.slice(-third).map((one) => one.rss));
const growth = last / first - 1;
console.log();
printTable(
  ['', 'figure', 'goal'],
  [
    ['runs, checked', `${counts.runs}, ${counts.checked}`, ''],
    ['messages of known sums', String(counts.messages), ''],
    [
      'killed clients, garbage, requests, live readers',
      [counts.killed, counts.garbage, counts.requests, counts.sockets].join(', '),
      '',
    ],
    ['clock steps', String(counts.steps), ''],
    ['wrong', String(counts.wrong), verdict(counts.wrong === 0)],
    [
      `memory from minute ${settled[0]?.minute ?? 0} on (medians of thirds)`,
      `${(first / 1e6).toFixed(1)} → ${(last / 1e6).toFixed(1)} MB`,
      verdict(growth <= GROWTH),
    ],
    ['handles before, after', `${handlesBefore}, ${handlesAfter}`, verdict(handlesAfter <= handlesBefore + 5)],
  ],
);
for (const text of faults.slice(0, 20)) console.log(`WRONG: ${text}`);
console.log();
printResult({ bench: 'soak', seed, minutes, ...counts, first, last, growth, handlesBefore, handlesAfter });
folder.remove();
process.exit(counts.wrong === 0 ? 0 : 1);
