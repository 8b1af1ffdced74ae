import { z } from 'zod';
import { Run } from './runs.ts';
import { RankValues } from './profiles.ts';
import { SeriesValue } from './series.ts';

/** `?quantity=` may stand once or many times. */
const quantities = z
  .union([z.string().max(64), z.array(z.string().max(64)).max(32)])
  .optional()
  .transform((value) => (value === undefined ? [] : Array.isArray(value) ? value : [value]));

/** GET /api/v1/runs/ID/ranks — the present or last values of a run and of each of its ranks. */
export const RanksQuery = z.object({
  /** Only series of this group, such as `MPI`. */
  group: z.string().max(1024).optional(),
  /** Only series of these quantities, such as `time`; none means all. */
  quantity: quantities,
});
export type RanksQuery = z.infer<typeof RanksQuery>;

export const RankTable = z.object({
  run: Run,
  /** Time of the values, ms since the epoch. */
  time: z.number(),
  /** The run's own values. Counters that are still 0 are left out. */
  series: z.array(SeriesValue),
  /** Each rank's values, in the order of `series`. */
  ranks: z.array(RankValues),
});
export type RankTable = z.infer<typeof RankTable>;
