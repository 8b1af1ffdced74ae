/**
 * Between the sampler and the store: encodes each tick's scopes and appends them. What the store is told of a scope
 * follows what it has taken: after a refused tick the next frame is full and names again what was not taken.
 */

import { encodeFrame } from '../shared/frame.ts';
import type { TickInfo } from './live/sampler.ts';
import type { Scope } from './live/scope.ts';
import type { ScopeTick, Store } from './store/store.ts';

/** Every so many frames one is full, so that reading from the middle need not go back to the start. */
const FULL_EVERY = 60;

interface Told {
  counters: number;
  gauges: number;
  /** Frames since the last full one. */
  sinceFull: number;
}

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

  constructor(store: Store) {
    this.#store = store;
  }

  append(tick: TickInfo, scopes: readonly Scope[]): void {
    this.flush();
    this.#append(
      tick.time,
      scopes.map((scope) => this.#encode(tick, scope)),
    );
  }

  /**
   * The same for a scope that begins or ends, with the values of now. A thousand of them at once are one entry in the
   * store's queue, which is made for one per period.
   */
  later(tick: TickInfo, scope: Scope): void {
    if (this.#waiting.length === 0) setImmediate(() => this.flush());
    this.#waiting.push(this.#encode(tick, scope));
    this.#waitingTime = Math.max(this.#waitingTime, tick.time);
  }

  flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    if (waiting.length > 0) this.#append(this.#waitingTime, waiting);
    this.#waitingTime = 0;
  }

  #append(time: number, entries: readonly Entry[]): void {
    if (this.#store.append({ time, scopes: entries.map((entry) => entry.tick) })) return;
    // Not taken: the next frame is full and names these series again. A scope may be here twice, its first entry counts.
    for (const { scope, before } of entries.toReversed()) this.#told.set(scope, { ...before, sinceFull: FULL_EVERY });
  }

  #encode(tick: TickInfo, scope: Scope): Entry {
    const told = this.#told.get(scope) ?? { counters: 0, gauges: 0, sinceFull: FULL_EVERY };
    const full = told.sinceFull >= FULL_EVERY - 1;
    const frame = encodeFrame(
      { ...tick, stream: 0 },
      scope,
      full ? null : { counters: scope.counterBits, gauges: scope.gaugeBits },
    );
    const added = [...scope.defs('counter').slice(told.counters), ...scope.defs('gauge').slice(told.gauges)];
    const { counterCount, gaugeCount } = scope;
    this.#told.set(scope, { counters: counterCount, gauges: gaugeCount, sinceFull: full ? 0 : told.sinceFull + 1 });
    return { scope, tick: { scope: scope.id, added, frame }, before: told };
  }
}
