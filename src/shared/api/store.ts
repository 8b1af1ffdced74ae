import { z } from 'zod';
import { Size } from '../bytes.ts';
import { Duration } from '../duration.ts';

const HOUR = 3_600_000;
const YEAR = 365 * 24 * HOUR;
const count = z.number().int().nonnegative();

const Age = Duration.refine((ms) => ms >= HOUR && ms <= 100 * YEAR, 'expected 1h to 36500d');
const Room = Size.refine((bytes) => bytes >= 2 ** 24, 'expected 16MiB or more');

/** What is kept how long: settings as they are written, parsed to ms and bytes. */
export const RetentionSettings = z.strictObject({
  /** Single samples. */
  raw: Age,
  minute: Age,
  hour: Age,
  /** Of the database in all: beyond that the oldest samples go, then the oldest minutes. `off`: no limit. */
  size: z.union([z.literal('off'), Room]),
});
/** Milliseconds, and bytes. */
export type Retention = z.output<typeof RetentionSettings>;

/** PUT /api/v1/store/retention: what is left out stays, null goes back to the configuration. */
export const RetentionChange = z.strictObject({
  raw: Age.nullable().optional(),
  minute: Age.nullable().optional(),
  hour: Age.nullable().optional(),
  size: RetentionSettings.shape.size.nullable().optional(),
});
export type RetentionChange = z.output<typeof RetentionChange>;

const RetentionText = z.object({
  /** Durations with a unit. */
  raw: z.string(),
  minute: z.string(),
  hour: z.string(),
  /** A size with a unit, or `off`. */
  size: z.string(),
});

/** GET /api/v1/store/retention */
export const RetentionState = z.object({
  now: RetentionText,
  /** What holds when nothing else was set here. */
  configured: RetentionText,
  /** Bytes of the database, and of it what is free for new data. */
  bytes: count,
  free: count,
  tiers: z.array(
    z.object({
      tier: z.enum(['raw', 'minute', 'hour']),
      blocks: count,
      bytes: count,
      /** Time of the oldest sample, ms since the epoch; null: there is none. */
      from: z.number().nullable(),
      /** Bytes that a day adds, by what the last day has added; null: too little is known yet. */
      bytes_per_day: z.number().nullable(),
      /** What the tier will take when it is as old as it may become, at this rate, the limit of size left out. */
      expected: z.number().nullable(),
    }),
  ),
});
export type RetentionState = z.infer<typeof RetentionState>;

/** What is kept at full detail, whatever its age and however little room there is. */
export const Keep = z.object({
  id: count,
  /** `run`: a run with its ranks, and its nodes as long as it lasted. `window`: a span of time. */
  kind: z.enum(['run', 'window']),
  /** Scope of the run, or of the window; null: all scopes. */
  scope: z.string().nullable(),
  /** Milliseconds since the epoch. */
  from: z.number(),
  to: z.number(),
  note: z.string(),
  created: z.number(),
});
export type Keep = z.infer<typeof Keep>;

const note = z.string().max(500).default('');
/** POST /api/v1/store/keeps */
export const NewKeep = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('run'), run: z.string().min(1).max(256), note }),
  z.strictObject({
    kind: z.literal('window'),
    scope: z.string().min(1).max(1024).nullable().default(null),
    from: z.number().nonnegative(),
    to: z.number().nonnegative(),
    note,
  }),
]);
export type NewKeep = z.output<typeof NewKeep>;

/** GET /api/v1/store/keeps, newest first. */
export const KeepQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z
    .string()
    .regex(/^\d{1,15}$/)
    .optional(),
});
export type KeepQuery = z.infer<typeof KeepQuery>;
export const KeepList = z.object({
  keeps: z.array(Keep),
  /** For `cursor`; null: these were the last. */
  next: z.string().nullable(),
});
export type KeepList = z.infer<typeof KeepList>;
