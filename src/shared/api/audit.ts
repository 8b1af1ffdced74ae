import { z } from 'zod';

/** Most entries that are kept; the oldest go first. */
export const AUDIT_ENTRIES = 10_000;

/** One change, or several of the same within a minute. */
export const AuditEntry = z.object({
  /** Opaque, made by the engine. */
  id: z.string(),
  /** When it was first asked for, ms since the epoch. */
  time: z.number(),
  /** When it was last asked for: the same as `time` when it was once. */
  last: z.number(),
  /** How often. */
  count: z.number().int().positive(),
  who: z.object({
    /** `token`: its name; `socket`: the user of the engine's own socket; `compat`: the address; `file`: somebody edited the file of tokens. */
    by: z.enum(['token', 'socket', 'compat', 'file']),
    name: z.string(),
  }),
  /** Method and path of the route, such as `POST /api/v1/tokens`; `token added` and `token revoked` where it was no request. */
  what: z.string(),
  /** Some of its parameters, never a secret; may be empty. */
  summary: z.string(),
  /** `refused`: the request was not allowed, or not possible; `failed`: the engine could not do it. */
  outcome: z.enum(['done', 'refused', 'failed']),
  /** HTTP status of the answer; 0 where there was none. */
  status: z.number().int().nonnegative(),
});
export type AuditEntry = z.infer<typeof AuditEntry>;

/** GET /api/v1/audit: newest first. */
export const AuditQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  /** `next` of the page before. */
  cursor: z
    .string()
    .regex(/^\d{1,15}$/, 'not one of an earlier answer')
    .optional(),
});
export type AuditQuery = z.infer<typeof AuditQuery>;

export const AuditList = z.object({ entries: z.array(AuditEntry), next: z.string().nullable() });
export type AuditList = z.infer<typeof AuditList>;
