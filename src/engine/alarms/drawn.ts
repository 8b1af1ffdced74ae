/** What a rule compares, as a plot shows it: the lowest and highest of each of so many buckets of a range. */

import type { PreviewPlot } from '../../shared/api/alarms.ts';

export class Drawn {
  readonly #from: number;
  readonly #step: number;
  readonly #low: Float64Array;
  readonly #high: Float64Array;

  /** `from` and `to` in ms since the epoch. */
  constructor(from: number, to: number, points: number) {
    this.#from = from;
    this.#step = (to - from) / points;
    this.#low = new Float64Array(points).fill(Infinity);
    this.#high = new Float64Array(points).fill(-Infinity);
  }

  add(time: number, value: number): void {
    const at = Math.min(this.#low.length - 1, Math.floor((time - this.#from) / this.#step));
    if (at < 0) return;
    if (value < this.#low[at]!) this.#low[at] = value;
    if (value > this.#high[at]!) this.#high[at] = value;
  }

  plot(): PreviewPlot {
    const numbers = (column: Float64Array): (number | null)[] =>
      Array.from(column, (value) => (Number.isFinite(value) ? value : null));
    return { from: this.#from, step: this.#step, low: numbers(this.#low), high: numbers(this.#high) };
  }
}
