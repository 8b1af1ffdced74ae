import { z } from 'zod';
import { Run } from './runs.ts';
import { SeriesValue } from './series.ts';

/** Last values of one rank of a run, in the order of the profile's series. */
export const RankValues = z.object({
  rank: z.number().int().nonnegative(),
  node: z.string(),
  /** Value per series of the profile: the counter's total, or the gauge's total / hits; null where it has none. */
  values: z.array(z.number().nullable()),
});
export type RankValues = z.infer<typeof RankValues>;

/** GET /api/v1/profiles/ID — a finished run. Its history stays in the store, its nodes' history too. */
export const Profile = z.object({
  run: Run,
  series: z.array(SeriesValue),
  ranks: z.array(RankValues),
});
export type Profile = z.infer<typeof Profile>;
