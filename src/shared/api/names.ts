import { z } from 'zod';

const text = z.string().min(1).max(4096);

/** GET /api/v1/families, /api/v1/labels, /api/v1/labels/NAME: in the order of their characters. */
export const NamesQuery = z.object({
  /** Of this scope only. */
  scope: z.string().min(1).max(1024).optional(),
  /** Of series that match: `node_cpu{mode=~"u.*"}`. */
  select: text.optional(),
  limit: z.coerce.number().int().min(1).max(10_000).default(1000),
  cursor: text.optional(),
});
export type NamesQuery = z.infer<typeof NamesQuery>;

export const NamesList = z.object({
  names: z.array(z.string()),
  /** For `cursor`; null: these were the last. */
  next: z.string().nullable(),
});
export type NamesList = z.infer<typeof NamesList>;

/** What is listed: families of metrics, names of labels, or the values of a label. */
export type NamesKind = { readonly what: 'families' | 'labels' } | { readonly what: 'values'; readonly label: string };
