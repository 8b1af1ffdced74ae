/** When something is looked at. */

export interface Moment {
  /** Observed time, ms. */
  readonly clock: number;
  /** Wall clock, ms since the epoch. */
  readonly time: number;
}

/** A sample of a scope, beside the one before it. */
export interface Since extends Moment {
  /** Some of the time between was not observed. */
  readonly gap: boolean;
  /** That time by the wall clock, and by the observed one, ms. */
  readonly jump: number;
  readonly waited: number;
}
