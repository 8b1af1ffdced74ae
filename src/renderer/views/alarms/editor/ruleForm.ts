/** The editor's fields as texts, and the rule that they make. Pure functions. */

import { checkRule } from '../../../../shared/alarms/check-rule.ts';
import { checkTemplate } from '../../../../shared/alarms/template.ts';
import { RuleSettings } from '../../../../shared/api/alarms.ts';
import type {
  Comparison,
  Measure,
  NoData,
  Rule,
  RuleScope,
  RuleSettingsInput,
  Severity,
} from '../../../../shared/api/alarms.ts';

export type MeasureKind = Measure['kind'];

export interface RuleForm {
  readonly name: string;
  readonly enabled: boolean;
  readonly where: RuleScope['kind'];
  /** Patterns; empty: all. */
  readonly jobid: string;
  readonly command: string;
  readonly user: string;
  readonly node: string;
  readonly target: string;
  readonly merge: string;
  readonly metric: string;
  readonly measure: MeasureKind;
  readonly window: string;
  /** The metric to divide by. */
  readonly to: string;
  readonly after: string;
  readonly op: Comparison;
  /** Numbers as they are typed, such as `90`, `1.5 Gi`; empty: none yet. */
  readonly raise: string;
  readonly clear: string;
  readonly for: string;
  readonly keep: string;
  readonly noData: NoData;
  readonly noDataAfter: string;
  readonly severity: Severity;
  /** `name=value`, one a line. */
  readonly labels: string;
  readonly description: string;
  readonly link: string;
}
export type RuleField = keyof RuleForm;
export type RuleErrors = Partial<Record<RuleField, string>>;

export const EMPTY_RULE: RuleForm = {
  name: '',
  enabled: true,
  where: 'node',
  jobid: '',
  command: '',
  user: '',
  node: '',
  target: '',
  merge: 'main',
  metric: '',
  measure: 'value',
  window: '5m',
  to: '',
  after: '1m',
  op: '>',
  raise: '',
  clear: '',
  for: '30s',
  keep: '0s',
  noData: 'keep',
  noDataAfter: '1m',
  severity: 'warning',
  labels: '',
  description: '',
  link: '',
};

/** A pattern that means this text and no other. What stands for anything in a pattern cannot be told otherwise. */
export const exactly = (text: string): string => text.replace(/[*?]/g, '?');

export function formOf(rule: Rule): RuleForm {
  const { scope, measure } = rule;
  const base: RuleForm = {
    ...EMPTY_RULE,
    name: rule.name,
    enabled: rule.enabled,
    where: scope.kind,
    metric: rule.metric,
    measure: measure.kind,
    op: rule.op,
    raise: measure.kind === 'absent' ? '' : numberText(rule.raise),
    clear: rule.clear === null ? '' : numberText(rule.clear),
    for: rule.for,
    keep: rule.keep_firing_for,
    noData: rule.no_data,
    noDataAfter: rule.no_data_after,
    severity: rule.severity,
    labels: Object.entries(rule.labels)
      .map(([name, value]) => `${name}=${value}`)
      .join('\n'),
    description: rule.description,
    link: rule.link,
    ...('window' in measure ? { window: measure.window } : {}),
    ...('to' in measure ? { to: measure.to } : {}),
    ...('after' in measure ? { after: measure.after } : {}),
  };
  switch (scope.kind) {
    case 'run':
      return { ...base, jobid: scope.jobid ?? '', command: scope.command ?? '', user: scope.user ?? '' };
    case 'node':
      return { ...base, node: scope.name ?? '' };
    case 'target':
      return { ...base, target: scope.name ?? '' };
    case 'merge':
      return { ...base, merge: scope.name };
    case 'all':
      return base;
  }
}

const FACTORS: Readonly<Record<string, number>> = {
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

/** `90`, `1.5 Gi`, `1.5GiB`, `-2e-3`; null: it is none. */
export function parseNumber(text: string): number | null {
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(?:([kMGTP]i?)(?:B|B\/s)?)?$/.exec(text.trim());
  if (!match) return null;
  const value = Number(match[1]) * (match[2] === undefined ? 1 : (FACTORS[match[2]] ?? NaN));
  return Number.isFinite(value) ? value : null;
}

/** The number as it is typed: exact. */
export const numberText = (value: number): string => String(value);

const pattern = (name: string, text: string): Record<string, string> =>
  text.trim() === '' || /^\*+$/.test(text.trim()) ? {} : { [name]: text.trim() };

function scopeOf(form: RuleForm): RuleScope {
  switch (form.where) {
    case 'run':
      return {
        kind: 'run',
        ...pattern('jobid', form.jobid),
        ...pattern('command', form.command),
        ...pattern('user', form.user),
      };
    case 'node':
      return { kind: 'node', ...pattern('name', form.node) };
    case 'target':
      return { kind: 'target', ...pattern('name', form.target) };
    case 'merge':
      return { kind: 'merge', name: form.merge.trim() };
    case 'all':
      return { kind: 'all' };
  }
}

function measureOf(form: RuleForm): RuleSettingsInput['measure'] {
  switch (form.measure) {
    case 'value':
    case 'rate':
      return { kind: form.measure };
    case 'ratio':
      return { kind: 'ratio', to: form.to };
    case 'absent':
      return { kind: 'absent', after: form.after.trim() };
    default:
      return { kind: form.measure, window: form.window.trim() };
  }
}

function labelsOf(text: string, errors: RuleErrors): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const line of text.split('\n').map((one) => one.trim())) {
    if (line === '') continue;
    const at = line.indexOf('=');
    if (at <= 0) errors.labels ??= `“${line}” is not name=value`;
    else labels[line.slice(0, at).trim()] = line.slice(at + 1).trim();
  }
  return labels;
}

/** Fields of the form by those of the rule. */
const FIELDS: Readonly<Record<string, RuleField>> = {
  keep_firing_for: 'keep',
  no_data: 'noData',
  no_data_after: 'noDataAfter',
};

function fieldOf(path: readonly PropertyKey[], form: RuleForm): RuleField {
  const [first, second] = path.map(String);
  if (first === 'scope') {
    if (second === 'name') return form.where === 'merge' ? 'merge' : form.where === 'target' ? 'target' : 'node';
    return second !== undefined && second in form ? (second as RuleField) : 'where';
  }
  if (first === 'measure') return second !== undefined && second in form ? (second as RuleField) : 'measure';
  const name = FIELDS[first ?? ''] ?? first ?? 'name';
  return name in form ? (name as RuleField) : 'name';
}

/** While they are empty they are missing, not wrong. */
const needed = (form: RuleForm): RuleField[] => [
  'name',
  'metric',
  ...(form.measure === 'absent' ? [] : (['raise'] as const)),
  ...(form.measure === 'ratio' ? (['to'] as const) : []),
];

export interface ReadRule {
  /** What is sent; null while a field is wrong or missing. */
  readonly request: RuleSettingsInput | null;
  /** The same as the engine reads it. Also where only the name or the threshold is missing, for words and preview. */
  readonly settings: RuleSettings | null;
  readonly errors: RuleErrors;
  /** Empty fields that it cannot do without. */
  readonly missing: readonly RuleField[];
}

/** A threshold that nothing reaches, to look at what is compared before there is one. */
export const BEYOND = Number.MAX_VALUE;

export function readRule(form: RuleForm): ReadRule {
  const errors: RuleErrors = {};
  const missing = needed(form).filter((field) => String(form[field]).trim() === '');
  const number = (field: 'raise' | 'clear', none: number | null): number | null => {
    if (form.measure === 'absent' || form[field].trim() === '') return none;
    const value = parseNumber(form[field]);
    if (value === null) errors[field] = 'a number such as 90, 0.5 or 1.5 Gi';
    return value ?? none;
  };
  const rising = form.op !== '<' && form.op !== '<=';
  const raise = number('raise', form.measure === 'absent' ? 0 : rising ? BEYOND : -BEYOND)!;
  const request: RuleSettingsInput = {
    name: form.name.trim(),
    enabled: form.enabled,
    scope: scopeOf(form),
    metric: form.metric.trim(),
    measure: measureOf(form),
    op: form.op,
    raise,
    clear: number('clear', null),
    for: form.for.trim(),
    keep_firing_for: form.keep.trim(),
    no_data: form.noData,
    no_data_after: form.noDataAfter.trim(),
    severity: form.severity,
    labels: labelsOf(form.labels, errors),
    description: form.description,
    link: form.link.trim(),
  };
  const parsed = RuleSettings.safeParse(request.name === '' ? { ...request, name: 'New rule' } : request);
  for (const { path, message } of parsed.error?.issues ?? []) {
    const field = fieldOf(path, form);
    if (!missing.includes(field))
      errors[field] ??= field === 'link' ? 'an address such as https://example.org' : message;
  }
  const text = checkTemplate(form.description);
  if (text !== null) errors.description ??= text;
  if (parsed.success) {
    for (const { field, message } of checkRule(parsed.data)) {
      const where = fieldOf(field === 'measure' ? ['measure', 'to'] : [field], form);
      if (!missing.includes('raise')) errors[where] ??= message;
    }
  }
  const wrong = Object.keys(errors).length > 0;
  return {
    request: parsed.success && missing.length === 0 && !wrong ? request : null,
    settings: parsed.success ? parsed.data : null,
    errors,
    missing,
  };
}
