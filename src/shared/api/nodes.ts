import { z } from 'zod';

const number = z.number().nullable();

/** What is known of a node now; null: its metrics do not say it. */
export const NodeFigures = z.object({
  /** Load average over one minute, and cores. */
  load: number,
  cores: number,
  /** Bytes. */
  memory_used: number,
  memory_total: number,
  /** Totals of all cores that only grow, seconds: resting (also while waiting for a disk), and working. */
  cpu_idle: number,
  cpu_busy: number,
  /** Totals over its network cards, bytes. */
  received: number,
  sent: number,
  /** When the totals last changed. */
  time: number,
});
export type NodeFigures = z.infer<typeof NodeFigures>;

/**
 * GET /api/v1/nodes: a scope with metrics of a host. One host may have several, such as its engine's and its node
 * exporter's.
 */
export const Node = z.object({
  host: z.string(),
  scope: z.string(),
  series: z.number().int().nonnegative(),
  /** Runs that have clients on this node now. */
  runs: z.array(z.string()),
  /** The target that the metrics come with; null: they are this engine's own. An older engine has none. */
  target: z.string().nullable().default(null),
  /** An older engine has none. */
  figures: NodeFigures.nullable().default(null),
});
export type Node = z.infer<typeof Node>;

export const NodeQuery = z.object({
  /** With one of these the answer is a page; without, all nodes. */
  limit: z.coerce.number().int().min(1).max(10_000).optional(),
  /** `next` of the page before. */
  cursor: z.string().min(1).max(1024).optional(),
});
export type NodeQuery = z.infer<typeof NodeQuery>;

export const NodeList = z.object({
  nodes: z.array(Node),
  /** For `cursor`; null: these were the last. Only of a page. */
  next: z.string().nullable().optional(),
});
export type NodeList = z.infer<typeof NodeList>;
