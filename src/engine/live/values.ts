import type { SeriesValue } from '../../shared/api/series.ts';
import { hasBit } from '../../shared/frame.ts';
import { describeSeries } from '../../shared/model/series.ts';
import { gaugeValue } from '../../shared/model/values.ts';
import type { Scope } from './scope.ts';

/** Numbers that JSON cannot write travel as null. */
const finite = (n: number): number | null => (Number.isFinite(n) ? n : null);

/**
 * A scope's series with their last values, counters first; without retired ones. Settle the scope before. `now`: what has changed since the
 * last tick did so until then, in ms since the epoch; without it the time of an earlier change would stand beside it.
 */
export function seriesValues(scope: Scope, now?: number): SeriesValue[] {
  const since = (bits: Uint8Array, i: number, changed: number): number =>
    now !== undefined && hasBit(bits, i) ? Math.max(now, changed) : changed;
  const counters = scope.defs('counter').map((def, i) => ({
    ...describeSeries(def),
    value: finite(scope.counters[i]!),
    gauge: null,
    changed: since(scope.counterBits, i, scope.counterChanged[i]!),
  }));
  const gauges = scope.defs('gauge').map((def, i) => {
    const g = scope.gauge(i);
    return {
      ...describeSeries(def),
      value: finite(gaugeValue(g)),
      gauge: { min: finite(g.min), max: finite(g.max), hits: g.hits, total: g.total },
      changed: since(scope.gaugeBits, i, scope.gaugeChanged[i]!),
    };
  });
  if (scope.livingCount === scope.seriesCount) return [...counters, ...gauges];
  return [
    ...counters.filter((_, i) => !scope.isRetired('counter', i)),
    ...gauges.filter((_, i) => !scope.isRetired('gauge', i)),
  ];
}
