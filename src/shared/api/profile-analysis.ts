/**
 * What a finished run's numbers say beyond the numbers: ranks over time, how unevenly work lay on ranks, phases, and how the
 * run compares with what is usual for its command. Times are ms since the epoch.
 */

import { z } from 'zod';

/** Most columns of a heatmap. */
export const MAX_COLUMNS = 2000;

/** GET /api/v1/profiles/ID/heatmap — one series of each rank over time. */
export const HeatmapQuery = z.object({
  /** Canonical key of a series of the run. */
  series: z.string().min(1).max(4096),
  /** Default: all of the run. */
  from: z.coerce.number().nonnegative().optional(),
  to: z.coerce.number().nonnegative().optional(),
  columns: z.coerce.number().int().min(1).max(MAX_COLUMNS).default(600),
});
export type HeatmapQuery = z.infer<typeof HeatmapQuery>;

export const Heatmap = z.object({
  key: z.string(),
  kind: z.enum(['counter', 'gauge']),
  from: z.number(),
  to: z.number(),
  /** Width of a column, ms. */
  step: z.number().positive(),
  columns: z.number().int().nonnegative(),
  /** MPI ranks, one per row, in order; empty: there is no history of ranks. */
  ranks: z.array(z.number().int().nonnegative()),
  /** Host of each row; empty: not known. */
  nodes: z.array(z.string()),
  /**
   * Base64 of 32-bit floats, little-endian, row after row: `ranks.length × columns`. A counter's mean rate per second in
   * the column, a gauge's mean; NaN: no sample.
   */
  values: z.string(),
  /** Of all finite values; null: there is none. */
  min: z.number().nullable(),
  max: z.number().nullable(),
  /** Why there is nothing, in words: one rank only, too many of them, older than what is kept; null: there is something. */
  reason: z.string().nullable(),
});
export type Heatmap = z.infer<typeof Heatmap>;

/** How a series' final values lie on the ranks. */
export const Imbalance = z.object({
  key: z.string(),
  name: z.string(),
  unit: z.string(),
  /** Ranks that have it. */
  ranks: z.number().int().positive(),
  min: z.number(),
  mean: z.number(),
  max: z.number(),
  min_rank: z.number().int().nonnegative(),
  max_rank: z.number().int().nonnegative(),
  /** max / mean − 1; 0: even. */
  imbalance: z.number().nonnegative(),
  /** Seconds that all ranks together would have saved if it were even; null: not a time. */
  lost: z.number().nonnegative().nullable(),
});
export type Imbalance = z.infer<typeof Imbalance>;

/** A stretch of time in which the run did the same kind of thing. */
export const Phase = z.object({
  from: z.number(),
  to: z.number(),
  /** `mostly in MPI_Allreduce`, `reads 1.2 GiB/s`, `quiet`. */
  words: z.string(),
  /** What tells it from the others: mean rate per second of these series in it. */
  top: z.array(z.object({ key: z.string(), name: z.string(), unit: z.string(), rate: z.number() })),
});
export type Phase = z.infer<typeof Phase>;

export const Verdict = z.enum(['good', 'watch', 'bad', 'unknown']);
export type Verdict = z.infer<typeof Verdict>;

/** One thing about a run, against other runs of its command. Of all, more is worse unless `better` says otherwise. */
export const FootprintAxis = z.object({
  id: z.string(),
  /** `Run time`, `In MPI`, `In I/O`, `CPU use`, `Memory`, `Imbalance of ranks`, … */
  name: z.string(),
  unit: z.string(),
  better: z.enum(['less', 'more']),
  value: z.number().nullable(),
  /** Median of the other finished runs of the command; null: there are none with it. */
  usual: z.number().nullable(),
  best: z.number().nullable(),
  verdict: Verdict,
  /** `12 % more than usual`, `38 % in MPI_Barrier; rank 12 waits least: look there`. */
  words: z.string(),
});
export type FootprintAxis = z.infer<typeof FootprintAxis>;

/** GET /api/v1/profiles/ID/analysis */
export const ProfileAnalysis = z.object({
  run: z.string(),
  /** What to know first, in one sentence. */
  headline: z.string(),
  /** Most uneven first, times before other things. */
  imbalance: z.array(Imbalance),
  phases: z.array(Phase),
  footprint: z.object({
    /** Normalised command. */
    group: z.string(),
    /** Other runs that it was compared with: the last ones of the same command and size. */
    compared: z.number().int().nonnegative(),
    axes: z.array(FootprintAxis),
  }),
});
export type ProfileAnalysis = z.infer<typeof ProfileAnalysis>;
