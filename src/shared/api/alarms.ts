/**
 * Alarms: rules over what is measured, the state of each series that a rule watches, and what became of it. Durations that
 * people set are text with a unit (`10s`), times are ms since the epoch.
 */

import { z } from 'zod';
import { Duration } from '../duration.ts';

export const MAX_RULES = 10_000;
/** Series that one rule watches; more are left out, and said. */
export const MAX_RULE_SERIES = 200_000;
/** Longest window, `for` and `keep_firing_for`, ms. */
export const MAX_RULE_TIME = 7 * 86_400_000;
/** Longest window of values that is kept, ms: what is longer is a query, not a rule. */
export const MAX_RULE_WINDOW = 6 * 3_600_000;

export const Severity = z.enum(['info', 'warning', 'critical']);
export type Severity = z.infer<typeof Severity>;

/**
 * inactive: the condition does not hold; pending: it does, not yet for as long as the rule says; firing; resolved: fired a
 * short while ago and does no more; no_data: the series has told nothing for a while, and the rule says to show that.
 */
export const AlarmState = z.enum(['inactive', 'pending', 'firing', 'resolved', 'no_data']);
export type AlarmState = z.infer<typeof AlarmState>;

export const Comparison = z.enum(['>', '>=', '<', '<=', '=', '!=']);
export type Comparison = z.infer<typeof Comparison>;

/** A name with `*` for anything and `?` for one character; of runs their job id. */
const Glob = z.string().min(1).max(1024);

/** Where the series are. Patterns that are left out match all. */
export const RuleScope = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('run'), jobid: Glob.optional(), command: Glob.optional(), user: Glob.optional() }),
  z.strictObject({ kind: z.literal('node'), name: Glob.optional() }),
  /** By its address or any label `name=value`. */
  z.strictObject({ kind: z.literal('target'), name: Glob.optional() }),
  /** `main`, or `Node: HOST`: the sums that the compatible answers have. */
  z.strictObject({ kind: z.literal('merge'), name: z.string().min(1).max(1024) }),
  z.strictObject({ kind: z.literal('all') }),
]);
export type RuleScope = z.infer<typeof RuleScope>;

const time = (words: string, max = MAX_RULE_TIME) =>
  Duration.pipe(
    z
      .number()
      .min(0)
      .max(max, `the longest ${words} is ${max / 3_600_000} h`),
  );
const Window = Duration.pipe(
  z.number().min(1000, 'the shortest window is 1s').max(MAX_RULE_WINDOW, `the longest window is 6 h`),
);

/** `family{label="a",other!="b",third=~"c.*"}`, or labels alone in braces, as everywhere else. */
const Selector = z.string().trim().min(1).max(4096);

/**
 * What of a series is compared. value: of a gauge its mean over its contributors; of a counter its total. rate: growth per
 * second since the tick before. ratio: value (or rate, of two counters) divided by that of the series with the same labels
 * (or of the only one) of another metric in the same scope. absent: nothing at all matches, or what did told nothing, for so long.
 */
export const Measure = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('value') }),
  z.strictObject({ kind: z.literal('rate') }),
  z.strictObject({ kind: z.literal('increase'), window: Window }),
  z.strictObject({ kind: z.literal('min'), window: Window }),
  z.strictObject({ kind: z.literal('max'), window: Window }),
  z.strictObject({ kind: z.literal('avg'), window: Window }),
  z.strictObject({ kind: z.literal('ratio'), to: Selector }),
  z.strictObject({ kind: z.literal('absent'), after: Window }),
]);
export type Measure = z.infer<typeof Measure>;

/** state: the state no_data; keep: stays as it is; fire: counts as if the condition held; ok: counts as if it did not. */
export const NoData = z.enum(['state', 'keep', 'fire', 'ok']);
export type NoData = z.infer<typeof NoData>;

const LabelName = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, 'a label name has letters, digits and _ only');
export const AlarmLabels = z
  .record(LabelName.max(128), z.string().max(1024))
  .refine((labels) => Object.keys(labels).length <= 32, 'at most 32 labels');

/** What a person sets of a rule. */
export const RuleSettings = z.strictObject({
  /** Unique among rules. */
  name: z
    .string()
    .trim()
    .min(1)
    .max(200)
    .regex(/^[^\p{Cc}]+$/u, 'no control characters'),
  enabled: z.boolean().default(true),
  scope: RuleScope,
  metric: Selector,
  measure: Measure.default({ kind: 'value' }),
  op: Comparison.default('>'),
  /** The condition holds from here on. Not used by `absent`. */
  raise: z.number().default(0),
  /** While firing it goes on until this is crossed; null: the same as `raise`. On the other side of `raise` than the condition; not with `=` and `!=`. */
  clear: z.number().nullable().default(null),
  for: time('wait').default(0),
  keep_firing_for: time('time').default(0),
  no_data: NoData.default('keep'),
  /** How long a series may tell nothing. */
  no_data_after: Duration.pipe(z.number().min(1000).max(MAX_RULE_TIME)).default(60_000),
  severity: Severity.default('warning'),
  labels: AlarmLabels.default({}),
  /** Text with `{{value}}`, `{{metric}}`, `{{scope}}`, `{{threshold}}`, `{{labels.NAME}}` filled in. */
  description: z.string().max(4096).default(''),
  link: z.union([z.literal(''), z.url({ protocol: /^https?$/ }).max(2048)]).default(''),
});
export type RuleSettings = z.infer<typeof RuleSettings>;
export type RuleSettingsInput = z.input<typeof RuleSettings>;

/** PATCH: what is given replaces what was. Written out: a default must not stand for what was left out. */
export const RulePatch = z.strictObject(
  Object.fromEntries(
    Object.entries(RuleSettings.shape).map(([key, field]) => [
      key,
      (field instanceof z.ZodDefault ? field.unwrap() : field).optional(),
    ]),
  ),
) as unknown as z.ZodType<Partial<RuleSettings>, Partial<RuleSettingsInput>>;
export type RulePatch = Partial<RuleSettings>;
export type RulePatchInput = Partial<RuleSettingsInput>;

const count = z.number().int().nonnegative();

export const StateCounts = z.object({
  inactive: count,
  pending: count,
  firing: count,
  resolved: count,
  no_data: count,
  /** Of those that fire: hit by a silence. */
  silenced: count,
  acknowledged: count,
});
export type StateCounts = z.infer<typeof StateCounts>;

/** Durations are text in answers. */
const text = z.string();
export const Rule = z.object({
  id: z.string(),
  ...RuleSettings.shape,
  measure: z.union([
    z.object({ kind: z.enum(['value', 'rate']) }),
    z.object({ kind: z.enum(['increase', 'min', 'max', 'avg']), window: text }),
    z.object({ kind: z.literal('ratio'), to: text }),
    z.object({ kind: z.literal('absent'), after: text }),
  ]),
  for: text,
  keep_firing_for: text,
  no_data_after: text,
  /** hand: made here; pack: switched on from the pack that comes with Vigie; compat: by /alarms/add. */
  origin: z.enum(['hand', 'pack', 'compat']),
  created: z.number(),
  changed: z.number(),
  /** The worst state of its series: firing, then no_data, pending, resolved, inactive. */
  state: AlarmState,
  /** Series that it watches now; 0: nothing matches yet. */
  series: count,
  counts: StateCounts,
  /** What is wrong with it now, in words to act on; null: nothing. */
  problem: z.string().nullable(),
  /** The rule in one plain sentence. */
  sentence: z.string(),
});
export type Rule = z.infer<typeof Rule>;

export const RuleList = z.object({ rules: z.array(Rule) });
export type RuleList = z.infer<typeof RuleList>;

export const Acknowledgement = z.object({ by: z.string(), time: z.number(), comment: z.string() });
export type Acknowledgement = z.infer<typeof Acknowledgement>;

/** One series under one rule, in any state but inactive. */
export const Alarm = z.object({
  /** Opaque; the same for the same rule and series, also after a restart. */
  id: z.string(),
  rule: z.string(),
  name: z.string(),
  state: AlarmState,
  severity: Severity,
  /** Such as `run/ID`, `node/HOST`, `target/ID`, or `merge/main`. */
  scope: z.string(),
  /** For people: job id and command, host name, address. */
  place: z.string(),
  /** As it is written; empty for `absent` when nothing ever matched. */
  metric: z.string(),
  /** The rule's, the series' and `alarmname`, `severity`, `engine`, `scope`; what silences and routes match. */
  labels: z.record(z.string(), z.string()),
  /** Of what is compared, at the last look; null: none. */
  value: z.number().nullable(),
  threshold: z.number(),
  /** Since when it is in this state. */
  since: z.number(),
  /** When it began to fire; null: it has not. */
  fired: z.number().nullable(),
  description: z.string(),
  link: z.string(),
  /** Ids of the silences that hit it. */
  silenced: z.array(z.string()),
  acknowledged: Acknowledgement.nullable(),
  /** The joined engine that tells of it; null: this one. */
  from: z.string().nullable(),
  /** The engine that has it tells people of it. */
  told: z.boolean().optional(),
});
export type Alarm = z.infer<typeof Alarm>;

export const AlarmListQuery = z.object({
  state: AlarmState.optional(),
  severity: Severity.optional(),
  rule: z.string().max(64).optional(),
  scope: z.string().max(1024).optional(),
  search: z.string().max(200).optional(),
  limit: z.coerce.number().int().min(1).max(5000).default(500),
  cursor: z.string().max(200).optional(),
});
export type AlarmListQuery = z.infer<typeof AlarmListQuery>;

/** Firing first, then by severity, then newest first. */
export const AlarmList = z.object({ alarms: z.array(Alarm), counts: StateCounts, next: z.string().nullable() });
export type AlarmList = z.infer<typeof AlarmList>;

/** POST /api/v1/alarms/acknowledge. The acknowledgement ends when the alarm resolves. */
export const AcknowledgeRequest = z.strictObject({
  alarms: z.array(z.string().max(200)).min(1).max(10_000),
  comment: z.string().max(4096).default(''),
  /** False takes an acknowledgement back. */
  on: z.boolean().default(true),
});
export type AcknowledgeRequest = z.infer<typeof AcknowledgeRequest>;

export const AcknowledgeResult = z.object({
  /** Those of the given ones that were not so before. */
  changed: count,
});
export type AcknowledgeResult = z.infer<typeof AcknowledgeResult>;

/** Something that happened to an alarm. */
export const AlarmEvent = z.object({
  /** Grows by at least one with each event of an engine; live readers go on from it. */
  number: count,
  time: z.number(),
  kind: z.enum(['state', 'acknowledged', 'unacknowledged', 'rule_changed', 'rule_deleted', 'delivered', 'failed']),
  alarm: z.string(),
  rule: z.string(),
  name: z.string(),
  severity: Severity,
  scope: z.string(),
  place: z.string(),
  metric: z.string(),
  /** Null where the kind is another one than `state`. */
  was: AlarmState.nullable(),
  state: AlarmState.nullable(),
  /** The value that caused it. */
  value: z.number().nullable(),
  threshold: z.number().nullable(),
  /** Who acknowledged, which channel, or why it failed. */
  note: z.string(),
});
export type AlarmEvent = z.infer<typeof AlarmEvent>;

export const HistoryQuery = z.object({
  rule: z.string().max(64).optional(),
  scope: z.string().max(1024).optional(),
  metric: z.string().max(4096).optional(),
  from: z.coerce.number().optional(),
  to: z.coerce.number().optional(),
  search: z.string().max(200).optional(),
  limit: z.coerce.number().int().min(1).max(5000).default(200),
  cursor: z.string().max(200).optional(),
});
export type HistoryQuery = z.infer<typeof HistoryQuery>;
/** Newest first. */
export const AlarmHistory = z.object({ events: z.array(AlarmEvent), next: z.string().nullable() });
export type AlarmHistory = z.infer<typeof AlarmHistory>;

/**
 * POST /api/v1/alarms/preview: when a rule would have fired. The answer is lines of JSON (application/x-ndjson): any number of
 * `progress`, then one `done`; closing the connection cancels.
 */
export const PreviewRequest = z.strictObject({
  rule: RuleSettings,
  from: z.number(),
  to: z.number(),
  /** Only these scopes, such as the one of the plot; absent: all that the rule matches and that the store knows, at most `max_series` series. */
  scopes: z.array(z.string().max(1024)).max(1000).optional(),
  max_series: z.number().int().min(1).max(1000).default(50),
  /** Buckets of the range that what is compared is told in, for a plot; absent: it is not told. */
  points: z.number().int().min(1).max(2000).optional(),
});
export type PreviewRequest = z.infer<typeof PreviewRequest>;
export type PreviewRequestInput = z.input<typeof PreviewRequest>;

/** Lowest and highest of each bucket of `step` ms from `from` on; null: nothing in it. */
export const PreviewPlot = z.object({
  from: z.number(),
  step: z.number(),
  low: z.array(z.number().nullable()),
  high: z.array(z.number().nullable()),
});
export type PreviewPlot = z.infer<typeof PreviewPlot>;
export const PreviewSeries = z.object({
  scope: z.string(),
  place: z.string(),
  metric: z.string(),
  /** [from, to] of each time it would have fired, ms; the last may be open at `to`. */
  firing: z.array(z.tuple([z.number(), z.number()])),
  pending: z.array(z.tuple([z.number(), z.number()])),
  /** Only when `points` asks for it. */
  plot: PreviewPlot.optional(),
});
export type PreviewSeries = z.infer<typeof PreviewSeries>;
export const PreviewLine = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('progress'), done: z.number() }),
  z.object({
    kind: z.literal('done'),
    series: z.array(PreviewSeries),
    /** Times that it began to fire, over all series. */
    times: count,
    per_day: z.number(),
    /** Longest, and all together, ms. */
    longest: z.number(),
    total: z.number(),
    /** Series that match and were left out. */
    left_out: count,
    /** Lowest, middle and highest of what is compared, for a threshold that makes sense; null: no values. */
    range: z.object({ min: z.number(), median: z.number(), max: z.number() }).nullable(),
    /** The finest that was looked at was not every sample but buckets of so many ms; 0: every sample. */
    step: z.number(),
  }),
  z.object({ kind: z.literal('error'), code: z.string(), detail: z.string() }),
]);
export type PreviewLine = z.infer<typeof PreviewLine>;

/** A pack of rules that comes with Vigie. */
export const AlarmPack = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  rules: z.array(
    z.object({ id: z.string(), name: z.string(), description: z.string(), sentence: z.string(), on: z.boolean() }),
  ),
});
export type AlarmPack = z.infer<typeof AlarmPack>;
export const AlarmPacks = z.object({ packs: z.array(AlarmPack) });
export type AlarmPacks = z.infer<typeof AlarmPacks>;
/** Ids of the pack's rules. Those that are switched off are deleted, with what was changed of them. */
export const PackSwitch = z.strictObject({ rules: z.array(z.string().max(200)).min(1).max(1000), on: z.boolean() });
export type PackSwitch = z.infer<typeof PackSwitch>;

/** POST /api/v1/alarms/rules/import: YAML as `export` writes it. */
export const RuleImport = z.strictObject({
  yaml: z.string().max(4 * 1024 * 1024),
  replace: z.boolean().default(false),
  dry_run: z.boolean().default(false),
});
export type RuleImport = z.infer<typeof RuleImport>;
export const RuleImportResult = z.object({
  items: z.array(
    z.object({
      name: z.string(),
      outcome: z.enum(['added', 'changed', 'unchanged', 'refused']),
      reason: z.string().nullable(),
    }),
  ),
});
export type RuleImportResult = z.infer<typeof RuleImportResult>;
