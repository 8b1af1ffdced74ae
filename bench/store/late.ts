/** How late a clock on the engine's thread is, and what waits for the disk, while ticks and questions come. */

import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { openWorkerStore } from '../../src/engine/store/client.ts';
import type { Store } from '../../src/engine/store/store.ts';
import { bitmapBytes, encodeFrame, setBit } from '../../src/shared/frame.ts';
import type { SeriesDef } from '../../src/shared/model/series.ts';
import { GAUGE_WIDTH } from '../../src/shared/model/values.ts';
import { cpuSeconds, residentBytes } from '../support/proc.ts';
import type { Late, LateSpec } from './spec.ts';

/** Of the clock, as the sampler's. */
const EVERY_MS = 100;
/** Ticks that may wait for the disk while they are taken as fast as that goes. */
const AHEAD = 60;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
/** Scopes and counters that all change, so that there are 200,000 samples a second. */
const WIDE = { scopes: 10, counters: 20_000 };
/** One scope that is sealed while its ticks come, and ms between these. */
const SEALED = { counters: 2000, gauges: 2000, ticks: 600, every: 20 };

interface Percentiles {
  readonly p99: number;
  readonly worst: number;
}

function percentiles(values: readonly number[]): Percentiles {
  const sorted = values.toSorted((a, b) => a - b);
  return { p99: sorted[Math.floor(0.99 * sorted.length)] ?? NaN, worst: sorted.at(-1) ?? NaN };
}

/** A timer that is due every 100 ms. */
class Clock {
  readonly #late: number[] = [];
  #due = performance.now() + EVERY_MS;
  #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setTimeout(() => this.#tick(), EVERY_MS);
  }

  #tick(): void {
    const now = performance.now();
    this.#late.push(now - this.#due);
    this.#due += EVERY_MS;
    // Ticks that were missed altogether count by how late they are, once each.
    this.#timer = setTimeout(() => this.#tick(), Math.max(0, this.#due - now));
  }

  stop(): Percentiles {
    clearTimeout(this.#timer);
    return percentiles(this.#late);
  }
}

/** A scope of counters and gauges, of which every `stride`-th changes at a tick. */
class Teller {
  readonly scope: string;
  readonly #count: number;
  readonly #stride: number;
  readonly #gaugeCount: number;
  readonly #counters: Float64Array;
  readonly #gauges: Float64Array;
  readonly #bits: Uint8Array;
  readonly #gaugeBits: Uint8Array;
  ticks = 0;
  /** Samples of its last tick that changed. */
  told = 0;

  constructor(scope: string, count: number, stride: number, gauges = 0) {
    this.scope = scope;
    this.#count = count;
    this.#stride = stride;
    this.#counters = new Float64Array(count);
    this.#bits = new Uint8Array(bitmapBytes(count));
    this.#gaugeCount = gauges;
    this.#gauges = new Float64Array(GAUGE_WIDTH * gauges);
    this.#gaugeBits = new Uint8Array(bitmapBytes(gauges));
  }

  next(time: number): { scope: string; added: SeriesDef[]; frame: Uint8Array } {
    const number = this.ticks++;
    this.#bits.fill(0);
    this.told = 0;
    for (let i = number % this.#stride; i < this.#count; i += this.#stride) {
      this.#counters[i]! += 1 + ((number * (i + 7)) % 13);
      setBit(this.#bits, i);
      this.told++;
    }
    this.#gaugeBits.fill(0);
    for (let i = number % this.#stride; i < this.#gaugeCount; i += this.#stride) {
      const value = (number * (i + 3)) % 101;
      this.#gauges.set([value, value, 1, value], GAUGE_WIDTH * i);
      setBit(this.#gaugeBits, i);
      this.told++;
    }
    const defs = (kind: SeriesDef['kind'], length: number, name: string): SeriesDef[] =>
      Array.from({ length }, (_, index) => ({ kind, index, name: `${name}{n="${index}"}`, doc: '' }));
    const added =
      number > 0 ? [] : [...defs('counter', this.#count, 'calls_total'), ...defs('gauge', this.#gaugeCount, 'level')];
    const header = { stream: 0, time, interval: number === 0 ? 0 : SECOND, sequence: number, gap: false };
    const counts = { counterCount: this.#count, gaugeCount: this.#gaugeCount };
    const columns = { ...counts, counters: this.#counters, gauges: this.#gauges };
    const frame = encodeFrame(header, columns, number === 0 ? null : { counters: this.#bits, gauges: this.#gaugeBits });
    return { scope: this.scope, added, frame };
  }
}

/** Asks for all that there is of a scope, again and again, until it is told to stop. */
async function keepAsking(store: Store, scope: string, from: number, to: number, signal: AbortSignal): Promise<number> {
  let count = 0;
  while (!signal.aborted) {
    await store.queryJson({ scope, series: [], from, to, maxPoints: 20_000 });
    count++;
  }
  return count;
}

interface Load {
  readonly name: string;
  readonly tellers: readonly Teller[];
  readonly ticks: number;
  /** As fast as they are taken, or one each so many ms. */
  readonly pace: 'fast' | number;
  /** Between the times that ticks say, ms; default: a second. */
  readonly apart?: number;
  /** A long question runs all the time. */
  readonly asks: boolean;
}

/** How long each tick is on its way to the disk. */
class Way {
  readonly #store: Store;
  readonly #waiting: { readonly time: number; readonly at: number }[] = [];
  readonly #took: number[] = [];

  constructor(store: Store) {
    this.#store = store;
  }

  begin(time: number): void {
    this.#waiting.push({ time, at: performance.now() });
  }

  note(): void {
    const until = this.#store.status().durable_until;
    while (this.#waiting.length > 0 && this.#waiting[0]!.time <= until) {
      this.#took.push(performance.now() - this.#waiting.shift()!.at);
    }
  }

  get took(): Percentiles {
    return percentiles(this.#took);
  }
}

export async function late(spec: LateSpec): Promise<void> {
  const { store } = await openWorkerStore({ dataDir: spec.data });
  const begin = Date.now();
  let time = begin;

  /** The names of all series, once, before anything is measured: a tick with 200,000 new ones is no usual one. */
  async function begun(tellers: readonly Teller[]): Promise<void> {
    for (const teller of tellers.filter(({ ticks: told }) => told === 0)) {
      time += SECOND;
      store.append({ time, scopes: [teller.next(time)] });
      await store.flush();
    }
  }

  async function measure({ name, tellers, ticks, pace, asks, apart = SECOND }: Load): Promise<Late> {
    await begun(tellers);
    const asking = new AbortController();
    const { dropped } = store.status();
    const queries = asks ? keepAsking(store, tellers[0]!.scope, begin, time, asking.signal) : Promise.resolve(0);
    const way = new Way(store);
    const clock = new Clock();
    const cpu = cpuSeconds(process.pid);
    const began = performance.now();
    let samples = 0;
    for (let i = 0; i < ticks; i++) {
      const due = began + i * (pace === 'fast' ? 0 : pace);
      while (typeof pace === 'number' ? performance.now() < due : store.status().queued >= AHEAD) {
        await sleep(1);
        way.note();
      }
      time += apart;
      const scopes = tellers.map((teller) => teller.next(time));
      samples += tellers.reduce((sum, { told }) => sum + told, 0);
      if (store.append({ time, scopes })) way.begin(time);
      way.note();
      await turn();
    }
    await store.flush();
    way.note();
    const seconds = (performance.now() - began) / 1000;
    const used = cpuSeconds(process.pid) - cpu;
    const timerMs = clock.stop();
    asking.abort();
    return {
      ...{ name, ticks, samples, seconds, cpuSeconds: used, timerMs, durableMs: way.took, queries: await queries },
      ...{ dropped: store.status().dropped - dropped, peakResidentBytes: residentBytes(process.pid).peak },
    };
  }

  const host = [new Teller('node/host', 120, 3), ...[1, 2, 3, 4].map((n) => new Teller(`run/r${n}`, 40, 2))];
  const wide = Array.from({ length: WIDE.scopes }, (_, n) => new Teller(`target/w${n}`, WIDE.counters, 1));
  const sealed = new Teller('target/sealed', SEALED.counters, 1, SEALED.gauges);
  const { ticks, seconds } = spec;
  const loads: readonly Load[] = [
    { name: 'one small tick a second', tellers: host.slice(0, 1), ticks: 10, pace: SECOND, asks: false },
    {
      name: `${SEALED.counters + SEALED.gauges} series, sealed meanwhile`,
      ...{ tellers: [sealed], ticks: SEALED.ticks, pace: SEALED.every, asks: false, apart: MINUTE },
    },
    { name: 'as fast as taken', tellers: host, ticks, pace: 'fast', asks: false },
    { name: 'the same, a long question', tellers: host, ticks: Math.ceil(ticks / 10), pace: 'fast', asks: true },
    {
      name: '200,000 samples/s, a long question',
      tellers: [...host, ...wide],
      ticks: seconds,
      pace: SECOND,
      asks: true,
    },
  ];
  const all: Late[] = [];
  for (const load of loads) {
    all.push(await measure(load));
    process.stderr.write(`${load.name}: ${JSON.stringify(all.at(-1))}\n`);
  }
  await store.close();
  process.stdout.write(`${JSON.stringify(all)}\n`);
}
