/**
 * This node's scope: what the sources read, the engine's own figures, and clients without a job.
 *
 * One failing source never fails the rest: it is reported once and tried again at each tick. Its gauges keep their last
 * values meanwhile: only the source knows which they are.
 */

import { SOURCES } from '../sources/index.ts';
import type { Roots, SourceInstance, SourceWriter } from '../sources/source.ts';
import { Contributor } from './contributor.ts';
import type { Scope } from './scope.ts';

/** Writes to a scope in the way sources speak. */
export function sourceWriter(scope: Scope, host: string): SourceWriter {
  const contributor = new Contributor(scope, 0, host);
  const counters = new Map<number, number>();
  return {
    counter(name, doc) {
      const place = scope.register(name, doc, 'counter');
      if ('refused' in place) throw new Error(`counter ${name}: ${place.refused}`);
      const known = counters.get(place.index);
      if (known !== undefined) return known;
      const local = contributor.addCounter(place.index);
      counters.set(place.index, local);
      return local;
    },
    gauge(name, doc) {
      const place = scope.register(name, doc, 'gauge');
      if ('refused' in place) throw new Error(`gauge ${name}: ${place.refused}`);
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
  close(): void;
}

/** A source that fails anew is reported again after this time at the earliest, in ms, and then after twice as long. */
const QUIET = 600_000;

interface OpenSource {
  readonly name: string;
  readonly instance: SourceInstance;
  failing: boolean;
  /** Not reported before this time: warnings are kept, and a source may come and go for months. */
  quietUntil: number;
  quiet: number;
}

/** `now`: a monotonic clock, ms. */
export function openSources(
  roots: Roots,
  out: SourceWriter,
  warn: (message: string) => void,
  now: () => number = () => performance.now(),
): NodeSources {
  const open: OpenSource[] = [];
  const report = (source: OpenSource, error: unknown): void => {
    if (now() < source.quietUntil) return;
    warn(`the ${source.name} source fails: ${String(error)}`);
    source.quietUntil = now() + source.quiet;
    source.quiet *= 2;
  };
  for (const source of SOURCES) {
    try {
      const instance = source.open(roots);
      if (instance) open.push({ name: source.name, instance, failing: false, quietUntil: -Infinity, quiet: QUIET });
    } catch (error) {
      warn(`the ${source.name} source does not start: ${String(error)}`);
    }
  }
  return {
    sample(seconds) {
      for (const source of open) {
        try {
          source.instance.sample(out, seconds);
          source.failing = false;
        } catch (error) {
          if (!source.failing) report(source, error);
          source.failing = true;
        }
      }
    },
    close() {
      for (const source of open) source.instance.close();
    },
  };
}
