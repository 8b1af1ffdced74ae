/**
 * Which series of a run best shows at a glance what it does, for the sparkline of a list: how often it calls what is
 * instrumented if that is known, else the first counter that moved, else the first series there is.
 */

import type { Scope } from './scope.ts';
import { parseMetric } from '../../shared/model/metric.ts';

const PREFERRED = ['total___mpi___hits___total', 'total___strace___hits___total', 'total___io___hits___total'];
/** Lifecycle counters move once: a line of them says nothing. */
const DULL = new Set(['has_started', 'has_finished', 'tau_metric_proxy_run_total']);

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
  const defs = scope.defs('counter');
  for (let i = 0; i < defs.length; i++) {
    const { key, family } = parseMetric(defs[i]!.name);
    if (DULL.has(family)) continue;
    if (scope.counters[i]! > 0) return { key, settled: true };
    fallback ??= key;
  }
  const gauge = scope.defs('gauge')[0];
  const first = gauge ?? defs[0];
  return { key: fallback ?? (first ? parseMetric(first.name).key : null), settled: false };
}
