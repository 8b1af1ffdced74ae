/** All alarms that are not inactive, with what silences and people say of them, and how many there are of each. */

import type { Acknowledgement, Alarm, AlarmState, StateCounts } from '../../shared/api/alarms.ts';
import { fillDescription } from '../../shared/alarms/template.ts';
import { parseMetric } from '../../shared/model/metric.ts';
import type { RuleRecord } from './rules.ts';

/** One of them. */
export interface Held {
  readonly id: string;
  rule: RuleRecord;
  readonly scope: string;
  readonly place: string;
  readonly metric: string;
  /** What matchers look at. */
  labels: Readonly<Record<string, string>>;
  state: AlarmState;
  since: number;
  fired: number | null;
  value: number | null;
  threshold: number;
  silenced: readonly string[];
  acknowledged: Acknowledgement | null;
  /** Grows with what readers may see of it. */
  version: number;
}

export const fires = ({ state }: Pick<Held, 'state'>): boolean => state === 'firing';

const noCounts = (): StateCounts => ({
  ...{ inactive: 0, pending: 0, firing: 0, resolved: 0, no_data: 0, silenced: 0, acknowledged: 0 },
});

export class Book {
  readonly #held = new Map<string, Held>();
  readonly #ofRule = new Map<string, { readonly ids: Set<string>; readonly counts: StateCounts }>();
  readonly #total = noCounts();
  readonly #engine: string;
  /** Of the last change that readers may see. */
  version = 0;

  /** `engine`: the host that this engine runs on, for people. */
  constructor(engine: string) {
    this.#engine = engine;
  }

  get firing(): number {
    return this.#total.firing;
  }

  get(id: string): Held | null {
    return this.#held.get(id) ?? null;
  }

  [Symbol.iterator](): Iterator<Held> {
    return this.#held.values();
  }

  *ofRule(rule: string): Generator<Held, void> {
    for (const id of this.#ofRule.get(rule)?.ids ?? []) yield this.#held.get(id)!;
  }

  /** Those that are not inactive, of all rules or of one; of `inactive` nothing is known here. */
  counts(rule?: string): StateCounts {
    return { ...(rule === undefined ? this.#total : (this.#ofRule.get(rule)?.counts ?? noCounts())) };
  }

  labelsOf(rule: RuleRecord, scope: string, metric: string): Record<string, string> {
    const { labels } = parseMetric(metric);
    // Neither a rule nor a series says something else there.
    const own = { alarmname: rule.settings.name, severity: rule.settings.severity, engine: this.#engine, scope };
    return { ...Object.fromEntries(labels), ...rule.settings.labels, ...own };
  }

  /** A new one. */
  put(held: Held): void {
    this.#held.set(held.id, held);
    let of = this.#ofRule.get(held.rule.id);
    if (!of) this.#ofRule.set(held.rule.id, (of = { ids: new Set(), counts: noCounts() }));
    of.ids.add(held.id);
    this.#count(held, 1);
  }

  /** Changes one, so that the counts stay right. */
  change(held: Held, what: Partial<Held>): void {
    this.#count(held, -1);
    Object.assign(held, what);
    this.#count(held, 1);
  }

  remove(held: Held): void {
    if (this.#held.get(held.id) !== held) return;
    this.#count(held, -1);
    this.#held.delete(held.id);
    const of = this.#ofRule.get(held.rule.id);
    of?.ids.delete(held.id);
    if (of?.ids.size === 0) this.#ofRule.delete(held.rule.id);
  }

  #count(held: Held, by: 1 | -1): void {
    for (const counts of [this.#total, this.#ofRule.get(held.rule.id)!.counts]) {
      counts[held.state] += by;
      if (!fires(held)) continue;
      if (held.silenced.length > 0) counts.silenced += by;
      if (held.acknowledged) counts.acknowledged += by;
    }
  }

  /** From now on readers may see what became of it. */
  show(held: Held): void {
    held.version = this.next();
  }

  next(): number {
    return ++this.version;
  }
}

/** As the API shows it. */
export function describeAlarm(held: Held): Alarm {
  const { id, rule, scope, place, metric, labels, state, since, fired, value, threshold } = held;
  const { name, severity, description, link } = rule.settings;
  const values = { name, severity, value, threshold, metric, scope, place, labels };
  return {
    ...{ id, rule: rule.id, name, state, severity, scope, place, metric, labels, value, threshold, since, fired },
    ...{ description: fillDescription(description, values), link, silenced: [...held.silenced] },
    ...{ acknowledged: held.acknowledged, from: null },
  };
}
