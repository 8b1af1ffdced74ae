/**
 * How well the event loop keeps up: a timer of our own, and how late it comes. Node's monitor for this forgets at each
 * reset when its timer came last, and so loses the longest delays; and four looks a second cost 0.02 % of a core, where
 * fifty would be more than the budget of the whole idle engine allows for this.
 */

import { performance } from 'node:perf_hooks';

/** Time between two looks, in ms. */
const EVERY = 250;

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

export function watchLoop(now: () => number = () => performance.now()): LoopWatch {
  let [count, sum, max] = [0, 0, 0];
  let before = performance.eventLoopUtilization();
  let due = now() + EVERY;
  const look = (): void => {
    const late = Math.max(0, now() - due);
    count++;
    sum += late;
    max = Math.max(max, late);
    due = now() + EVERY;
    timer = setTimeout(look, EVERY).unref();
  };
  let timer = setTimeout(look, EVERY).unref();
  return {
    take() {
      // Overdue: whoever asks was let in first.
      const late = Math.max(0, now() - due);
      if (count === 0 && late === 0) return null;
      const [looks, most] = late > 0 ? [count + 1, Math.max(max, late)] : [count, max];
      const mean = (sum + late) / looks;
      const since = performance.eventLoopUtilization();
      const busy = performance.eventLoopUtilization(since, before).utilization;
      before = since;
      [count, sum, max] = [0, 0, 0];
      return { mean: mean / 1000, max: most / 1000, busy };
    },
    close: () => clearTimeout(timer),
  };
}
