/**
 * A rule in plain words, the same in the page, in answers and in files. It says all that the rule does, and exactly: a
 * threshold is never rounded.
 */

import type { Comparison, RuleScope, RuleSettings } from '../api/alarms.ts';
import { formatDuration } from '../duration.ts';
import { describeFamily, type Unit } from '../model/naming.ts';

const IS: Readonly<Record<Comparison, string>> = {
  '>': 'is above',
  '>=': 'is at least',
  '<': 'is below',
  '<=': 'is at most',
  '=': 'is exactly',
  '!=': 'is anything but',
};

/** What ends it. */
const IS_NOT: Readonly<Record<Comparison, string>> = {
  '>': 'is at or below',
  '>=': 'is below',
  '<': 'is at or above',
  '<=': 'is above',
  '=': 'is anything but',
  '!=': 'is exactly',
};

const quoted = (text: string): string => `“${text}”`;
const isPattern = (text: string): boolean => /[*?]/.test(text);

/** `with the id “7*”`, `with the id “7”`; nothing where all are meant. */
const like = (noun: string, pattern: string | undefined): string[] =>
  pattern === undefined || /^\*+$/.test(pattern)
    ? []
    : [`${isPattern(pattern) ? `${noun} like` : noun} ${quoted(pattern)}`];

function where(scope: RuleScope): string {
  switch (scope.kind) {
    case 'all':
      return 'anywhere';
    case 'merge':
      return `in the sum ${quoted(scope.name)}`;
    case 'node': {
      const [name] = like('a node named', scope.name);
      return `on ${name ?? 'any node'}`;
    }
    case 'target': {
      const [name] = like('a target named or labelled', scope.name);
      return `of ${name ?? 'any target'}`;
    }
    case 'run': {
      const of = [
        ...like('the id', scope.jobid),
        ...like('the command', scope.command),
        ...like('the user', scope.user),
      ];
      return of.length === 0 ? 'of any job' : `of a job with ${joined(of)}`;
    }
  }
}

const joined = (parts: readonly string[]): string =>
  parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;

function what({ metric, measure, scope }: RuleSettings): string {
  const name = `${metric} ${where(scope)}`;
  switch (measure.kind) {
    case 'value':
      return name;
    case 'rate':
      return `the growth per second of ${name}`;
    case 'increase':
      return `the increase of ${name} over ${formatDuration(measure.window)}`;
    case 'min':
      return `the lowest ${name} over ${formatDuration(measure.window)}`;
    case 'max':
      return `the highest ${name} over ${formatDuration(measure.window)}`;
    case 'avg':
      return `the average ${name} over ${formatDuration(measure.window)}`;
    case 'ratio':
      return `${name} divided by ${measure.to} (of two counters: what they grew by)`;
    case 'absent':
      return name;
  }
}

const BINARY: readonly (readonly [number, string])[] = [
  [2 ** 50, 'Pi'],
  [2 ** 40, 'Ti'],
  [2 ** 30, 'Gi'],
  [2 ** 20, 'Mi'],
  [2 ** 10, 'Ki'],
];

/** The number itself; in larger units only where that is as short and as exact. */
function exact(value: number, unit: Unit): string {
  if (unit === 'B' || unit === 'B/s') {
    for (const [factor, prefix] of BINARY) {
      const scaled = value / factor;
      if (Math.abs(scaled) >= 1 && Number(scaled.toFixed(2)) === scaled) return `${scaled} ${prefix}${unit}`;
    }
  }
  return unit === '1' || unit === 'ratio' ? String(value) : `${value} ${unit}`;
}

/** A rule's threshold with the unit of what it compares, such as `90 %`, `1.5 GiB`, `0.25`. */
export function exactThreshold({ metric, measure }: Pick<RuleSettings, 'metric' | 'measure'>, value: number): string {
  const brace = metric.indexOf('{');
  const family = (brace < 0 ? metric : metric.slice(0, brace)).trim();
  const unit: Unit = family === '' || measure.kind === 'ratio' ? '1' : describeFamily(family).unit;
  if (measure.kind !== 'rate') return exact(value, unit);
  const text = exact(value, unit);
  return unit === '1' || unit === 'ratio' ? `${text} per second` : `${text}/s`;
}

const SEVERITY = { info: 'Information', warning: 'Warning', critical: 'Critical' } as const;

function ending(rule: RuleSettings): string {
  const { op, raise, clear, keep_firing_for: keep, measure } = rule;
  const lasting = keep > 0 ? ` for ${formatDuration(keep)}` : '';
  if (measure.kind === 'absent') return keep > 0 ? `It ends when it is there again${lasting}.` : '';
  if (clear !== null && clear !== raise)
    return `It ends when that ${IS_NOT[op]} ${exactThreshold(rule, clear)}${lasting}.`;
  return keep > 0 ? `It ends when that has not been so${lasting}.` : '';
}

function silence({ no_data, no_data_after, measure, for: wait }: RuleSettings): string {
  if (measure.kind === 'absent') return '';
  const after = `After ${formatDuration(no_data_after)} without data`;
  switch (no_data) {
    case 'keep':
      return `${after} it stays as it was.`;
    case 'state':
      return `${after} it shows “no data”.`;
    case 'fire':
      return wait > 0 ? `${after} that counts as if it were so.` : `${after} it fires, too.`;
    case 'ok':
      return `${after} that counts as if it were not so.`;
  }
}

/** The rule in one to three plain sentences. */
export function ruleSentence(rule: RuleSettings): string {
  const { measure, severity, enabled, op, raise } = rule;
  const lasting = rule.for > 0 ? ` for ${formatDuration(rule.for)}` : '';
  const holds =
    measure.kind === 'absent'
      ? `${what(rule)} has told nothing for ${formatDuration(measure.after)}, or nothing matches it for so long${
          lasting === '' ? '' : `, and that lasts${lasting}`
        }`
      : `${what(rule)} ${IS[op]} ${exactThreshold(rule, raise)}${lasting}`;
  const first = `${SEVERITY[severity]} when ${holds}.`;
  return [...(enabled ? [] : ['Switched off:']), first, ending(rule), silence(rule)]
    .filter((part) => part !== '')
    .join(' ');
}
