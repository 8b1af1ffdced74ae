/**
 * This node's scope: what the sources read, the engine's own figures, and clients without a job.
 *
 * One failing source never fails the rest: it is reported once and tried again at each tick.
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

export function openSources(roots: Roots, out: SourceWriter, warn: (message: string) => void): NodeSources {
  const open: { name: string; instance: SourceInstance; failed: boolean }[] = [];
  for (const source of SOURCES) {
    try {
      const instance = source.open(roots);
      if (instance) open.push({ name: source.name, instance, failed: false });
    } catch (error) {
      warn(`the ${source.name} source does not start: ${String(error)}`);
    }
  }
  return {
    sample(seconds) {
      for (const source of open) {
        try {
          source.instance.sample(out, seconds);
          source.failed = false;
        } catch (error) {
          if (!source.failed) warn(`the ${source.name} source fails: ${String(error)}`);
          source.failed = true;
        }
      }
    },
    close() {
      for (const source of open) source.instance.close();
    },
  };
}
