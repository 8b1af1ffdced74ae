/** Work that takes memory or time is done by few at a time; the others wait their turn, and too many are refused. */

import { ApiError } from '../../../shared/errors.ts';

export class Turns {
  readonly #atOnce: number;
  readonly #most: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /** `atOnce` run, at most `waiting` wait. */
  constructor(atOnce: number, waiting: number) {
    this.#atOnce = atOnce;
    this.#most = waiting;
  }

  /** @throws {ApiError} `store_unavailable`, when too many wait already. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#atOnce) {
      if (this.#waiting.length >= this.#most)
        throw new ApiError('store_unavailable', 'too many histories are being read; try again');
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running++;
    try {
      return await work();
    } finally {
      // Whoever waits takes over this turn: the number that run stays.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
}
