import type { Layer } from '../data/history.ts';
import { parseDuration } from '../../shared/duration.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Ages at which samples and buckets are removed, durations with a unit. */
export interface KeptAges {
  readonly samples: string;
  readonly minutes?: string | undefined;
}

/** A length of time without what is not needed: `1 min`, `2 h`, `14 d`, `90 s`, `250 ms`. */
export function shortLength(ms: number): string {
  for (const [unit, size] of [
    ['d', DAY],
    ['h', HOUR],
    ['min', MINUTE],
    ['s', 1000],
  ] as const) {
    if (ms >= size && ms % size === 0) return `${ms / size} ${unit}`;
  }
  return `${Math.round(ms)} ms`;
}

/** What a point stands for. */
export const resolutionText = (step: number): string =>
  step > 0 ? `${shortLength(step)} buckets, min–max band` : 'every stored sample';

/**
 * Why an answer is coarser than was asked for: only buckets are left of some of its time. Null: it is not, or finer
 * buckets would not have had room. The engine's buckets of a minute and an hour are twice as wide as its next finer ones.
 */
export function keptText(layer: Layer, ages: KeptAges, now: number): string | null {
  const { step, points, from, to } = layer;
  if ((step !== MINUTE && step !== HOUR) || points === 0) return null;
  if ((to - from) / (step / 2) + 1 > points) return null;
  const [what, age] = step === MINUTE ? ['raw samples', ages.samples] : ['1 min buckets', ages.minutes];
  const shown = `shown in ${shortLength(step)} buckets`;
  const ms = parseDuration(age ?? '');
  if (ms !== null && from < now - ms) return `${what} are kept for ${shortLength(ms)}: ${shown}`;
  return `${what} of this time are no longer kept: ${shown}`;
}
