/** This node's own sources as an entry of the list: always there, asked once per period of the engine, can be paused. */

import { TARGET_DURATIONS, type Target } from '../../shared/api/targets.ts';
import { formatDuration } from '../../shared/duration.ts';
import type { Scope } from '../live/scope.ts';

export const SYSTEM_ID = 'system';

export interface SystemParts {
  readonly node: Scope;
  /** Milliseconds. */
  readonly period: number;
  /** Null: this engine does not read its node (`node: false`). */
  readonly sources: { sample(seconds: number): void; pause(): void } | null;
  readonly started: number;
  /** Monotonic clock, and wall clock, ms. */
  readonly clock: { readonly now: () => number; readonly monotonic: () => number };
}

export class SystemTarget {
  readonly #parts: SystemParts;
  #paused = false;
  #since: number;
  #lastScrape: number | null = null;
  #duration: number | null = null;
  readonly #durations: number[] = [];
  #series = 0;
  #newSeries = 0;
  /** Grows with what readers are told of at once: not with each tick. */
  version = 0;

  constructor(parts: SystemParts) {
    this.#parts = parts;
    this.#since = parts.started;
  }

  /** Once per tick of the engine. */
  sample(seconds: number): void {
    const { sources, clock, node } = this.#parts;
    if (this.#paused || sources === null) return;
    const begun = clock.monotonic();
    sources.sample(seconds);
    this.#duration = Math.round((clock.monotonic() - begun) * 10) / 10;
    this.#durations.push(this.#duration);
    if (this.#durations.length > TARGET_DURATIONS) this.#durations.shift();
    if (this.#lastScrape === null) this.version++;
    this.#lastScrape = clock.now();
    this.#newSeries = Math.max(0, node.seriesCount - this.#series);
    this.#series = node.seriesCount;
  }

  pause(paused: boolean): void {
    if (paused === this.#paused) return;
    this.#paused = paused;
    this.#since = this.#parts.clock.now();
    this.version++;
    if (paused) this.#parts.sources?.pause();
  }

  describe(): Target {
    const { node, period, sources, started } = this.#parts;
    const off = sources === null;
    return {
      ...{ id: SYSTEM_ID, url: '/system', type: 'system', period: formatDuration(period) },
      timeout: formatDuration(period),
      state: off || this.#lastScrape === null ? 'new' : 'up',
      reason: off ? 'this engine does not read its node: `node: false` in the configuration, or --no-node' : null,
      since: this.#since,
      paused: this.#paused || off,
      origin: { kind: 'builtin', name: '' },
      removable: false,
      added: started,
      ...{ labels: {}, filter: { include: [], exclude: [] }, merge: {}, auth: { kind: 'none', name: '' }, tls: {} },
      last_scrape: this.#lastScrape,
      next_scrape: null,
      samples: node.seriesCount,
      ...{ new_series: this.#newSeries, bytes: 0, duration: this.#duration, series: node.seriesCount },
      durations: [...this.#durations],
      ...{ refused: {}, errors: [], notes: [], engines: [] },
      scopes: [node.id],
    };
  }
}
