/**
 * How well the event loop keeps up. Four looks a second cost 0.02 % of a core; at fifty it would be more than the budget
 * of the whole idle engine allows for this.
 */

import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

/** Time between two looks, in ms. */
const RESOLUTION = 250;
const NANO = 1e9;

export interface LoopFigures {
  /** Seconds by which timers came late since the last call. */
  readonly mean: number;
  readonly max: number;
  /** Share of the time in which the loop did something, 0 to 1. */
  readonly busy: number;
}

export interface LoopWatch {
  /** Since the last call; null when nothing was seen since. */
  take(): LoopFigures | null;
  close(): void;
}

export function watchLoop(): LoopWatch {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION });
  delays.enable();
  let before = performance.eventLoopUtilization();
  // What is recorded is the time from one timer to the next: what is more than asked for is the delay.
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / NANO - RESOLUTION / 1000);
  return {
    take() {
      if (delays.count === 0) return null;
      const now = performance.eventLoopUtilization();
      const busy = performance.eventLoopUtilization(now, before).utilization;
      const figures = { mean: late(delays.mean), max: late(delays.max), busy };
      before = now;
      delays.reset();
      return figures;
    },
    close: () => void delays.disable(),
  };
}
