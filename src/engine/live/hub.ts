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

/** Most series told in one piece, so that telling of a large scope can wait for a slow reader. */
const PIECE = 1000;

const NO_GAPS: ReadonlySet<Scope> = new Set();

/** Where a subscription's messages go. */
export interface Reader {
  /** False: it is behind, this tick is left out for it. */
  ready(): boolean;
  /** Calls back once, when it is not behind any more. Never at once, and not after the reader is gone. */
  whenReady(call: () => void): void;
  /** New series that are asked for, 1,000 at most; before the first frame that has them. */
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
  /** A frame was left out while held: it is in the store, unless that dropped it. */
  missed = false;
  /** Time of the scope's last tick in ms, sent or not; 0 before the first. */
  lastTick = 0;
  /** Nothing is to be sent any more. */
  closed = false;
  #waiting = false;
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

  /**
   * Tells of series that are new since the last call, as many as the reader takes; all of them have news. False: some
   * are left. They follow when the reader is ready, and no frame can be sent before.
   */
  learn(scope: Scope): boolean {
    while (this.#counters < scope.counterCount || this.#gauges < scope.gaugeCount) {
      if (this.closed) return false;
      if (!this.reader.ready()) {
        this.#learnLater(scope);
        return false;
      }
      this.#learnPiece(scope);
    }
    return true;
  }

  #learnLater(scope: Scope): void {
    if (this.#waiting) return;
    this.#waiting = true;
    this.reader.whenReady(() => {
      this.#waiting = false;
      this.learn(scope);
    });
  }

  #learnPiece(scope: Scope): void {
    const lastCounter = Math.min(scope.counterCount, this.#counters + PIECE);
    const counters = scope.defs('counter', this.#counters, lastCounter);
    const lastGauge = Math.min(scope.gaugeCount, this.#gauges + PIECE - counters.length);
    const gauges = scope.defs('gauge', this.#gauges, lastGauge);
    this.#counters += counters.length;
    this.#gauges += gauges.length;
    this.#wantedCounters = growBits(this.#wantedCounters, this.#counters);
    this.#newsCounters = growBits(this.#newsCounters, this.#counters);
    this.#wantedGauges = growBits(this.#wantedGauges, this.#gauges);
    this.#newsGauges = growBits(this.#newsGauges, this.#gauges);
    const wanted = [...counters, ...gauges].filter((def) => this.#wants(def));
    for (const { kind, index } of wanted) {
      setBit(kind === 'counter' ? this.#wantedCounters : this.#wantedGauges, index);
      setBit(kind === 'counter' ? this.#newsCounters : this.#newsGauges, index);
    }
    if (wanted.length > 0) this.reader.schema(this.id, this.scope, wanted);
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
    this.lastTick = tick.time;
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
  /** Time of each scope's last tick. */
  readonly #lastTicks = new Map<ScopeId, number>();
  readonly #listListeners = new Set<() => void>();
  #soon: NodeJS.Timeout | null = null;
  skippedFrames = 0;
  /** Live sockets that are open and authorized. */
  readers = 0;

  add(subscription: Subscription): void {
    const set = this.#subscriptions.get(subscription.scope) ?? new Set();
    set.add(subscription);
    subscription.lastTick = this.#lastTicks.get(subscription.scope) ?? 0;
    this.#subscriptions.set(subscription.scope, set);
  }

  remove(subscription: Subscription): void {
    subscription.closed = true;
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

  publish(all: TickInfo, scopes: readonly Scope[], gaps: ReadonlySet<Scope> = NO_GAPS): void {
    for (const scope of scopes) {
      const tick = gaps.has(scope) ? { ...all, gap: true } : all;
      this.#lastTicks.set(scope.id, tick.time);
      for (const subscription of this.#subscriptions.get(scope.id) ?? []) {
        const learned = !subscription.held && subscription.learn(scope);
        subscription.note(tick, scope);
        if (subscription.held) subscription.missed = true;
        else if (learned && subscription.reader.ready()) subscription.send(tick, scope);
        else this.skippedFrames++;
      }
    }
  }

  /** No frame of this scope will come any more. */
  end(scope: ScopeId): void {
    for (const subscription of this.#subscriptions.get(scope) ?? []) {
      subscription.closed = true;
      subscription.reader.end(subscription.id);
    }
    this.#subscriptions.delete(scope);
    this.#lastTicks.delete(scope);
  }
}
