/** Alarms as a list: firing first, then by severity, then newest first, a page at a time. */

import type { Alarm, AlarmList, AlarmListQuery, AlarmState, Severity } from '../../shared/api/alarms.ts';
import { ApiError } from '../../shared/errors.ts';
import type { Alarms } from './alarms.ts';
import type { Held } from './book.ts';

const STATES: Readonly<Record<AlarmState, number>> = { firing: 0, no_data: 1, pending: 2, resolved: 3, inactive: 4 };
const SEVERITIES: Readonly<Record<Severity, number>> = { critical: 0, warning: 1, info: 2 };

/** Where an alarm stands in the list. Ids last: two of the same moment have an order, too. */
type Place = readonly [state: number, severity: number, since: number, id: string];

type Row = Pick<
  Alarm,
  'id' | 'state' | 'severity' | 'since' | 'rule' | 'scope' | 'name' | 'place' | 'metric' | 'labels'
>;

const placeOf = ({ state, severity, since, id }: Row): Place => [STATES[state], SEVERITIES[severity], -since, id];

function compare(a: Place, b: Place): number {
  for (let i = 0; i < a.length; i++) {
    if (a[i]! < b[i]!) return -1;
    if (a[i]! > b[i]!) return 1;
  }
  return 0;
}

/** The last place of a page: what comes or goes in between does not move the others. */
function parseCursor(text: string): Place {
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    if (Array.isArray(parts) && parts.length === 4 && typeof parts[3] === 'string') return parts as unknown as Place;
  } catch {
    // Told below.
  }
  throw new ApiError('bad_request', 'cursor: not one of an earlier answer');
}

const formatCursor = (place: Place): string => Buffer.from(JSON.stringify(place)).toString('base64url');

function isWanted(row: Row, query: AlarmListQuery, search: string): boolean {
  const { state, severity, rule, scope } = query;
  if (row.state === 'inactive' || (state !== undefined && row.state !== state)) return false;
  if (severity !== undefined && row.severity !== severity) return false;
  if ((rule !== undefined && row.rule !== rule) || (scope !== undefined && row.scope !== scope)) return false;
  if (search === '') return true;
  const texts = [row.name, row.place, row.metric, row.scope, ...Object.values(row.labels)];
  return texts.some((text) => text.toLowerCase().includes(search));
}

/** A row of an own alarm: nothing is copied that a page does not show. */
const rowOf = ({ id, rule, state, since, scope, place, metric, labels }: Held): Row => {
  const { name, severity } = rule.settings;
  return { id, state, severity, since, rule: rule.id, scope, name, place, metric, labels };
};

export function listAlarms(alarms: Alarms, query: AlarmListQuery): AlarmList {
  const after = query.cursor === undefined ? null : parseCursor(query.cursor);
  const search = query.search?.toLowerCase() ?? '';
  const found: { readonly place: Place; readonly describe: () => Alarm }[] = [];
  const look = (row: Row, describe: () => Alarm): void => {
    if (!isWanted(row, query, search)) return;
    const place = placeOf(row);
    if (!after || compare(place, after) > 0) found.push({ place, describe });
  };
  for (const held of alarms.book) look(rowOf(held), () => alarms.describe(held));
  for (const child of alarms.children) look(child.alarm, () => alarms.describeChild(child));
  found.sort((a, b) => compare(a.place, b.place));
  const page = found.slice(0, query.limit);
  const last = page.at(-1);
  return {
    alarms: page.map(({ describe }) => describe()),
    counts: alarms.counts(),
    next: last && found.length > page.length ? formatCursor(last.place) : null,
  };
}
