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

export const NodeList = z.object({ nodes: z.array(Node) });
export type NodeList = z.infer<typeof NodeList>;
