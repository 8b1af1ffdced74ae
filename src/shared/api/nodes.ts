import { z } from 'zod';

/** GET /api/v1/nodes */
export const Node = z.object({
  host: z.string(),
  scope: z.string(),
  series: z.number().int().nonnegative(),
  /** Runs that have clients on this node now. */
  runs: z.array(z.string()),
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
