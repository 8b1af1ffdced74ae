/**
 * Which intervals say something by themselves. A run's last sample is taken at its end, perhaps a millisecond after the one
 * before it, and has what its programs hand over as they leave: divided by that millisecond it is a rate that never was.
 * So an interval much shorter than the one before it is joined to that one, wherever rates are made of totals: both have
 * the mean rate of the two together, and nothing is lost or counted twice. Of several short ones each has the mean up to it,
 * and the rest is the long one's.
 */

/** Shorter than this part of the interval before it, with the short ones in between. */
const SHORT = 0.25;

/**
 * Lengths in any one unit; NaN: not known, then nothing is joined.
 *
 * @param base The last interval that stands for itself.
 * @param joined What has been joined to it so far: a period that became shorter for good soon stands for itself.
 */
export const isShort = (length: number, base: number, joined = 0): boolean => joined + length < SHORT * base;

/** Of some counters the last interval that stands for itself, with the short ones that are joined to it. */
export class JoinedIntervals {
  /** Length of the one that stands for itself; NaN: nothing is joined to it. */
  readonly #base: Float64Array;
  /** Length of those that are joined to it. */
  readonly #joined: Float64Array;
  /** What the counter grew by in all of them. */
  readonly #grown: Float64Array;
  /** What of that is told for the one that stands for itself. */
  readonly #told: Float64Array;

  constructor(counters: number) {
    this.#base = new Float64Array(counters).fill(NaN);
    this.#joined = new Float64Array(counters);
    this.#grown = new Float64Array(counters);
    this.#told = new Float64Array(counters);
  }

  base(counter: number): number {
    return this.#base[counter]!;
  }

  joined(counter: number): number {
    return this.#joined[counter]!;
  }

  /** Of all of them together. */
  length(counter: number): number {
    return this.#base[counter]! + this.#joined[counter]!;
  }

  grown(counter: number): number {
    return this.#grown[counter]!;
  }

  isShort(counter: number, length: number): boolean {
    return isShort(length, this.#base[counter]!, this.#joined[counter]);
  }

  /** Nothing is joined to what was before: it is not known, or told elsewhere. */
  forget(counter: number): void {
    this.#base[counter] = NaN;
  }

  forgetAll(): void {
    this.#base.fill(NaN);
  }

  /** An interval that stands for itself. */
  begin(counter: number, length: number, grown: number): void {
    this.#base[counter] = length;
    this.#joined[counter] = 0;
    this.#grown[counter] = this.#told[counter] = grown;
  }

  /** A short one. Returns the mean rate of all of them, which it is told with; the rest of its growth is the base's. */
  join(counter: number, length: number, grown: number): number {
    this.#joined[counter]! += length;
    this.#grown[counter]! += grown;
    const rate = this.#grown[counter]! / this.length(counter);
    this.#told[counter]! += grown - rate * length;
    return rate;
  }

  /** Of the one that stands for itself, with what the others gave it. */
  baseRate(counter: number): number {
    return this.#told[counter]! / this.#base[counter]!;
  }
}
