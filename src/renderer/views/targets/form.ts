/** What a form about a target says, as text in fields, and what the engine is sent for it. */

import {
  DEFAULT_TARGET_PERIOD,
  DEFAULT_TARGET_TIMEOUT,
  NewTarget,
  type NewTargetInput,
  type Target,
  type TargetPatchInput,
} from '../../../shared/api/targets.ts';
import { formatDuration, parseDuration } from '../../../shared/duration.ts';
import { readSshAddress } from '../../../shared/target-address.ts';

export type AuthKind = 'keep' | 'none' | 'basic' | 'bearer' | 'bearer_file';

export interface TargetForm {
  readonly url: string;
  /** Empty: found out by looking. */
  readonly type: string;
  readonly period: string;
  readonly timeout: string;
  /** A line each: `name=value`. */
  readonly labels: string;
  /** Patterns, separated by blanks or lines. */
  readonly include: string;
  readonly exclude: string;
  /** A line each: `metric=rule`. */
  readonly merge: string;
  readonly auth: AuthKind;
  readonly username: string;
  readonly password: string;
  readonly token: string;
  readonly tokenFile: string;
  readonly caFile: string;
  readonly pin: string;
}

export type Field = keyof TargetForm;
export type Settings = Omit<NewTargetInput, 'url'>;

export const EMPTY_FORM: TargetForm = {
  url: '',
  type: '',
  period: formatDuration(DEFAULT_TARGET_PERIOD),
  timeout: formatDuration(DEFAULT_TARGET_TIMEOUT),
  labels: '',
  include: '',
  exclude: '',
  merge: '',
  auth: 'none',
  username: '',
  password: '',
  token: '',
  tokenFile: '',
  caFile: '',
  pin: '',
};

const linesOf = (record: Readonly<Record<string, string>>): string =>
  Object.entries(record)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n');

/** A target's settings; its secret stays where it is until another is given. */
export const formOf = (target: Target): TargetForm => ({
  ...EMPTY_FORM,
  url: target.url,
  period: target.period,
  timeout: target.timeout,
  labels: linesOf(target.labels),
  include: target.filter.include.join('\n'),
  exclude: target.filter.exclude.join('\n'),
  merge: linesOf(target.merge),
  auth: target.auth.kind === 'none' ? 'none' : 'keep',
  caFile: target.tls.ca_file ?? '',
  pin: target.tls.pin ?? '',
});

/** `name=value` lines as a record; `wrong` is the first line that is none. */
export function readLines(text: string): { record: Record<string, string>; wrong: string | null } {
  const record: Record<string, string> = {};
  let wrong: string | null = null;
  for (const line of text.split('\n').map((one) => one.trim())) {
    if (line === '') continue;
    const at = line.indexOf('=');
    if (at <= 0) wrong ??= line;
    else record[line.slice(0, at).trim()] = line.slice(at + 1).trim();
  }
  return { record, wrong };
}

/** Patterns are separated by blanks and commas; between slashes both are part of the expression. */
export const readPatterns = (text: string): string[] => text.match(/\/(?:\\.|[^/\n\\])+\/|[^\s,]+/g) ?? [];

function authOf(form: TargetForm): NewTargetInput['auth'] {
  switch (form.auth) {
    case 'basic':
      return { kind: 'basic', username: form.username, password: form.password };
    case 'bearer':
      return { kind: 'bearer', token: form.token.trim() };
    case 'bearer_file':
      return { kind: 'bearer_file', path: form.tokenFile.trim() };
    case 'none':
      return { kind: 'none' };
    case 'keep':
      return undefined;
  }
}

/** In which field a wrong part of the request was typed. */
function fieldOf(path: readonly PropertyKey[], form: TargetForm): Field {
  const [first, second] = path;
  switch (first) {
    case 'auth':
      return form.auth === 'basic' ? 'username' : form.auth === 'bearer' ? 'token' : 'tokenFile';
    case 'tls':
      return second === 'pin' ? 'pin' : 'caFile';
    case 'filter':
      return second === 'exclude' ? 'exclude' : 'include';
    case 'type':
    case 'period':
    case 'timeout':
    case 'labels':
    case 'merge':
      return first;
    default:
      return 'url';
  }
}

export interface ReadForm {
  /** Null while a field is wrong. */
  readonly request: NewTargetInput | null;
  /** What is wrong, by field, in words. An address that is only missing is not wrong yet. */
  readonly errors: Partial<Record<Field, string>>;
}

export function readForm(form: TargetForm): ReadForm {
  const errors: Partial<Record<Field, string>> = {};
  const labels = readLines(form.labels);
  const merge = readLines(form.merge);
  if (labels.wrong !== null) errors.labels = `“${labels.wrong}” is not name=value`;
  if (merge.wrong !== null) errors.merge = `“${merge.wrong}” is not metric=rule, such as node_load1=max`;
  const url = readUrl(form.url);
  if (url.error !== null) errors.url = url.error;
  const timeout = timeoutError(form);
  if (timeout !== null) errors.timeout = timeout;
  const auth = authOf(form);
  const request = {
    url: url.text,
    ...(form.type === '' ? {} : { type: form.type as NonNullable<NewTargetInput['type']> }),
    period: form.period.trim(),
    timeout: form.timeout.trim(),
    labels: labels.record,
    filter: { include: readPatterns(form.include), exclude: readPatterns(form.exclude) },
    merge: merge.record as NonNullable<NewTargetInput['merge']>,
    ...(auth === undefined ? {} : { auth }),
    tls: {
      ...(form.caFile.trim() === '' ? {} : { ca_file: form.caFile.trim() }),
      ...(form.pin.trim() === '' ? {} : { pin: form.pin.trim() }),
    },
  };
  const parsed = NewTarget.safeParse(request);
  for (const issue of parsed.error?.issues ?? []) {
    const field = fieldOf(issue.path, form);
    if (field === 'url' && url.text === '') continue;
    errors[field] ??=
      field === 'merge'
        ? 'the rule is one of sum, last, max, min'
        : field === 'token' || field === 'tokenFile'
          ? 'this is needed'
          : issue.message;
  }
  const good = parsed.success && Object.keys(errors).length === 0;
  return { request: good ? request : null, errors };
}

function timeoutError({ period, timeout }: TargetForm): string | null {
  const [each, most] = [parseDuration(period), parseDuration(timeout)];
  // The engine would shorten it: better said than done in silence. Its own default is shortened without a word.
  if (each === null || most === null || most <= each || timeout.trim() === EMPTY_FORM.timeout) return null;
  return `longer than the period of ${period.trim()}`;
}

/** What can be seen of an address without asking: the usual slips. */
export function readUrl(typed: string): { text: string; error: string | null } {
  const text = typed.trim();
  const scheme = /^([a-z][a-z0-9+.-]*):\/{1,2}/i.exec(text)?.[1]?.toLowerCase();
  const wrong = (error: string) => ({ text, error });
  if (text === '') return { text, error: null };
  if (/\s/.test(text)) return wrong('there is a blank in this address; for several targets use “Add many”');
  if (/\[[\d,-]*[,-][\d,-]*\]/.test(text)) return wrong('this is a node set; use “Add many” for it');
  if (scheme === 'ssh') return { text, error: sshError(text) };
  if (scheme !== undefined && !['http', 'https', 'unix'].includes(scheme)) {
    const meant = /^(?:h?t+p+|ht+ps?|http?s)$/.test(scheme) ? ': did you mean http://?' : ':';
    return wrong(
      `${scheme}:// is not known here${meant} An address begins with http://, https://, unix: or ssh://, or is HOST:PORT`,
    );
  }
  const port = /^(?:https?:\/\/)?(?:\[[^\]]*\]|[^/:[\]]*):(\d+)(?=[/?]|$)/i.exec(text)?.[1];
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) {
    return wrong(`there is no port ${port}: ports are 1 to 65535`);
  }
  return { text, error: null };
}

function sshError(text: string): string | null {
  try {
    readSshAddress(text);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** What changed of a target; null: nothing did, or a field is wrong. */
export function patchOf(target: Target, form: TargetForm): TargetPatchInput | null {
  const { request } = readForm(form);
  if (!request) return null;
  const { url, auth, ...settings } = request;
  const before: Readonly<Record<string, unknown>> = {
    period: target.period,
    timeout: target.timeout,
    labels: target.labels,
    filter: target.filter,
    merge: target.merge,
    tls: target.tls,
  };
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  const changed = Object.entries(settings).filter(([name, value]) => name in before && !same(value, before[name]));
  const patch: TargetPatchInput = {
    ...Object.fromEntries(changed),
    ...(url === target.url ? {} : { url }),
    ...(auth === undefined || (auth.kind === 'none' && target.auth.kind === 'none') ? {} : { auth }),
  };
  return Object.keys(patch).length === 0 ? null : patch;
}

/** Settings for many targets at once: what stands in the form apart from its address. */
export function settingsOf(form: TargetForm): { settings: Settings | null; errors: ReadForm['errors'] } {
  const { request, errors } = readForm({ ...form, url: 'localhost' });
  if (!request) return { settings: null, errors };
  const { url: _, ...settings } = request;
  return { settings, errors };
}
