/** At most so many in a stretch of time. */
export class RateLimit {
  readonly #most: number;
  readonly #within: number;
  readonly #times: number[] = [];

  /** @param within In ms. */
  constructor(most: number, within: number) {
    this.#most = most;
    this.#within = within;
  }

  /** Counts one at `now` (ms); false when there were too many. */
  take(now: number): boolean {
    while (this.#times.length > 0 && this.#times[0]! <= now - this.#within) this.#times.shift();
    if (this.#times.length >= this.#most) return false;
    this.#times.push(now);
    return true;
  }
}
