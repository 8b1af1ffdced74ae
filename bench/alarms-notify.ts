/**
 * How long it takes from a value that is too high to the message about it, at an engine with a period of a second.
 *
 *     npm run bench -- alarms-notify [--rounds N] [--storm N]
 *
 * Each round a gauge of a job crosses a threshold, at any moment of the period; a webhook on loopback waits for the message,
 * which is written to disk before it is sent. Then N series cross it in the same moment: they come in one message.
 */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Pusher } from '../src/client/pusher.ts';
import { startEngine } from './support/engine.ts';
import { median, printResult, printTable, verdict } from './support/report.ts';

const PERIOD_MS = 1000;
const BUDGET_MS = PERIOD_MS + 200;
const WAIT_MS = 60_000;

const { values: flags } = parseArgs({
  options: { rounds: { type: 'string', default: '20' }, storm: { type: 'string', default: '5000' } },
});
const [rounds, storm] = [flags.rounds, flags.storm].map(Number) as [number, number];
if (!(rounds > 0 && storm > 0)) throw new Error('every option takes a number');

interface Told {
  readonly kind: string;
  readonly firing: number;
  /** performance.now() when it came. */
  readonly at: number;
}

const told: Told[] = [];
const server = createServer((request, response) => {
  const at = performance.now();
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const { kind, firing } = JSON.parse(Buffer.concat(parts).toString('utf8')) as Omit<Told, 'at'>;
    told.push({ kind, firing, at });
    response.end();
  });
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');

const engine = await startEngine(['--no-node', '--period', `${PERIOD_MS}ms`]);

async function send(method: string, path: string, body: unknown): Promise<unknown> {
  const answer = await fetch(new URL(path, engine.url), {
    method,
    headers: { authorization: `Bearer ${engine.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

/** The next message of a kind after the first `seen`. */
async function next(kind: string, seen: number): Promise<Told> {
  const end = performance.now() + WAIT_MS;
  for (;;) {
    const found = told.slice(seen).find((each) => each.kind === kind);
    if (found) return found;
    if (performance.now() > end) throw new Error(`no message of the kind ${kind} came`);
    await sleep(2);
  }
}

try {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const { id } = (await send('POST', '/api/v1/channels', {
    ...{ name: 'bench', settings: { kind: 'webhook', url }, per_minute: 600 },
  })) as { id: string };
  // Its messages follow each other as fast as they come.
  await send('PUT', '/api/v1/channels/routes', { routes: [{ channels: [id], group_interval: '0s' }] });
  const rule = { scope: { kind: 'run' }, op: '>', raise: 10 };
  await send('POST', '/api/v1/alarms/rules', { ...rule, name: 'one', metric: 'one' });
  await send('POST', '/api/v1/alarms/rules', { ...rule, name: 'many', metric: '{__name__="many"}' });

  const pusher = await Pusher.connect(engine.legacySocket);
  pusher.job({ jobid: 'bench', command: './bench' });
  pusher.describeGauge('one');
  const many = Array.from({ length: storm }, (_, i) => `many{i="${i}"}`);
  for (const name of many) pusher.describeGauge(name);
  pusher.set('one', 1);
  for (const name of many) pusher.set(name, 1);
  await sleep(3 * PERIOD_MS);

  const latencies: number[] = [];
  for (let round = 0; round < rounds; round++) {
    // Anywhere in the period.
    await sleep((PERIOD_MS * round) / rounds);
    let seen = told.length;
    const raised = performance.now();
    pusher.set('one', 11);
    latencies.push((await next('firing', seen)).at - raised);
    seen = told.length;
    pusher.set('one', 1);
    await next('resolved', seen);
  }

  const seen = told.length;
  const raised = performance.now();
  for (const name of many) pusher.set(name, 11);
  const first = await next('firing', seen);
  await sleep(5 * PERIOD_MS);
  const messages = told.slice(seen).length;
  pusher.destroy();

  const sorted = latencies.toSorted((a, b) => a - b);
  const worst = sorted.at(-1)!;
  printTable(
    ['', 'median ms', 'worst ms', 'messages'],
    [
      [`one series, ${rounds} times`, median(sorted).toFixed(0), worst.toFixed(0), `${rounds}`],
      [`${storm} series at once`, '', (first.at - raised).toFixed(0), `${messages}`],
    ],
  );
  const ok = worst <= BUDGET_MS;
  console.log(`\nraise to notification ≤ ${BUDGET_MS} ms: ${verdict(ok)}`);
  printResult({
    median_ms: median(sorted),
    worst_ms: worst,
    storm_ms: first.at - raised,
    storm_messages: messages,
    ok,
  });
  if (!ok) process.exitCode = 1;
} finally {
  await engine.stop();
  server.close();
  server.closeAllConnections();
}
