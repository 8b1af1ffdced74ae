/**
 * Columns that are kept for a while, in memory that is used again for the next ones: thousands of small arrays would be in
 * as many places, and what one leaves behind when it goes is seldom of use to another.
 */

/** Numbers of one stretch of memory, 512 KiB. */
const STRETCH = 65_536;

export class Shelf {
  readonly #stretches: Float64Array[] = [];
  #current = 0;
  #at = 0;

  /** A copy, good until the next {@link clear}. */
  keep(column: Float64Array): Float64Array {
    const { length } = column;
    while (this.#current < this.#stretches.length && this.#at + length > this.#stretches[this.#current]!.length) {
      this.#current++;
      this.#at = 0;
    }
    if (this.#current === this.#stretches.length) this.#stretches.push(new Float64Array(Math.max(STRETCH, length)));
    const kept = this.#stretches[this.#current]!.subarray(this.#at, this.#at + length);
    kept.set(column);
    this.#at += length;
    return kept;
  }

  /** Nobody looks at what is kept any more. */
  clear(): void {
    this.#current = 0;
    this.#at = 0;
  }
}
