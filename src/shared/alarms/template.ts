/**
 * Texts with `{{…}}` in them. What is filled in is text of strangers (names of metrics, commands, labels): it is put in
 * once, never looked at for further placeholders, on one line, without characters that are not seen.
 */

/** Longest text that is filled in, and longest result, in UTF-16 units. */
const MAX_VALUE = 1024;
const MAX_RESULT = 16_384;

const PLACEHOLDER = /\{\{ {0,8}([a-z_]{1,32}(?:\.[a-zA-Z_][a-zA-Z0-9_]{0,127})?) {0,8}\}\}/g;
/** Control characters, ends of lines, and those that turn the direction of writing or are not seen at all. */
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]+/gu;

/** A text of strangers on one line; cut with `…` where it is longer than `most`. */
export function oneLine(text: string, most = MAX_VALUE): string {
  // Cut first: what comes may be a megabyte.
  const line = text
    .slice(0, 4 * most)
    .replace(UNSEEN, ' ')
    .trim()
    .toWellFormed();
  return line.length <= most ? line : `${line.slice(0, most - 1).toWellFormed()}…`;
}

/** Six digits that count, no more zeros than are needed. */
export function formatValue(value: number | null): string {
  if (value === null) return 'no value';
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return String(value);
  return String(Number(value.toPrecision(6)));
}

/** What a rule's texts may name. */
export interface TemplateValues {
  readonly name: string;
  readonly severity: string;
  readonly value: number | null;
  readonly threshold: number;
  /** As it is written. */
  readonly metric: string;
  /** Such as `node/HOST`. */
  readonly scope: string;
  /** The scope for people. */
  readonly place: string;
  readonly labels: Readonly<Record<string, string>>;
}

const NAMES = ['name', 'severity', 'value', 'threshold', 'metric', 'scope', 'place'] as const;

/** Fills in what `lookup` knows; what it does not (undefined) stays as it is written. */
export function fillTemplate(template: string, lookup: (name: string) => string | undefined): string {
  const filled = template.replaceAll(PLACEHOLDER, (written, name: string) => {
    const value = lookup(name);
    return value === undefined ? written : oneLine(value);
  });
  return filled.length <= MAX_RESULT ? filled : `${filled.slice(0, MAX_RESULT - 1)}…`;
}

/** Of a placeholder in a rule's text; undefined: there is no such one. A label that is not there is empty. */
export function templateValue(name: string, values: TemplateValues): string | undefined {
  if (name.startsWith('labels.')) {
    const label = name.slice('labels.'.length);
    return Object.hasOwn(values.labels, label) ? values.labels[label] : '';
  }
  const known = NAMES.find((key) => key === name);
  if (known === undefined) return undefined;
  const value = values[known];
  return typeof value === 'string' ? value : formatValue(value);
}

/** A rule's description with its values. */
export const fillDescription = (template: string, values: TemplateValues): string =>
  template.includes('{{') ? fillTemplate(template, (name) => templateValue(name, values)) : template;

/** What is wrong with a rule's text, in words; null: nothing. */
export function checkTemplate(template: string): string | null {
  for (const part of template.split('{{').slice(1)) {
    const end = part.indexOf('}}');
    if (end < 0) return 'a {{ is not closed with }}';
    const name = part.slice(0, end).trim();
    const known = NAMES.some((key) => key === name) || /^labels\.[a-zA-Z_][a-zA-Z0-9_]{0,127}$/.test(name);
    if (!known)
      return `{{${name}}} is not known: there are ${NAMES.map((key) => `{{${key}}}`).join(', ')} and {{labels.NAME}}`;
  }
  return null;
}
