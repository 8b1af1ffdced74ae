/** Whether the engine does what it is for: history is written, and the clock of its samples keeps time. */

import type { StoreStatus } from '../shared/api/status.ts';

/** Ticks are looked at over this time, in ms. */
const WINDOW = 60_000;
/** Ticks that were late by so much in all of it are a problem, in ms. */
const TOO_LATE = 5000;

export type HealthProblem = 'store' | 'ticks';

/** How late the ticks of the last minute were. */
export class Lateness {
  readonly #late: { readonly at: number; readonly by: number }[] = [];

  /** A tick began `by` ms late; only those that count as late are told. `at`: monotonic ms, never less than before. */
  add(at: number, by: number): void {
    this.#forget(at);
    this.#late.push({ at, by });
  }

  /** Milliseconds by which ticks were late within the last minute, in all. */
  total(now: number): number {
    this.#forget(now);
    return this.#late.reduce((sum, { by }) => sum + by, 0);
  }

  #forget(now: number): void {
    while (this.#late.length > 0 && this.#late[0]!.at <= now - WINDOW) this.#late.shift();
  }
}

/** What is wrong at the moment; nothing: all is well. `late`: of {@link Lateness}. */
export function healthProblems(store: Pick<StoreStatus, 'error'>, late: number): HealthProblem[] {
  const problems: HealthProblem[] = [];
  if (store.error !== null) problems.push('store');
  if (late >= TOO_LATE) problems.push('ticks');
  return problems;
}
