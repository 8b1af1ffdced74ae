import type { RangeResult } from '../../shared/api/query.ts';
import type { Range } from './api.ts';
import { passes } from './historyFill.ts';

/** Numbers of all answers that are kept, four columns per series. */
const MOST_NUMBERS = 1_500_000;
/** How long an answer stays true: one that ends now soon has more to tell, a past one only when it is thinned out. */
const NEW_MS = 2000;
const PAST_MS = 300_000;
/** What may work the next time is asked for again, after a while each. */
const RETRIES_MS = [500, 2000];
/** What ends longer ago than this is past. */
const SETTLED_MS = 30_000;

interface Waiting {
  readonly abort: AbortController;
  readonly result: Promise<RangeResult>;
  readers: number;
}

interface Kept {
  readonly result: RangeResult;
  readonly until: number;
  readonly size: number;
}

export interface RangeLoaderOptions {
  readonly query: (range: Range, signal: AbortSignal) => Promise<RangeResult>;
  /** The engine's clock, ms since the epoch. */
  readonly now: () => number;
}

/**
 * Asks for ranges. One question is asked once, however many want its answer, and given up when nobody does any more:
 * while somebody zooms on, the engine does not work on what has been left. Answers are kept for a while.
 */
export class RangeLoader {
  readonly #options: RangeLoaderOptions;
  readonly #waiting = new Map<string, Waiting>();
  /** Oldest first. */
  readonly #kept = new Map<string, Kept>();
  #numbers = 0;

  constructor(options: RangeLoaderOptions) {
    this.#options = options;
  }

  /** Rejects with the signal's reason when it is aborted. */
  async load(range: Range, signal?: AbortSignal): Promise<RangeResult> {
    signal?.throwIfAborted();
    const key = JSON.stringify([range.scope, range.from, range.to, range.maxPoints, range.series, range.families]);
    const kept = this.#kept.get(key);
    if (kept && kept.until > this.#options.now()) return kept.result;
    const waiting = this.#waiting.get(key) ?? this.#ask(key, range);
    waiting.readers++;
    let leave = (): void => undefined;
    const left = new Promise<never>((_, reject) => {
      leave = () => reject(signal?.reason);
    });
    signal?.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([waiting.result, left]);
    } finally {
      signal?.removeEventListener('abort', leave);
      waiting.readers--;
      // Who asks the same right after the last one has gone goes on with what is on its way.
      if (waiting.readers === 0) setTimeout(() => this.#drop(key, waiting), 0);
    }
  }

  #ask(key: string, range: Range): Waiting {
    const abort = new AbortController();
    const result = this.#query(range, abort.signal);
    const waiting: Waiting = { abort, result, readers: 0 };
    this.#waiting.set(key, waiting);
    result.then(
      (answer) => {
        this.#done(key, waiting);
        this.#keep(key, range, answer);
      },
      () => this.#done(key, waiting),
    );
    return waiting;
  }

  async #query(range: Range, signal: AbortSignal): Promise<RangeResult> {
    for (const wait of RETRIES_MS) {
      try {
        return await this.#options.query(range, signal);
      } catch (error) {
        if (signal.aborted || !passes(error)) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, wait));
      signal.throwIfAborted();
    }
    return this.#options.query(range, signal);
  }

  #done(key: string, waiting: Waiting): void {
    if (this.#waiting.get(key) === waiting) this.#waiting.delete(key);
  }

  #drop(key: string, waiting: Waiting): void {
    if (waiting.readers > 0 || this.#waiting.get(key) !== waiting) return;
    this.#waiting.delete(key);
    waiting.abort.abort();
  }

  #keep(key: string, { to }: Range, result: RangeResult): void {
    const size = 4 * result.times.length * result.series.length + result.times.length;
    // What another store did not tell may come the next time.
    const past = to < this.#options.now() - SETTLED_MS && result.note === undefined;
    this.#forget(key);
    this.#kept.set(key, { result, until: this.#options.now() + (past ? PAST_MS : NEW_MS), size });
    this.#numbers += size;
    for (const oldest of this.#kept.keys()) {
      if (this.#numbers <= MOST_NUMBERS) break;
      this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    this.#numbers -= this.#kept.get(key)?.size ?? 0;
    this.#kept.delete(key);
  }
}
