/** `vigie client` over time: reads again and again, and writes what has changed. */

import { setTimeout as delay } from 'node:timers/promises';
import { EngineError } from '../client/http.ts';
import { Changes } from './client-changes.ts';
import type { ReadEngine } from './client-engine.ts';
import type { Format } from './client-format.ts';
import { RECORDS } from './client-formats.ts';
import type { WantedName } from './client-names.ts';
import { readChanges, readMetrics, type Metric } from './client-reading.ts';
import { ReadingRecord } from './client-record.ts';
import { chosen, missing } from './client-show.ts';

export interface TrackOptions {
  /** Null: all that are, or were, not 0. */
  readonly names: readonly WantedName[] | null;
  /** Readings per second. */
  readonly rate: number;
  readonly format: Format;
  /** Null: standard output. */
  readonly file: string | null;
}

/** Aborted by Ctrl-C and the like, and when nobody reads standard output any more. */
function untilStopped(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort());
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    stop.abort();
  });
  return stop.signal;
}

/** The engine is there and has no time: the next reading may be answered. */
const isBusy = (error: unknown): boolean =>
  error instanceof EngineError
    ? error.status === 429 || error.status === 503
    : (error as NodeJS.ErrnoException).code === 'ETIMEDOUT';

/** Null: stopped meanwhile, or the engine is too busy. */
async function unlessStopped<T>(work: Promise<T>, stop: AbortSignal): Promise<T | null> {
  const cut = new AbortController();
  try {
    return await Promise.race([work, delay(2 ** 31 - 1, null, { signal: AbortSignal.any([stop, cut.signal]) })]);
  } catch (error) {
    if (stop.aborted) {
      // Nobody waits for its failure any more.
      work.catch(() => undefined);
      return null;
    }
    if (isBusy(error)) return null;
    throw error;
  } finally {
    cut.abort();
  }
}

async function record(
  { client, clockOffset }: ReadEngine,
  options: TrackOptions,
  into: ReadingRecord,
  stop: AbortSignal,
) {
  const { names, rate } = options;
  const changes = new Changes(names !== null);
  const read = async (): Promise<Metric[]> => {
    const all = await readMetrics(client);
    return names === null ? all : chosen(all, names);
  };
  let first = true;
  let due = performance.now();
  while (!stop.aborted) {
    const asked = Date.now() - clockOffset;
    const metrics = await unlessStopped(read(), stop);
    if (metrics !== null) {
      const time = { asked, answered: Date.now() - clockOffset };
      const earlier = first ? await unlessStopped(readChanges(client), stop) : null;
      into.add(changes.take(metrics, time, earlier ?? undefined));
      first = false;
    }
    // Readings that are overdue are left out: in a row they would read the same, and swamp the engine.
    const period = 1000 / rate;
    due += period * Math.max(1, Math.ceil((performance.now() - due) / period));
    await delay(Math.max(0, due - performance.now()), undefined, { signal: stop }).catch(() => undefined);
  }
}

/** Until a signal comes; fails when the engine goes away. What is written is a whole document in both cases. */
export async function trackValues(engine: ReadEngine, options: TrackOptions): Promise<void> {
  const { names, format, file } = options;
  const stop = untilStopped();
  for (const { typed } of missing(names === null ? [] : await readMetrics(engine.client), names ?? [])) {
    console.error(`vigie: there is no metric ${typed} yet; it is recorded from when there is`);
  }
  const into = new ReadingRecord(RECORDS[format], file);
  if (file !== null) console.log(`Logging in ${file} interrupt with CTRL + C when done...`);
  try {
    await record(engine, options, into, stop);
  } finally {
    into.end();
  }
}
