/**
 * Which scopes of targets are written to history at a tick. Between two scrapes nobody knows what a target's numbers are:
 * stored again they would be rates of zero, and the whole growth a spike at the next scrape.
 */

import type { Scope } from '../live/scope.ts';

export class DueScopes {
  readonly #asked = new Set<Scope>();
  #unseen = new Set<Scope>();

  /** They were scraped: history has a sample of them at the next tick, also when it is the same as the one before. */
  add(scopes: Iterable<Scope>): void {
    for (const scope of scopes) this.#asked.add(scope);
  }

  /** They were scraped after a time in which they were not: what they grew by then is no rate of any moment. */
  addAfterGap(scopes: Iterable<Scope>): void {
    for (const scope of scopes) {
      this.#asked.add(scope);
      this.#unseen.add(scope);
    }
  }

  /** Those that have a gap before the samples of this tick. Once for each tick. */
  takeGaps(): ReadonlySet<Scope> {
    const gaps = this.#unseen;
    if (gaps.size > 0) this.#unseen = new Set();
    return gaps;
  }

  /**
   * Those of a tick's settled scopes that are written: targets' that were scraped since the last tick, or changed (what
   * went stale has no value any more), and all others'.
   */
  take(scopes: readonly Scope[]): Scope[] {
    const due = scopes.filter((scope) => scope.kind !== 'target' || this.#asked.has(scope) || hasChanged(scope));
    this.#asked.clear();
    return due;
  }
}

const isSet = (byte: number): boolean => byte !== 0;

const hasChanged = ({ counterBits, gaugeBits }: Scope): boolean => counterBits.some(isSet) || gaugeBits.some(isSet);
