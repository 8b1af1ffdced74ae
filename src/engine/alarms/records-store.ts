/** Records over the store. */

import { AlarmEvent, type AlarmHistory, type HistoryQuery } from '../../shared/api/alarms.ts';
import { ApiError } from '../../shared/errors.ts';
import type { AlarmStore, EventPage } from '../store/alarm-records.ts';
import type { RecordChange, Records } from './records.ts';

/** Events asked of the store at once, where not all that it finds are meant. */
const PAGE = 500;

export function recordsOver(store: AlarmStore): Records {
  return {
    async read(kind) {
      const documents = new Map<string, unknown>();
      for (const { id, body } of await store.read(kind)) {
        const value = parsed(body);
        if (value !== undefined) documents.set(id, value);
      }
      return documents;
    },
    write: (changes, events = []) => store.write(changes.map(toStored), events.map(toStoredEvent)),
    history: (query) => history(store, query),
    lastNumber: () => store.lastNumber(),
  };
}

/** A body that is damaged is as if it were not there: what it said of is begun anew. */
function parsed(body: string | null): unknown {
  try {
    return body === null ? undefined : (JSON.parse(body) as unknown);
  } catch {
    return undefined;
  }
}

const toStored = ({ kind, id, value }: RecordChange) => ({
  kind,
  id,
  body: value === null || value === undefined ? null : JSON.stringify(value),
});

const toStoredEvent = (event: AlarmEvent) => {
  const { number, time, rule, scope } = event;
  return { number, time, rule, scope, body: JSON.stringify(event) };
};

/** As it stands in JSON, lower case. */
const within = (text: string): string => JSON.stringify(text).slice(1, -1).toLowerCase();

async function history(store: AlarmStore, query: HistoryQuery): Promise<AlarmHistory> {
  const { rule, scope, metric, from, to, search, limit, cursor } = query;
  const before = cursor === undefined ? null : Number(cursor);
  if (before !== null && !Number.isSafeInteger(before)) {
    throw new ApiError('bad_request', 'cursor: not one of an earlier answer');
  }
  const contains = [search, metric].filter((text) => text !== undefined && text !== '').map((text) => within(text!));
  const page: EventPage = {
    ...{ before, rule: rule ?? null, scope: scope ?? null, contains },
    ...{ from: from ?? -Infinity, to: to ?? Infinity },
    // One more than asked for tells whether there is another page.
    limit: contains.length === 0 ? limit + 1 : PAGE,
  };
  const events: AlarmEvent[] = [];
  for (let next = before; events.length <= limit;) {
    const rows = await store.events({ ...page, before: next });
    for (const { body } of rows) {
      const event = AlarmEvent.safeParse(parsed(body));
      if (event.success && isMeant(event.data, metric, search?.toLowerCase() ?? '')) events.push(event.data);
    }
    if (rows.length < page.limit) break;
    next = rows.at(-1)!.number;
  }
  const told = events.slice(0, limit);
  return { events: told, next: events.length > limit ? String(told.at(-1)!.number) : null };
}

/** The text may have stood anywhere in the document. */
function isMeant(event: AlarmEvent, metric: string | undefined, search: string): boolean {
  if (metric !== undefined && event.metric !== metric) return false;
  const { name, place, note, scope } = event;
  return [name, place, event.metric, note, scope].some((text) => text.toLowerCase().includes(search));
}
