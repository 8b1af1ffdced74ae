/**
 * Ranks over time, every ten seconds: each rank of a run with more than one is a scope of its own in the store. Live
 * views and the run's sum have every period; a rank's own line needs no more.
 */

import { rankScope } from '../shared/model/scope.ts';
import type { SeriesDef } from '../shared/model/series.ts';
import { GAUGE_WIDTH } from '../shared/model/values.ts';
import { DETAIL_EVERY } from './history.ts';
import type { Contributor } from './live/contributor.ts';
import type { LiveRun } from './live/runs.ts';
import { Scope } from './live/scope.ts';

/** Runs with more ranks than this keep them in the profile only. */
const MAX_RANKS = 512;

/** A rank as a scope of its own, and where in it each of the rank's own series stands. */
interface Copy {
  readonly scope: Scope;
  readonly counters: number[];
  readonly gauges: number[];
}

export class RankHistory {
  #last = -Infinity;
  readonly #copies = new WeakMap<Contributor, Copy>();

  /** The rank scopes to store with this tick; none most of the time. */
  due(time: number, runs: Iterable<LiveRun>): Scope[] {
    // A clock that was set back must not silence the ranks until it has caught up.
    if (time - this.#last < DETAIL_EVERY && time >= this.#last) return [];
    this.#last = time;
    const scopes: Scope[] = [];
    for (const run of runs) {
      if (run.ranks < 2 || run.clients > MAX_RANKS) continue;
      for (const rank of run.scope.contributors) scopes.push(this.#copy(run, rank));
    }
    return scopes;
  }

  #copy(run: LiveRun, rank: Contributor): Scope {
    let copy = this.#copies.get(rank);
    const id = rankScope(run.id, rank.rank);
    // One that says no MPI rank may have made room for one that does.
    if (copy?.scope.id !== id) {
      copy = { scope: new Scope(id, 'rank'), counters: [], gauges: [] };
      this.#copies.set(rank, copy);
    }
    const { scope, counters, gauges } = copy;
    scope.clear();
    // Only what the rank has described since the last time is registered: a rank has hundreds of series.
    for (let i = counters.length; i < rank.counterCount; i++) {
      counters.push(placeOf(scope, run.scope.table.def('counter', rank.counterMap[i]!)));
    }
    for (let i = gauges.length; i < rank.gaugeCount; i++) {
      gauges.push(placeOf(scope, run.scope.table.def('gauge', rank.gaugeMap[i]!)));
    }
    // A rank that spells one metric in two ways has two parts of it.
    const totals = new Float64Array(scope.counterCount);
    for (let i = 0; i < counters.length; i++) if (counters[i]! >= 0) totals[counters[i]!]! += rank.counters[i]!;
    for (let i = 0; i < totals.length; i++) scope.putCounter(i, totals[i]!);
    for (let i = 0; i < gauges.length; i++) {
      if (gauges[i]! >= 0) scope.putGauge(gauges[i]!, rank.gauges.subarray(GAUGE_WIDTH * i, GAUGE_WIDTH * (i + 1)));
    }
    return scope;
  }
}

/** Place of a series in the rank's scope; -1: it has no room. */
function placeOf(scope: Scope, def: SeriesDef): number {
  const place = scope.register(def.name, def.doc, def.kind);
  return 'index' in place ? place.index : -1;
}
