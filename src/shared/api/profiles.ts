import { z } from 'zod';
import { Numbers } from './numbers.ts';
import { Run } from './runs.ts';
import { SeriesValue } from './series.ts';

const count = z.number().int().nonnegative();

/** Most tags of a profile, longest tag, longest note and longest search, in UTF-16 code units. */
export const MAX_TAGS = 32;
export const MAX_TAG = 64;
export const MAX_NOTE = 10_000;
export const MAX_SEARCH = 1000;
/** Of a note, in lists. */
export const SHORT_NOTE = 200;
/** Deleted profiles can be restored for so long, ms: 7 days. */
export const TRASH_TIME = 7 * 86_400_000;

/** A word or a few. Data: it may look like markup, and is never taken for any. */
export const Tag = z
  .string()
  .transform((text) => text.trim().replaceAll(/\s+/g, ' '))
  .refine((text) => text.length > 0 && text.length <= MAX_TAG, `expected 1 to ${MAX_TAG} characters`)
  // oxlint-disable-next-line no-control-regex -- exactly these are what is refused
  .refine((text) => !/[\u0000-\u001f\u007f"]/.test(text) && text.isWellFormed(), 'no quotes and no control characters');

/** Last values of one rank of a run, in the order of the profile's series. */
export const RankValues = z.object({
  rank: z.number().int().nonnegative(),
  node: z.string(),
  /** Value per series of the profile: the counter's total, or the gauge's total / hits; null where it has none. */
  values: Numbers,
});
export type RankValues = z.infer<typeof RankValues>;

/** The ranks of one node together, in the order of the profile's series. */
export const NodeValues = z.object({
  node: z.string(),
  ranks: count,
  /** Of counters the sum over the node's ranks, of gauges their mean; null where none has one. */
  values: Numbers,
});
export type NodeValues = z.infer<typeof NodeValues>;

/** How processes of a run ended. */
export const Exits = z.object({
  /** `failed`: a code other than 0, or a process was killed. `unknown`: nobody told. */
  outcome: z.enum(['ok', 'failed', 'unknown']),
  /** Exit codes (`0` … `255`, or `killed`) and how many processes ended so, most first. */
  codes: z.array(z.object({ code: z.string(), count: z.number().nonnegative() })),
});
export type Exits = z.infer<typeof Exits>;

export const UNKNOWN_EXITS: Exits = { outcome: 'unknown', codes: [] };

/** GET /api/v1/profiles/ID — a finished run. Its history stays in the store, its nodes' history too. */
export const Profile = z.object({
  run: Run,
  series: z.array(SeriesValue),
  ranks: z.array(RankValues),
  /** From here on: profiles of before, and those of older engines, have none. */
  exits: Exits.extend({
    /** Ranks that ended with another code than 0; `code` as above. */
    ranks: z.array(z.object({ rank: count, node: z.string(), code: z.string() })),
  }).optional(),
  /** Account whose run it is; absent: not known. */
  user: z.string().max(256).optional(),
  /** What measured it. An exporter is told once for each version. */
  versions: z
    .object({ engine: z.string(), exporters: z.array(z.object({ name: z.string(), version: z.string() })) })
    .optional(),
  node_values: z.array(NodeValues).optional(),
});
export type Profile = z.infer<typeof Profile>;

/** A run took longer than what it is held against, by a fifth or more. */
export const Regression = z.object({
  metric: z.literal('duration'),
  /** Its duration / the other one: 1.38 is 38 % longer. */
  ratio: z.number(),
  /** `baseline`: the marked run of its group. `usual`: the median of up to 10 runs before it of group and size. */
  against: z.enum(['baseline', 'usual']),
  /** The other duration, ms; the run, where it is one. */
  duration: z.number(),
  run: z.string().nullable(),
});
export type Regression = z.infer<typeof Regression>;

/** Longer than this times the other duration is a regression. */
export const REGRESSION_RATIO = 1.2;

/** A profile in lists. What an older engine does not tell has the value that says so. */
export const ProfileSummary = Run.extend({
  /** ms; null: start or end is not known. */
  duration: z.number().nullable().default(null),
  /** Whose run it is; empty: not known. */
  user: z.string().default(''),
  tags: z.array(z.string()).default([]),
  /** Its first {@link SHORT_NOTE} characters; whole in GET /api/v1/profiles/ID/marks. */
  note: z.string().default(''),
  /** Its samples are kept at full detail. */
  pinned: z.boolean().default(false),
  /** Runs of its group are held against it. */
  baseline: z.boolean().default(false),
  /** Its command, normalised by the rules: what it is grouped by. Empty: no command is known. */
  group: z.string().default(''),
  /** In the trash since, ms since the epoch. */
  deleted: z.number().nullable().default(null),
  exit: Exits.default(UNKNOWN_EXITS),
  /** Id of the engine that it was brought from; null: it is of this engine. */
  engine: z.string().nullable().default(null),
  regression: Regression.nullable().default(null),
});
export type ProfileSummary = z.infer<typeof ProfileSummary>;

const search = z.string().max(MAX_SEARCH).optional();
const cursor = z.string().max(1024).optional();
const order = z.enum(['asc', 'desc']).optional();

/** GET /api/v1/profiles. The language of `search`: src/shared/profiles/search.ts; one with errors is `bad_request`. */
export const ProfileListQuery = z.object({
  search,
  /** Of this group only (`group` of a summary), exactly. */
  group: z.string().max(100_000).optional(),
  sort: z.enum(['start', 'duration', 'command', 'size']).default('start'),
  /** Default: `asc` for command, else `desc`. */
  order,
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  /** `next` of the page before, of the same question. */
  cursor,
  /** `1`: what is in the trash, instead of what is not. */
  trash: z.enum(['0', '1']).default('0'),
  /** Id of another engine whose profiles are kept here, or `all`; absent: this engine's own. */
  engine: z.string().max(64).optional(),
});
export type ProfileListQuery = z.infer<typeof ProfileListQuery>;

/** `runs`, because older engines answer with a list of runs. */
export const ProfileList = z.object({
  runs: z.array(ProfileSummary),
  next: z.string().nullable(),
  /** How many there are in all; null: not counted, because there is a search and more than one page. */
  total: count.nullable().default(null),
});
export type ProfileList = z.infer<typeof ProfileList>;

/** Durations of a group in lists: the last so many. */
export const GROUP_DURATIONS = 40;

/** Runs whose commands are the same to the rules. */
export const ProfileGroup = z.object({
  /** The normalised command; empty: runs of no known command. */
  group: z.string(),
  /** The command of the last run. */
  command: z.string(),
  runs: count,
  failed: count,
  last: ProfileSummary,
  /** Oldest first; ms. Runs whose duration is not known are left out. */
  durations: z.array(z.object({ run: z.string(), start: z.number(), duration: z.number(), size: z.number() })),
  /** Of `durations` with the last run's size, ms. */
  median: z.number().nullable(),
  /** Median of the last 5 durations of the last run's size / that of up to 20 before; null: fewer than 3 and 3. */
  trend: z.number().nullable(),
  baseline: z.string().nullable(),
  /** How many of `durations` are regressions. */
  regressions: count,
});
export type ProfileGroup = z.infer<typeof ProfileGroup>;

/** GET /api/v1/profiles/groups. With a search only matching runs count. */
export const ProfileGroupQuery = z.object({
  search,
  sort: z.enum(['last', 'runs', 'failed', 'command']).default('last'),
  /** Default: `asc` for command, else `desc`. */
  order,
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor,
  engine: z.string().max(64).optional(),
});
export type ProfileGroupQuery = z.infer<typeof ProfileGroupQuery>;
export const ProfileGroupList = z.object({ groups: z.array(ProfileGroup), next: z.string().nullable(), total: count });
export type ProfileGroupList = z.infer<typeof ProfileGroupList>;

/**
 * A rule of normalising: wherever the pattern matches (leftmost, then longest), the replacement stands instead. Patterns
 * have what Prometheus users write: literals, `.`, classes, groups, `|`, `*`, `+`, `?`, `{n,m}`, and take time that grows
 * with the text only. In a replacement nothing has a meaning.
 */
export const GroupRule = z.strictObject({
  pattern: z.string().min(1).max(500),
  replacement: z.string().max(100),
  /** What it is for, for people. */
  note: z.string().max(200).default(''),
});
export type GroupRule = z.infer<typeof GroupRule>;

/** GET and PUT /api/v1/profiles/rules */
export const GroupRules = z.object({
  /** Applied one after another. */
  rules: z.array(GroupRule),
  defaults: z.array(GroupRule),
  /** Runs are grouped anew, in the background; null: all are. */
  regrouping: z.object({ done: count, total: count }).nullable(),
});
export type GroupRules = z.infer<typeof GroupRules>;
/** PUT: null goes back to the defaults. A pattern that is none: `bad_request`. */
export const GroupRulesChange = z.strictObject({ rules: z.array(GroupRule).max(50).nullable() });
export type GroupRulesChange = z.infer<typeof GroupRulesChange>;

/** POST /api/v1/profiles/rules/preview (reads): which commands of the newest runs would fall together. */
export const GroupPreviewRequest = z.strictObject({
  rules: z.array(GroupRule.extend({ pattern: z.string().max(500) })).max(50),
});
export const GroupPreview = z.object({
  /** Patterns that are none, by their place in the rules; the others are applied. */
  errors: z.array(z.object({ rule: count, message: z.string() })),
  /** Runs looked at: the newest ones. */
  runs: count,
  /** Most runs first, at most 100. */
  groups: z.array(
    z.object({
      group: z.string(),
      runs: count,
      /** At most 5 of its commands. */
      commands: z.array(z.object({ command: z.string(), runs: count })),
      /** How many different commands it has. */
      different: count,
    }),
  ),
});
export type GroupPreview = z.infer<typeof GroupPreview>;

/** GET /api/v1/profiles/ID/marks and the answer of PATCH /api/v1/profiles/ID: what people said of a profile. */
export const ProfileMarks = z.object({
  tags: z.array(z.string()),
  /** Whole. Plain text, with line ends. */
  note: z.string(),
  pinned: z.boolean(),
  baseline: z.boolean(),
  deleted: z.number().nullable(),
  group: z.string(),
  regression: Regression.nullable(),
});
export type ProfileMarks = z.infer<typeof ProfileMarks>;

const tags = z.array(Tag).max(MAX_TAGS);

/** PATCH /api/v1/profiles/ID: what is left out stays. Role control. */
export const ProfileChange = z.strictObject({
  tags: tags.optional(),
  note: z.string().max(MAX_NOTE).optional(),
  /** true: instead of the one that the group has. */
  baseline: z.boolean().optional(),
  pinned: z.boolean().optional(),
});
export type ProfileChange = z.infer<typeof ProfileChange>;

const ids = z.array(z.string().min(1).max(256)).min(1).max(1000);

/** POST /api/v1/profiles/change */
export const ProfilesChange = z.strictObject({
  ids,
  add_tags: tags.default([]),
  remove_tags: tags.default([]),
  pinned: z.boolean().optional(),
});
export type ProfilesChange = z.infer<typeof ProfilesChange>;
/** POST /api/v1/profiles/delete and /api/v1/profiles/restore */
export const ProfileIds = z.strictObject({ ids });
export type ProfileIds = z.infer<typeof ProfileIds>;
/** Answer of what changes many, and of DELETE /api/v1/profiles/ID. */
export const ProfilesChanged = z.object({
  changed: z.array(z.string()),
  /** There is no profile with these ids, or it has too many tags. */
  failed: z.array(z.object({ id: z.string(), why: z.string() })),
});
export type ProfilesChanged = z.infer<typeof ProfilesChanged>;

/**
 * POST /api/v1/profiles/import?name=FILE with the file as the body (application/octet-stream): a profile or a trace of
 * the Rust metric proxy, or the database of another engine. Answers at once; GET /api/v1/profiles/import tells how far it is.
 */
export const ImportQuery = z.object({ name: z.string().min(1).max(255) });
export const ImportReport = z.object({
  /** Names of the files of one run, or of the database and the run's id in it. */
  files: z.array(z.string()),
  jobid: z.string().nullable(),
  /** Id here; null: it could not be taken. */
  run: z.string().nullable(),
  /** known: it was here already. */
  outcome: z.enum(['imported', 'known', 'failed']),
  /** Samples of history. */
  samples: count,
  /** What was left out or went wrong, for people. */
  notes: z.array(z.string()),
});
export type ImportReport = z.infer<typeof ImportReport>;
export const ImportState = z.object({
  state: z.enum(['idle', 'running', 'done', 'failed']),
  name: z.string().nullable(),
  /** Runs so far, and in all; null: not known yet. */
  done: count,
  total: count.nullable(),
  imported: count,
  known: count,
  failed: count,
  /** The first 100. */
  reports: z.array(ImportReport),
  /** Why it failed as a whole, for people. */
  reason: z.string().nullable(),
});
export type ImportState = z.infer<typeof ImportState>;
