import type { Run } from '../shared/api/runs.ts';

/** The newest entries by key, up to a number. */
export class Recent<T> {
  readonly #entries = new Map<string, T>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(key: string, value: T): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#limit) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      break;
    }
  }

  get(key: string): T | null {
    return this.#entries.get(key) ?? null;
  }
}

/** Readers that are further behind than this list the runs anew. */
const MAX_ENDED = 1000;

/** The newest runs of targets that ended, numbered, so that each reader is told of each once. */
export class EndedElsewhere {
  readonly #runs: Run[] = [];
  #next = 0;

  add(run: Run): void {
    this.#runs.push(run);
    if (this.#runs.length > MAX_ENDED) this.#runs.shift();
    this.#next++;
  }

  /** The number that the next one gets. */
  get next(): number {
    return this.#next;
  }

  /** Those from this number on, as far as they are remembered. */
  from(number: number): readonly Run[] {
    const count = this.#next - number;
    return count <= 0 ? [] : this.#runs.slice(-count);
  }
}
