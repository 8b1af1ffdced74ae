import { z } from 'zod';
import { Duration } from '../duration.ts';

/** `?series=` may stand once or many times. */
const keys = z
  .union([z.string().max(4096), z.array(z.string().max(4096)).max(2000)])
  .optional()
  .transform((value) => (value === undefined ? [] : Array.isArray(value) ? value : [value]));

/** The same, for what need not be there. */
const texts = z
  .union([z.string().max(4096), z.array(z.string().max(4096)).max(100)])
  .transform((value) => (Array.isArray(value) ? value : [value]));

/** What may be asked for beside min, avg, max and last: of a counter increase and rate, of a gauge sum and count. */
export const RangeFunction = z.enum(['min', 'max', 'avg', 'last', 'sum', 'count', 'rate', 'increase']);
export type RangeFunction = z.infer<typeof RangeFunction>;
const functions = z
  .union([RangeFunction, z.array(RangeFunction).max(8)])
  .transform((value) => (Array.isArray(value) ? value : [value]));

/** Width of a bucket: a duration with a unit, in ms when it is parsed. */
const Step = Duration.refine((ms) => ms >= 1 && ms <= 400 * 86_400_000, 'expected 1ms to 400d');

/** GET /api/v1/query — history of one scope. Times are ms since the epoch. */
export const RangeQuery = z.object({
  scope: z.string().min(1).max(1024),
  /** Canonical keys; without these and the next two: every series of the scope. */
  series: keys,
  /** Series that match: `node_cpu{mode=~"user|system"}`, with =, !=, =~ and !~. */
  select: texts.optional(),
  /** All series of these families. */
  family: texts.optional(),
  /** Columns of the answer; without: min, avg, max, last. */
  functions: functions.optional(),
  from: z.coerce.number().nonnegative(),
  to: z.coerce.number().nonnegative(),
  maxPoints: z.coerce.number().int().min(2).max(20_000).default(1000),
  /** Width of a bucket, `10s`; wider where there would be more than `maxPoints` of them. */
  step: Step.optional(),
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
  /** Only when asked for. Of a counter: increase of the total, and increase per second (the same as avg). */
  increase: column.optional(),
  rate: column.optional(),
  /** Only when asked for. Of a gauge: sum and number of its values. */
  sum: column.optional(),
  count: column.optional(),
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
  /** Why the answer has less than it could have, for people: what is read from another store did not come. */
  note: z.string().optional(),
});
export type RangeResult = z.infer<typeof RangeResult>;
