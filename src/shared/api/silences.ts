/** Silences: who is not told of what, from when to when. Times are ms since the epoch. */

import { z } from 'zod';
import { Duration } from '../duration.ts';

/** One condition on an alarm's labels; a label that it does not have is an empty text. As Alertmanager has them. */
export const Matcher = z.strictObject({
  label: z.string().min(1).max(128),
  op: z.enum(['=', '!=', '=~', '!~']),
  value: z.string().max(1024),
});
export type Matcher = z.infer<typeof Matcher>;

/** Silent again and again, in the engine's time zone: on these days (0 is Sunday) from `from` (`22:00`) for `lasts`. */
export const Recurring = z.strictObject({
  days: z.array(z.number().int().min(0).max(6)).min(1).max(7),
  from: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day such as 22:00'),
  lasts: Duration.pipe(
    z
      .number()
      .min(60_000, 'at least 1m')
      .max(7 * 86_400_000, 'at most 7 days'),
  ),
});
export type Recurring = z.infer<typeof Recurring>;

export const SilenceSettings = z
  .strictObject({
    matchers: z
      .array(Matcher)
      .min(1, 'a silence of everything needs a matcher that says so, such as severity =~ .*')
      .max(64),
    from: z.number(),
    /** Null: until it is ended, which only a recurring one may be. */
    to: z.number().nullable(),
    recurring: Recurring.nullable().default(null),
    comment: z.string().max(4096).default(''),
  })
  .refine(({ from, to }) => to === null || to > from, 'it must end after it begins')
  .refine(({ to, recurring }) => to !== null || recurring !== null, 'say when it ends');
export type SilenceSettings = z.infer<typeof SilenceSettings>;
export type SilenceSettingsInput = z.input<typeof SilenceSettings>;

export const Silence = z.object({
  id: z.string(),
  matchers: z.array(Matcher),
  from: z.number(),
  to: z.number().nullable(),
  recurring: z.object({ days: z.array(z.number()), from: z.string(), lasts: z.string() }).nullable(),
  comment: z.string(),
  /** The name of the token that made it. */
  owner: z.string(),
  created: z.number(),
  /** waiting: not yet, or between its windows. */
  state: z.enum(['waiting', 'active', 'ended']),
  /** When the window that is open now, or opens next, ends and begins; null: there is none. */
  window: z.object({ from: z.number(), to: z.number() }).nullable(),
  /** It ends within its last tenth or the next quarter of an hour, and something that it hits fires. */
  ends_soon: z.boolean(),
  /** Alarms that fire and that it hits now. */
  hits: z.number().int().nonnegative(),
});
export type Silence = z.infer<typeof Silence>;
/** Active first, then waiting, then ended; ended ones are kept for five days. */
export const SilenceList = z.object({ silences: z.array(Silence) });
export type SilenceList = z.infer<typeof SilenceList>;

/** POST /api/v1/silences/preview: what a silence would hit now. */
export const SilencePreviewRequest = z.strictObject({ matchers: z.array(Matcher).max(64) });
export const SilencePreview = z.object({
  /** In any state, over all rules. */
  hits: z.number().int().nonnegative(),
  firing: z.number().int().nonnegative(),
  /** The first 50. */
  alarms: z.array(
    z.object({ id: z.string(), name: z.string(), place: z.string(), metric: z.string(), state: z.string() }),
  ),
  /** Label names and values that alarms have, to choose from; at most 50 values each. */
  labels: z.record(z.string(), z.array(z.string())),
});
export type SilencePreview = z.infer<typeof SilencePreview>;
