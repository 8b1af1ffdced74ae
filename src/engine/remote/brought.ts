/**
 * Which runs of an engine over there were brought here: one that is among them and not in the store was deleted here, and
 * does not come again. Each is kept as a mark, its hash and when it began, as many lists of connections hold them.
 */

import { createHash } from 'node:crypto';

/** The newest are kept: 200 connections with so many each are still a file that is read again. */
export const MAX_BROUGHT = 2000;
const HASH = 8;
/** A mark is no longer than this: a hash, and ms since the epoch to the base of 36. */
export const MAX_MARK = HASH + 11;
/** The last moment that there is, ms since the epoch. */
const LAST_TIME = 8.64e15;

const hashOf = (run: string): string => createHash('sha256').update(run).digest('base64url').slice(0, HASH);

export class Brought {
  /** Hash → when it began, ms since the epoch. */
  readonly #runs: Map<string, number>;

  constructor(marks: readonly string[]) {
    this.#runs = new Map(marks.map((mark) => [mark.slice(0, HASH), Number.parseInt(mark.slice(HASH), 36) || 0]));
  }

  has(run: string): boolean {
    return this.#runs.has(hashOf(run));
  }

  /** `start`: ms since the epoch, as somebody says it. Whether it is news. */
  add(run: string, start: number): boolean {
    const hash = hashOf(run);
    if (this.#runs.has(hash)) return false;
    this.#runs.set(hash, Math.trunc(Math.min(Math.max(start, 0), LAST_TIME)));
    return true;
  }

  /** Those that began at `since` or later: what began before is asked for no more. Null: all. */
  marks(since: number | null): string[] {
    const old = (start: number): boolean => since !== null && start < since;
    for (const [hash, start] of this.#runs) if (old(start)) this.#runs.delete(hash);
    if (this.#runs.size > MAX_BROUGHT) {
      const oldest = [...this.#runs].sort(([, a], [, b]) => a - b).slice(0, this.#runs.size - MAX_BROUGHT);
      for (const [hash] of oldest) this.#runs.delete(hash);
    }
    return Array.from(this.#runs, ([hash, start]) => hash + start.toString(36));
  }
}
