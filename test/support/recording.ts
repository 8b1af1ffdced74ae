/** The recordings in test/fixtures/proxy: bytes of real clients, and what the Rust proxy answered. */

import { readFileSync } from 'node:fs';
import path from 'node:path';

const folder = path.join(import.meta.dirname, '..', 'fixtures', 'proxy');

/** One read of the recording relay. */
export interface Chunk {
  /** Milliseconds since the connection opened. */
  readonly time: number;
  /** First byte and number of bytes. */
  readonly offset: number;
  readonly length: number;
}

export interface Recording {
  /** All bytes of one connection, in order. */
  readonly bytes: Buffer;
  readonly chunks: readonly Chunk[];
}

/** A counter as it is on the wire. */
export interface WireCounter {
  readonly Counter: { readonly ts?: number; readonly value: number };
}

/** A gauge as it is on the wire. */
export interface WireGauge {
  readonly Gauge: { readonly min: number; readonly max: number; readonly hits: number; readonly total: number };
}

/** A message of the legacy protocol, as recorded. */
export type WireMessage =
  | { readonly JobDesc: Readonly<Record<string, string | number>> & { readonly jobid: string } }
  | { readonly Desc: { readonly name: string; readonly doc: string; readonly ctype: WireCounter | WireGauge } }
  | { readonly Value: { readonly name: string; readonly value: WireCounter | WireGauge } };

/** What one client wrote: `wire-capi-0` or `wire-mpi-0`. */
export function readRecording(name: 'wire-capi-0' | 'wire-mpi-0'): Recording {
  const bytes = readFileSync(path.join(folder, `${name}.bin`));
  const chunks = readFileSync(path.join(folder, `${name}.idx`), 'utf8')
    .trim()
    .split('\n')
    .filter((line) => !/ EOF total=\d+$/.test(line))
    .map((line) => {
      const [, seconds, offset, length] = /^([\d.]+) off=(\d+) len=(\d+)$/.exec(line) ?? [];
      if (seconds === undefined) throw new Error(`${name}.idx: ${line}`);
      return { time: Number(seconds) * 1000, offset: Number(offset), length: Number(length) };
    });
  return { bytes, chunks };
}

/** The messages of a recording, parsed plainly: the reference for whatever parses fast. */
export function messagesOf({ bytes }: Recording): WireMessage[] {
  const texts = bytes.toString('utf8').split('\0');
  const rest = texts.pop();
  if (rest !== '') throw new Error(`the recording ends within a message: ${rest}`);
  return texts.map((text) => JSON.parse(text) as WireMessage);
}

/** The last value of each counter's sum and of each gauge that the messages give, computed by hand from the recording. */
export function sumsOf(messages: readonly WireMessage[]): {
  readonly counters: ReadonlyMap<string, number>;
  readonly gauges: ReadonlyMap<string, WireGauge['Gauge']>;
} {
  const counters = new Map<string, number>();
  const gauges = new Map<string, WireGauge['Gauge']>();
  for (const message of messages) {
    if (!('Value' in message)) continue;
    const { name, value } = message.Value;
    if ('Counter' in value) counters.set(name, (counters.get(name) ?? 0) + value.Counter.value);
    else gauges.set(name, value.Gauge);
  }
  return { counters, gauges };
}

/** A recorded answer, parsed: `golden('job_list.json')`. */
export function golden(file: string): unknown {
  return JSON.parse(goldenText(file));
}

/** The same of an answer that is not JSON. */
export function goldenText(file: string): string {
  return readFileSync(path.join(folder, file), 'utf8');
}

/** One question of a recorded session, and its answer. */
export interface Exchange {
  readonly to: string;
  readonly path: string;
  readonly status: number;
  readonly body: string;
}

/** The recorded session of a root proxy and its two children, in order. */
export function recordedSession(): Exchange[] {
  const text = goldenText('tbon_http.txt');
  const open = new Map<string, { to: string; path: string }>();
  const exchanges: Exchange[] = [];
  for (const block of text.split(/^=== /m).slice(1)) {
    const [, from = '', to = ''] = /^t=[\d.]+ (\S+) -> (\S+)\n/.exec(block) ?? [];
    const request = /^GET (\S+) HTTP/m.exec(block)?.[1];
    if (request !== undefined) open.set(from, { to, path: request });
    else {
      const asked = open.get(to);
      if (!asked) throw new Error(`an answer without a question: ${block.slice(0, 80)}`);
      const status = Number(/^HTTP\/1.1 (\d+)/m.exec(block)![1]);
      exchanges.push({ ...asked, status, body: block.slice(block.indexOf('\n\n') + 2).trim() });
    }
  }
  return exchanges;
}

/** What `root`, `child1` or `child2` of that session answered to `/job`, in order. */
export const recordedJobs = (of: string): string[] =>
  recordedSession()
    .filter(({ to, path: asked }) => to === of && asked === '/job')
    .map(({ body }) => body);
