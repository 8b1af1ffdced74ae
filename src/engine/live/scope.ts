/**
 * The numbers of one scope as typed columns, and who contributes to them.
 *
 * Series are numbered per kind in the order they come and are only ever appended, so that a frame is a slice of the
 * columns. Counters are kept current by every increase. Gauges, and counters under a merge rule, need all contributors
 * to be looked at: they are marked, and settled once per tick or when somebody reads.
 */

import type { Columns } from '../../shared/frame.ts';
import { hasBit, setBit } from '../../shared/frame.ts';
import { parseMetric, refuseMetricName, type NameRefusal } from '../../shared/model/metric.ts';
import type { ScopeId, ScopeKind } from '../../shared/model/scope.ts';
import type { SeriesDef } from '../../shared/model/series.ts';
import { finiteSum, GAUGE_WIDTH, type Gauge, type Kind } from '../../shared/model/values.ts';
import { noteChange } from './changes.ts';
import { growBits, growFloat64, growInt32, NO_BITS, NO_DOUBLES, NO_INTS } from './columns.ts';
import type { Contributor } from './contributor.ts';
import { mergeGauges, mergeNumbers, type MergeRule, type MergeRules } from './merge.ts';
import { SeriesTable } from './series-table.ts';

export type SeriesRefusal = NameRefusal | 'type_conflict' | 'too_many_series';

/** The place of a series, or why there is none. */
export type Registered = { readonly index: number } | { readonly refused: SeriesRefusal };

/** A scope with more series than this takes no new ones: a client that makes names up must not fill the memory. */
export const MAX_SERIES_PER_SCOPE = 200_000;
/** Those that were retired keep their numbers, by which history knows them, and so some 150 bytes each. */
export const MAX_NUMBERS_PER_SCOPE = 500_000;

const NO_RULES: MergeRules = new Map();

interface Ruled {
  readonly rule: MergeRule;
  left: { value: number; order: number }[];
}

export class Scope implements Columns {
  readonly id: ScopeId;
  readonly kind: ScopeKind;

  counterCount = 0;
  gaugeCount = 0;
  counters: Float64Array = NO_DOUBLES;
  gauges: Float64Array = NO_DOUBLES;
  /** Changed since the last tick; what a frame carries. */
  counterBits: Uint8Array = NO_BITS;
  gaugeBits: Uint8Array = NO_BITS;
  /** Series that history keeps every ten seconds only. Live views have them at every tick all the same. */
  detailCounters: Uint8Array = NO_BITS;
  detailGauges: Uint8Array = NO_BITS;
  hasDetail = false;
  /** Time of the last change, ms since the epoch, to the tick. */
  counterChanged: Float64Array = NO_DOUBLES;
  gaugeChanged: Float64Array = NO_DOUBLES;

  /** Series that nobody sends any more; null: there are none. */
  #retired: Record<Kind, Uint8Array> | null = null;
  #retiredCount = 0;

  /** What the series are called. Others look things up, only this scope appends. */
  readonly table: SeriesTable;
  readonly #contributors = new Set<Contributor>();
  readonly #rules: MergeRules;

  /** Gauges that somebody wrote since they were settled. */
  #gaugeDirty: Uint8Array = NO_BITS;
  #anyGaugeDirty = false;
  /** Contributors that have a value for each gauge: tells at once whether a leaving one was the last. */
  #gaugeHolders: Int32Array = NO_INTS;
  /** Last values of gauges whose contributors are all gone: they stay to the end of the run. */
  #leftGauges: Map<number, Gauge> | null = null;
  /** Counters under a rule, and what ended contributors left in them. */
  #ruled: Map<number, Ruled> | null = null;
  #ruledGauges: Map<number, MergeRule> | null = null;

  constructor(id: ScopeId, kind: ScopeKind, rules: MergeRules = NO_RULES) {
    this.id = id;
    this.kind = kind;
    this.#rules = rules;
    // A thousand exporters of one kind have the same names.
    this.table = new SeriesTable(kind === 'target');
  }

  get seriesCount(): number {
    return this.counterCount + this.gaugeCount;
  }

  /** Series without those that were retired: what limits count. */
  get livingCount(): number {
    return this.seriesCount - this.#retiredCount;
  }

  /** A new series would be taken. */
  get hasRoom(): boolean {
    return this.livingCount < MAX_SERIES_PER_SCOPE && this.seriesCount < MAX_NUMBERS_PER_SCOPE;
  }

  isRetired(kind: Kind, index: number): boolean {
    const bits = this.#retired?.[kind];
    return bits !== undefined && index < 8 * bits.length && hasBit(bits, index);
  }

  /**
   * Nobody has sent this series for long: it counts for no limit, and lists of values are without it. Its number stays,
   * by which live readers and history know it, and in sums stays what a counter counted. It is as before once it is
   * registered or revived.
   */
  retire(kind: Kind, index: number): void {
    if (this.isRetired(kind, index)) return;
    const all = (this.#retired ??= { counter: NO_BITS, gauge: NO_BITS });
    all[kind] = growBits(all[kind], index + 1);
    setBit(all[kind], index);
    this.#retiredCount++;
    noteChange();
  }

  revive(kind: Kind, index: number): void {
    if (this.#retired === null || !this.isRetired(kind, index)) return;
    this.#retired[kind][index >>> 3]! &= ~(1 << (index & 7));
    this.#retiredCount--;
    noteChange();
  }

  get contributors(): ReadonlySet<Contributor> {
    return this.#contributors;
  }

  /** Definitions in the order of the kind's columns, from one index up to another. Made anew by each call. */
  defs(kind: Kind, from = 0, to = kind === 'counter' ? this.counterCount : this.gaugeCount): SeriesDef[] {
    return [...this.table.defs(kind, from, to)];
  }

  /** All definitions: counters, then gauges. */
  allDefs(): SeriesDef[] {
    return [...this.defs('counter'), ...this.defs('gauge')];
  }

  /** Place of a series by its canonical key. */
  find(key: string): { kind: Kind; index: number } | null {
    const place = this.table.find(key);
    return place < 0 ? null : { kind: (place & 1) === 1 ? 'gauge' : 'counter', index: place >>> 1 };
  }

  /** Registers a series, or finds the one that has this name. A metric's kind is fixed per scope: the first one wins. */
  register(name: string, doc: string, kind: Kind): Registered {
    const spelled = this.find(name);
    if (spelled) return this.#known(spelled, kind);
    const refused = refuseMetricName(name);
    if (refused) return { refused };
    const metric = parseMetric(name);
    const known = metric.key === name ? null : this.find(metric.key);
    if (known) return this.#known(known, kind);
    if (!this.hasRoom) return { refused: 'too_many_series' };
    const rule = this.#rules.get(metric.family);
    const index = kind === 'counter' ? this.#appendCounter(rule) : this.#appendGauge(rule);
    this.table.add(kind, metric.key, name, doc);
    noteChange();
    return { index };
  }

  #known({ kind, index }: { kind: Kind; index: number }, asked: Kind): Registered {
    if (kind !== asked) return { refused: 'type_conflict' };
    if (this.isRetired(kind, index)) {
      if (this.livingCount >= MAX_SERIES_PER_SCOPE) return { refused: 'too_many_series' };
      this.revive(kind, index);
    }
    return { index };
  }

  markDetail(kind: Kind, index: number): void {
    this.detailCounters = growBits(this.detailCounters, this.counterCount);
    this.detailGauges = growBits(this.detailGauges, this.gaugeCount);
    setBit(kind === 'counter' ? this.detailCounters : this.detailGauges, index);
    this.hasDetail = true;
  }

  /** A counter whose contributions do not simply add. */
  isRuled(index: number): boolean {
    return this.#ruled !== null && this.#ruled.has(index);
  }

  #appendCounter(rule: MergeRule | undefined): number {
    const index = this.counterCount++;
    this.counters = growFloat64(this.counters, this.counterCount);
    this.counterBits = growBits(this.counterBits, this.counterCount);
    this.counterChanged = growFloat64(this.counterChanged, this.counterCount);
    // A new series is in the next frame even if it stays 0.
    setBit(this.counterBits, index);
    if (rule && rule !== 'sum') (this.#ruled ??= new Map()).set(index, { rule, left: [] });
    return index;
  }

  #appendGauge(rule: MergeRule | undefined): number {
    const index = this.gaugeCount++;
    this.gauges = growFloat64(this.gauges, GAUGE_WIDTH * this.gaugeCount);
    this.gaugeBits = growBits(this.gaugeBits, this.gaugeCount);
    this.gaugeChanged = growFloat64(this.gaugeChanged, this.gaugeCount);
    this.#gaugeDirty = growBits(this.#gaugeDirty, this.gaugeCount);
    this.#gaugeHolders = growInt32(this.#gaugeHolders, this.gaugeCount);
    this.#writeGauge(index, Infinity, -Infinity, 0, 0);
    setBit(this.gaugeBits, index);
    if (rule) (this.#ruledGauges ??= new Map()).set(index, rule);
    return index;
  }

  /** A contributor counted `by` more. The caller has checked that it is finite and not negative. */
  increase(index: number, by: number): void {
    this.counters[index]! += by;
    this.counterBits[index >>> 3]! |= 1 << (index & 7);
  }

  /** A contributor wrote a gauge; `holders` is +1 when it has a value now and had none, -1 the other way round. */
  markGauge(index: number, holders: number): void {
    this.#gaugeHolders[index]! += holders;
    if (holders > 0) this.#leftGauges?.delete(index);
    this.#gaugeDirty[index >>> 3]! |= 1 << (index & 7);
    this.#anyGaugeDirty = true;
  }

  attach(contributor: Contributor): void {
    this.#contributors.add(contributor);
  }

  /**
   * Counters stay in the sum; gauges leave it, unless nobody else has a value for them. `moved`: all that it had is
   * another contributor's now.
   */
  detach(contributor: Contributor, moved = false): void {
    if (!this.#contributors.delete(contributor)) return;
    noteChange();
    for (let i = 0; i < contributor.gaugeCount; i++) {
      const index = contributor.gaugeMap[i]!;
      const gauge = contributor.gauge(i);
      if (gauge.hits === 0) continue;
      this.markGauge(index, -1);
      if (this.#gaugeHolders[index] === 0) (this.#leftGauges ??= new Map()).set(index, gauge);
    }
    if (moved) return;
    for (const [index, ruled] of this.#ruled ?? []) {
      const value = contributor.counterOf(index);
      if (!value) continue;
      const all = [...ruled.left, value];
      ruled.left = [{ value: mergeNumbers(ruled.rule, all)!, order: Math.max(...all.map((c) => c.order)) }];
    }
  }

  /** Brings gauges and ruled counters up to date. Called before anything reads the columns. */
  settle(): void {
    if (this.#ruled) for (const [index, { rule, left }] of this.#ruled) this.#settleRuled(index, rule, left);
    if (!this.#anyGaugeDirty) return;
    this.#anyGaugeDirty = false;
    this.#mergeDirtyGauges();
    this.#gaugeDirty.fill(0);
  }

  #settleRuled(index: number, rule: MergeRule, left: readonly { value: number; order: number }[]): void {
    const contributions = [...left];
    for (const c of this.#contributors) {
      const value = c.counterOf(index);
      if (value) contributions.push(value);
    }
    const merged = mergeNumbers(rule, contributions);
    if (merged !== null && merged !== this.counters[index]) {
      this.counters[index] = merged;
      setBit(this.counterBits, index);
    }
  }

  /** The default rule without an object per contribution: a pass over the contributors' columns. */
  #mergeDirtyGauges(): void {
    const dirty = this.#gaugeDirty;
    const next = new Float64Array(GAUGE_WIDTH * this.gaugeCount);
    for (let i = 0; i < this.gaugeCount; i++)
      if (hasBit(dirty, i)) next.set([Infinity, -Infinity, 0, 0], GAUGE_WIDTH * i);
    for (const c of this.#contributors) {
      for (let i = 0; i < c.gaugeCount; i++) {
        const index = c.gaugeMap[i]!;
        const from = GAUGE_WIDTH * i;
        if (!hasBit(dirty, index) || (c.gauges[from + 2] ?? 0) === 0) continue;
        const to = GAUGE_WIDTH * index;
        next[to] = Math.min(next[to]!, c.gauges[from]!);
        next[to + 1] = Math.max(next[to + 1]!, c.gauges[from + 1]!);
        next[to + 2] = finiteSum(next[to + 2]!, c.gauges[from + 2]!);
        next[to + 3] = finiteSum(next[to + 3]!, c.gauges[from + 3]!);
      }
    }
    for (let i = 0; i < this.gaugeCount; i++) {
      if (!hasBit(dirty, i)) continue;
      const at = GAUGE_WIDTH * i;
      const rule = this.#ruledGauges?.get(i);
      if ((next[at + 2] ?? 0) === 0) {
        const left = this.#leftGauges?.get(i);
        if (left) this.#writeGauge(i, left.min, left.max, left.hits, left.total);
        else this.#writeGauge(i, Infinity, -Infinity, 0, 0);
      } else if (rule) {
        const all = [...this.#contributors].flatMap((c) => c.gaugeOf(i) ?? []);
        const g = mergeGauges(rule, all);
        this.#writeGauge(i, g.min, g.max, g.hits, g.total);
      } else {
        this.#writeGauge(i, next[at]!, next[at + 1]!, next[at + 2]!, next[at + 3]!);
      }
    }
  }

  #writeGauge(index: number, min: number, max: number, hits: number, total: number): void {
    const at = GAUGE_WIDTH * index;
    const g = this.gauges;
    if (g[at] === min && g[at + 1] === max && g[at + 2] === hits && g[at + 3] === total) return;
    g[at] = min;
    g[at + 1] = max;
    g[at + 2] = hits;
    g[at + 3] = total;
    setBit(this.gaugeBits, index);
  }

  /** Writes a counter as it is, for a scope that copies another's values and has no contributors. */
  putCounter(index: number, total: number): void {
    if (this.counters[index] === total) return;
    this.counters[index] = total;
    setBit(this.counterBits, index);
    noteChange();
  }

  /** Writes a gauge as it is, for a scope that copies another's values and has no contributors. */
  putGauge(index: number, [min, max, hits, total]: Float64Array): void {
    this.#writeGauge(index, min!, max!, hits!, total!);
  }

  /** A gauge's four numbers, settled. */
  gauge(index: number): Gauge {
    const at = GAUGE_WIDTH * index;
    const g = this.gauges;
    return { min: g[at]!, max: g[at + 1]!, hits: g[at + 2]!, total: g[at + 3]! };
  }

  /** Notes the time of change of all that changed since the last tick. Frames are made after this, before `clear`. */
  stamp(time: number): void {
    noteChange();
    stampBits(this.counterBits, this.counterCount, this.counterChanged, time);
    stampBits(this.gaugeBits, this.gaugeCount, this.gaugeChanged, time);
  }

  /** Ends a tick: nothing has changed since. */
  clear(): void {
    this.counterBits.fill(0);
    this.gaugeBits.fill(0);
  }

  /** Takes over the series and values of an earlier life of this scope. Only before anybody contributes. */
  restore(series: readonly SeriesDef[], columns: Columns): void {
    for (const def of series) {
      const place = this.register(def.name, def.doc, def.kind);
      if ('refused' in place) continue;
      if (def.kind === 'counter') {
        this.counters[place.index] = columns.counters[def.index] || 0;
        const ruled = this.#ruled?.get(place.index);
        if (ruled) ruled.left = [{ value: this.counters[place.index]!, order: 0 }];
        continue;
      }
      const [min, max, hits, total] = columns.gauges.subarray(GAUGE_WIDTH * def.index, GAUGE_WIDTH * (def.index + 1));
      if (hits === undefined || !(hits > 0)) continue;
      (this.#leftGauges ??= new Map()).set(place.index, { min: min!, max: max!, hits, total: total! });
      this.markGauge(place.index, 0);
    }
  }
}

/** Whole zero bytes are skipped: most series of most scopes do not change in most ticks. */
function stampBits(bits: Uint8Array, count: number, changed: Float64Array, time: number): void {
  for (let byte = 0; byte < (count + 7) >>> 3; byte++) {
    if (bits[byte] === 0) continue;
    for (let i = 8 * byte; i < Math.min(count, 8 * byte + 8); i++) if (hasBit(bits, i)) changed[i] = time;
  }
}
