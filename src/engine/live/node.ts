/**
 * This node's scope: what the sources read, the engine's own figures, and clients without a job.
 *
 * One failing source never fails the rest: it is reported once and tried again at each tick. Its gauges lose their values
 * meanwhile. What each source costs, and how often it failed, are series of the node too.
 */

import { formatMetric } from '../../shared/model/metric.ts';
import { SOURCES } from '../sources/index.ts';
import type { Roots, Source, SourceInstance, SourceWriter } from '../sources/source.ts';
import { Contributor } from './contributor.ts';
import type { Scope } from './scope.ts';

/** Writes to a scope in the way sources speak. */
export function sourceWriter(scope: Scope, host: string): SourceWriter {
  const contributor = new Contributor(scope, 0, host);
  const counters = new Map<number, number>();
  return {
    counter(name, doc, options) {
      const place = scope.register(name, doc, 'counter');
      if ('refused' in place) throw new Error(`counter ${name}: ${place.refused}`);
      if (options?.detail) scope.markDetail('counter', place.index);
      const known = counters.get(place.index);
      if (known !== undefined) return known;
      const local = contributor.addCounter(place.index);
      counters.set(place.index, local);
      return local;
    },
    gauge(name, doc, options) {
      const place = scope.register(name, doc, 'gauge');
      if ('refused' in place) throw new Error(`gauge ${name}: ${place.refused}`);
      if (options?.detail) scope.markDetail('gauge', place.index);
      return contributor.addGauge(place.index);
    },
    setCounter(handle, total) {
      if (Number.isFinite(total) && total >= 0) contributor.setTotal(handle, total);
    },
    setGauge(handle, value) {
      if (Number.isFinite(value)) contributor.setGauge(handle, value, value, 1, value);
    },
    clearGauge: (handle) => contributor.setGauge(handle, Infinity, -Infinity, 0, 0),
  };
}

export interface NodeSources {
  /** Once per tick. */
  sample(seconds: number): void;
  /** It is not sampled for a while: gauges lose their values. */
  pause(): void;
  close(): Promise<void>;
}

/** A source that fails anew is reported again after this time at the earliest, in ms, and then after twice as long. */
const QUIET = 600_000;
/** What was absent is looked for again after this time, in ms: modules are loaded, file systems mounted. */
const LOOK_AGAIN = 60_000;

/** One source, running or absent, and what is known of its failures. */
class Watched {
  readonly #source: Source;
  readonly #host: SourceHost;
  /** The node's writer, which notes the source's gauges. */
  readonly #out: SourceWriter;
  readonly #gauges = new Set<number>();
  #instance: SourceInstance | null = null;
  #lookAt = -Infinity;
  #failing = false;
  /** Not reported before this time: warnings are kept, and a source may come and go for months. */
  #quietUntil = -Infinity;
  #quiet = QUIET;
  /** Handles of its cost and its failures. */
  #own: { readonly seconds: number; readonly failures: number } | null = null;
  #seconds = 0;
  #failures = 0;

  constructor(source: Source, host: SourceHost) {
    this.#source = source;
    this.#host = host;
    const { out } = host;
    this.#out = {
      ...out,
      gauge: (name, doc, options) => {
        const handle = out.gauge(name, doc, options);
        this.#gauges.add(handle);
        return handle;
      },
    };
  }

  sample(seconds: number): void {
    const { now } = this.#host;
    const begun = now();
    if (this.#instance === null && begun < this.#lookAt) return;
    try {
      if (!this.#open(begun)) return;
      this.#instance?.sample(this.#out, seconds);
      this.#failing = false;
    } catch (error) {
      this.#fail(error, this.#instance === null ? 'does not start' : 'fails');
    }
    this.#seconds += Math.max(0, now() - begun) / 1000;
    this.#account();
  }

  pause(): void {
    for (const gauge of this.#gauges) this.#out.clearGauge(gauge);
  }

  async close(): Promise<void> {
    await this.#instance?.close();
    this.#instance = null;
    this.#lookAt = Infinity;
  }

  /** False: this machine does not have it. */
  #open(time: number): boolean {
    if (this.#instance !== null) return true;
    this.#lookAt = time + LOOK_AGAIN;
    this.#instance = this.#source.open(this.#host.roots);
    return this.#instance !== null;
  }

  #fail(error: unknown, what: string): void {
    this.#failures++;
    for (const gauge of this.#gauges) this.#out.clearGauge(gauge);
    const { now, warn } = this.#host;
    if (!this.#failing && now() >= this.#quietUntil) {
      warn(`the ${this.#source.name} source ${what}: ${String(error)}`);
      this.#quietUntil = now() + this.#quiet;
      this.#quiet *= 2;
    }
    this.#failing = true;
  }

  #account(): void {
    const { out } = this.#host;
    try {
      this.#own ??= ownSeries(out, this.#source.name);
    } catch {
      // A client has the name for something else, or filled the scope: the source goes on without.
      return;
    }
    out.setCounter(this.#own.seconds, this.#seconds);
    out.setCounter(this.#own.failures, this.#failures);
  }
}

function ownSeries(out: SourceWriter, source: string): { seconds: number; failures: number } {
  const name = (family: string): string => formatMetric(family, [['source', source]]);
  const detail = { detail: true };
  return {
    seconds: out.counter(name('vigie_source_seconds_total'), 'Time that ticks spent on this source of metrics', detail),
    failures: out.counter(name('vigie_source_failures_total'), 'Samples of this source that failed', detail),
  };
}

interface SourceHost {
  readonly roots: Roots;
  readonly out: SourceWriter;
  readonly warn: (message: string) => void;
  readonly now: () => number;
}

/** `now`: a monotonic clock, ms. */
export function openSources(
  roots: Roots,
  out: SourceWriter,
  warn: (message: string) => void,
  now: () => number = () => performance.now(),
  sources: readonly Source[] = SOURCES,
): NodeSources {
  const watched = sources.map((source) => new Watched(source, { roots, out, warn, now }));
  return {
    sample(seconds) {
      for (const source of watched) source.sample(seconds);
    },
    pause() {
      for (const source of watched) source.pause();
    },
    async close() {
      await Promise.all(watched.map((source) => source.close()));
    },
  };
}
