/**
 * Between the sampler and the store: encodes each tick's scopes and appends them. What the store is told of a scope
 * follows what it has taken: after a refused tick the next frame is full and names again what was not taken.
 *
 * Series marked as detail (a core, a device) are written every ten seconds. A detail counter that has changed in between
 * is NaN from then on until it is written: whoever computes rates must not take the growth of ten seconds for that of
 * one. A detail gauge keeps the value of its last writing.
 */

import { bitmapBytes, encodeFrame, hasBit, type Columns } from '../shared/frame.ts';
import type { TickInfo } from './live/sampler.ts';
import type { Scope } from './live/scope.ts';
import { SeriesSlice } from './live/series-table.ts';
import type { ScopeTick, SeriesList, Store, TableState } from './store/store.ts';

/** Every so many frames one is full, so that reading from the middle need not go back to the start. */
const FULL_EVERY = 60;

/** Milliseconds between two writings of what is kept less often: detail series here, ranks in rank-history.ts. */
export const DETAIL_EVERY = 10_000;

const NO_BITS = new Uint8Array(0);
const NO_SERIES: SeriesList = [];
const NO_GAPS: ReadonlySet<Scope> = new Set();

interface Told {
  readonly counters: number;
  readonly gauges: number;
  /** Frames since the last full one. */
  sinceFull: number;
  /** Gaps that there were at its last frame. */
  gaps: number;
  /** Time of the last frame with all detail. */
  readonly detailTime: number;
  /** Detail series that have changed since. */
  readonly heldCounters: Uint8Array;
  readonly heldGauges: Uint8Array;
}

const NOTHING_TOLD: Told = {
  ...{ counters: 0, gauges: 0, sinceFull: FULL_EVERY, gaps: 0 },
  ...{ detailTime: -Infinity, heldCounters: NO_BITS, heldGauges: NO_BITS },
};

/** A frame on its way to the store, and what the store knew of the scope before it. */
interface Entry {
  readonly scope: Scope;
  readonly tick: ScopeTick;
  readonly before: Told;
}

export class History {
  readonly #store: Store;
  readonly #told = new WeakMap<Scope, Told>();
  /** Encoded and not yet appended: scopes that began or ended between two ticks. */
  #waiting: Entry[] = [];
  #waitingTime = 0;
  /** Ticks after a gap: a scope that was left out of one says so in its next frame. */
  #gaps = 0;
  /** Not taken by the store yet, by nonce: they go with the next frames of their scopes, which have the same samples. */
  readonly #tables = new Map<string, TableState>();

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * `tables`: how far those were read that count into these scopes. `gaps`: those of the scopes that were not observed
   * before this tick.
   */
  append(
    tick: TickInfo,
    scopes: readonly Scope[],
    tables: readonly TableState[] = [],
    gaps: ReadonlySet<Scope> = NO_GAPS,
  ): void {
    this.flush();
    this.#keep(tables);
    if (tick.gap) this.#gaps++;
    this.#append(
      tick.time,
      scopes.map((scope) => this.#encode(gaps.has(scope) ? { ...tick, gap: true } : tick, scope)),
    );
  }

  /**
   * The same for a scope that begins or ends, with the values of now. A thousand of them at once are one entry in the
   * store's queue, which is made for one per period.
   */
  later(tick: TickInfo, scope: Scope, tables: readonly TableState[] = []): void {
    this.#keep(tables);
    if (this.#waiting.length === 0) setImmediate(() => this.flush());
    this.#waiting.push(this.#encode(tick, scope));
    this.#waitingTime = Math.max(this.#waitingTime, tick.time);
  }

  /** The store was told that a scope has ended: if it goes on, its next frame is as the first one. */
  forget(scope: Scope): void {
    this.#told.delete(scope);
  }

  flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    if (waiting.length > 0) this.#append(this.#waitingTime, waiting);
    this.#waitingTime = 0;
  }

  #keep(tables: readonly TableState[]): void {
    for (const state of tables) this.#tables.set(state.nonce, state);
  }

  #append(time: number, entries: readonly Entry[]): void {
    const ids = new Set(entries.map(({ scope }) => scope.id));
    const tables = [...this.#tables.values()].filter(({ scope }) => scope === null || ids.has(scope));
    const tick = { time, scopes: entries.map((entry) => entry.tick) };
    if (this.#store.append(tables.length === 0 ? tick : { ...tick, tables })) {
      for (const { nonce } of tables) this.#tables.delete(nonce);
      return;
    }
    // Not taken: the next frame is full and names these series again. A scope may be here twice, its first entry counts.
    for (const { scope, before } of entries.toReversed()) this.#told.set(scope, { ...before, sinceFull: FULL_EVERY });
  }

  #encode(tick: TickInfo, scope: Scope): Entry {
    const told = this.#told.get(scope) ?? NOTHING_TOLD;
    const full = told.sinceFull >= FULL_EVERY - 1;
    // A target's history may have begun with another start of the engine: what was between was not seen.
    const missed = told === NOTHING_TOLD ? scope.kind === 'target' : told.gaps !== this.#gaps;
    const header = { ...tick, stream: 0, gap: tick.gap || missed };
    const part = full || !scope.hasDetail ? null : thin(tick, scope, told);
    const changed = part ?? { counters: scope.counterBits, gauges: scope.gaugeBits };
    const frame = encodeFrame(header, part?.columns ?? scope, full ? null : changed);
    const { counterCount, gaugeCount } = scope;
    const sinceFull = full ? 0 : told.sinceFull + 1;
    if (!scope.hasDetail && told !== NOTHING_TOLD && told.counters === counterCount && told.gauges === gaugeCount) {
      // Most scopes at most ticks: a thousand of them would make a megabyte of garbage each second.
      told.sinceFull = sinceFull;
      told.gaps = this.#gaps;
      return { scope, tick: { scope: scope.id, added: NO_SERIES, frame }, before: told };
    }
    const added = new SeriesSlice(scope.table, [told.counters, counterCount], [told.gauges, gaugeCount]);
    this.#told.set(scope, {
      counters: counterCount,
      gauges: gaugeCount,
      sinceFull,
      gaps: this.#gaps,
      detailTime: part?.held ? told.detailTime : tick.time,
      heldCounters: part?.held?.counters ?? NO_BITS,
      heldGauges: part?.held?.gauges ?? NO_BITS,
    });
    return { scope, tick: { scope: scope.id, added, frame }, before: told };
  }
}

interface Part {
  readonly columns: Columns;
  readonly counters: Uint8Array;
  readonly gauges: Uint8Array;
  /** What is left for later; null when this frame has all. */
  readonly held: { readonly counters: Uint8Array; readonly gauges: Uint8Array } | null;
}

/** What goes into a frame of a scope with detail that is not full. */
function thin(tick: TickInfo, scope: Scope, told: Told): Part {
  const { counterCount, gaugeCount } = scope;
  // Ticks come a little early or late; half a period is neither. A clock that was set back is not waited for.
  const due = tick.gap || tick.time - told.detailTime >= DETAIL_EVERY - tick.interval / 2;
  if (due || tick.time < told.detailTime) {
    return {
      columns: scope,
      counters: union(scope.counterBits, told.heldCounters, counterCount),
      gauges: union(scope.gaugeBits, told.heldGauges, gaugeCount),
      held: null,
    };
  }
  const counters = split(scope.counterBits, scope.detailCounters, told.heldCounters, counterCount);
  const gauges = split(scope.gaugeBits, scope.detailGauges, told.heldGauges, gaugeCount);
  if (!counters.fresh.some((byte) => byte !== 0)) {
    return {
      columns: scope,
      counters: counters.now,
      gauges: gauges.now,
      held: { counters: counters.held, gauges: gauges.held },
    };
  }
  const totals = scope.counters.slice(0, counterCount);
  for (let i = 0; i < counterCount; i++) if (hasBit(counters.fresh, i)) totals[i] = NaN;
  return {
    columns: { counterCount, gaugeCount, counters: totals, gauges: scope.gauges },
    counters: union(counters.now, counters.fresh, counterCount),
    gauges: gauges.now,
    held: { counters: counters.held, gauges: gauges.held },
  };
}

function union(a: Uint8Array, b: Uint8Array, count: number): Uint8Array {
  const out = a.slice(0, bitmapBytes(count));
  for (let i = 0; i < Math.min(b.length, out.length); i++) out[i]! |= b[i]!;
  return out;
}

/** Changed series that go into the frame, those that are held back, and which of these were not before. */
function split(
  changed: Uint8Array,
  detail: Uint8Array,
  before: Uint8Array,
  count: number,
): { now: Uint8Array; held: Uint8Array; fresh: Uint8Array } {
  const bytes = bitmapBytes(count);
  const out = { now: changed.slice(0, bytes), held: new Uint8Array(bytes), fresh: new Uint8Array(bytes) };
  out.held.set(before);
  for (let i = 0; i < Math.min(detail.length, bytes); i++) {
    const back = out.now[i]! & detail[i]!;
    out.now[i]! &= ~detail[i]!;
    out.fresh[i] = back & ~out.held[i]!;
    out.held[i]! |= back;
  }
  return out;
}
