/**
 * Sums over scopes, computed when somebody asks and stored nowhere: `main` is this node and all runs since the start,
 * live and ended; `Node: HOST` is the same for one host.
 */

import { parseMetric } from '../../shared/model/metric.ts';
import { finiteSum, mergeGauge, type Gauge, type Kind } from '../../shared/model/values.ts';
import type { Scope } from './scope.ts';

/** One series with its value, of a scope or of a merge of scopes. */
export interface Sample {
  readonly name: string;
  readonly key: string;
  readonly family: string;
  readonly doc: string;
  readonly kind: Kind;
  /** Counters: the total. Gauges: 0. */
  counter: number;
  /** Null for counters. */
  gauge: Gauge | null;
  /** Last change, ms since the epoch; 0: not known. */
  changed: number;
}

/** Merges series of the same metric. A metric keeps its first kind; others of that name are left out and counted. */
export class Merge {
  readonly #samples = new Map<string, Sample>();
  /** Series left out because an earlier contribution of that name was of another kind. */
  conflicts = 0;

  get samples(): Iterable<Sample> {
    return this.#samples.values();
  }

  has(key: string): boolean {
    return this.#samples.has(key);
  }

  /** Adds all of a scope. Settles it first. */
  addScope(scope: Scope): this {
    scope.settle();
    for (const def of scope.defs('counter')) {
      const { key, family } = parseMetric(def.name);
      const [counter, changed] = [scope.counters[def.index]!, scope.counterChanged[def.index]!];
      this.add({ name: def.name, key, family, doc: def.doc, kind: 'counter', counter, gauge: null, changed });
    }
    for (const def of scope.defs('gauge')) {
      const { key, family } = parseMetric(def.name);
      const [gauge, changed] = [scope.gauge(def.index), scope.gaugeChanged[def.index]!];
      this.add({ name: def.name, key, family, doc: def.doc, kind: 'gauge', counter: 0, gauge, changed });
    }
    return this;
  }

  add(sample: Readonly<Sample>): void {
    const known = this.#samples.get(sample.key);
    if (!known) {
      this.#samples.set(sample.key, { ...sample });
      return;
    }
    if (known.kind !== sample.kind) {
      this.conflicts++;
      return;
    }
    known.counter = finiteSum(known.counter, sample.counter);
    if (known.gauge && sample.gauge) known.gauge = mergeGauge(known.gauge, sample.gauge);
    known.changed = Math.max(known.changed, sample.changed);
  }
}

/** Most different counters of ended runs that are remembered for `main`. */
const MAX_ENDED_COUNTERS = 200_000;

/** Counters of runs that ended since the start: without them `main` would fall when a run ends. */
export class EndedTotals {
  readonly #totals = new Merge();
  #count = 0;

  addRun(scope: Scope): void {
    scope.settle();
    for (const def of scope.defs('counter')) {
      const counter = scope.counters[def.index]!;
      const { key, family } = parseMetric(def.name);
      if (!this.#totals.has(key) && this.#count++ >= MAX_ENDED_COUNTERS) continue;
      const changed = scope.counterChanged[def.index]!;
      this.#totals.add({ name: def.name, key, family, doc: def.doc, kind: 'counter', counter, gauge: null, changed });
    }
  }

  addTo(merge: Merge): void {
    for (const sample of this.#totals.samples) merge.add(sample);
  }
}
