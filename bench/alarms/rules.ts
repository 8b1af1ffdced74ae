/** The rules of the benchmark, for the evaluator and as Prometheus has them, over the series of support/exporter.ts. */

import { RuleSettings } from '../../src/shared/api/alarms.ts';
import type { LoadedRule } from '../../src/engine/alarms/evaluate.ts';

export type Form = 'each' | 'all' | 'none';

export const SERIES = 10_000;
export const RULES = 1000;
const COUNTERS = 0.8 * SERIES;

interface Written {
  readonly name: string;
  readonly metric: string;
  readonly raise: number;
}

/** each: ten series for each rule; all: every rule over all series. */
function written(form: Form): Written[] {
  const count = form === 'none' ? 0 : RULES;
  return Array.from({ length: count }, (_, i) => {
    const name = `rule${i}`;
    // The largest counters come over it for one round of twenty.
    if (form === 'all') return { name, metric: '{__name__=~"app_.*"}', raise: 1_000_000 + COUNTERS + 130 + i / RULES };
    const first = (SERIES / RULES) * i;
    const path = `path=~"/api/v1/item${String(first).padStart(5, '0').slice(0, -1)}."`;
    // Of the gauges some are over it from time to time.
    return first < COUNTERS
      ? { name, metric: `app_requests_total{${path}}`, raise: 2_000_000 }
      : { name, metric: `app_queue_length{${path}}`, raise: 95 };
  });
}

export const loadedRules = (form: Form): LoadedRule[] =>
  written(form).map(({ name, metric, raise }) => ({
    id: name,
    settings: RuleSettings.parse({ name, scope: { kind: 'all' }, metric, raise, for: '5s', no_data: 'state' }),
  }));

/** A rule file; JSON is YAML. */
export const prometheusRules = (form: Form): string =>
  JSON.stringify({
    groups: [
      {
        name: 'bench',
        interval: '1s',
        rules: written(form).map(({ name, metric, raise }) => ({
          alert: name,
          expr: `${metric} > ${raise}`,
          for: '5s',
        })),
      },
    ],
  });
