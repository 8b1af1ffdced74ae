/**
 * Work that must not run in the tick because it may hang or takes long. At most one piece runs at a time: a hung one is
 * not joined by others, it is waited for, and what it would have told grows old meanwhile.
 */

/** What the last finished piece of work told. */
export interface Finished<T> {
  readonly value: T;
  /** Seconds since it was finished. */
  readonly age: number;
}

export interface BackgroundOptions {
  /** Seconds from one start to the next, at least. */
  readonly every: number;
  /** A result older than this many seconds is not given out any more. */
  readonly keep: number;
  /** Monotonic clock, ms. */
  readonly now?: () => number;
}

export class Background<T> {
  readonly #work: () => Promise<T>;
  readonly #options: BackgroundOptions;
  readonly #now: () => number;
  #running = false;
  #closed = false;
  #startedAt = -Infinity;
  #finishedAt = 0;
  #result: { readonly value: T } | null = null;
  #error: Error | null = null;
  #settled: Promise<void> = Promise.resolve();

  constructor(work: () => Promise<T>, options: BackgroundOptions) {
    this.#work = work;
    this.#options = options;
    this.#now = options.now ?? ((): number => performance.now());
  }

  /** The work has been going on for so many seconds; 0 when none is. */
  get runningFor(): number {
    return this.#running ? (this.#now() - this.#startedAt) / 1000 : 0;
  }

  /**
   * Starts the work when it is due, and gives what the last one told; null before the first has finished. Throws what
   * the last one failed with, or that it takes too long, once the result before it is too old.
   */
  poll(): Finished<T> | null {
    if (!this.#running && !this.#closed && this.#now() - this.#startedAt >= this.#options.every * 1000) this.#start();
    const age = (this.#now() - this.#finishedAt) / 1000;
    if (this.#result && age <= this.#options.keep) return { value: this.#result.value, age };
    this.#result = null;
    if (this.#error !== null) throw this.#error;
    if (this.runningFor > this.#options.keep) throw new Error(`no answer for ${Math.round(this.runningFor)} s`);
    return null;
  }

  /** Resolves when what runs now has ended, well or not. */
  settled(): Promise<void> {
    return this.#settled;
  }

  /** Nothing is started any more. What runs is left to end; its result goes nowhere. */
  close(): void {
    this.#closed = true;
  }

  #start(): void {
    this.#running = true;
    this.#startedAt = this.#now();
    this.#settled = this.#work()
      .then((value) => {
        this.#result = { value };
        this.#error = null;
        this.#finishedAt = this.#now();
      })
      .catch((error: unknown) => {
        this.#error = error instanceof Error ? error : new Error(String(error));
      })
      .finally(() => {
        this.#running = false;
      });
  }
}
