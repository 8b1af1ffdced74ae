import { z } from 'zod';
import { JobDesc } from '../model/job.ts';

/** running: clients are connected; ending: the grace time runs; interrupted: the engine stopped before the run did. */
export const RunState = z.enum(['running', 'ending', 'finished', 'interrupted']);
export type RunState = z.infer<typeof RunState>;

/** One execution of a job. Times are ms since the epoch; 0 means not known (yet). */
export const Run = JobDesc.extend({
  /** Opaque and URL-safe, made by the engine; job ids come back, run ids do not. */
  id: z.string(),
  /** The scope of the run's numbers, `run/ID`. */
  scope: z.string(),
  state: RunState,
  /** Hosts whose clients took part; their node metrics belong to this run's views. */
  nodes: z.array(z.string()),
  /** Ranks (clients) seen so far. */
  ranks: z.number().int().nonnegative(),
  /** Clients connected now. */
  clients: z.number().int().nonnegative(),
  /** Series so far. */
  series: z.number().int().nonnegative(),
  /** Canonical key of the series that best shows at a glance what the run does, for a sparkline; null: none yet. */
  headline: z.string().nullable(),
});
export type Run = z.infer<typeof Run>;

/** GET /api/v1/runs — newest first. */
export const RunListQuery = z.object({
  state: z.enum(['live', 'ended']).optional(),
  /** Text looked for in job id, command, node list and cluster, without case. */
  search: z.string().max(256).optional(),
  limit: z.coerce.number().int().min(1).max(10_000).default(1000),
  /** `next` of the page before. */
  cursor: z.string().max(256).optional(),
});
export type RunListQuery = z.infer<typeof RunListQuery>;

export const RunList = z.object({ runs: z.array(Run), next: z.string().nullable() });
export type RunList = z.infer<typeof RunList>;
