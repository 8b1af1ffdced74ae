/**
 * What alarms keep: documents by kind and id, and events that became history. The store takes bodies as JSON and looks
 * into none; which of the newest events are kept is its own matter.
 */

import type Database from 'better-sqlite3';
import { ApiError } from '../../shared/errors.ts';

/** The newest so many events are kept: some 40 MB. */
export const ALARM_EVENTS = 100_000;
/** Events of a step: a few milliseconds. */
const STEP_EVENTS = 2000;

export interface StoredRecord {
  readonly kind: string;
  readonly id: string;
  /** JSON; null: it goes. */
  readonly body: string | null;
}

export interface StoredEvent {
  readonly number: number;
  /** ms since the epoch. */
  readonly time: number;
  readonly rule: string;
  readonly scope: string;
  /** JSON. */
  readonly body: string;
}

/** Of all events those that are looked for, newest first. */
export interface EventPage {
  /** Smaller numbers only; null: from the newest on. */
  readonly before: number | null;
  readonly rule: string | null;
  readonly scope: string | null;
  /** ms since the epoch, both included. */
  readonly from: number;
  readonly to: number;
  /** Lower case, each somewhere in the body; empty: all. */
  readonly contains: readonly string[];
  readonly limit: number;
}

export type AlarmQuestion =
  | { readonly ask: 'read'; readonly kind: string }
  | { readonly ask: 'write'; readonly records: readonly StoredRecord[]; readonly events: readonly StoredEvent[] }
  | { readonly ask: 'events'; readonly page: EventPage }
  | { readonly ask: 'last' };

/** What is answered: documents, events, a number, or nothing. */
export type AlarmAnswer = readonly StoredRecord[] | readonly StoredEvent[] | number | null;

/** What a store does for the alarms. Rejects with `store_unavailable`, and then nothing was written. */
export interface AlarmStore {
  read(kind: string): Promise<readonly StoredRecord[]>;
  /** All of it or nothing. Resolves when it is on the disk. An event whose number is there replaces that one. */
  write(records: readonly StoredRecord[], events: readonly StoredEvent[]): Promise<void>;
  /** Bodies, newest first, and the numbers of their events. */
  events(page: EventPage): Promise<readonly Pick<StoredEvent, 'number' | 'body'>[]>;
  /** Highest number of an event; 0: there are none. */
  lastNumber(): Promise<number>;
}

/** Over a way to ask the thread that has the database. */
export function askingAlarmStore(ask: (question: AlarmQuestion) => Promise<AlarmAnswer>): AlarmStore {
  return {
    read: async (kind) => (await ask({ ask: 'read', kind })) as StoredRecord[],
    write: async (records, events) => void (await ask({ ask: 'write', records, events })),
    events: async (page) => (await ask({ ask: 'events', page })) as StoredEvent[],
    lastNumber: async () => (await ask({ ask: 'last' })) as number,
  };
}

/** On the thread that has the database. */
export class AlarmRows {
  readonly #db: Database.Database;
  readonly #put;
  readonly #remove;
  readonly #add;
  readonly #old;

  constructor(db: Database.Database) {
    this.#db = db;
    this.#put = db.prepare(
      'INSERT INTO alarm_record (kind, id, body) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body',
    );
    this.#remove = db.prepare('DELETE FROM alarm_record WHERE kind = ? AND id = ?');
    this.#add = db.prepare(
      'INSERT OR REPLACE INTO alarm_event (number, time, rule, scope, body) VALUES (?, ?, ?, ?, ?)',
    );
    this.#old = db.prepare('DELETE FROM alarm_event WHERE number <= ?');
  }

  /** Long ones yield between steps. */
  *answer(question: AlarmQuestion): Generator<void, AlarmAnswer> {
    switch (question.ask) {
      case 'read':
        return this.#db
          .prepare('SELECT kind, id, body FROM alarm_record WHERE kind = ?')
          .all(question.kind) as StoredRecord[];
      case 'write':
        return this.#write(question.records, question.events);
      case 'events':
        return yield* this.#events(question.page);
      case 'last':
        return this.#db.prepare('SELECT coalesce(max(number), 0) FROM alarm_event').pluck().get() as number;
    }
  }

  #write(records: readonly StoredRecord[], events: readonly StoredEvent[]): null {
    this.#db.transaction(() => {
      for (const { kind, id, body } of records) {
        if (body === null) this.#remove.run(kind, id);
        else this.#put.run(kind, id, body);
      }
      let last = 0;
      for (const { number, time, rule, scope, body } of events) {
        this.#add.run(number, time, rule, scope, body);
        last = Math.max(last, number);
      }
      if (last > ALARM_EVENTS) this.#old.run(last - ALARM_EVENTS);
    })();
    return null;
  }

  *#events({ before, rule, scope, from, to, contains, limit }: EventPage): Generator<void, StoredEvent[]> {
    const equal = [...(rule === null ? [] : ['rule = @rule']), ...(scope === null ? [] : ['scope = @scope'])];
    const statement = this.#db.prepare(
      `SELECT number, time, body FROM alarm_event WHERE ${[...equal, 'number < @before'].join(' AND ')}
       ORDER BY number DESC LIMIT ${STEP_EVENTS}`,
    );
    const found: StoredEvent[] = [];
    let next = before ?? Number.MAX_SAFE_INTEGER;
    for (;;) {
      const rows = statement.all({ before: next, rule, scope }) as StoredEvent[];
      for (const row of rows) {
        if (!isWanted(row, from, to, contains)) continue;
        found.push(row);
        if (found.length === limit) return found;
      }
      if (rows.length < STEP_EVENTS) return found;
      next = rows.at(-1)!.number;
      yield;
    }
  }
}

function isWanted({ time, body }: StoredEvent, from: number, to: number, contains: readonly string[]): boolean {
  if (time < from || time > to) return false;
  if (contains.length === 0) return true;
  const lower = body.toLowerCase();
  return contains.every((text) => lower.includes(text));
}

/** The twin that keeps nothing for later. */
export function memoryAlarmStore(): AlarmStore & { close(): void } {
  const records = new Map<string, Map<string, string>>();
  let events: StoredEvent[] = [];
  let closed = false;
  const check = (): void => {
    if (closed) throw new ApiError('store_unavailable', 'the store is closed');
  };
  return {
    close() {
      closed = true;
      records.clear();
      events = [];
    },
    read: async (kind) => Array.from(records.get(kind) ?? [], ([id, body]) => ({ kind, id, body })),
    async write(changes, added) {
      check();
      for (const { kind, id, body } of changes) {
        let of = records.get(kind);
        if (!of) records.set(kind, (of = new Map<string, string>()));
        if (body === null) of.delete(id);
        else of.set(id, body);
      }
      const numbers = new Set(added.map(({ number }) => number));
      if (events.some(({ number }) => numbers.has(number)))
        events = events.filter(({ number }) => !numbers.has(number));
      for (const event of added) events.push(event);
      if (events.length > 1.1 * MEMORY_EVENTS) events = events.slice(-MEMORY_EVENTS);
    },
    async events({ before, rule, scope, from, to, contains, limit }) {
      const found: StoredEvent[] = [];
      for (let i = events.length - 1; i >= 0 && found.length < limit; i--) {
        const event = events[i]!;
        if (before !== null && event.number >= before) continue;
        if ((rule !== null && event.rule !== rule) || (scope !== null && event.scope !== scope)) continue;
        if (isWanted(event, from, to, contains)) found.push(event);
      }
      return found;
    },
    lastNumber: async () => events.at(-1)?.number ?? 0,
  };
}

/** Of an engine that keeps everything in memory. */
const MEMORY_EVENTS = 10_000;
