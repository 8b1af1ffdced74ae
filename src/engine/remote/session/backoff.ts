/** When a lost connection is tried again. Pure: the caller has the clock and the dice. */

export interface Backoff {
  /** Wait before the first retry, ms; it doubles with each. */
  readonly first: number;
  readonly most: number;
}

export const BACKOFF: Backoff = { first: 1000, most: 60_000 };

/**
 * ms before attempt `failed` + 1, with `failed` ≥ 1 in a row: between half and all of the doubled wait, so that a
 * hundred desktops do not come back to a login node in the same second. `random` is in [0, 1).
 */
export function backoffAfter(failed: number, random: number, { first, most }: Backoff = BACKOFF): number {
  const whole = Math.min(most, first * 2 ** Math.min(30, failed - 1));
  return whole / 2 + (random * whole) / 2;
}

/** The computer slept when more time has passed than a timer of `every` ms explains; a busy machine is late by less. */
export function slept(passed: number, every: number): boolean {
  return passed > every + Math.max(10_000, every);
}
