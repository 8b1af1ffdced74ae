/**
 * Sums over scopes, computed when somebody asks and stored nowhere: `main` is this node and all runs since the start,
 * live and ended; `Node: HOST` is the same for one host.
 */

import { finiteSum, mergeGauge, type Gauge, type Kind } from '../../shared/model/values.ts';
import { Scope } from './scope.ts';
import { MergedView } from './view.ts';

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
    for (const sample of new MergedView().update([{ scope }]).samples()) this.add(sample);
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

/**
 * Counters of runs that ended since the start: without them `main` would fall when a run ends. As many different ones as
 * a scope may have are remembered.
 */
export class EndedTotals {
  /** Has no contributors. */
  readonly scope = new Scope('ended', 'run');

  addRun(run: Scope): void {
    run.settle();
    const { scope } = this;
    for (let i = 0; i < run.counterCount; i++) {
      const index = this.#placeOf(run, i);
      if (index < 0) continue;
      scope.putCounter(index, finiteSum(scope.counters[index]!, run.counters[i]!));
      scope.counterChanged[index] = Math.max(scope.counterChanged[index]!, run.counterChanged[i]!);
    }
    // Nobody makes frames of it.
    scope.clear();
  }

  /** By the bytes of its name where it is known: a thousand runs of one program may end at once. */
  #placeOf(run: Scope, index: number): number {
    const { table } = run;
    const { names } = table;
    const entry = table.keyEntry('counter', index);
    const start = names.start(entry);
    const known = this.scope.table.names.find(names.bytes, start, start + names.length(entry), names.hash(entry));
    if (known >= 0) return this.scope.table.place(known) >>> 1;
    const { name, doc } = table.def('counter', index);
    const place = this.scope.register(name, doc, 'counter');
    return 'index' in place ? place.index : -1;
  }

  addTo(merge: Merge): void {
    merge.addScope(this.scope);
  }
}
