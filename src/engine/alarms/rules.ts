/** The list of rules: who is on it, and how each is kept and told. */

import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import {
  MAX_RULES,
  type Measure,
  RuleSettings,
  type Rule,
  type RulePatch,
  type StateCounts,
} from '../../shared/api/alarms.ts';
import { formatDuration } from '../../shared/duration.ts';
import { ApiError } from '../../shared/errors.ts';
import type { RecordChange } from './records.ts';

/** As it is kept: durations in ms. */
export interface RuleRecord {
  readonly id: string;
  readonly settings: RuleSettings;
  readonly origin: Rule['origin'];
  /** The rule of a pack that it was made from, `PACK/ID`; null: of none. */
  readonly pack: string | null;
  /** What it is called over the compatible routes; null: it was not made there. */
  readonly compat: { readonly target: string; readonly name: string } | null;
  readonly created: number;
  readonly changed: number;
}

const Outer = z.object({
  id: z.string().min(1).max(64),
  settings: z.record(z.string(), z.unknown()),
  origin: z.enum(['hand', 'pack', 'compat']),
  pack: z.string().nullable().default(null),
  compat: z.object({ target: z.string(), name: z.string() }).nullable().default(null),
  created: z.number(),
  changed: z.number(),
});

/** A measure with its durations as text. */
function measureText(measure: Measure): Rule['measure'] {
  if ('window' in measure) return { ...measure, window: formatDuration(measure.window) };
  if ('after' in measure) return { ...measure, after: formatDuration(measure.after) };
  return measure;
}

/** Settings with durations as text: as people write them, and as they are kept. */
export function settingsText(settings: RuleSettings): Pick<Rule, keyof RuleSettings> {
  const { for: wait, keep_firing_for: keep, no_data_after: after } = settings;
  return {
    ...settings,
    measure: measureText(settings.measure),
    ...{ for: formatDuration(wait), keep_firing_for: formatDuration(keep), no_data_after: formatDuration(after) },
  };
}

export const ruleChange = (id: string, record: RuleRecord | null): RecordChange => ({
  kind: 'rule',
  id,
  value: record && { ...record, settings: settingsText(record.settings) },
});

/** A record as it was kept; null: it cannot be understood. */
function readRule(document: unknown): RuleRecord | null {
  const outer = Outer.safeParse(document);
  if (!outer.success) return null;
  const settings = RuleSettings.safeParse(outer.data.settings);
  return settings.success ? { ...outer.data, settings: settings.data } : null;
}

export interface NewRule {
  readonly settings: RuleSettings;
  readonly origin: Rule['origin'];
  readonly pack?: string;
  readonly compat?: RuleRecord['compat'];
}

export class Rules {
  /** In the order they were made. */
  readonly #rules = new Map<string, RuleRecord>();
  readonly #names = new Map<string, string>();
  readonly #check: (settings: RuleSettings) => string | null;

  /** `check`: what is wrong with a rule beyond its schema, in words; null: nothing. */
  constructor(check: (settings: RuleSettings) => string | null) {
    this.#check = check;
  }

  /** Ids of those that could not be understood are returned: they are kept, not watched. */
  load(documents: ReadonlyMap<string, unknown>): string[] {
    const bad: string[] = [];
    const records = Array.from(documents, ([id, document]) => ({ id, record: readRule(document) }));
    for (const { id, record } of records.sort((a, b) => (a.record?.created ?? 0) - (b.record?.created ?? 0))) {
      if (record && !this.#names.has(record.settings.name)) this.put(record);
      else bad.push(id);
    }
    return bad;
  }

  get size(): number {
    return this.#rules.size;
  }

  get(id: string): RuleRecord | null {
    return this.#rules.get(id) ?? null;
  }

  /** Errors: `rule_not_found`. */
  need(id: string): RuleRecord {
    const rule = this.#rules.get(id);
    if (!rule) throw new ApiError('rule_not_found', 'no rule has this id; it may have been deleted');
    return rule;
  }

  named(name: string): RuleRecord | null {
    return this.get(this.#names.get(name) ?? '');
  }

  [Symbol.iterator](): Iterator<RuleRecord> {
    return this.#rules.values();
  }

  /** A record for a new rule, not on the list yet; nor are so many others. Errors: `bad_request`, `rule_exists`. */
  make({ settings, origin, pack, compat }: NewRule, now: number, others = 0): RuleRecord {
    this.#refuse(settings, null);
    if (this.size + others >= MAX_RULES) throw new ApiError('bad_request', `there may be ${MAX_RULES} rules`);
    return {
      ...{ id: randomBytes(6).toString('hex'), settings, origin },
      ...{ pack: pack ?? null, compat: compat ?? null, created: now, changed: now },
    };
  }

  /** A record that takes the place of a rule's, not on the list yet. Errors: `rule_not_found`, `bad_request`, `rule_exists`. */
  patched(id: string, patch: RulePatch, now: number): RuleRecord {
    const before = this.need(id);
    const given = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
    const settings: RuleSettings = { ...before.settings, ...given };
    this.#refuse(settings, id);
    return { ...before, settings, changed: now };
  }

  #refuse(settings: RuleSettings, id: string | null): void {
    const wrong = this.#check(settings);
    if (wrong !== null) throw new ApiError('bad_request', wrong);
    const other = this.#names.get(settings.name);
    if (other !== undefined && other !== id) {
      throw new ApiError('rule_exists', `a rule is called ${JSON.stringify(settings.name)} already`);
    }
  }

  put(record: RuleRecord): void {
    const before = this.#rules.get(record.id);
    if (before) this.#names.delete(before.settings.name);
    this.#rules.set(record.id, record);
    this.#names.set(record.settings.name, record.id);
  }

  remove(id: string): void {
    const record = this.#rules.get(id);
    if (!record) return;
    this.#rules.delete(id);
    this.#names.delete(record.settings.name);
  }
}

/** Worst first. */
const WORST = ['firing', 'no_data', 'pending', 'resolved'] as const;

export interface RuleFigures {
  readonly counts: StateCounts;
  readonly series: number;
  readonly problem: string | null;
  readonly sentence: string;
}

/** As the API shows it. */
export function describeRule(record: RuleRecord, { counts, series, problem, sentence }: RuleFigures): Rule {
  const { id, settings, origin, created, changed } = record;
  return {
    ...settingsText(settings),
    ...{ id, origin, created, changed, counts, series, problem, sentence },
    state: WORST.find((state) => counts[state] > 0) ?? 'inactive',
  };
}
