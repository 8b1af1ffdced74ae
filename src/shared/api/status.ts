import { z } from 'zod';
import { TargetCounts } from './targets.ts';

/** Version of the HTTP and live API. A newer minor is read, a newer major is refused in words. */
export const API_VERSION = { major: 1, minor: 1 } as const;

const count = z.number().int().nonnegative();

/** Where the store stands. Live data does not wait for it. */
export const StoreStatus = z.object({
  kind: z.enum(['sqlite', 'memory']),
  /** Everything up to this time (ms since the epoch) survives a crash; 0: nothing yet, or nothing ever (memory). */
  durable_until: z.number(),
  /** Ticks taken but not yet written. */
  queued: count,
  /** Ticks that the queue had no room for: their raw samples are missing in the history. */
  dropped: count,
  /** Why writing fails at the moment, for people; null when it works. */
  error: z.string().nullable(),
  /** Why nothing is removed for its age by the clock at the moment, for people. Absent: it is. */
  held: z.string().optional(),
  /** Blocks that cannot be read: what they have is missing in the history. Absent: none was found so far. */
  damaged: z
    .object({
      blocks: count,
      /** At most 100 of them. */
      listed: z.array(
        z.object({
          scope: z.string(),
          /** 0: samples, 1: minutes, 2: hours. */
          tier: count,
          /** Times of the first and the last sample, ms since the epoch. */
          from: z.number(),
          to: z.number(),
          reason: z.string(),
        }),
      ),
    })
    .optional(),
});
export type StoreStatus = z.infer<typeof StoreStatus>;

/** How sending to another store goes. */
export const RemoteWriteStatus = z.object({
  name: z.string(),
  /** Without what may be secret in it. */
  url: z.string(),
  /** Samples that the destination has taken, since the start. */
  sent: count,
  /** Attempts that failed and were made again. */
  failed: count,
  /** Samples that will never be sent, by reason. */
  dropped: z.record(z.string(), count),
  queued_requests: count,
  queued_bytes: count,
  /** Age of the oldest sample that the destination has not taken; 0: it has all. */
  lag_ms: z.number().nonnegative(),
  /** What went wrong last, for people; null when the last request was taken. */
  error: z.string().nullable(),
});
export type RemoteWriteStatus = z.infer<typeof RemoteWriteStatus>;

/** How much of a limit is used: a number of things, or bytes. */
const Use = z.object({ used: count, limit: count });

/** GET /api/v1/status */
export const Status = z.object({
  name: z.literal('vigie'),
  version: z.string(),
  api: z.object({ major: count, minor: count }),
  engine: z.object({
    id: z.string(),
    /** Number of starts of this engine's data directory. */
    epoch: count,
    host: z.string(),
    pid: count,
    /** Milliseconds since the epoch. */
    started: z.number(),
    /** Directory of the store, null with --memory. */
    data: z.string().nullable(),
    /** What clients push to. */
    socket: z.string(),
    legacy_socket: z.string().nullable(),
    /** Where it listens for HTTP: a URL, `unix:PATH`, or null when it does on its socket only. */
    url: z.string().nullable(),
    /** The file with the token. */
    token_file: z.string(),
    /** The compatible routes answer without a token. */
    compat: z.boolean(),
  }),
  /** Now, on the engine's clock, ms since the epoch. */
  time: z.number(),
  /** A duration with a unit. */
  period: z.string(),
  ingest: z.object({
    /** Clients that send messages. */
    connections: count,
    messages: count,
    bytes: count,
    /** Messages per second over the last period. */
    rate: z.number().nonnegative(),
    /** Messages that were not taken, by reason. */
    rejected: z.record(z.string(), count),
    /** Shared tables that are read; an older engine does not say it. */
    tables: count.default(0),
  }),
  runs: z.object({ live: count, ended: count }),
  series: count,
  /** Targets by state; an older engine does not say it. */
  targets: TargetCounts.optional(),
  sampler: z.object({ ticks: count, late: count, last_ms: z.number() }),
  live: z.object({ readers: count, skipped_frames: count }),
  store: StoreStatus,
  /** Other stores that samples are sent to. */
  remote_write: z.array(RemoteWriteStatus).default([]),
  /** How long the store keeps what. */
  retention: z.object({
    /** Age at which samples are removed, a duration with a unit. */
    samples: z.string(),
    /** The same of buckets of a minute and of an hour; absent: there are none. */
    minutes: z.string().optional(),
    hours: z.string().optional(),
    /** Most bytes of all that is kept; null: as much as there is room for. */
    bytes: count.nullable(),
    /** Most ended runs, and most of their profiles; null: until they are deleted. */
    runs: count.nullable(),
    profiles: count.nullable(),
    /** Most entries of the audit log. */
    audit: count,
  }),
  /** What can become too much. */
  limits: z.object({
    series: Use,
    rank_values: Use,
    runs: Use,
    /** To the engine's and the legacy socket. */
    connections: Use,
    http_connections: Use,
    unfinished_messages: Use,
    unread_responses: Use,
    memory: Use,
  }),
  /** No new series and runs are taken until there is memory again. */
  memory_full: z.boolean(),
  /** Connections and requests that were turned away or cut off, by reason. */
  refused: z.record(z.string(), count),
  /** Things the user should know, such as a source that fails or a socket that could not be opened. */
  warnings: z.array(z.string()),
});
export type Status = z.infer<typeof Status>;
