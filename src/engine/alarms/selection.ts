/**
 * The series that a pattern of scopes and a selector mean, as columns of their present values. Rules that mean the same
 * share one selection.
 */

import { hasBit, setBit } from '../../shared/frame.ts';
import { MAX_RULE_SERIES, type RuleScope } from '../../shared/api/alarms.ts';
import { GAUGE_WIDTH, type Kind } from '../../shared/model/values.ts';
import { growBits, growFloat64, growInt32, NO_BITS, NO_DOUBLES, NO_INTS } from '../live/columns.ts';
import { placeOf } from '../live/series-table.ts';
import type { Selector } from '../store/selector.ts';
import { matchesScope, meets, named, type Named, type Source, type SourceAbout } from './match.ts';
import type { Since } from './moment.ts';

/** A scope, or a merge, that is watched. */
export interface Binding {
  readonly source: Source;
  /** Null: of a merge. */
  about: SourceAbout | null;
  /** Series that were looked at. */
  counters: number;
  gauges: number;
  /** Its last sample. */
  since: Since;
  /** There was time after that in which nobody watched. */
  missed: boolean;
  /** Those that mean this scope, and their parts of it. */
  readonly segments: Map<Selection, Segment>;
}

export const mergeId = (name: string): string => `merge/${name}`;

/** Whether a pattern of scopes means this one. */
export const meansBinding = (scope: RuleScope, { about, source }: Binding): boolean =>
  scope.kind === 'merge' ? source.id === mergeId(scope.name) : about !== null && matchesScope(scope, about);

/** Series of one scope. */
export class Segment {
  readonly binding: Binding;
  count = 0;
  /** Where each stands in the source: 2 × index + 1 for a gauge. */
  places: Int32Array = NO_INTS;
  /** A counter's total, a gauge's mean; NaN: nothing is known. */
  values: Float64Array = NO_DOUBLES;
  /** The observed clock of the last sample. */
  sampled: number;
  /** Numbers that say since when a series is silent count from here. */
  #silentFrom: Float64Array = NO_DOUBLES;
  #silentBits: Uint8Array = NO_BITS;
  /** Series that told nothing at the last sample. */
  silentCount = 0;
  /** There is a sample of this tick. */
  fresh = false;

  constructor(binding: Binding, clock: number) {
    this.binding = binding;
    this.sampled = clock;
  }

  add(kind: Kind, index: number): void {
    const at = this.count++;
    this.places = growInt32(this.places, this.count);
    this.places[at] = placeOf(kind, index);
    this.values = growFloat64(this.values, this.count);
    this.values[at] = NaN;
  }

  key(slot: number): string {
    const place = this.places[slot]!;
    return this.binding.source.table.key((place & 1) === 1 ? 'gauge' : 'counter', place >>> 1);
  }

  isCounter(slot: number): boolean {
    return (this.places[slot]! & 1) === 0;
  }

  /** How long a series has told nothing, observed ms. */
  silent(slot: number, clock: number): number {
    if (this.silentCount > 0 && hasBit(this.#silentBits, slot)) return clock - this.#silentFrom[slot]!;
    return clock - this.sampled;
  }

  /** Takes the source's present values. `clock`: observed time. */
  read(clock: number): void {
    const { source } = this.binding;
    const { counters, gauges } = source;
    const { count, places, values } = this;
    let silent = 0;
    for (let i = 0; i < count; i++) {
      const place = places[i]!;
      const index = place >>> 1;
      if ((place & 1) === 0) values[i] = counters[index]!;
      else {
        const at = GAUGE_WIDTH * index;
        const hits = gauges[at + 2]!;
        values[i] = hits > 0 ? gauges[at + 3]! / hits : NaN;
      }
      const value = values[i]!;
      if (value !== value) silent++;
    }
    if (silent > 0 || this.silentCount > 0) this.#noteSilence(silent);
    this.sampled = clock;
    this.fresh = true;
  }

  #noteSilence(silent: number): void {
    this.#silentBits = growBits(this.#silentBits, this.count);
    this.#silentFrom = growFloat64(this.#silentFrom, this.count);
    for (let i = 0; i < this.count; i++) {
      const value = this.values[i]!;
      if (value === value) this.#silentBits[i >>> 3]! &= ~(1 << (i & 7));
      else if (!hasBit(this.#silentBits, i)) {
        setBit(this.#silentBits, i);
        // Since the sample before, at which it told something or was not there.
        this.#silentFrom[i] = this.sampled;
      }
    }
    this.silentCount = silent;
  }
}

export class Selection {
  readonly key: string;
  readonly scope: RuleScope;
  readonly selector: Selector;
  readonly segments = new Map<Binding, Segment>();
  /** Series of all segments. */
  count = 0;
  /** Series that match and are left out. */
  leftOut = 0;
  /** What is made of it. */
  users = 0;

  readonly #room: { left: number };

  /** `room`: series that this selection and others may still take. */
  constructor(key: string, scope: RuleScope, selector: Selector, room: { left: number }) {
    this.key = key;
    this.scope = scope;
    this.selector = selector;
    this.#room = room;
  }

  add(binding: Binding, kind: Kind, index: number, clock: number): void {
    if (this.count >= MAX_RULE_SERIES || this.#room.left <= 0) {
      this.leftOut++;
      return;
    }
    this.count++;
    this.#room.left--;
    let segment = this.segments.get(binding);
    if (!segment) {
      segment = new Segment(binding, clock);
      this.segments.set(binding, segment);
      binding.segments.set(this, segment);
    }
    segment.add(kind, index);
  }

  drop(binding: Binding): Segment | null {
    const segment = this.segments.get(binding);
    if (!segment) return null;
    this.count -= segment.count;
    this.#room.left += segment.count;
    this.segments.delete(binding);
    binding.segments.delete(this);
    return segment;
  }
}

/** Selections by the family, and by the label that they name: a series is compared with those that can mean it. */
class Index {
  readonly #of = new Map<string, Selection[]>();

  constructor(selections: Iterable<Selection>) {
    for (const selection of selections) {
      const { family } = selection.selector;
      const exact = selection.selector.exact();
      const key = exact ? labelKey(family, exact.label, exact.value) : familyKey(family);
      const list = this.#of.get(key) ?? [];
      list.push(selection);
      this.#of.set(key, list);
    }
  }

  *of({ family, labels }: Named): Generator<Selection, void> {
    for (const name of [family, null]) {
      yield* this.#of.get(familyKey(name)) ?? [];
      for (const [label, value] of labels) yield* this.#of.get(labelKey(name, label, value)) ?? [];
    }
  }
}

const familyKey = (family: string | null): string => (family === null ? '' : `=${family}`);
const labelKey = (family: string | null, label: string, value: string): string =>
  `${familyKey(family)}\n${label}\n${value}`;

type Range = readonly [from: number, to: number];

/** What comparing a series with a selector takes, in units of some 10 ns; with a regular expression. */
const [COST, PATTERN_COST] = [1, 300];

/** Lets selections have a look at series of a scope, of each kind from one index up to another: bit by bit. */
export class Learning {
  readonly binding: Binding;
  #selections: readonly Selection[];
  #index: Index;
  readonly #left: { readonly kind: Kind; from: number; readonly to: number }[];

  constructor(binding: Binding, selections: readonly Selection[], counters: Range, gauges: Range) {
    this.binding = binding;
    this.#selections = selections;
    this.#index = new Index(selections);
    const of = (kind: Kind, [from, to]: Range): { kind: Kind; from: number; to: number } => ({ kind, from, to });
    this.#left = selections.length === 0 ? [] : [of('counter', counters), of('gauge', gauges)];
  }

  /** Goes on for about so many units. Returns how many are left; 0: it has not come to its end. */
  run(room: number, clock: number): number {
    const { binding } = this;
    const { table } = binding.source;
    // Rules may have gone, and scopes changed, since the last time.
    const meant = this.#selections.filter(({ users, scope }) => users > 0 && meansBinding(scope, binding));
    if (meant.length < this.#selections.length) [this.#selections, this.#index] = [meant, new Index(meant)];
    let units = room;
    for (const range of this.#left) {
      for (; range.from < range.to; range.from++) {
        if (units <= 0) return 0;
        const name = named(table.key(range.kind, range.from));
        units -= 50;
        for (const selection of this.#index.of(name)) {
          units -= selection.selector.hasPatterns ? PATTERN_COST : COST;
          if (meets(selection.selector, name)) selection.add(binding, range.kind, range.from, clock);
        }
      }
    }
    return Math.max(1, units);
  }
}
