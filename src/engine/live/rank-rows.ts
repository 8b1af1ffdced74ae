/**
 * Which rank of a run a client counts as: one of its own, or the one that all clients of the same identity share, at the
 * same time or one after the other.
 *
 * Numbers: who says its MPI rank has that number, also when an earlier engine had the run. All others are numbered by
 * arrival; where ranks are said, they stand above the job's size and above every rank said so far, and one that came
 * before that and is in the way moves up there.
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

/** What is known of a client's rank beside its identity. */
export interface Numbering {
  /** Ranks of the job, as it is described. */
  readonly size?: number;
  /** Number that an earlier engine gave it. */
  readonly before?: number | undefined;
}

/** Above all ranks that can be said: a description may have any size. */
const MAX_SIZE = 2 ** 31;

interface Row {
  readonly keys: string[];
  /** That of the launch, when it is one of them. */
  launched: string | null;
  readonly rank: Contributor;
  /** Clients that count as it now. */
  holders: number;
  /** More than one has. */
  shared: boolean;
}

interface Holder {
  readonly rank: Contributor;
  /** By the program: it keeps its number. */
  readonly said: boolean;
}

export class RankRows {
  readonly #scope: Scope;
  readonly #byKey = new Map<string, Row>();
  readonly #byRank = new Map<Contributor, Row>();
  /** Of all ranks that are kept apart. */
  readonly #byNumber = new Map<number, Holder>();
  /** Numbers by arrival begin here. */
  #next = 0;
  /** No rank said so far is this or more. */
  #said = 0;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** Numbers up to here are of an earlier life of the run. */
  startAt(number: number): void {
    this.#next = Math.max(this.#next, number);
  }

  /** `ended`: it had left, and is back. `added`: nobody was it before. */
  enter(
    node: string,
    { rank, launch }: RankIdentity,
    { size = 0, before }: Numbering = {},
  ): { rank: Contributor; ended: boolean; added: boolean } {
    const launched = launch === undefined ? null : `${node} launch ${launch}`;
    const key = rank === undefined ? launched : `${node} rank ${rank}`;
    const known = key === null ? undefined : this.#byKey.get(key);
    if (known) {
      const ended = known.holders++ === 0;
      known.shared = true;
      if (before !== undefined) this.#renumber(known.rank, before, size);
      return { rank: known.rank, ended, added: false };
    }
    if (rank !== undefined) this.#said = Math.max(this.#said, rank + 1);
    const number = this.#number(rank ?? before, size);
    const made = new Contributor(this.#scope, number, node, key !== null);
    this.#byNumber.set(number, { rank: made, said: number === rank });
    if (key !== null) {
      const row: Row = { keys: [key], launched: key === launched ? key : null, rank: made, holders: 1, shared: false };
      // Children of an MPI process have its launch and no rank.
      if (launched !== null && launched !== key && !this.#byKey.has(launched)) {
        row.keys.push(launched);
        row.launched = launched;
      }
      for (const each of row.keys) this.#byKey.set(each, row);
      this.#byRank.set(made, row);
    }
    return { rank: made, ended: false, added: true };
  }

  /** The wanted number, whose holder moves when it only came first; else the next one. */
  #number(wanted: number | undefined, size: number): number {
    if (wanted === undefined) return this.#free(size);
    const holder = this.#byNumber.get(wanted);
    if (holder === undefined) return wanted;
    if (holder.said) return this.#free(size);
    const next = this.#free(size);
    this.#byNumber.set(next, holder);
    holder.rank.rank = next;
    return wanted;
  }

  #renumber(rank: Contributor, wanted: number, size: number): void {
    const holder = this.#byNumber.get(rank.rank);
    if (holder?.rank !== rank || holder.said || rank.rank === wanted) return;
    const number = this.#number(wanted, size);
    this.#byNumber.delete(rank.rank);
    this.#byNumber.set(number, holder);
    rank.rank = number;
  }

  #free(size: number): number {
    if (this.#said > 0) this.#next = Math.max(this.#next, this.#said, Math.min(Math.ceil(size), MAX_SIZE));
    while (this.#byNumber.has(this.#next)) this.#next++;
    return this.#next++;
  }

  /** A client left; false: others still count as this rank. */
  leave(rank: Contributor): boolean {
    const row = this.#byRank.get(rank);
    return row === undefined || --row.holders === 0;
  }

  /**
   * The only client of `rank` has become `next`. True: nobody else was that rank, which is forgotten, and further
   * processes of its launch are `next`, too.
   */
  replace(rank: Contributor, next: Contributor): boolean {
    const row = this.#byRank.get(rank);
    if (row?.shared === true) return false;
    this.forget(rank);
    const heir = this.#byRank.get(next);
    const launched = row?.launched ?? null;
    if (heir && launched !== null && !this.#byKey.has(launched)) {
      heir.keys.push(launched);
      heir.launched = launched;
      this.#byKey.set(launched, heir);
    }
    return true;
  }

  /** The rank is not kept apart: the next client of its identity is a new one. */
  forget(rank: Contributor): void {
    if (this.#byNumber.get(rank.rank)?.rank === rank) this.#byNumber.delete(rank.rank);
    const row = this.#byRank.get(rank);
    if (!row) return;
    this.#byRank.delete(rank);
    for (const key of row.keys) this.#byKey.delete(key);
  }
}
