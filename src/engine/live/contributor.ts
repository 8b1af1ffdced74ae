/**
 * One writer to a scope: a client (a rank of a run), or the node's sources. Keeps its own values, so that it can be
 * shown alone and can leave; everything it writes is in the scope's columns too.
 *
 * A contributor numbers only the series it has itself; `counterMap` and `gaugeMap` lead to the scope's.
 */

import { GAUGE_WIDTH, type Gauge } from '../../shared/model/values.ts';
import { noteChange } from './changes.ts';
import { growFloat64, NO_DOUBLES, NO_INTS, SAME } from './columns.ts';
import type { Scope } from './scope.ts';

/** Grows with every write that `last` must tell apart; shared by all scopes. */
let writes = 0;

export class Contributor {
  readonly scope: Scope;
  /** Number among the run's ranks: the one that it says, else by arrival. Only the run's rows change it. */
  rank: number;
  /** Host it runs on. */
  readonly node: string;

  counterCount = 0;
  counterMap: Int32Array = NO_INTS;
  counters: Float64Array = NO_DOUBLES;
  /** When each counter was last written; only kept where a rule may ask for it. */
  #counterOrder: Float64Array | null = null;

  gaugeCount = 0;
  gaugeMap: Int32Array = NO_INTS;
  gauges: Float64Array = NO_DOUBLES;
  gaugeOrder: Float64Array = NO_DOUBLES;
  /** The scope's index to the own one, where they differ. */
  #gaugePlaces: Map<number, number> | null = null;
  readonly #counterPlaces: Map<number, number> | null;

  /** `shared`: several clients write to it. */
  constructor(scope: Scope, rank: number, node: string, shared = false) {
    this.#counterPlaces = shared ? new Map() : null;
    this.scope = scope;
    this.rank = rank;
    this.node = node;
    scope.attach(this);
  }

  /** Values of its own. */
  get values(): number {
    return this.counterCount + this.gaugeCount;
  }

  /** Own place of the scope's counter `index`. Call once per series; when shared, the same one when called again. */
  addCounter(index: number): number {
    const known = this.#counterPlaces?.get(index);
    if (known !== undefined) return known;
    const local = this.counterCount++;
    this.#counterPlaces?.set(index, local);
    this.counterMap = SAME.append(this.counterMap, local, index);
    this.counters = growFloat64(this.counters, this.counterCount);
    if (this.#counterOrder || this.scope.isRuled(index)) {
      this.#counterOrder = growFloat64(this.#counterOrder ?? NO_DOUBLES, this.counterCount);
    }
    return local;
  }

  /** Own place of the scope's gauge `index`, the same one when called again. */
  addGauge(index: number): number {
    const known = this.#gaugePlace(index);
    if (known !== undefined) return known;
    const local = this.gaugeCount++;
    this.gaugeMap = SAME.append(this.gaugeMap, local, index);
    this.gauges = growFloat64(this.gauges, GAUGE_WIDTH * this.gaugeCount);
    this.gaugeOrder = growFloat64(this.gaugeOrder, this.gaugeCount);
    if (local !== index) (this.#gaugePlaces ??= new Map()).set(index, local);
    this.gauges.set([Infinity, -Infinity, 0, 0], GAUGE_WIDTH * local);
    return local;
  }

  #gaugePlace(index: number): number | undefined {
    if (index < this.gaugeCount && this.gaugeMap[index] === index) return index;
    return this.#gaugePlaces?.get(index);
  }

  /** Adds to a counter; false when the sum would no longer be a finite number: nothing is added then. */
  increase(local: number, by: number): boolean {
    const index = this.counterMap[local]!;
    // Under a rule the scope's number may be smaller than this contributor's.
    if (this.scope.counters[index]! + by === Infinity || this.counters[local]! + by === Infinity) return false;
    this.counters[local]! += by;
    if (this.#counterOrder) this.#counterOrder[local] = ++writes;
    this.scope.increase(index, by);
    noteChange();
    return true;
  }

  /**
   * Adds to many counters: 2 × own place each. Returns how many sums would no longer be finite; nothing is added to those.
   */
  increaseMany(handles: Int32Array, by: Float64Array, count: number): number {
    const { counterMap, counters, scope } = this;
    const { counters: totals, counterBits } = scope;
    let refused = 0;
    for (let i = 0; i < count; i++) {
      const local = handles[i]! >>> 1;
      const index = counterMap[local]!;
      const own = counters[local]! + by[i]!;
      const total = totals[index]! + by[i]!;
      if (own === Infinity || total === Infinity) {
        refused++;
        continue;
      }
      counters[local] = own;
      if (this.#counterOrder) this.#counterOrder[local] = ++writes;
      totals[index] = total;
      counterBits[index >>> 3]! |= 1 << (index & 7);
    }
    noteChange();
    return refused;
  }

  /** Replaces this contributor's total, for numbers that are already cumulative where they come from. */
  setTotal(local: number, total: number): void {
    const before = this.counters[local]!;
    if (before === total) return;
    const index = this.counterMap[local]!;
    this.counters[local] = total;
    if (this.#counterOrder) this.#counterOrder[local] = ++writes;
    // Taken out and put in, not "plus the difference": exact when this is the only contributor.
    const others = this.scope.counters[index]! - before;
    this.scope.counters[index] = others;
    this.scope.increase(index, total);
    noteChange();
  }

  /** A gauge replaces this contributor's earlier one. */
  setGauge(local: number, min: number, max: number, hits: number, total: number): void {
    const at = GAUGE_WIDTH * local;
    const held = this.gauges[at + 2]! > 0;
    this.gauges[at] = min;
    this.gauges[at + 1] = max;
    this.gauges[at + 2] = hits;
    this.gauges[at + 3] = total;
    this.gaugeOrder[local] = ++writes;
    noteChange();
    this.scope.markGauge(this.gaugeMap[local]!, (hits > 0 ? 1 : 0) - (held ? 1 : 0));
  }

  gauge(local: number): Gauge {
    const at = GAUGE_WIDTH * local;
    const g = this.gauges;
    return { min: g[at]!, max: g[at + 1]!, hits: g[at + 2]!, total: g[at + 3]! };
  }

  /** This contributor's part of the scope's counter `index`, or null. A search: for rare questions only. */
  counterOf(index: number): { value: number; order: number } | null {
    let value: number | null = null;
    let order = 0;
    for (let i = 0; i < this.counterCount; i++) {
      if (this.counterMap[i] !== index) continue;
      value = (value ?? 0) + this.counters[i]!;
      order = Math.max(order, this.#counterOrder?.[i] ?? 0);
    }
    return value === null ? null : { value, order };
  }

  gaugeOf(index: number): { gauge: Gauge; order: number } | null {
    const local = this.#gaugePlace(index);
    return local === undefined ? null : { gauge: this.gauge(local), order: this.gaugeOrder[local]! };
  }

  /** The scope has so much of this counter from an earlier life: it was this contributor's. */
  restore(local: number, total: number): void {
    this.counters[local]! += total;
  }

  /** So much of this counter was not this contributor's, but is another one's of the scope. */
  giveUp(local: number, total: number): void {
    // Twice the same changes no smallest, largest or last one.
    if (this.scope.isRuled(this.counterMap[local]!)) return;
    const left = this.counters[local]! - total;
    // Sums of doubles come in another order.
    this.counters[local] = left > total * 1e-9 ? left : 0;
  }

  /** Leaves the scope. Its own values stay readable. `moved`: they are another one's now. */
  detach(moved = false): void {
    this.scope.detach(this, moved);
  }

  /** Comes back to the scope, which still has its counters. Its gauges have left. */
  reattach(): void {
    for (let i = 0; i < this.gaugeCount; i++) this.gauges.set([Infinity, -Infinity, 0, 0], GAUGE_WIDTH * i);
    this.scope.attach(this);
  }
}
