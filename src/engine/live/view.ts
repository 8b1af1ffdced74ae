/**
 * Several scopes as one, kept from one question to the next: which series of theirs are the same metric is looked up
 * when a series or a scope is new, so that a question only adds numbers. A metric keeps its first kind; series of
 * another kind are left out and counted.
 */

import { finiteSum, GAUGE_WIDTH, type Kind } from '../../shared/model/values.ts';
import { growFloat64, growInt32, NO_DOUBLES, NO_INTS } from './columns.ts';
import type { Sample } from './merges.ts';
import type { Scope } from './scope.ts';
import { placeOf, SeriesTable } from './series-table.ts';

export interface Part {
  readonly scope: Scope;
  /** Only those of its series that no part before it has. */
  readonly rest?: boolean;
}

/** A part, and the view's index of each of its series; -1: left out. */
interface Mapped {
  readonly scope: Scope;
  readonly rest: boolean;
  readonly maps: Record<Kind, { to: Int32Array; count: number }>;
}

const KINDS = ['counter', 'gauge'] as const;
const countOf = (scope: Scope, kind: Kind): number => (kind === 'counter' ? scope.counterCount : scope.gaugeCount);

export class MergedView {
  table = new SeriesTable();
  /** Places (2 × index + 1 for a gauge) in the order in which they came. Only ever appended to, until `version` changes. */
  places: Int32Array = NO_INTS;
  count = 0;
  /** Grows when what was known of the series is not true any more. */
  version = 0;
  counters: Float64Array = NO_DOUBLES;
  gauges: Float64Array = NO_DOUBLES;
  /** Last change, ms since the epoch. */
  counterChanged: Float64Array = NO_DOUBLES;
  gaugeChanged: Float64Array = NO_DOUBLES;
  /** Series left out because another one of that name is of another kind. */
  conflicts = 0;
  /** Parts that have each series; 0: it is no more. By place. */
  #holders: Int32Array = NO_INTS;
  #unheld = 0;
  #parts: Mapped[] = [];

  /** The series at this place of the view is there. */
  has(place: number): boolean {
    return this.#holders[place]! > 0;
  }

  /** How many parts have the series at this place. */
  holders(place: number): number {
    return this.#holders[place]!;
  }

  /** Brings the view to the present values of these parts, settled. */
  update(parts: readonly Part[]): this {
    if (!this.#follow(parts)) {
      this.#clear();
      this.#follow(parts);
    }
    this.#sum();
    return this;
  }

  #clear(): void {
    this.table = new SeriesTable();
    this.#parts = [];
    this.#holders = NO_INTS;
    this.#unheld = 0;
    this.count = 0;
    this.conflicts = 0;
    this.version++;
  }

  /** Learns what is new. False: begin anew. */
  #follow(parts: readonly Part[]): boolean {
    const present = new Set(parts.map(({ scope }) => scope));
    const gone = this.#parts.filter(({ scope }) => !present.has(scope));
    const known = this.#parts.filter(({ scope }) => present.has(scope));
    const hasRest = parts.some(({ rest }) => rest === true);
    // What a part before it gets later is not the rest's any more.
    if (hasRest && known.length > 0 && (gone.length > 0 || known.some((part) => isBehind(part)))) return false;
    for (const part of gone) this.#drop(part);
    for (const [i, { scope, rest }] of parts.entries()) {
      const before = known[i];
      if (before && before.scope !== scope) return false;
      if (before) continue;
      const maps = { counter: { to: NO_INTS, count: 0 }, gauge: { to: NO_INTS, count: 0 } };
      known.push({ scope, rest: rest === true, maps });
    }
    this.#parts = known;
    for (const part of known) for (const kind of KINDS) if (!this.#learn(part, kind)) return false;
    // Names of what is no more are not kept for ever.
    return this.#unheld <= 1000 + this.count / 2;
  }

  #drop({ maps }: Mapped): void {
    for (const kind of KINDS) {
      const { to, count } = maps[kind];
      for (let i = 0; i < count; i++) {
        if (to[i]! < 0) continue;
        const place = placeOf(kind, to[i]!);
        if (--this.#holders[place]! === 0) this.#unheld++;
      }
    }
  }

  /** Finds the places of a part's new series. False: a metric could change its kind. */
  #learn(part: Mapped, kind: Kind): boolean {
    const { scope, maps } = part;
    const map = maps[kind];
    const count = countOf(scope, kind);
    if (map.count === count) return true;
    const { table } = scope;
    map.to = growInt32(map.to, count);
    for (; map.count < count; map.count++) {
      const index = map.count;
      map.to[index] = -1;
      const entry = table.keyEntry(kind, index);
      const start = table.names.start(entry);
      const end = start + table.names.length(entry);
      const known = this.table.names.find(table.names.bytes, start, end, table.names.hash(entry));
      let place = known < 0 ? -1 : this.table.place(known);
      if (place < 0) {
        const { name, doc } = table.def(kind, index);
        place = placeOf(kind, this.table.add(kind, table.key(kind, index), name, doc));
        this.#append(place);
      } else if ((place & 1) !== (kind === 'gauge' ? 1 : 0)) {
        if (this.#holders[place] === 0) return false;
        this.conflicts++;
        continue;
      } else if (part.rest) continue;
      if (this.#holders[place]!++ === 0) this.#unheld--;
      map.to[index] = place >>> 1;
    }
    return true;
  }

  #append(place: number): void {
    this.places = growInt32(this.places, this.count + 1);
    this.places[this.count++] = place;
    const before = this.#holders.length;
    this.#holders = growInt32(this.#holders, place + 1);
    if (before > place) this.#holders[place] = 0;
    this.#unheld++;
    const [counters, gauges] = [this.table.count('counter'), this.table.count('gauge')];
    this.counters = growFloat64(this.counters, counters);
    this.counterChanged = growFloat64(this.counterChanged, counters);
    this.gauges = growFloat64(this.gauges, GAUGE_WIDTH * gauges);
    this.gaugeChanged = growFloat64(this.gaugeChanged, gauges);
  }

  #sum(): void {
    this.counters.fill(0);
    this.counterChanged.fill(0);
    this.gaugeChanged.fill(0);
    for (let i = 0; i < this.gauges.length; i += GAUGE_WIDTH) {
      this.gauges[i] = Infinity;
      this.gauges[i + 1] = -Infinity;
      this.gauges[i + 2] = 0;
      this.gauges[i + 3] = 0;
    }
    for (const { scope, maps } of this.#parts) {
      scope.settle();
      this.#addCounters(scope, maps.counter.to);
      this.#addGauges(scope, maps.gauge.to);
    }
  }

  #addCounters(scope: Scope, to: Int32Array): void {
    const { counters, counterChanged } = this;
    for (let i = 0; i < scope.counterCount; i++) {
      const at = to[i]!;
      if (at < 0) continue;
      counters[at] = finiteSum(counters[at]!, scope.counters[i]!);
      if (scope.counterChanged[i]! > counterChanged[at]!) counterChanged[at] = scope.counterChanged[i]!;
    }
  }

  #addGauges(scope: Scope, to: Int32Array): void {
    const { gauges, gaugeChanged } = this;
    for (let i = 0; i < scope.gaugeCount; i++) {
      if (to[i]! < 0) continue;
      const [at, from] = [GAUGE_WIDTH * to[i]!, GAUGE_WIDTH * i];
      if (scope.gaugeChanged[i]! > gaugeChanged[to[i]!]!) gaugeChanged[to[i]!] = scope.gaugeChanged[i]!;
      // What an unset gauge says of min, max and total means nothing.
      if (scope.gauges[from + 2] === 0) continue;
      gauges[at] = Math.min(gauges[at]!, scope.gauges[from]!);
      gauges[at + 1] = Math.max(gauges[at + 1]!, scope.gauges[from + 1]!);
      gauges[at + 2] = finiteSum(gauges[at + 2]!, scope.gauges[from + 2]!);
      gauges[at + 3] = finiteSum(gauges[at + 3]!, scope.gauges[from + 3]!);
    }
  }

  /** A gauge's total / hits, a counter's total; NaN: nobody has set it, or it is no more. */
  value(place: number): number {
    if (this.#holders[place] === 0) return NaN;
    const index = place >>> 1;
    if ((place & 1) === 0) return this.counters[index]!;
    const hits = this.gauges[GAUGE_WIDTH * index + 2]!;
    return hits > 0 ? this.gauges[GAUGE_WIDTH * index + 3]! / hits : NaN;
  }

  /** All series with their values, one at a time. */
  *samples(): Generator<Sample, void> {
    for (let i = 0; i < this.count; i++) {
      const place = this.places[i]!;
      if (!this.has(place)) continue;
      const index = place >>> 1;
      const kind = (place & 1) === 1 ? 'gauge' : 'counter';
      const { name, doc } = this.table.def(kind, index);
      const metric = { name, key: this.table.key(kind, index), family: this.table.family(kind, index), doc };
      if (kind === 'counter') {
        yield { ...metric, kind, counter: this.counters[index]!, gauge: null, changed: this.counterChanged[index]! };
        continue;
      }
      const [min, max, hits, total] = this.gauges.subarray(GAUGE_WIDTH * index, GAUGE_WIDTH * (index + 1));
      const gauge = { min: min!, max: max!, hits: hits!, total: total! };
      yield { ...metric, kind, counter: 0, gauge, changed: this.gaugeChanged[index]! };
    }
  }
}

const isBehind = ({ scope, maps }: Mapped): boolean => KINDS.some((kind) => maps[kind].count < countOf(scope, kind));
