import { z } from 'zod';
import { Series } from '../model/described-series.ts';
import { Numbers } from './numbers.ts';
import { ProfileSummary } from './profiles.ts';

const number = z.number().nullable();

/** Most runs that are compared at once. */
export const MAX_COMPARED = 500;

/** POST /api/v1/profiles/compare (reads: the role view suffices). Runs are told in the order in which they are named. */
export const CompareRequest = z.strictObject({
  runs: z.array(z.string().min(1).max(256)).min(1).max(MAX_COMPARED),
  /** What the others are held against: one of `runs`. Absent: the marked one among them, else the first that did not fail. */
  baseline: z.string().min(1).max(256).optional(),
  /** Series whose key or description contains this, without case. */
  series: z.string().max(256).optional(),
  /** Of the series, those that changed most. */
  limit: z.number().int().min(1).max(5000).default(500),
});
export type CompareRequest = z.infer<typeof CompareRequest>;

/** One series in all compared runs; values in the order of `runs`. */
export const ComparedSeries = Series.pick({
  key: true,
  kind: true,
  family: true,
  labels: true,
  doc: true,
  unit: true,
  group: true,
  operation: true,
  quantity: true,
}).extend({
  /** Counter: the total. Gauge: the mean. null: the run does not have it. */
  values: Numbers,
  min: number,
  avg: number,
  max: number,
  median: number,
  /** (max − min) / |median|; null where that is 0. */
  spread: number,
  /** The other run that is furthest from the baseline, relative: 0.38 is 38 % more; null: not both have it, or 0. */
  change: number,
  /** Part of each run's time (ranks × duration) that this is; only of counters in seconds. */
  share_of_time: Numbers.nullable(),
  /** The greatest difference of that share from the baseline's: 0.2 is 20 points more. */
  share_change: number,
  /** What series are ranked by: larger is further up. See docs/profiles.md. */
  rank: z.number(),
});
export type ComparedSeries = z.infer<typeof ComparedSeries>;

export const Compared = z.object({
  runs: z.array(ProfileSummary),
  /** Id of a run of `runs`; null: there are none. */
  baseline: z.string().nullable(),
  /** Named, and not here (any more). */
  missing: z.array(z.object({ id: z.string(), why: z.string() })),
  /** What changed most first. */
  series: z.array(ComparedSeries),
  /** How many series there are in all. */
  total: z.number().int().nonnegative(),
  /** Fields of descriptions and versions that are not the same in all runs; values in the order of `runs`. */
  differences: z.array(z.object({ field: z.string(), values: z.array(z.string()) })),
  /** Fields that are. */
  common: z.array(z.object({ field: z.string(), value: z.string() })),
});
export type Compared = z.infer<typeof Compared>;
