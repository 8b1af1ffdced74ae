/**
 * How the values of several contributors become one. By default counters add, and gauges take the smallest min, the
 * largest max, and add hits and totals. A rule for a metric family replaces that, for numbers where it says nothing:
 * the sum of every rank's resident memory, the largest of their queue lengths.
 */

import { z } from 'zod';
import { EMPTY_GAUGE, finiteSum, gaugeValue, mergeGauge, type Gauge } from '../../shared/model/values.ts';

export const MergeRule = z.enum(['sum', 'min', 'max', 'last']);
export type MergeRule = z.infer<typeof MergeRule>;

/** Rules by metric family. */
export type MergeRules = ReadonlyMap<string, MergeRule>;

/** One contributor's number; `order` grows with each write, so that `last` does not depend on who is asked first. */
export interface Contribution {
  readonly value: number;
  readonly order: number;
}

/** A counter under a rule, or null when nobody contributes. Does not depend on the order of the list. */
export function mergeNumbers(rule: MergeRule, contributions: readonly Contribution[]): number | null {
  let result: Contribution | null = null;
  for (const c of contributions) {
    if (result === null) result = c;
    else if (rule === 'sum') result = { value: finiteSum(result.value, c.value), order: 0 };
    else if (rule === 'min') result = c.value < result.value ? c : result;
    else if (rule === 'max') result = c.value > result.value ? c : result;
    else if (c.order > result.order || (c.order === result.order && c.value > result.value)) result = c;
  }
  return result?.value ?? null;
}

/**
 * Gauges under a rule: what each contributor shows (total / hits) is merged to one value, seen once; min and max stay
 * those over all contributors, except for a sum, where they are the sum too.
 */
export function mergeGauges(
  rule: MergeRule | undefined,
  gauges: readonly { readonly gauge: Readonly<Gauge>; readonly order: number }[],
): Gauge {
  const present = gauges.filter((g) => g.gauge.hits > 0);
  const merged = present.reduce<Gauge>((sum, g) => mergeGauge(sum, g.gauge), { ...EMPTY_GAUGE });
  if (rule === undefined || present.length === 0) return merged;
  const value = mergeNumbers(
    rule,
    present.map((g) => ({ value: gaugeValue(g.gauge), order: g.order })),
  )!;
  if (rule === 'sum') return { min: value, max: value, hits: 1, total: value };
  return { min: merged.min, max: merged.max, hits: 1, total: value };
}
