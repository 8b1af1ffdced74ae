/** The list of rules as people change it. Each change is on the disk before it counts; they come one after another. */

import type {
  AlarmPack,
  AlarmPacks,
  PackSwitch,
  Rule,
  RuleImport,
  RuleImportResult,
  RulePatch,
  RuleSettings,
  StateCounts,
} from '../../shared/api/alarms.ts';
import { ruleSentence } from '../../shared/alarms/sentence.ts';
import { ApiError } from '../../shared/errors.ts';
import { readPacks, type Pack, type PackRule } from './packs.ts';
import type { Records } from './records.ts';
import { refuseRule } from './refuse.ts';
import { describeRule, ruleChange, Rules, type NewRule, type RuleRecord } from './rules.ts';

interface DeskOptions {
  readonly records: Records;
  /** Wall clock, ms since the epoch. */
  readonly now: () => number;
  /** The list is another one; these are new on it, or were changed. */
  readonly changed: (rules: readonly RuleRecord[]) => Promise<void>;
  /** What the evaluation says of a rule. */
  readonly ofRule: (id: string) => { counts: StateCounts; series: number; problem: string | null };
}

export class RuleDesk {
  readonly #options: DeskOptions;
  readonly rules = new Rules(refuseRule);
  #turn: Promise<unknown> = Promise.resolve();
  #packs: Promise<Pack[]> | null = null;

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  describe(record: RuleRecord): Rule {
    return describeRule(record, { ...this.#options.ofRule(record.id), sentence: ruleSentence(record.settings) });
  }

  /** In the order they were made. */
  list(): Rule[] {
    return Array.from(this.rules, (record) => this.describe(record));
  }

  /** Errors: `bad_request`, `rule_exists`, `store_unavailable`. */
  async add(rule: NewRule): Promise<Rule> {
    const [record] = await this.addAll(() => [this.rules.make(rule, this.#options.now())]);
    return this.describe(record!);
  }

  /** Errors: `rule_not_found`, `bad_request`, `rule_exists`, `store_unavailable`. */
  async patch(id: string, patch: RulePatch): Promise<Rule> {
    const [record] = await this.addAll(() => [this.rules.patched(id, patch, this.#options.now())]);
    return this.describe(record!);
  }

  /** What fires because of it is resolved. Errors: `rule_not_found`, `store_unavailable`. */
  async remove(id: string): Promise<void> {
    await this.removeAll(() => [this.rules.need(id).id]);
  }

  /** Puts records on the list, or in the place of those with their ids. `make` is called when it is their turn. */
  addAll(make: () => readonly RuleRecord[]): Promise<readonly RuleRecord[]> {
    return this.#inTurn(async () => {
      const records = make();
      if (records.length === 0) return records;
      await this.#options.records.write(records.map((record) => ruleChange(record.id, record)));
      for (const record of records) this.rules.put(record);
      await this.#options.changed(records);
      return records;
    });
  }

  removeAll(choose: () => readonly string[]): Promise<void> {
    return this.#inTurn(async () => {
      const ids = choose();
      if (ids.length === 0) return;
      await this.#options.records.write(ids.map((id) => ruleChange(id, null)));
      for (const id of ids) this.rules.remove(id);
      await this.#options.changed([]);
    });
  }

  /** All rules as YAML. */
  async export(): Promise<string> {
    const { writeRules } = await import('./yaml.ts');
    return writeRules(Array.from(this.rules, ({ settings }) => settings));
  }

  /** Puts the rules of a text on the list; each is taken or refused by itself. Errors: `bad_request`, `store_unavailable`. */
  async import({ yaml, replace, dry_run: dry }: RuleImport): Promise<RuleImportResult> {
    const { readRules, RulesError } = await import('./yaml.ts');
    const read = await readRules(yaml).catch((error: unknown) => {
      throw error instanceof RulesError ? new ApiError('bad_request', `yaml: ${error.message}`) : error;
    });
    const items: RuleImportResult['items'] = [];
    const take = (): RuleRecord[] => {
      const records: RuleRecord[] = [];
      let added = 0;
      for (const { name, settings, reason } of read) {
        if (settings === null) items.push({ name, outcome: 'refused', reason });
        else items.push(this.#takeOne(settings, replace, records, added));
        if (items.at(-1)!.outcome === 'added') added++;
      }
      return records;
    };
    if (dry) take();
    else await this.addAll(take);
    return { items };
  }

  /** `added`: new ones among the records. */
  #takeOne(
    settings: RuleSettings,
    replace: boolean,
    records: RuleRecord[],
    added: number,
  ): RuleImportResult['items'][number] {
    const { name } = settings;
    const now = this.#options.now();
    const known = this.rules.named(name);
    if (known && isSame(known.settings, settings)) return { name, outcome: 'unchanged', reason: null };
    if (known && !replace) return { name, outcome: 'refused', reason: 'a rule has this name, and is another one' };
    try {
      records.push(
        known ? this.rules.patched(known.id, settings, now) : this.rules.make({ settings, origin: 'hand' }, now, added),
      );
      return { name, outcome: known ? 'changed' : 'added', reason: null };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return { name, outcome: 'refused', reason: error.message };
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async packs(): Promise<AlarmPacks> {
    return { packs: (await this.#read()).map((pack) => this.#describePack(pack)) };
  }

  #read(): Promise<Pack[]> {
    return (this.#packs ??= readPacks());
  }

  #describePack({ id, name, description, rules }: Pack): AlarmPack {
    const on = this.#ofPacks();
    return {
      ...{ id, name, description },
      rules: rules.map((rule) => ({
        ...{ id: rule.id, name: rule.settings.name, description: rule.settings.description },
        sentence: ruleSentence(rule.settings),
        on: on.has(`${id}/${rule.id}`),
      })),
    };
  }

  /** Ids of the rules that were made from packs. */
  #ofPacks(): Map<string, string> {
    const ids = new Map<string, string>();
    for (const { id, pack } of this.rules) if (pack !== null) ids.set(pack, id);
    return ids;
  }

  /** Errors: `pack_not_found`, `rule_not_found`, `rule_exists`, `store_unavailable`. */
  async switch(id: string, { rules: wanted, on }: PackSwitch): Promise<AlarmPack> {
    const pack = (await this.#read()).find((one) => one.id === id);
    if (!pack) throw new ApiError('pack_not_found', 'no pack has this id; GET /api/v1/alarms/packs lists them');
    const known = new Map(pack.rules.map((rule) => [rule.id, rule]));
    const chosen = [...new Set(wanted)].map((one): PackRule => {
      const rule = known.get(one);
      if (!rule)
        throw new ApiError('rule_not_found', `the pack ${id} has no rule ${JSON.stringify(one.slice(0, 100))}`);
      return rule;
    });
    if (on) await this.addAll(() => this.#fromPack(pack, chosen));
    else {
      await this.removeAll(() => {
        const present = this.#ofPacks();
        return chosen.flatMap((rule) => present.get(`${id}/${rule.id}`) ?? []);
      });
    }
    return this.#describePack(pack);
  }

  #fromPack(pack: Pack, rules: readonly PackRule[]): RuleRecord[] {
    const present = this.#ofPacks();
    return rules
      .filter((rule) => !present.has(`${pack.id}/${rule.id}`))
      .map(({ id, settings }) =>
        this.rules.make({ settings, origin: 'pack', pack: `${pack.id}/${id}` }, this.#options.now()),
      );
  }
}

/** Whatever the order of their fields. */
const isSame = (a: RuleSettings, b: RuleSettings): boolean => sorted(a) === sorted(b);

const sorted = (settings: RuleSettings): string =>
  JSON.stringify(settings, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
