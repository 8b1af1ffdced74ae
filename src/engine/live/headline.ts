/**
 * Which series of a run best shows at a glance what it does, for the sparkline of a list: how often it calls what is
 * instrumented if that is known, else the first counter that moved, else the first series there is.
 */

import type { Scope } from './scope.ts';

const PREFERRED = ['total___mpi___hits___total', 'total___strace___hits___total', 'total___io___hits___total'];
/** Lifecycle counters move once: a line of them says nothing. */
const DULL = new Set(['has_started', 'has_finished', 'tau_metric_proxy_run_total']);
/** Of any program: better than nothing. */
const LAST = 'process_cpu_seconds_total';

export interface Headline {
  /** Canonical key, or null while the scope has no series. */
  readonly key: string | null;
  /** The choice will not change any more, so it need not be made again. */
  readonly settled: boolean;
}

export function headline(scope: Scope): Headline {
  for (const key of PREFERRED) {
    const found = scope.find(key);
    if (found?.kind === 'counter' && scope.counters[found.index]! > 0) return { key, settled: true };
  }
  let fallback: string | null = null;
  const { table } = scope;
  for (let i = 0; i < scope.counterCount; i++) {
    const moved = scope.counters[i]! > 0;
    // Names are made anew each time they are asked for: only of what may be chosen.
    if (!moved && fallback !== null) continue;
    const family = table.family('counter', i);
    if (DULL.has(family) || family === LAST) continue;
    if (moved) return { key: table.key('counter', i), settled: true };
    fallback = table.key('counter', i);
  }
  if (fallback !== null) return { key: fallback, settled: false };
  if (scope.find(LAST)?.kind === 'counter') return { key: LAST, settled: false };
  const kind = scope.gaugeCount > 0 ? 'gauge' : 'counter';
  return { key: scope.seriesCount === 0 ? null : table.key(kind, 0), settled: false };
}
