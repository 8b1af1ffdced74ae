import { z } from 'zod';
import { Series } from '../model/described-series.ts';

/** A series with its last value. Numbers that are not finite travel as null. */
export const SeriesValue = Series.extend({
  /** Counter: the total. Gauge: total / hits. */
  value: z.number().nullable(),
  /** Gauges: smallest and largest value, number of observations and their sum; null for counters. */
  gauge: z
    .object({ min: z.number().nullable(), max: z.number().nullable(), hits: z.number(), total: z.number() })
    .nullable(),
  /** When the value last changed, ms since the epoch; 0: not known. */
  changed: z.number(),
});
export type SeriesValue = z.infer<typeof SeriesValue>;

/** GET /api/v1/series?scope= */
export const SeriesQuery = z.object({
  scope: z.string().min(1).max(1024),
  /** With one of these the answer is a page; without, all series. */
  limit: z.coerce.number().int().min(1).max(10_000).optional(),
  /** `next` of the page before. */
  cursor: z
    .string()
    .regex(/^[cg]\d{1,9}$/)
    .optional(),
});
export type SeriesQuery = z.infer<typeof SeriesQuery>;
export const SeriesList = z.object({
  scope: z.string(),
  /** Time of the values, ms since the epoch. */
  time: z.number(),
  series: z.array(SeriesValue),
  /** For `cursor`; null: these were the last. Only of a page. */
  next: z.string().nullable().optional(),
});
export type SeriesList = z.infer<typeof SeriesList>;
