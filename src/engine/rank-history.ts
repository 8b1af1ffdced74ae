/**
 * Ranks over time, every ten seconds: each rank of a run with more than one is a scope of its own in the store. Live
 * views and the run's sum have every period; a rank's own line needs no more.
 */

import { rankScope } from '../shared/model/scope.ts';
import { GAUGE_WIDTH } from '../shared/model/values.ts';
import type { Contributor } from './live/contributor.ts';
import type { LiveRun } from './live/runs.ts';
import { Scope } from './live/scope.ts';

/** Milliseconds between two samples of a rank. */
const EVERY = 10_000;
/** Runs with more ranks than this keep them in the profile only. */
const MAX_RANKS = 512;

export class RankHistory {
  #last = -Infinity;
  readonly #scopes = new WeakMap<Contributor, Scope>();

  /** The rank scopes to store with this tick; none most of the time. */
  due(time: number, runs: Iterable<LiveRun>): Scope[] {
    // A clock that was set back must not silence the ranks until it has caught up.
    if (time - this.#last < EVERY && time >= this.#last) return [];
    this.#last = time;
    const scopes: Scope[] = [];
    for (const run of runs) {
      if (run.ranks < 2 || run.clients > MAX_RANKS) continue;
      for (const rank of run.scope.contributors) scopes.push(this.#copy(run, rank));
    }
    return scopes;
  }

  #copy(run: LiveRun, rank: Contributor): Scope {
    let scope = this.#scopes.get(rank);
    if (!scope) this.#scopes.set(rank, (scope = new Scope(rankScope(run.id, rank.rank), 'rank')));
    scope.clear();
    const [counterDefs, gaugeDefs] = [run.scope.defs('counter'), run.scope.defs('gauge')];
    // A rank that spells one metric in two ways has two parts of it.
    const totals = new Map<number, number>();
    for (let i = 0; i < rank.counterCount; i++) {
      const def = counterDefs[rank.counterMap[i]!]!;
      const place = scope.register(def.name, def.doc, 'counter');
      if ('index' in place) totals.set(place.index, (totals.get(place.index) ?? 0) + rank.counters[i]!);
    }
    for (const [index, total] of totals) scope.putCounter(index, total);
    for (let i = 0; i < rank.gaugeCount; i++) {
      const def = gaugeDefs[rank.gaugeMap[i]!]!;
      const place = scope.register(def.name, def.doc, 'gauge');
      if ('index' in place) scope.putGauge(place.index, rank.gauges.subarray(GAUGE_WIDTH * i, GAUGE_WIDTH * (i + 1)));
    }
    return scope;
  }
}
