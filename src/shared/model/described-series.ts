import { z } from 'zod';

/** A series of a scope: its place in frames, its name, and what the name means to people. */
export const Series = z.object({
  kind: z.enum(['counter', 'gauge']),
  /** Place among the scope's series of this kind, as in frames. */
  index: z.number().int().nonnegative(),
  /** As the client spelled it. */
  name: z.string(),
  /** Canonical spelling; what queries and links use. */
  key: z.string(),
  family: z.string(),
  labels: z.record(z.string(), z.string()),
  doc: z.string(),
  group: z.string(),
  operation: z.string(),
  quantity: z.string(),
  unit: z.enum(['s', 'B', '%', 'ratio', 'Hz', '°C', 'W', 'J', 'B/s', '1/s', '1']),
});
export type Series = z.infer<typeof Series>;
