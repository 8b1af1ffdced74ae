import type { Series } from '../../shared/model/described-series.ts';
import type { ScopeId } from '../../shared/model/scope.ts';
import type { Activity } from './panels.ts';
import { NO_MARKS } from './marks.ts';
import type { MarkIndex } from './marks.ts';
import type { TimeRange } from './range.ts';
import { RedrawLoop } from './redraw.ts';
import type { Samples } from './samples.ts';
import { readStats } from './samples.ts';

/** A young run's chart is not stretched over a few samples. */
const LEAST_LIVE_SPAN_MS = 60_000;

let boards = 0;

/** What all charts of one view share. Changes to it redraw charts; React is not asked. */
export class Board {
  readonly loop = new RedrawLoop();
  readonly samples = new Map<ScopeId, Samples>();
  /** Charts with one key have one cursor. */
  readonly cursorKey = `board-${++boards}`;
  range: TimeRange = { kind: 'live', window: null };
  /** Counters as totals instead of rates. */
  totals = false;
  /** Start of what there is to see, ms; 0: not known. */
  start = 0;
  onBrush: (from: number, to: number) => void = () => undefined;
  /** One step out of the zoom. */
  onBack: () => void = () => undefined;
  /** The wheel: a range `factor` times as wide, with `at` where it is; or moved by a share of the width. */
  onZoom: (factor: number, at: number) => void = () => undefined;
  onPan: (share: number) => void = () => undefined;
  /** Told the time under the cursor, ms, or null; many times a second. */
  onCursor: (time: number | null) => void = () => undefined;
  readonly #now: () => number;
  readonly #listeners = new Set<() => void>();
  readonly #markListeners = new Set<() => void>();
  #marks: MarkIndex = NO_MARKS;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Shows a range at once, before anything has been fetched for it. */
  show(range: TimeRange): void {
    this.range = range;
    this.loop.invalidate();
    for (const listener of this.#listeners) listener();
  }

  /** Where alarms fired, of all scopes. */
  get marks(): MarkIndex {
    return this.#marks;
  }

  setMarks(marks: MarkIndex): void {
    this.#marks = marks;
    this.loop.invalidate();
    for (const listener of this.#markListeners) listener();
  }

  /** The marks have changed. */
  readonly subscribeMarks = (listener: () => void): (() => void) => {
    this.#markListeners.add(listener);
    return () => this.#markListeners.delete(listener);
  };

  /** The shown range has changed. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Newest sample of any scope, else now: all charts end at the same time. */
  latest(): number {
    let latest = 0;
    for (const { buffer } of this.samples.values()) latest = Math.max(latest, buffer?.ring.lastTime ?? 0);
    return latest > 0 ? latest : this.#now();
  }

  /** The part of time that the charts show now, ms. */
  shown(): { from: number; to: number } {
    const { range } = this;
    if (range.kind === 'fixed') return range;
    const to = this.latest();
    if (range.window === null) return { from: Math.min(this.#oldest(to, false), to - LEAST_LIVE_SPAN_MS), to };
    const oldest = this.#oldest(to, true);
    const least = Math.min(LEAST_LIVE_SPAN_MS, range.window);
    return { from: Math.max(to - range.window, Math.min(oldest, to - least)), to };
  }

  /** Where what can be shown begins: at the run's start; a node's at the first sample that is here. */
  #oldest(to: number, stored: boolean): number {
    if (this.start > 0) return Math.min(this.start, to);
    let oldest = to;
    for (const { buffer, history } of this.samples.values()) {
      if (history && stored) return 0;
      if (buffer && buffer.ring.count > 0) oldest = Math.min(oldest, buffer.ring.time(0));
    }
    return oldest;
  }

  samplesOf(scope: ScopeId): Samples {
    return this.samples.get(scope) ?? { buffer: null, history: null };
  }

  /** How a series moves over what is shown. Before a second sample a counter's total has to do. */
  activity(scope: ScopeId, series: Series): Activity {
    const { from, to } = this.shown();
    const samples = this.samplesOf(scope);
    const { min, max } = readStats(samples, series, from, to, this.totals);
    if (min !== null && max !== null) {
      const size = series.kind === 'gauge' ? max - min + 1e-6 * Math.abs(max) : Math.max(Math.abs(max), Math.abs(min));
      return { idle: min === 0 && max === 0, size };
    }
    // What has just appeared says nothing about another time.
    if (this.range.kind === 'fixed' && samples.history) return { idle: true, size: 0 };
    const column = samples.buffer?.column(series.key) ?? -1;
    const ring = samples.buffer?.ring;
    const value = ring && column >= 0 && ring.count > 0 && ring.count < 3 ? ring.value(column, ring.count - 1) : 0;
    return { idle: !(Math.abs(value) > 0), size: 0 };
  }
}
