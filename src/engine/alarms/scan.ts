/** Which of many numbers meet a condition. */

import type { Comparison, RuleSettings } from '../../shared/api/alarms.ts';
import type { Column } from './measure.ts';

/** A window need not be full where more of it can only confirm that the condition holds. */
export function isEarly({ measure: { kind }, op }: Pick<RuleSettings, 'measure' | 'op'>): boolean {
  if (kind === 'increase' || kind === 'max') return op === '>' || op === '>=';
  return kind === 'min' && (op === '<' || op === '<=');
}

/** Whether any series of a column can meet a condition: most columns of most rules are far from it. */
export function mayHold(op: Comparison, { min, max }: Column, raise: number): boolean {
  switch (op) {
    case '>':
      return max > raise;
    case '>=':
      return max >= raise;
    case '<':
      return min < raise;
    case '<=':
      return min <= raise;
    case '=':
      return min <= raise && raise <= max;
    case '!=':
      return min < raise || max > raise;
  }
}

/**
 * Writes the slots of those that meet a condition into `hits`, which has room for all, and returns how many there are.
 * A loop for each comparison: ten million of them a second must be nothing.
 */
export function scan(op: Comparison, values: Float64Array, count: number, raise: number, hits: Int32Array): number {
  let n = 0;
  switch (op) {
    case '>':
      for (let i = 0; i < count; i++) if (values[i]! > raise) hits[n++] = i;
      break;
    case '>=':
      for (let i = 0; i < count; i++) if (values[i]! >= raise) hits[n++] = i;
      break;
    case '<':
      for (let i = 0; i < count; i++) if (values[i]! < raise) hits[n++] = i;
      break;
    case '<=':
      for (let i = 0; i < count; i++) if (values[i]! <= raise) hits[n++] = i;
      break;
    case '=':
      for (let i = 0; i < count; i++) if (raise === values[i]) hits[n++] = i;
      break;
    case '!=':
      for (let i = 0; i < count; i++) if (values[i]! < raise || values[i]! > raise) hits[n++] = i;
  }
  return n;
}
