/** What the form of a silence says, as text in fields, and what the engine is sent for it. */

import { SilenceSettings } from '../../../../shared/api/silences.ts';
import type { Matcher, Silence, SilenceSettingsInput } from '../../../../shared/api/silences.ts';
import { parseDuration } from '../../../../shared/duration.ts';

export interface SilenceForm {
  readonly matchers: readonly Matcher[];
  /** `2026-11-21T08:15`, local; empty: now. */
  readonly from: string;
  /** How long, `1h`; used while `until` is empty. */
  readonly lasts: string;
  /** Local date and time. */
  readonly until: string;
  readonly again: boolean;
  /** 0 is Sunday. */
  readonly days: readonly number[];
  readonly time: string;
  readonly window: string;
  /** A recurring one goes on until it is ended. */
  readonly endless: boolean;
  readonly comment: string;
}

export const EMPTY_MATCHER: Matcher = { label: 'alarmname', op: '=', value: '' };

export const emptyForm = (matchers: readonly Matcher[]): SilenceForm => ({
  matchers: matchers.length > 0 ? matchers : [EMPTY_MATCHER],
  from: '',
  lasts: '1h',
  until: '',
  again: false,
  days: [1, 2, 3, 4, 5],
  time: '22:00',
  window: '8h',
  endless: true,
  comment: '',
});

const two = (n: number): string => String(n).padStart(2, '0');

/** A time as a field for date and time has it, local, to the minute. */
export function localText(time: number): string {
  const t = new Date(time);
  const date = `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())}`;
  return `${date}T${two(t.getHours())}:${two(t.getMinutes())}`;
}

/** Null: it is no time. */
export function localTime(text: string): number | null {
  const time = Date.parse(text);
  return Number.isFinite(time) ? time : null;
}

export const formOf = (silence: Silence): SilenceForm => ({
  ...emptyForm(silence.matchers),
  from: localText(silence.from),
  until: silence.to === null ? '' : localText(silence.to),
  again: silence.recurring !== null,
  endless: silence.to === null,
  comment: silence.comment,
  ...(silence.recurring === null
    ? {}
    : { days: silence.recurring.days, time: silence.recurring.from, window: silence.recurring.lasts }),
});

export type SilenceField = 'matchers' | 'from' | 'until' | 'lasts' | 'days' | 'time' | 'window' | 'comment';

export interface ReadSilence {
  readonly request: SilenceSettingsInput | null;
  /** What is wrong, by field. What is only missing is not wrong yet. */
  readonly errors: Partial<Record<SilenceField, string>>;
}

/** @param before What is changed: its times stay to the millisecond where their fields were not touched. */
export function readSilence(form: SilenceForm, now: number, before: Silence | null = null): ReadSilence {
  const errors: Partial<Record<SilenceField, string>> = {};
  const kept = (text: string, time: number | null): number | null =>
    time !== null && text === localText(time) ? time : localTime(text);
  const from = form.from === '' ? now : kept(form.from, before?.from ?? null);
  if (from === null) errors.from = 'this is no date and time';
  const to = endOf(form, from ?? now, errors, (text) => kept(text, before?.to ?? null));
  if (to !== null && to <= now && errors.until === undefined) errors.until = 'this is over already';
  const matchers = form.matchers.filter(({ label, value, op }) => label !== '' && (value !== '' || op !== '='));
  const recurring = form.again ? { days: [...form.days], from: form.time, lasts: form.window.trim() } : null;
  const request = { matchers, from: Math.round(from ?? now), to, recurring, comment: form.comment };
  const parsed = SilenceSettings.safeParse(request);
  for (const { path, message } of parsed.error?.issues ?? []) {
    const field = fieldOf(path);
    // An empty form is not wrong, only not ready.
    if (field === 'matchers' && matchers.length === 0) continue;
    errors[field] ??= message;
  }
  return { request: parsed.success && Object.keys(errors).length === 0 ? request : null, errors };
}

function endOf(
  form: SilenceForm,
  from: number,
  errors: Partial<Record<SilenceField, string>>,
  read: (text: string) => number | null,
): number | null {
  if (form.again && form.endless) return null;
  if (form.until !== '') {
    const to = read(form.until);
    if (to === null) errors.until = 'this is no date and time';
    return to;
  }
  const lasts = parseDuration(form.lasts);
  if (lasts === null || lasts <= 0) {
    errors.lasts = 'a duration such as 30m, 4h or 2d';
    return null;
  }
  return Math.round(from + lasts);
}

function fieldOf([first, second]: readonly PropertyKey[]): SilenceField {
  if (first === 'recurring') return second === 'days' ? 'days' : second === 'from' ? 'time' : 'window';
  return first === 'matchers' || first === 'from' || first === 'comment' ? first : 'until';
}

export const DAY_NAMES = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;
/** As the week is written in most of the world. */
export const WEEK = [1, 2, 3, 4, 5, 6, 0] as const;

/** `Mon–Fri from 22:00 for 8h`. */
export function recurringText({ days, from, lasts }: { days: readonly number[]; from: string; lasts: string }): string {
  const sorted = WEEK.filter((day) => days.includes(day));
  const places = sorted.map((day) => WEEK.indexOf(day));
  const whole = sorted.length === 7;
  const run = sorted.length > 2 && places.every((place, i) => place === places[0]! + i);
  const text = whole
    ? 'every day'
    : run
      ? `${DAY_NAMES[sorted[0]!]}–${DAY_NAMES[sorted.at(-1)!]}`
      : sorted.map((day) => DAY_NAMES[day]).join(', ');
  return `${text} from ${from} for ${lasts}`;
}
