/** Whatever answers with Prometheus text or OpenMetrics: exporters, Pushgateways, Prometheus itself. */

import { noteText } from '../compilers.ts';
import type {
  Access,
  Probe,
  ProbedMetric,
  Scraped,
  TargetHost,
  TargetSession,
  TargetSpec,
  TargetType,
} from './type.ts';
import { TargetError, type TargetUrl } from './type.ts';
import { Fetcher } from './fetch.ts';
import { ScanError, type Format } from './scan-error.ts';
import { Scanner } from './scan.ts';
import { Sink } from './sink.ts';
import { metricFilter } from './sink-filter.ts';
import { withPath } from './url.ts';

/** Where exporters answer that are given without a path. */
const PATH = '/metrics';
/** Metrics that a probe tells of. */
const MAX_PROBED = 2000;

/** Prometheus text first: it says the same with less. */
const ACCEPT = 'text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1';

/** Throws {@link TargetError} for what is no text of metrics. */
function formatOf(contentType: string): Format {
  switch (contentType) {
    case 'application/openmetrics-text':
      return 'openmetrics';
    // What comes from a plain file server, or from an exporter that says nothing, is looked at.
    case '':
    case 'application/octet-stream':
    case 'text/plain':
      return 'text';
    case 'text/html':
      throw new NotMetrics('an HTML page, not metrics: is the path right? Most exporters have /metrics');
    case 'application/vnd.google.protobuf':
      throw new NotMetrics('protobuf, which is not read here: the exporter has to offer text');
    default:
      throw new NotMetrics(`${JSON.stringify(contentType.slice(0, 80))}, not metrics: is it the right port and path?`);
  }
}

/** Something answers, but not of this type. */
class NotMetrics extends TargetError {
  constructor(what: string) {
    super('refused', `the answer is ${what}`);
  }
}

/** Asks once and reads all of the answer into the scanner. Returns its size in bytes. */
async function ask(
  fetcher: Fetcher,
  url: TargetUrl,
  periodMs: number,
  scanner: Scanner,
  signal: AbortSignal,
): Promise<number> {
  const reader = {
    accept: ACCEPT,
    begin: (contentType: string) => scanner.begin(formatOf(contentType)),
    chunk(bytes: Buffer): void {
      noteText(bytes.length, periodMs);
      scanner.push(bytes);
    },
  };
  try {
    const bytes = await fetcher.get(url, reader, signal);
    scanner.end();
    return bytes;
  } catch (error) {
    if (error instanceof ScanError) throw new TargetError('refused', error.message);
    throw error;
  }
}

/** As a Rust proxy writes its counters: it puts a time where the value belongs. */
function farAway(scanner: Scanner): string {
  const { count, times } = scanner.staged!;
  const time = new Date(times[0]!);
  const shown = Number.isNaN(time.getTime()) ? String(times[0]) : time.toISOString();
  return `all ${count} values have a time far from now (${shown}): if this is a metric proxy, its type is proxy`;
}

class Session implements TargetSession {
  readonly #spec: TargetSpec;
  readonly #fetcher: Fetcher;
  readonly #scanner: Scanner;
  readonly #sink: Sink;
  #closed = false;

  constructor(spec: TargetSpec, host: TargetHost) {
    const { url, access, filter, labels, periodMs } = spec;
    this.#spec = spec;
    this.#fetcher = new Fetcher(url, access, periodMs);
    const all = filter.include.length === 0 && filter.exclude.length === 0;
    const maxSeries = access.limits.series;
    this.#scanner = new Scanner(all ? { maxSeries } : { maxSeries, keep: metricFilter(filter) });
    this.#sink = new Sink(host.scope(), host.hostname, labels, periodMs);
  }

  async scrape(signal: AbortSignal): Promise<Scraped> {
    const scanner = this.#scanner;
    try {
      const bytes = await ask(this.#fetcher, this.#spec.url, this.#spec.periodMs, scanner, signal);
      const now = Date.now();
      if (Sink.isAllFar(scanner, now)) throw new TargetError('refused', farAway(scanner));
      if (!this.#closed) await this.#sink.prepare(scanner, now);
      // Nothing waits between here and the end: all of it counts at one time.
      if (this.#closed) throw new TargetError('down', 'it was closed');
      signal.throwIfAborted();
      const { series, newSeries, refused } = this.#sink.apply(scanner, now);
      for (const [reason, count] of Object.entries(scanner.refused)) {
        if (count > 0) refused[reason] = (refused[reason] ?? 0) + count;
      }
      const { engines } = this.#fetcher;
      const { samples, filtered } = scanner;
      return { bytes, samples, series, newSeries, filtered, refused, ...(engines.length > 0 ? { engines } : {}) };
    } catch (error) {
      if (!this.#closed) this.#sink.miss();
      throw error;
    } finally {
      scanner.release();
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#fetcher.close();
    this.#sink.close();
  }
}

async function probeAt(url: TargetUrl, access: Access, signal: AbortSignal): Promise<Probe> {
  const fetcher = new Fetcher(url, access, Infinity);
  // How many there are is what the filter is then made from; the limit of bytes holds.
  const scanner = new Scanner({ maxSeries: Infinity });
  const began = performance.now();
  try {
    const bytes = await ask(fetcher, url, Infinity, scanner, signal);
    const duration = performance.now() - began;
    const staged = scanner.staged!;
    const metrics = new Map<number, { -readonly [K in keyof ProbedMetric]: ProbedMetric[K] }>();
    for (let i = 0; i < staged.count; i++) {
      const code = staged.codes[i]!;
      const metric = scanner.metricOf(code >>> 1);
      const known = metrics.get(metric);
      if (known) known.series++;
      else if (metrics.size < MAX_PROBED) {
        const kind = (code & 1) === 1 ? 'gauge' : 'counter';
        const help = scanner.metrics.docOf(metric).slice(0, 256).toWellFormed();
        metrics.set(metric, { name: scanner.metrics.nameOf(metric), kind, help, series: 1 });
      }
    }
    return { type: 'prometheus', url, series: staged.count, bytes, duration, metrics: [...metrics.values()] };
  } finally {
    scanner.release();
    fetcher.close();
  }
}

export const prometheus: TargetType = {
  name: 'prometheus',
  async probe(url, access, signal) {
    const asked = url.pathGiven ? url : withPath(url, PATH);
    try {
      const probe = await probeAt(asked, access, signal);
      // A page without any metric is no exporter's.
      return probe.series > 0 ? probe : null;
    } catch (error) {
      // Where a path was given, why not is what its owner wants to know.
      if (error instanceof NotMetrics && !url.pathGiven) return null;
      throw error;
    }
  },
  open: (spec, host) => new Session(spec, host),
};
