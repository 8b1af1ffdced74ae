/** Messages of one tick of the engine arrive within this time, ms. */
const GATHER_MS = 20;

/**
 * What one tick of the engine changes on the screen is done together, in one animation frame: the browser then lays out
 * and paints once per tick instead of once per message. A hidden page does nothing until it is seen again.
 */
export class Beat {
  readonly #waiting = new Set<() => void>();
  readonly #schedule: (call: () => void) => void;
  #asked = false;

  constructor(schedule: (call: () => void) => void) {
    this.#schedule = schedule;
  }

  /** Calls `work` with the next beat; the same function at most once in it. */
  add(work: () => void): void {
    this.#waiting.add(work);
    if (this.#asked) return;
    this.#asked = true;
    this.#schedule(() => {
      this.#asked = false;
      const due = [...this.#waiting];
      this.#waiting.clear();
      for (const each of due) each();
    });
  }
}

export const beat = new Beat((call) => void setTimeout(() => requestAnimationFrame(call), GATHER_MS));
