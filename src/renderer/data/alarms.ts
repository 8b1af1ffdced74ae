/** Alarms as views show them: filtered, in order, in groups, and where their plots are. Pure functions. */

import type { Alarm, AlarmState, Severity } from '../../shared/api/alarms.ts';
import type { LiveAlarms } from '../../shared/api/live.ts';
import type { Matcher } from '../../shared/api/silences.ts';

/** A message of the `alarms` topic. */
export function mergeAlarms(rows: ReadonlyMap<string, Alarm>, event: LiveAlarms): Map<string, Alarm> {
  const next = event.all ? new Map<string, Alarm>() : new Map(rows);
  for (const id of event.removed) next.delete(id);
  for (const alarm of event.alarms) next.set(alarm.id, alarm);
  return next;
}

/** States that an alarm of the list may have, what needs a person first. */
export const LISTED_STATES = ['firing', 'no_data', 'pending', 'resolved'] as const satisfies readonly AlarmState[];
export type ListedState = (typeof LISTED_STATES)[number];
export const SEVERITIES = ['critical', 'warning', 'info'] as const satisfies readonly Severity[];
/** open: neither silenced nor acknowledged, so that somebody is told of it. */
export const HANDLED = ['all', 'open', 'silenced', 'acknowledged'] as const;
export type Handled = (typeof HANDLED)[number];
export const GROUPINGS = ['rule', 'place', 'none'] as const;
export type Grouping = (typeof GROUPINGS)[number];

export interface AlarmQuery {
  readonly search: string;
  readonly state: ListedState | 'all';
  readonly severity: Severity | 'all';
  readonly handled: Handled;
  readonly group: Grouping;
}

const stateRank = (state: AlarmState): number => {
  const at = (LISTED_STATES as readonly AlarmState[]).indexOf(state);
  return at < 0 ? LISTED_STATES.length : at;
};
const severityRank = (severity: Severity): number => SEVERITIES.indexOf(severity);
const isOpen = (alarm: Alarm): boolean => alarm.silenced.length === 0 && alarm.acknowledged === null;

/** Hosts with numbers in their names in the order of the numbers: node9 before node10. */
const byName = new Intl.Collator('en', { numeric: true });

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Firing first; of these the ones nobody has taken; then by severity, newest first. */
export function compareAlarms(a: Alarm, b: Alarm): number {
  return (
    stateRank(a.state) - stateRank(b.state) ||
    Number(isOpen(b)) - Number(isOpen(a)) ||
    severityRank(a.severity) - severityRank(b.severity) ||
    b.since - a.since ||
    byName.compare(a.place, b.place) ||
    byText(a.metric, b.metric) ||
    byText(a.id, b.id)
  );
}

/** That fire and that nobody has silenced or acknowledged. */
export function countOpen(alarms: Iterable<Alarm>): number {
  let count = 0;
  for (const alarm of alarms) if (alarm.state === 'firing' && isOpen(alarm)) count++;
  return count;
}

const hit = (alarm: Alarm, handled: Handled): boolean => {
  switch (handled) {
    case 'all':
      return true;
    case 'open':
      return isOpen(alarm);
    case 'silenced':
      return alarm.silenced.length > 0;
    case 'acknowledged':
      return alarm.acknowledged !== null;
  }
};

function matches(alarm: Alarm, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const labels = Object.entries(alarm.labels).map(([name, value]) => `${name}=${value}`);
  const text = [alarm.name, alarm.place, alarm.metric, alarm.description, ...labels].join('\n').toLowerCase();
  return words.every((word) => text.includes(word));
}

/** Alarms to be shown, in order. */
export function selectAlarms(alarms: Iterable<Alarm>, query: Omit<AlarmQuery, 'group'>): Alarm[] {
  const words = query.search.toLowerCase().split(/\s+/).filter(Boolean);
  return [...alarms]
    .filter(
      (alarm) =>
        (query.state === 'all' || alarm.state === query.state) &&
        (query.severity === 'all' || alarm.severity === query.severity) &&
        hit(alarm, query.handled) &&
        matches(alarm, words),
    )
    .sort(compareAlarms);
}

export interface AlarmCounts extends Record<ListedState, number> {
  readonly all: number;
  /** Of those that fire. */
  readonly silenced: number;
  readonly acknowledged: number;
}

export function countAlarms(alarms: Iterable<Alarm>): AlarmCounts {
  const counts = { all: 0, firing: 0, no_data: 0, pending: 0, resolved: 0, silenced: 0, acknowledged: 0 };
  for (const alarm of alarms) {
    counts.all++;
    if (alarm.state !== 'inactive') counts[alarm.state]++;
    if (alarm.state !== 'firing') continue;
    if (alarm.silenced.length > 0) counts.silenced++;
    if (alarm.acknowledged !== null) counts.acknowledged++;
  }
  return counts;
}

export interface AlarmGroup {
  readonly kind: 'group';
  readonly id: string;
  readonly title: string;
  /** By rule: its id. By place: its scope. */
  readonly key: string;
  readonly by: Exclude<Grouping, 'none'>;
  /** In order; never empty. */
  readonly alarms: readonly Alarm[];
  readonly severity: Severity;
  readonly counts: AlarmCounts;
  readonly open: boolean;
}

export interface AlarmRow {
  readonly kind: 'alarm';
  readonly id: string;
  readonly alarm: Alarm;
}
export type ListRow = AlarmGroup | AlarmRow;

/** A group with more alarms than this begins closed: a screen of one rule hides all others. */
export const LARGE_GROUP = 20;

/**
 * Rows of the list, groups with their alarms below. Groups stand in the order of their first alarm.
 *
 * @param toggled Ids of groups that a person opened or closed against how they begin.
 */
export function groupAlarms(alarms: readonly Alarm[], by: Grouping, toggled: ReadonlySet<string>): ListRow[] {
  if (by === 'none') return alarms.map(rowOf);
  const groups = new Map<string, Alarm[]>();
  for (const alarm of alarms) {
    const key = by === 'rule' ? alarm.rule : `${alarm.from ?? ''} ${alarm.scope}`;
    const group = groups.get(key);
    if (group) group.push(alarm);
    else groups.set(key, [alarm]);
  }
  return [...groups].flatMap(([key, list]): ListRow[] => {
    const id = `${by} ${key}`;
    const first = list[0]!;
    const severity = SEVERITIES.find((one) => list.some((alarm) => alarm.severity === one)) ?? 'info';
    const open = list.length <= LARGE_GROUP !== toggled.has(id);
    const title = by === 'rule' ? first.name : first.place;
    const group = { id, title, key: by === 'rule' ? key : scopeHere(first), by, alarms: list, severity, open } as const;
    return [{ kind: 'group', ...group, counts: countAlarms(list) }, ...(open ? list.map(rowOf) : [])];
  });
}

const rowOf = (alarm: Alarm): AlarmRow => ({ kind: 'alarm', id: alarm.id, alarm });

/** The scope by which this engine knows what an alarm is about: of another engine, below its target. */
export const scopeHere = ({ id, from, scope }: Pick<Alarm, 'id' | 'from' | 'scope'>): string =>
  from === null ? scope : `target/${id.split('/', 1)[0] ?? ''}/${scope}`;

/** The page whose plots have a scope's series; null: it has none of its own. */
export function scopePath(scope: string): string | null {
  const [kind = '', first = '', ...rest] = scope.split('/');
  const to = encodeURIComponent;
  switch (kind) {
    case 'run':
    case 'rank':
      return first === '' ? null : `/ui/jobs/${to(first)}`;
    case 'node':
      return first === '' ? null : `/ui/node/${to([first, ...rest].join('/'))}`;
    case 'target':
      return first === '' ? null : `/ui/targets/${to(first)}`;
    case 'merge': {
      const node = /^Node: (.+)$/.exec([first, ...rest].join('/'))?.[1];
      return node === undefined ? null : `/ui/node/${to(node)}`;
    }
    default:
      return null;
  }
}

const LEAST_ROOM_MS = 300_000;
/** Of an alarm that has lasted longer, its beginning is shown: a week around it would show nothing of how it came. */
const LONGEST_MS = 6 * 3_600_000;

/** The range around what happened from `from` to `to`, with room on both sides. */
export function rangeAround(from: number, to: number, now: number): { from: number; to: number } {
  const end = Math.min(Math.max(to, from), from + LONGEST_MS);
  const room = Math.max(LEAST_ROOM_MS, (end - from) / 4);
  return { from: Math.round(from - room), to: Math.round(Math.min(end + room, Math.max(now, from + 1000))) };
}

/** The plot of a series with the range around what happened; null: no page has it. */
export function plotPath(scope: string, metric: string, span: { from: number; to: number }): string | null {
  const path = scopePath(scope);
  if (path === null) return null;
  const query = new URLSearchParams({ from: String(span.from), to: String(span.to) });
  if (metric !== '') query.set('plot', metric);
  return `${path}?${query}`;
}

/** The plot of an alarm: from when it began to fire, or to be in its state, until now or until it resolved. */
export function alarmPlot(alarm: Alarm, now: number): string | null {
  const begin = alarm.fired ?? alarm.since;
  return plotPath(
    scopeHere(alarm),
    alarm.metric,
    rangeAround(begin, alarm.state === 'resolved' ? alarm.since : now, now),
  );
}

/** The editor of a new rule for a series of a plot. `perSecond`: the plot shows its rate. */
export function editorPath(scope: string, metric: string, perSecond: boolean): string {
  const query = new URLSearchParams({ scope, metric, measure: perSecond ? 'rate' : 'value' });
  return `/ui/alarms/rules/new?${query}`;
}

/** The page of an alarm. What finds its history stands in it too, for when it is inactive. */
export function alarmPath(alarm: { id: string; rule: string; scope: string; metric: string }): string {
  const query = new URLSearchParams({ rule: alarm.rule, scope: alarm.scope, metric: alarm.metric });
  return `${alarmIdPath(alarm.id)}?${query}`;
}

/** The same without what finds its history. An alarm of another engine has a slash in its id. */
export const alarmIdPath = (id: string): string =>
  `/ui/alarms/alarm/${id.split('/').map(encodeURIComponent).join('/')}`;

/** Of a matcher's value, in characters. */
const MOST_TEXT = 1000;
const literal = (value: string): string => value.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&');

/** A matcher for each of these values of a label, or for some of them each, as far as they fit in one. */
function oneOf(label: string, values: readonly string[]): Matcher[] {
  const [only] = values;
  if (values.length === 1 && only !== undefined) return [{ label, op: '=', value: only }];
  const made: Matcher[] = [];
  let value = '';
  for (const text of values.map(literal)) {
    if (value !== '' && value.length + text.length >= MOST_TEXT) {
      made.push({ label, op: '=~', value });
      value = '';
    }
    value = value === '' ? text : `${value}|${text}`;
  }
  return [...made, { label, op: '=~', value }];
}

const valuesOf = (alarms: readonly Alarm[], label: string): string[] => [
  ...new Set(alarms.map((alarm) => alarm.labels[label] ?? '')),
];

/** Labels that follow from others: more of them would only make the matchers hard to read. */
const IMPLIED: readonly string[] = ['alarmname', 'scope', 'severity', 'engine'];

/** Matchers that hit all of these alarms, to begin a silence with: a person sees what else they hit. */
export function matchersFor(alarms: readonly Alarm[]): Matcher[] {
  const [first] = alarms;
  if (!first) return [];
  const narrowed = ['alarmname', 'scope'].flatMap((label) => {
    const matchers = oneOf(label, valuesOf(alarms, label));
    return matchers.length === 1 && matchers[0]!.value !== '' ? matchers : [];
  });
  return alarms.length === 1 ? [...narrowed, ...ownLabels(first)] : narrowed;
}

const ownLabels = (alarm: Alarm): Matcher[] =>
  Object.entries(alarm.labels)
    .filter(([label]) => !IMPLIED.includes(label))
    .map(([label, value]) => ({ label, op: '=', value }));

/**
 * The matchers of as many silences as it takes to hit these alarms, and of their rules nothing at other places: one rule at
 * a time, with the places where it is.
 */
export function silencesFor(alarms: readonly Alarm[]): Matcher[][] {
  if (alarms.length === 1) return [matchersFor(alarms)];
  const rules = new Map<string, Alarm[]>();
  for (const alarm of alarms) {
    const name = alarm.labels['alarmname'] ?? alarm.name;
    const list = rules.get(name);
    if (list) list.push(alarm);
    else rules.set(name, [alarm]);
  }
  return [...rules].flatMap(([name, list]) =>
    oneOf('scope', valuesOf(list, 'scope')).map((scopes): Matcher[] => [
      { label: 'alarmname', op: '=', value: name },
      scopes,
    ]),
  );
}
