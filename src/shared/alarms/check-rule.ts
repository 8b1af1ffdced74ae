/** What is wrong with a rule although each of its fields is right by itself. Pure; the page shows it beside the field. */

import type { RuleSettings } from '../api/alarms.ts';
import { exactThreshold } from './sentence.ts';

export interface RuleProblem {
  readonly field: keyof RuleSettings;
  /** In words to act on. */
  readonly message: string;
}

/** Empty: nothing. Whether a selector can be understood is for the engine to say. */
export function checkRule(rule: RuleSettings): RuleProblem[] {
  const problems: RuleProblem[] = [];
  const { op, raise, clear, measure } = rule;
  if (clear !== null && measure.kind !== 'absent') {
    const message = refuseClear(rule, clear);
    if (message !== null) problems.push({ field: 'clear', message });
  }
  if (!Number.isFinite(raise)) problems.push({ field: 'raise', message: 'the threshold is a number' });
  if (measure.kind === 'increase' && op === '<' && raise <= 0) {
    problems.push({ field: 'raise', message: 'an increase is never below 0: use ≤ 0, or a larger threshold' });
  }
  if (measure.kind === 'ratio' && measure.to === rule.metric) {
    problems.push({ field: 'measure', message: 'a metric divided by itself is always 1: name another one' });
  }
  const names = ['alarmname', 'severity', 'engine', 'scope'].filter((name) => Object.hasOwn(rule.labels, name));
  if (names.length > 0) {
    problems.push({ field: 'labels', message: `every alarm has its own ${names.join(' and ')}: use another name` });
  }
  return problems;
}

function refuseClear(rule: RuleSettings, clear: number): string | null {
  const { op, raise } = rule;
  const at = exactThreshold(rule, raise);
  switch (op) {
    case '>':
    case '>=':
      return clear > raise ? `it must end at or below ${at}, where it begins` : null;
    case '<':
    case '<=':
      return clear < raise ? `it must end at or above ${at}, where it begins` : null;
    case '=':
    case '!=':
      return clear === raise ? null : 'with = and ≠ there is no other threshold to end at: leave it out';
  }
}
