/** How long to wait before what failed is tried again. */

/** A destination that wants to be left alone for longer than this, in ms, is asked all the same. */
const MAX_RETRY_AFTER = 600_000;

/** Doubles from failure to failure; between half of it and all of it, so that a thousand engines do not come at once. */
export class Backoff {
  readonly #min: number;
  readonly #max: number;
  readonly #random: () => number;
  #failures = 0;

  constructor(min: number, max: number, random: () => number = Math.random) {
    this.#min = min;
    this.#max = max;
    this.#random = random;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  /** Milliseconds to wait after one more failure; no less than `least`. */
  failed(least: number | null): number {
    const whole = Math.min(this.#max, this.#min * 2 ** Math.min(30, this.#failures++));
    return Math.max(whole * (0.5 + 0.5 * this.#random()), least ?? 0);
  }
}

/** Milliseconds of a header Retry-After, which is seconds or a date; null: it says nothing. */
export function retryAfter(header: string | undefined, now: number): number | null {
  if (header === undefined) return null;
  const text = header.trim();
  const ms = /^\d{1,9}$/.test(text) ? 1000 * Number(text) : Date.parse(text) - now;
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), MAX_RETRY_AFTER) : null;
}
