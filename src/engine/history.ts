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

export class History {
  readonly #store: Store;
  readonly #told = new WeakMap<Scope, Told>();
  /** Scopes whose last frame was not taken. */
  readonly #behind = new WeakSet<Scope>();

  constructor(store: Store) {
    this.#store = store;
  }

  append(tick: TickInfo, scopes: readonly Scope[]): void {
    const next = scopes.map((scope) => this.#encode(tick, scope));
    if (this.#store.append({ time: tick.time, scopes: next.map((n) => n.tick) })) {
      for (const { scope, told } of next) {
        this.#told.set(scope, told);
        this.#behind.delete(scope);
      }
    } else for (const scope of scopes) this.#behind.add(scope);
  }

  #encode(tick: TickInfo, scope: Scope): { scope: Scope; tick: ScopeTick; told: Told } {
    const told = this.#told.get(scope) ?? { counters: 0, gauges: 0, sinceFull: FULL_EVERY };
    const full = told.sinceFull >= FULL_EVERY - 1 || this.#behind.has(scope);
    const frame = encodeFrame(
      { ...tick, stream: 0 },
      scope,
      full ? null : { counters: scope.counterBits, gauges: scope.gaugeBits },
    );
    const added = [...scope.defs('counter').slice(told.counters), ...scope.defs('gauge').slice(told.gauges)];
    return {
      scope,
      tick: { scope: scope.id, added, frame },
      told: { counters: scope.counterCount, gauges: scope.gaugeCount, sinceFull: full ? 0 : told.sinceFull + 1 },
    };
  }
}
