/** How a target is, as a pure function of how it was and what its last scrape came to. Nothing here removes a target. */

import type { TargetState } from '../../shared/api/targets.ts';

/** So many scrapes in a row over half the timeout make a target slow; one below it makes it up again. */
export const SLOW_AFTER = 3;

export interface Condition {
  readonly state: TargetState;
  /** Words to act on; null: nothing is wrong. */
  readonly reason: string | null;
  /** When it came into this state, ms since the epoch. */
  readonly since: number;
  /** Good scrapes in a row that took over half the timeout. */
  readonly slow: number;
  /** Failed scrapes in a row. */
  readonly failures: number;
}

/** What one scrape came to. Durations in ms. */
export type Outcome =
  | { readonly kind: 'good'; readonly duration: number; readonly timeout: number }
  | { readonly kind: 'down' | 'refused'; readonly reason: string };

export const fresh = (time: number): Condition => ({ state: 'new', reason: null, since: time, slow: 0, failures: 0 });

/** `time`: ms since the epoch. */
export function nextCondition(before: Condition, outcome: Outcome, time: number): Condition {
  const into = (state: TargetState): number => (state === before.state ? before.since : time);
  if (outcome.kind !== 'good') {
    const { kind, reason } = outcome;
    return { state: kind, reason, since: into(kind), slow: 0, failures: before.failures + 1 };
  }
  const { duration, timeout } = outcome;
  const slow = duration > timeout / 2 ? Math.min(SLOW_AFTER, before.slow + 1) : 0;
  const state = slow >= SLOW_AFTER ? 'slow' : 'up';
  return {
    state,
    reason: state === 'slow' ? slowReason(duration, timeout) : null,
    since: into(state),
    slow,
    failures: 0,
  };
}

const slowReason = (duration: number, timeout: number): string =>
  `its last ${SLOW_AFTER} scrapes took over half the timeout (the last one ${seconds(duration)} of ${seconds(timeout)})`;

const seconds = (ms: number): string => (ms < 1000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 100) / 10} s`);
