import type { SeriesValue } from '../../shared/api/series.ts';
import { describeSeries } from '../../shared/model/series.ts';
import { gaugeValue } from '../../shared/model/values.ts';
import type { Scope } from './scope.ts';

/** Numbers that JSON cannot write travel as null. */
const finite = (n: number): number | null => (Number.isFinite(n) ? n : null);

/** A scope's series with their last values, counters first. Settle the scope before. */
export function seriesValues(scope: Scope): SeriesValue[] {
  const counters = scope.defs('counter').map((def, i) => ({
    ...describeSeries(def),
    value: finite(scope.counters[i]!),
    gauge: null,
    changed: scope.counterChanged[i]!,
  }));
  const gauges = scope.defs('gauge').map((def, i) => {
    const g = scope.gauge(i);
    return {
      ...describeSeries(def),
      value: finite(gaugeValue(g)),
      gauge: { min: finite(g.min), max: finite(g.max), hits: g.hits, total: g.total },
      changed: scope.gaugeChanged[i]!,
    };
  });
  return [...counters, ...gauges];
}
