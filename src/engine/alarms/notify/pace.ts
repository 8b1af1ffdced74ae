/** How many messages a channel may be sent now. Pure. */

const MINUTE = 60_000;

/**
 * At most `perMinute` in any minute. Half of them may come at once, when something happens after a quiet time; those after
 * them come evenly, so that there is always one left soon.
 */
export class Pace {
  #perMinute: number;
  /** When messages were made within the last minute, ms, in order. */
  #made: number[] = [];

  constructor(perMinute: number, made: readonly number[] = []) {
    this.#perMinute = perMinute;
    this.#made = [...made].sort((a, b) => a - b);
  }

  set perMinute(perMinute: number) {
    this.#perMinute = perMinute;
  }

  /** Whole milliseconds: a sum of parts of them may be a little less than what was added. */
  get #apart(): number {
    return Math.ceil(MINUTE / this.#perMinute);
  }

  /** A clock that was set back would keep them for as long as it was set back. */
  #recent(now: number): number[] {
    return this.#made.filter((time) => time <= now && now - time < MINUTE);
  }

  /** How many may be made at this moment. */
  allowed(now: number): number {
    const recent = this.#recent(now);
    const burst = Math.ceil(this.#perMinute / 2);
    const made = recent.length;
    if (made >= this.#perMinute) return 0;
    if (made < burst) return burst - made;
    return now - recent.at(-1)! >= this.#apart ? 1 : 0;
  }

  /** When the next one may be made, ms; `now`: at once. */
  next(now: number): number {
    if (this.allowed(now) > 0) return now;
    const recent = this.#recent(now);
    const over = (most: number): number => (recent[recent.length - most] ?? -Infinity) + MINUTE;
    const even = Math.max(recent.at(-1)! + this.#apart, over(this.#perMinute));
    return Math.min(even, over(Math.ceil(this.#perMinute / 2)));
  }

  note(now: number): void {
    this.#made = [...this.#recent(now), now];
  }
}
