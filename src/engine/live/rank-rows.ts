/**
 * Which rank of a run a client counts as: one of its own, or the one that all clients of the same identity share, at the
 * same time or one after the other.
 */

import { Contributor } from './contributor.ts';
import type { Scope } from './scope.ts';

/** Who a client is within its run, on its node. */
export interface RankIdentity {
  /** Of its MPI world. */
  readonly rank?: number | undefined;
  /** The same for all processes of one launch. */
  readonly launch?: string | undefined;
}

interface Row {
  readonly keys: string[];
  readonly rank: Contributor;
  /** Clients that count as it now. */
  holders: number;
}

export class RankRows {
  readonly #scope: Scope;
  readonly #byKey = new Map<string, Row>();
  readonly #byRank = new Map<Contributor, Row>();
  /** Numbers that are not by arrival. */
  readonly #taken = new Set<number>();
  #next = 0;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** Numbers up to here are of an earlier life of the run. */
  startAt(number: number): void {
    this.#next = Math.max(this.#next, number);
  }

  /** `ended`: it had left, and is back. `added`: nobody was it before. */
  enter(node: string, { rank, launch }: RankIdentity): { rank: Contributor; ended: boolean; added: boolean } {
    const launched = launch === undefined ? null : `${node} launch ${launch}`;
    const key = rank === undefined ? launched : `${node} rank ${rank}`;
    const known = key === null ? undefined : this.#byKey.get(key);
    if (known) {
      const ended = known.holders++ === 0;
      return { rank: known.rank, ended, added: false };
    }
    const made = new Contributor(this.#scope, this.#number(rank), node, key !== null);
    if (key !== null) {
      const row: Row = { keys: [key], rank: made, holders: 1 };
      // Children of an MPI process have its launch and no rank.
      if (launched !== null && launched !== key && !this.#byKey.has(launched)) row.keys.push(launched);
      for (const each of row.keys) this.#byKey.set(each, row);
      this.#byRank.set(made, row);
    }
    return { rank: made, ended: false, added: true };
  }

  #number(wanted: number | undefined): number {
    if (wanted !== undefined && wanted >= this.#next && !this.#taken.has(wanted)) {
      this.#taken.add(wanted);
      return wanted;
    }
    while (this.#taken.delete(this.#next)) this.#next++;
    return this.#next++;
  }

  /** A client left; false: others still count as this rank. */
  leave(rank: Contributor): boolean {
    const row = this.#byRank.get(rank);
    return row === undefined || --row.holders === 0;
  }

  /** The rank is not kept apart: the next client of its identity is a new one. */
  forget(rank: Contributor): void {
    const row = this.#byRank.get(rank);
    if (!row) return;
    this.#byRank.delete(rank);
    for (const key of row.keys) this.#byKey.delete(key);
    this.#taken.delete(rank.rank);
  }
}
