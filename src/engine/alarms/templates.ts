/** The texts of messages. Each of them is made of text of strangers, and each channel writes it in its own way. */

import { formatValue, oneLine } from '../../shared/alarms/template.ts';
import type { Severity } from '../../shared/api/alarms.ts';
import type { Message, MessageAlarm, ToldAlarm } from './notify/channel.ts';

/** Longest title, UTF-16 units: a subject, a notification. */
const MAX_TITLE = 200;
/** Places that a title names. */
const MAX_PLACES = 3;
/** Rules that the title of a message of several groups names. */
const MAX_NAMES = 3;

const RANK: Readonly<Record<Severity, number>> = { info: 0, warning: 1, critical: 2 };

export function worst(alarms: Iterable<Pick<ToldAlarm, 'severity'>>): Severity {
  let found: Severity = 'info';
  for (const { severity } of alarms) if (RANK[severity] > RANK[found]) found = severity;
  return found;
}

export interface TitleParts {
  readonly kind: Message['kind'];
  readonly fresh: readonly ToldAlarm[];
  readonly resolved: readonly ToldAlarm[];
  readonly still: readonly ToldAlarm[];
}

/** `Disk full: node7 = 97.1 (critical)`, `5 × Disk full: node7, node8, node9 and 2 more (warning)`, `Resolved: …`. */
export function titleOf({ kind, fresh, resolved, still }: TitleParts): string {
  const told = kind === 'resolved' ? resolved : kind === 'repeat' ? still : fresh;
  const over = kind === 'resolved';
  const before = over ? 'Resolved: ' : kind === 'repeat' ? 'Still firing: ' : '';
  const after = [
    ...(kind !== 'resolved' && resolved.length > 0 ? [`${resolved.length} resolved`] : []),
    ...(kind !== 'repeat' && still.length > 0 ? [`${still.length} still firing`] : []),
  ].join(', ');
  const names = [...new Set(told.map(({ name }) => oneLine(name, 100)))];
  const [only] = told;
  if (!only) return 'Nothing fires';
  let what: string;
  if (told.length === 1) what = `${names[0]}: ${oneLine(only.place, 60)}${over ? '' : ` = ${formatValue(only.value)}`}`;
  else if (names.length > 1) what = `${told.length} × ${someOf(names, MAX_NAMES)}`;
  else
    what = `${told.length} × ${names[0]}: ${someOf([...new Set(told.map(({ place }) => oneLine(place, 40)))], MAX_PLACES)}`;
  const end = after === '' ? '' : `, ${after}`;
  return `${before}${oneLine(what, MAX_TITLE - 40)} (${worst(told)}${end})`.slice(0, MAX_TITLE);
}

function someOf(texts: readonly string[], most: number): string {
  const shown = texts.slice(0, most).join(', ');
  return texts.length <= most ? shown : `${shown} and ${texts.length - most} more`;
}

/** `2026-03-01 12:00:05 UTC`. */
export const timeInWords = (ms: number): string =>
  Number.isFinite(ms) && Math.abs(ms) < 8.64e15
    ? `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`
    : '';

const STATUS = { fresh: 'FIRING', still: 'still firing', resolved: 'resolved' } as const;

/** One line: `FIRING critical Disk full · node7 · node_disk{…} = 97.1 (limit 95) since …`. */
export function alarmLine(alarm: MessageAlarm): string {
  const { status, severity, name, place, metric, value, threshold, fired, ended } = alarm;
  const what =
    metric === '' ? '' : ` · ${oneLine(metric, 300)} = ${formatValue(value)} (limit ${formatValue(threshold)})`;
  const when = status === 'resolved' && ended !== null ? `until ${timeInWords(ended)}` : `since ${timeInWords(fired)}`;
  return `${STATUS[status]} ${severity} ${oneLine(name, 200)} · ${oneLine(place, 300)}${what} ${when}`;
}

/** A description keeps its author's ends of lines; what was filled in has none. */
const descriptionLines = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => oneLine(line, 500))
    .filter((line) => line !== '')
    .slice(0, 20);

export interface TextOptions {
  /** Alarms that are written out; the rest is counted. */
  readonly most: number;
  readonly links: boolean;
}

/** The message as plain text, a line for each alarm, its description and link below it. */
export function plainText(message: Message, { most, links }: TextOptions): string {
  const lines: string[] = [];
  const shown = message.alarms.slice(0, most);
  for (const alarm of shown) {
    lines.push(alarmLine(alarm));
    if (alarm.status === 'resolved') continue;
    for (const line of descriptionLines(alarm.description)) lines.push(`  ${line}`);
    if (links && alarm.link !== '') lines.push(`  ${alarm.link}`);
  }
  const left = message.firing + message.resolved - shown.length;
  if (left > 0) lines.push(`and ${left} more`);
  return lines.join('\n');
}
