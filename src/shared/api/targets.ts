/**
 * Targets: what the engine pulls numbers from. Durations that people set are text with a unit (`10s`); what was
 * measured is a number of milliseconds, times are ms since the epoch.
 */

import { z } from 'zod';
import { Duration } from '../duration.ts';
import { refusePattern } from '../metric-pattern.ts';

/** Shortest and longest time between two scrapes, ms. */
export const MIN_TARGET_PERIOD = 250;
export const MAX_TARGET_PERIOD = 3_600_000;
/** Shortest timeout, ms. The longest is the period. */
export const MIN_TARGET_TIMEOUT = 50;
export const DEFAULT_TARGET_PERIOD = 10_000;
export const DEFAULT_TARGET_TIMEOUT = 5000;
/** Scrapes whose durations an item tells. */
export const TARGET_DURATIONS = 30;
/** Failures that an item tells. */
export const TARGET_ERRORS = 10;
/** Most targets that one request adds or changes. */
export const MAX_BULK = 10_000;
/** A target that was removed can be brought back for this long, ms. */
export const UNDO_WITHIN = 60_000;

const count = z.number().int().nonnegative();

export const TargetTypeName = z.enum(['prometheus', 'proxy', 'vigie', 'system']);
export type TargetTypeName = z.infer<typeof TargetTypeName>;

/**
 * new: not asked yet; up; slow: the last three scrapes took over half the timeout; down: nothing, or nothing in time,
 * answers; refused: something answers that is not taken. The last two have a reason and are tried again all the same.
 */
export const TargetState = z.enum(['new', 'up', 'slow', 'down', 'refused']);
export type TargetState = z.infer<typeof TargetState>;

export const TargetMergeRule = z.enum(['sum', 'last', 'max', 'min']);
export type TargetMergeRule = z.infer<typeof TargetMergeRule>;

/** Who put it on the list. Only what was made by hand is removed by hand; the rest goes when its origin drops it. */
export const TargetOrigin = z.object({
  kind: z.enum(['hand', 'config', 'discovery', 'builtin']),
  /** The discovery's name, such as a file's path or an SRV name; empty for the others. */
  name: z.string(),
});
export type TargetOrigin = z.infer<typeof TargetOrigin>;

const LabelName = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, 'a label name has letters, digits and _ only');
/** Added to every series of the target; where a series has the label already, its own is kept as `exported_NAME`. */
const Labels = z
  .record(LabelName.max(128), z.string().max(1024))
  .refine((labels) => Object.keys(labels).length <= 32, 'at most 32 labels');

/** A metric's name with `*` for anything (`node_cpu_*`), or a regular expression between slashes (`/^go_/`). */
const Pattern = z.string().superRefine((text, context) => {
  const refused = refusePattern(text);
  if (refused !== null) context.addIssue({ code: 'custom', message: refused });
});

/** Which metrics are taken. */
export const TargetFilter = z.strictObject({
  /** Empty: all. */
  include: z.array(Pattern).max(100).default([]),
  exclude: z.array(Pattern).max(100).default([]),
});
export type TargetFilter = z.infer<typeof TargetFilter>;

const Url = z.string().trim().min(1).max(2048);
const Period = Duration.pipe(
  z.number().min(MIN_TARGET_PERIOD, 'the shortest period is 250ms').max(MAX_TARGET_PERIOD, 'the longest period is 1h'),
);
const Timeout = Duration.pipe(
  z.number().min(MIN_TARGET_TIMEOUT, 'the shortest timeout is 50ms').max(MAX_TARGET_PERIOD),
);

/** What is sent to the target to be let in. Kept apart, never told again. */
export const TargetAuth = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({ kind: z.literal('basic'), username: z.string().max(1024), password: z.string().max(4096) }),
  z.strictObject({ kind: z.literal('bearer'), token: z.string().min(1).max(16_384) }),
  /** Read anew at each scrape: tokens in files are replaced. */
  z.strictObject({ kind: z.literal('bearer_file'), path: z.string().min(1).max(4096) }),
]);
export type TargetAuth = z.infer<typeof TargetAuth>;

export const TargetTls = z.strictObject({
  /** A file with the certificates to trust, PEM. */
  ca_file: z.string().max(4096).optional(),
  /** SHA-256 of the one certificate to trust, as the probe tells it. */
  pin: z
    .string()
    .regex(/^([0-9A-Fa-f]{2}:?){32}$/, 'expected the SHA-256 fingerprint of a certificate')
    .optional(),
});
export type TargetTls = z.infer<typeof TargetTls>;

const Settings = {
  period: Period,
  timeout: Timeout,
  labels: Labels,
  filter: TargetFilter,
  /** By metric family. */
  merge: z.record(z.string().max(1024), TargetMergeRule),
  paused: z.boolean(),
  auth: TargetAuth,
  tls: TargetTls,
};
const Optional = z.strictObject(Settings).partial().shape;

/** POST /api/v1/targets. The URL may be a host alone, `HOST:PORT`, a URL, or `unix:PATH` with `:/metrics` behind it. */
export const NewTarget = z.strictObject({ url: Url, type: TargetTypeName.exclude(['system']).optional(), ...Optional });
export type NewTarget = z.infer<typeof NewTarget>;
export type NewTargetInput = z.input<typeof NewTarget>;

/** PATCH /api/v1/targets/ID: what is given replaces what was. */
export const TargetPatch = z.strictObject({ url: Url.optional(), type: NewTarget.shape.type, ...Optional });
export type TargetPatch = z.infer<typeof TargetPatch>;
export type TargetPatchInput = z.input<typeof TargetPatch>;

export const TargetFailure = z.object({
  /** When it was last so, and how often in a row. */
  time: z.number(),
  count: z.number().int().positive(),
  state: z.enum(['down', 'refused']),
  reason: z.string(),
});
export type TargetFailure = z.infer<typeof TargetFailure>;

/** GET /api/v1/targets/ID */
export const Target = z.object({
  /** Opaque, made by the engine. */
  id: z.string(),
  url: z.string(),
  /** Null: none was given, and nothing has answered yet that would tell. */
  type: TargetTypeName.nullable(),
  period: z.string(),
  timeout: z.string(),
  state: TargetState,
  /** What is wrong, in words to act on; null: nothing is. */
  reason: z.string().nullable(),
  /** Since when it is in this state. */
  since: z.number(),
  paused: z.boolean(),
  origin: TargetOrigin,
  /** False: it cannot be removed by hand. */
  removable: z.boolean(),
  added: z.number(),
  labels: z.record(z.string(), z.string()),
  filter: z.object({ include: z.array(z.string()), exclude: z.array(z.string()) }),
  merge: z.record(z.string(), TargetMergeRule),
  /** How it is let in, without the secret. */
  auth: z.object({ kind: z.enum(['none', 'basic', 'bearer', 'bearer_file']), name: z.string() }),
  tls: TargetTls,
  /** When the last good scrape was; null: none was. */
  last_scrape: z.number().nullable(),
  /** When it is asked next; null: not, or now. */
  next_scrape: z.number().nullable(),
  /** Of the last good scrape: its samples that were kept, those of series never seen before, bytes (after gzip), ms. */
  samples: count,
  new_series: count,
  bytes: count,
  duration: z.number().nullable(),
  /** Series so far. */
  series: count,
  /** Of the last scrapes, the latest last, ms; null: it failed. */
  durations: z.array(z.number().nullable()),
  /** Samples that were not taken, by reason. */
  refused: z.record(z.string(), count),
  /** Its last failures, the latest first. */
  errors: z.array(TargetFailure),
  /** What people should know although it works: faults that were corrected, another version. */
  notes: z.array(z.string()),
  /** Where its numbers are: `target/ID`, and below it nodes and runs of another proxy or engine. */
  scopes: z.array(z.string()),
  /** Ids of the engines that its numbers come from, also through others: for engines that look for circles. */
  engines: z.array(z.string()),
});
export type Target = z.infer<typeof Target>;

/** Targets by state; those that are paused count as `paused` only. */
export const TargetCounts = z.object({
  total: count,
  new: count,
  up: count,
  slow: count,
  down: count,
  refused: count,
  paused: count,
});
export type TargetCounts = z.infer<typeof TargetCounts>;

/** GET /api/v1/targets: in the order they were added. */
export const TargetListQuery = z.object({
  state: z.enum([...TargetState.options, 'paused']).optional(),
  type: TargetTypeName.optional(),
  /** Text looked for in URL, labels and reason, without case. */
  search: z.string().max(256).optional(),
  limit: z.coerce.number().int().min(1).max(10_000).default(1000),
  /** `next` of the page before. */
  cursor: z.string().max(64).optional(),
});
export type TargetListQuery = z.infer<typeof TargetListQuery>;

/** What the configuration file has targets from. */
export const DiscoveryStatus = z.object({
  kind: z.enum(['static', 'prometheus', 'file_sd', 'dns_srv']),
  /** A path, or an SRV name; as `origin.name` of its targets. */
  name: z.string(),
  targets: count,
  /** When it was last read; null: never. */
  last_read: z.number().nullable(),
  /** Why the last look at it failed: its targets of before stay meanwhile. */
  error: z.string().nullable(),
  /** What of it is left out, and why. */
  notes: z.array(z.string()),
});
export type DiscoveryStatus = z.infer<typeof DiscoveryStatus>;

export const TargetList = z.object({
  targets: z.array(Target),
  /** Of all targets, whatever was asked for. */
  counts: TargetCounts,
  discoveries: z.array(DiscoveryStatus),
  next: z.string().nullable(),
});
export type TargetList = z.infer<typeof TargetList>;

/** Answer of DELETE /api/v1/targets/ID; until then POST /api/v1/targets/ID/restore brings it back, with its history. */
export const RemovedTarget = z.object({ target: Target, restore_until: z.number() });
export type RemovedTarget = z.infer<typeof RemovedTarget>;

/** POST /api/v1/targets/probe: what is there, without adding it. `id`: with the secrets of a target that is there. */
export const ProbeRequest = z.strictObject({ ...NewTarget.shape, id: z.string().max(64).optional() });
export type ProbeRequest = z.infer<typeof ProbeRequest>;
export type ProbeRequestInput = z.input<typeof ProbeRequest>;

export const ProbeResult = z.object({
  /** Null: it can be added and will work; else what is wrong. */
  reason: z.string().nullable(),
  state: TargetState,
  /** What was found; null: nothing. */
  type: TargetTypeName.nullable(),
  /** Where it was found. */
  url: z.string(),
  /** What was looked for, in this order, and why it was not that. */
  tried: z.array(z.object({ url: z.string(), type: TargetTypeName, reason: z.string() })),
  /** It is on the list already. */
  known: z.string().nullable(),
  duration: z.number(),
  bytes: count,
  /** Series, and those that the filter leaves. */
  series: count,
  kept: count,
  /** The first of those that stay. */
  metrics: z.array(z.object({ name: z.string(), kind: z.enum(['counter', 'gauge']), doc: z.string(), series: count })),
  /** Bytes on disk of a day at this period, an estimate. */
  day_bytes: count,
  /** Of a certificate that could not be verified, what `tls.pin` takes; null: there is none such. */
  fingerprint: z.string().nullable(),
  notes: z.array(z.string()),
});
export type ProbeResult = z.infer<typeof ProbeResult>;

const Ids = z.array(z.string().max(64)).min(1).max(MAX_BULK);

/** POST /api/v1/targets/bulk */
export const BulkRequest = z.discriminatedUnion('action', [
  /** `targets`: node sets and URLs, one a line or separated by blanks: `node[001-128,130]:9100`. */
  z.strictObject({
    action: z.literal('add'),
    targets: z
      .string()
      .min(1)
      .max(1024 * 1024),
    /** Only tell what would be added. */
    preview: z.boolean().default(false),
    type: NewTarget.shape.type,
    ...Optional,
  }),
  z.strictObject({ action: z.enum(['pause', 'resume', 'remove', 'restore']), ids: Ids }),
]);
export type BulkRequest = z.infer<typeof BulkRequest>;
export type BulkRequestInput = z.input<typeof BulkRequest>;

export const BulkItem = z.object({
  /** Null where there is no target: a preview, or an id that is not on the list. */
  id: z.string().nullable(),
  url: z.string(),
  /** known: on the list already; refused: see the reason. */
  outcome: z.enum(['new', 'added', 'known', 'paused', 'resumed', 'removed', 'restored', 'refused']),
  reason: z.string().nullable(),
});
export type BulkItem = z.infer<typeof BulkItem>;

/** Answer of POST /api/v1/targets/bulk and /import. */
export const BulkResult = z.object({
  items: z.array(BulkItem),
  /** Items by outcome. */
  counts: z.record(z.string(), count),
  /** Parts of the text that were left out, and why. */
  notes: z.array(z.string()),
  /** What was removed can be restored until then; null: nothing was. */
  restore_until: z.number().nullable(),
});
export type BulkResult = z.infer<typeof BulkResult>;

/** GET /api/v1/targets/export: text of this format. Secrets are not in it. */
export const ExportQuery = z.object({ format: z.enum(['yaml', 'prometheus']).default('yaml') });
export type ExportQuery = z.infer<typeof ExportQuery>;

/** POST /api/v1/targets/import: what the export gave, a Prometheus configuration, or a list for its file_sd. */
export const ImportRequest = z.strictObject({
  text: z
    .string()
    .min(1)
    .max(16 * 1024 * 1024),
  /** Only tell what would be added. */
  preview: z.boolean().default(false),
});
export type ImportRequest = z.infer<typeof ImportRequest>;
export type ImportRequestInput = z.input<typeof ImportRequest>;
