import { z } from 'zod';
import { RangeQuery, RangeResult } from './query.ts';

export const MergeOperation = z.enum(['sum', 'avg', 'min', 'max']);
export type MergeOperation = z.infer<typeof MergeOperation>;

const scope = z.string().min(1).max(1024);

/** GET /api/v1/query/merge: one series of many scopes as one. */
export const MergeQuery = RangeQuery.pick({ from: true, to: true, maxPoints: true, step: true }).extend({
  /** Scopes, `node/*` (`run/*`, `target/*`) for all of a kind, or `main`: what the sum of all jobs is made of. */
  scope: z.union([scope, z.array(scope).max(2000)]).transform((value) => (Array.isArray(value) ? value : [value])),
  /** Canonical key. */
  series: z.string().min(1).max(4096),
  operation: MergeOperation.default('sum'),
});
export type MergeQuery = z.infer<typeof MergeQuery>;

/** `min` and `max` of a sum are the sums of the scopes' own: what the sum never was below and above. */
export const MergeResult = RangeResult.extend({
  /** How many scopes have the series. */
  scopes: z.number().int().nonnegative(),
});
export type MergeResult = z.infer<typeof MergeResult>;
