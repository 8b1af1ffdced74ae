/** Whether a rule can be kept. */

import { checkRule } from '../../shared/alarms/check-rule.ts';
import type { RuleSettings } from '../../shared/api/alarms.ts';
import { parseSelector } from './match.ts';

/** What is wrong with a rule beyond its schema, in words to act on; null: nothing. */
export function refuseRule(settings: RuleSettings): string | null {
  const selector = parseSelector(settings.metric);
  if (typeof selector === 'string') return `metric: ${selector}`;
  const divisor = settings.measure.kind === 'ratio' ? parseSelector(settings.measure.to) : null;
  if (typeof divisor === 'string') return `measure.to: ${divisor}`;
  const [problem] = checkRule(settings);
  return problem ? `${problem.field}: ${problem.message}` : null;
}
