/**
 * Live readers: who looks at which scope, and what each still has to be sent.
 *
 * A reader that does not keep up is sent fewer frames, never a queue of them: what changed while it was behind is kept
 * as bits, and the next frame it gets carries all of that with the values of then. Knows nothing of WebSockets.
 */

import { encodeFrame, hasBit, setBit } from '../../shared/frame.ts';
import { parseMetric } from '../../shared/model/metric.ts';
import type { ScopeId } from '../../shared/model/scope.ts';
import type { Kind } from '../../shared/model/values.ts';
import type { SeriesDef } from '../../shared/model/series.ts';
import { growBits } from './columns.ts';
import type { TickInfo } from './sampler.ts';
import type { Scope } from './scope.ts';

/** Where a subscription's messages go. */
export interface Reader {
  /** False: it is behind, this tick is left out for it. */
  ready(): boolean;
  /** New series; before the first frame that has them. */
  schema(id: number, scope: ScopeId, series: readonly SeriesDef[]): void;
  frame(bytes: Uint8Array): void;
  /** The scope is gone. */
  end(id: number): void;
}

export class Subscription {
  readonly id: number;
  readonly scope: ScopeId;
  readonly reader: Reader;
  /** Canonical keys, null for all. */
  readonly #keys: ReadonlySet<string> | null;
  /** Live frames wait while stored ones are sent; what they would say is remembered like for a slow reader. */
  held = false;
  /** A frame was left out while held: it is in the store. */
  missed = false;
  /** A frame that came after a gap was left out: the next one says so. */
  #gap = false;
  #counters = 0;
  #gauges = 0;
  /** Wanted series, and those of them with news. */
  #wantedCounters: Uint8Array = new Uint8Array(0);
  #wantedGauges: Uint8Array = new Uint8Array(0);
  #newsCounters: Uint8Array = new Uint8Array(0);
  #newsGauges: Uint8Array = new Uint8Array(0);

  constructor(id: number, scope: ScopeId, reader: Reader, keys: readonly string[] | null) {
    this.id = id;
    this.scope = scope;
    this.reader = reader;
    this.#keys = keys ? new Set(keys.map((key) => parseMetric(key).key)) : null;
  }

  /** Tells of series that are new since the last call; all of them have news. */
  learn(scope: Scope): void {
    const counters = scope.defs('counter').slice(this.#counters);
    const gauges = scope.defs('gauge').slice(this.#gauges);
    if (counters.length === 0 && gauges.length === 0) return;
    this.#counters = scope.counterCount;
    this.#gauges = scope.gaugeCount;
    this.#wantedCounters = growBits(this.#wantedCounters, this.#counters);
    this.#newsCounters = growBits(this.#newsCounters, this.#counters);
    this.#wantedGauges = growBits(this.#wantedGauges, this.#gauges);
    this.#newsGauges = growBits(this.#newsGauges, this.#gauges);
    for (const def of counters) if (this.#wants(def)) setBit(this.#wantedCounters, def.index);
    for (const def of gauges) if (this.#wants(def)) setBit(this.#wantedGauges, def.index);
    for (const def of counters) setBit(this.#newsCounters, def.index);
    for (const def of gauges) setBit(this.#newsGauges, def.index);
    // All of them, wanted or not: a frame's places are the scope's.
    this.reader.schema(this.id, this.scope, [...counters, ...gauges]);
  }

  #wants(def: SeriesDef): boolean {
    return this.#keys === null || this.#keys.has(parseMetric(def.name).key);
  }

  /** The series at this place of the scope is asked for. */
  wantsPlace(kind: Kind, index: number): boolean {
    const bits = kind === 'counter' ? this.#wantedCounters : this.#wantedGauges;
    return index < 8 * bits.length && hasBit(bits, index);
  }

  /** Notes what changed in this tick. */
  note(tick: TickInfo, scope: Scope): void {
    orInto(this.#newsCounters, scope.counterBits);
    orInto(this.#newsGauges, scope.gaugeBits);
    // While held it is in a stored frame.
    this.#gap ||= tick.gap && !this.held;
  }

  /** All values are news: the first frame of a subscription. */
  noteAll(): void {
    this.#newsCounters.fill(0xff);
    this.#newsGauges.fill(0xff);
  }

  send(tick: TickInfo, scope: Scope): void {
    andInto(this.#newsCounters, this.#wantedCounters);
    andInto(this.#newsGauges, this.#wantedGauges);
    const bits = { counters: this.#newsCounters, gauges: this.#newsGauges };
    this.reader.frame(encodeFrame({ ...tick, stream: this.id, gap: this.#gap }, scope, bits));
    this.#newsCounters.fill(0);
    this.#newsGauges.fill(0);
    this.#gap = false;
  }
}

function orInto(target: Uint8Array, bits: Uint8Array): void {
  const n = Math.min(target.length, bits.length);
  for (let i = 0; i < n; i++) target[i]! |= bits[i]!;
}

function andInto(target: Uint8Array, mask: Uint8Array): void {
  for (let i = 0; i < target.length; i++) target[i]! &= mask[i] ?? 0;
}

/** Changes within this time, in ms, are told together. */
const SOON = 100;

export class LiveHub {
  readonly #subscriptions = new Map<ScopeId, Set<Subscription>>();
  readonly #listListeners = new Set<() => void>();
  #soon: NodeJS.Timeout | null = null;
  skippedFrames = 0;
  /** Live sockets that are open and authorized. */
  readers = 0;

  add(subscription: Subscription): void {
    const set = this.#subscriptions.get(subscription.scope) ?? new Set();
    set.add(subscription);
    this.#subscriptions.set(subscription.scope, set);
  }

  remove(subscription: Subscription): void {
    const set = this.#subscriptions.get(subscription.scope);
    set?.delete(subscription);
    if (set?.size === 0) this.#subscriptions.delete(subscription.scope);
  }

  /** Called when readers of lists (runs, status) are to be told. Returns how to stop. */
  onAnnounce(listener: () => void): () => void {
    this.#listListeners.add(listener);
    return () => this.#listListeners.delete(listener);
  }

  /** After each tick. */
  announce(): void {
    if (this.#soon) clearTimeout(this.#soon);
    this.#soon = null;
    for (const listener of this.#listListeners) listener();
  }

  /** A run began or ended between two ticks: people see it at once, and a thousand of them together. */
  announceSoon(): void {
    this.#soon ??= setTimeout(() => this.announce(), SOON).unref();
  }

  publish(tick: TickInfo, scopes: readonly Scope[]): void {
    for (const scope of scopes) {
      for (const subscription of this.#subscriptions.get(scope.id) ?? []) {
        if (!subscription.held) subscription.learn(scope);
        subscription.note(tick, scope);
        if (subscription.held) subscription.missed = true;
        else if (subscription.reader.ready()) subscription.send(tick, scope);
        else this.skippedFrames++;
      }
    }
  }

  /** No frame of this scope will come any more. */
  end(scope: ScopeId): void {
    for (const subscription of this.#subscriptions.get(scope) ?? []) subscription.reader.end(subscription.id);
    this.#subscriptions.delete(scope);
  }
}
