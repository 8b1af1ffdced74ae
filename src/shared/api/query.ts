import { z } from 'zod';

/** `?series=` may stand once or many times. */
const keys = z
  .union([z.string().max(4096), z.array(z.string().max(4096)).max(2000)])
  .optional()
  .transform((value) => (value === undefined ? [] : Array.isArray(value) ? value : [value]));

/** GET /api/v1/query — history of one scope. Times are ms since the epoch. */
export const RangeQuery = z.object({
  scope: z.string().min(1).max(1024),
  /** Canonical keys; none means every series of the scope. */
  series: keys,
  from: z.coerce.number().nonnegative(),
  to: z.coerce.number().nonnegative(),
  maxPoints: z.coerce.number().int().min(2).max(20_000).default(1000),
});
export type RangeQuery = z.infer<typeof RangeQuery>;

const column = z.array(z.number().nullable());

/**
 * Buckets of one series. For a counter, min, avg and max are of the rate per second between samples, so that no spike
 * hides in a wide bucket, and `last` is the total at the bucket's end. For a gauge all are of total / hits.
 */
export const RangeSeries = z.object({
  key: z.string(),
  name: z.string(),
  kind: z.enum(['counter', 'gauge']),
  min: column,
  avg: column,
  max: column,
  last: column,
});
export type RangeSeries = z.infer<typeof RangeSeries>;

export const RangeResult = z.object({
  scope: z.string(),
  from: z.number(),
  to: z.number(),
  /** Width of a bucket in ms; 0: every stored sample is a point of its own. */
  step: z.number(),
  /** Start of each bucket, or the sample's time; strictly growing. Buckets without samples are present, as null. */
  times: z.array(z.number()),
  series: z.array(RangeSeries),
});
export type RangeResult = z.infer<typeof RangeResult>;
