/**
 * Collects garbage once it is quiet after a burst, here and in the store's thread: an engine that idles allocates so
 * little that the collector would leave what a thousand jobs at once have left behind for hours, on somebody's node.
 */

import { collectGarbage } from '../garbage.ts';

/** Fewer of what was begun or ended are no burst. */
const MANY = 100;
/** Milliseconds without more of it. */
const QUIET = 1000;

export class QuietCollector {
  #count = 0;
  #timer: NodeJS.Timeout | null = null;
  readonly #collect: () => void;

  constructor(collect: () => void = collectGarbage) {
    this.#collect = collect;
  }

  /** Something began or ended that had memory of its own. */
  note(): void {
    this.#count++;
    if (this.#timer) this.#timer.refresh();
    else this.#timer = setTimeout(() => this.#look(), QUIET).unref();
  }

  #look(): void {
    this.#timer = null;
    const burst = this.#count >= MANY;
    this.#count = 0;
    if (burst) this.#collect();
  }

  close(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
