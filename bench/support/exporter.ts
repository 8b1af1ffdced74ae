/** Exporters in a process of their own: texts made beforehand, so that what they cost does not disturb. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startChild, type Child } from './child.ts';

/** Texts that take turns: each value of a counter is another one in each. */
const TURNS = 20;

/** As large as a series of real exporters: 80 bytes with its value. */
function textOf(series: number, turn: number): Buffer {
  const lines = ['# HELP app_requests_total Requests so far, by path.', '# TYPE app_requests_total counter'];
  const counters = Math.ceil(0.8 * series);
  for (let i = 0; i < series; i++) {
    if (i === counters) lines.push('# HELP app_queue_length Requests that wait.', '# TYPE app_queue_length gauge');
    const labels = `{path="/api/v1/item${String(i).padStart(5, '0')}",method="GET",code="200"}`;
    if (i < counters) lines.push(`app_requests_total${labels} ${1_000_000 + i + 7 * turn}`);
    else lines.push(`app_queue_length${labels} ${((i * 7919 + turn * 104_729) % 100_000) / 1000}`);
  }
  return Buffer.from(`${lines.join('\n')}\n`);
}

/** One server for each number of `ports`; a line for each question. */
async function serve(ports: number, series: number): Promise<void> {
  const texts = Array.from({ length: TURNS }, (_, turn) => textOf(series, turn));
  const asked = new Array<number>(ports).fill(0);
  const numbers: number[] = [];
  for (let i = 0; i < ports; i++) {
    const server = createServer((request, response) => {
      if (!request.url?.startsWith('/metrics')) {
        response.writeHead(404).end();
        return;
      }
      const text = texts[asked[i]!++ % TURNS]!;
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4', 'content-length': text.length }).end(text);
    });
    server.keepAliveTimeout = 120_000;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    numbers.push((server.address() as AddressInfo).port);
  }
  console.log(JSON.stringify({ ports: numbers, bytes: texts[0]!.length }));
  process.stdin.on('data', () => console.log(JSON.stringify(asked)));
  process.stdin.on('end', () => process.exit());
}

export class Exporters {
  readonly #child: Child;
  readonly ports: readonly number[];
  /** Of one answer. */
  readonly bytes: number;

  private constructor(child: Child, ports: readonly number[], bytes: number) {
    this.#child = child;
    this.ports = ports;
    this.bytes = bytes;
  }

  static async start(ports: number, series: number): Promise<Exporters> {
    const child = startChild(process.execPath, [import.meta.filename, String(ports), String(series)]);
    const ready = JSON.parse(await child.line(60_000)) as { ports: number[]; bytes: number };
    return new Exporters(child, ready.ports, ready.bytes);
  }

  /** How often each was asked. */
  async asked(): Promise<number[]> {
    this.#child.say('asked');
    return JSON.parse(await this.#child.line(20_000)) as number[];
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }
}

if (process.argv[1] === import.meta.filename) await serve(Number(process.argv[2]), Number(process.argv[3]));
