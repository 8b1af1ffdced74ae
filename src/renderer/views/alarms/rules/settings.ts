import { RuleSettings } from '../../../../shared/api/alarms.ts';
import type { Rule, RuleSettingsInput } from '../../../../shared/api/alarms.ts';

/** What a person set of a rule: what makes the same rule again. */
export function settingsOf(rule: Rule): RuleSettingsInput {
  const own = Object.keys(RuleSettings.shape);
  return Object.fromEntries(Object.entries(rule).filter(([key]) => own.includes(key))) as RuleSettingsInput;
}

const byName = new Intl.Collator('en', { numeric: true });

export const RULE_SORTS = ['state', 'name', 'severity', 'series', 'changed'] as const;
export type RuleSort = (typeof RULE_SORTS)[number];

const STATES = ['firing', 'no_data', 'pending', 'resolved', 'inactive'];
const SEVERITIES = ['critical', 'warning', 'info'];

function compare(a: Rule, b: Rule, sort: RuleSort): number {
  switch (sort) {
    case 'state':
      return Number(b.enabled) - Number(a.enabled) || STATES.indexOf(a.state) - STATES.indexOf(b.state);
    case 'severity':
      return SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity);
    case 'name':
      return byName.compare(a.name, b.name);
    default:
      return a[sort] - b[sort];
  }
}

/** Rules in the order to be shown. Equal ones stand by name. */
export function selectRules(rules: readonly Rule[], search: string, sort: RuleSort, descending: boolean): Rule[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const sign = descending ? -1 : 1;
  return rules
    .filter((rule) => {
      const text = [rule.name, rule.sentence, rule.metric, rule.description, rule.problem ?? '']
        .join('\n')
        .toLowerCase();
      return words.every((word) => text.includes(word));
    })
    .sort((a, b) => sign * compare(a, b, sort) || byName.compare(a.name, b.name));
}
