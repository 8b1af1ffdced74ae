/**
 * The engine's one clock. Once per period it lets the sources write, settles what changed, and hands the tick to the
 * consumers, which encode what they need before it returns.
 *
 * A tick is synchronous, so there are never two at once; a late one is a longer interval, and ticks that were missed are
 * left out, not caught up. The monotonic clock measures intervals. When the wall clock ran away from it (the machine was
 * suspended, the clock was set) the tick is marked as coming after a gap: nobody draws a line, or divides, over it.
 */

import type { FrameHeader } from '../../shared/frame.ts';
import type { Scope } from './scope.ts';

/** Wall and monotonic clock may differ by this much between two ticks before it counts as a gap, in ms. */
const CLOCK_TOLERANCE = 2000;

/** What a tick's frames say of it; `stream` is the consumer's to choose. */
export type TickInfo = Omit<FrameHeader, 'stream'>;

/** Clocks, so that tests can turn them. */
export interface Clock {
  /** Wall clock, ms since the epoch. */
  readonly now: () => number;
  /** Monotonic clock, ms. */
  readonly monotonic: () => number;
}

export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

export interface SamplerOptions {
  /** Milliseconds between ticks. */
  readonly period: number;
  readonly clock: Clock;
  /** Reads the sources; `seconds` since the tick before, 0 at the first. */
  readonly sample: (seconds: number) => void;
  /** The scopes that live now. */
  readonly scopes: () => Iterable<Scope>;
  /** Takes what changed. Must copy: the columns go on living. Not in turn: one scope that begins or ends. */
  readonly consume: (tick: TickInfo, scopes: readonly Scope[], inTurn: boolean) => void;
}

export interface SamplerStatus {
  ticks: number;
  /** Ticks that began more than half a period late. */
  late: number;
  /** Duration of the last tick in ms. */
  lastMs: number;
  /** Milliseconds by which the last tick began late. */
  lateMs: number;
}

export class Sampler {
  readonly status: SamplerStatus = { ticks: 0, late: 0, lastMs: 0, lateMs: 0 };
  readonly #options: SamplerOptions;
  #timer: NodeJS.Timeout | null = null;
  /** Monotonic time the next tick is due. */
  #due = 0;
  #lastWall = 0;
  /** Time of the last tick: the wall clock's, or later where that stood still. */
  #lastTime = 0;
  #lastMonotonic = 0;
  /** Times of frames out of turn: of each scope, and the latest of all since the last tick. */
  readonly #outTimes = new WeakMap<Scope, number>();
  #lastOut = 0;

  constructor(options: SamplerOptions) {
    this.#options = options;
  }

  /** Ticks at once, then once per period. */
  start(): void {
    this.#due = this.#options.clock.monotonic();
    this.#tick();
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /**
   * Ticks when a tick is due. For those that keep the event loop busy: it looks at its timers only when it has handed out
   * everything that thousands of connections have to say.
   */
  poll(): void {
    if (this.#timer === null || this.#options.clock.monotonic() < this.#due) return;
    clearTimeout(this.#timer);
    this.#tick();
  }

  /** Takes the values of this moment, out of turn: before the engine stops. */
  sampleNow(): void {
    this.#run();
  }

  /**
   * A scope begins between two ticks, so that the next tick has something to count from, or stands still from now on.
   * Returns the frame's time.
   */
  betweenTicks(scope: Scope): number {
    // Of the tick before: the next one is this scope's second frame, and numbers are consecutive.
    return this.#outOfTurn(scope, Math.max(0, this.status.ticks - 1));
  }

  /** A scope ends between two ticks: its last changes, because there is no next tick. */
  closeScope(scope: Scope): void {
    this.#outOfTurn(scope, this.status.ticks);
  }

  #outOfTurn(scope: Scope, sequence: number): number {
    const { clock, consume } = this.#options;
    // Later than this scope's last frame, and no later than need be: times that ran ahead would not be "now" yet.
    const known = this.#outTimes.get(scope);
    const last = Math.max(this.#lastTime, known ?? 0);
    const now = clock.now();
    const time = now > last ? now : last + 1;
    const interval = this.status.ticks === 0 ? 0 : clock.monotonic() - this.#lastMonotonic;
    scope.settle();
    scope.stamp(time);
    consume({ time, interval, sequence: sequence >>> 0, gap: false }, [scope], false);
    this.#outTimes.set(scope, time);
    this.#lastOut = Math.max(this.#lastOut, time);
    scope.clear();
    return time;
  }

  #tick(): void {
    const { clock, period } = this.#options;
    this.status.lateMs = Math.max(0, clock.monotonic() - this.#due);
    if (this.status.lateMs > period / 2) this.status.late++;
    this.#run();
    const now = clock.monotonic();
    // The next multiple of the period that is still to come.
    this.#due += period * Math.max(1, Math.ceil((now - this.#due) / period));
    this.#timer = setTimeout(() => this.#tick(), Math.max(1, this.#due - now));
  }

  #run(): void {
    const { clock, sample, scopes, consume } = this.#options;
    const begun = clock.monotonic();
    const wall = clock.now();
    const first = this.status.ticks === 0;
    const interval = first ? 0 : begun - this.#lastMonotonic;
    // What was before the first tick was not observed either: an earlier engine's history may end there.
    const gap = first || Math.abs(wall - this.#lastWall - interval) > CLOCK_TOLERANCE;
    // Two ticks never share a time: history is keyed by it. A clock that is being adjusted is waited for; one that was
    // set back is believed, with a gap before it.
    const last = Math.max(this.#lastTime, this.#lastOut);
    const time = first || (gap && wall < last) ? wall : Math.max(wall, last + 1);
    sample(interval / 1000);
    const list = [...scopes()];
    for (const scope of list) {
      scope.settle();
      scope.stamp(time);
    }
    consume({ time, interval, sequence: this.status.ticks >>> 0, gap }, list, true);
    for (const scope of list) scope.clear();
    this.#lastWall = wall;
    this.#lastTime = time;
    this.#lastOut = 0;
    this.#lastMonotonic = begun;
    this.status.ticks++;
    this.status.lastMs = clock.monotonic() - begun;
  }
}
