/**
 * The `alarms` topic: all alarms once, a piece at a time, then only what changed; and every event exactly once and in
 * order, for a reader that comes back from the number on that it has.
 */

import type { Alarm, AlarmEvent } from '../../shared/api/alarms.ts';
import type { LiveEvent } from '../../shared/api/live.ts';
import type { EngineContext } from '../context.ts';

/** Alarms, and events, of one message at most; and characters of alarms: an engine that is above this one takes no more. */
const PIECE = 1000;
const MAX_TEXT = 1024 * 1024;
/** Events that a reader is sent when it comes back; what is more it finds in the history. */
const MAX_MISSED = 5000;

export class AlarmsTopic {
  readonly #engine: EngineContext;
  /** Version of each alarm that was last sent. */
  readonly #sent = new Map<string, number>();
  #version = -1;
  #number: number;
  /** Events of before that wait to be sent. */
  #backlog: readonly AlarmEvent[] = [];
  #missed = false;
  #first = true;

  /** `since`: the last event that the reader has; absent: it wants those from now on. */
  constructor(engine: EngineContext, since?: number) {
    this.#engine = engine;
    const { journal } = engine.alarms;
    this.#number = journal.number;
    if (since === undefined) return;
    const events = journal.since(since, MAX_MISSED);
    this.#missed = events === null;
    this.#backlog = events ?? [];
    this.#number = events === null ? journal.number : since;
  }

  /** More waits to be sent than fits into a message. */
  get more(): boolean {
    return this.#backlog.length > 0 || this.#version !== this.#engine.alarms.book.version;
  }

  next(): LiveEvent | null {
    const { alarms: engine } = this.#engine;
    engine.lookAtValues();
    const events = this.#events();
    const { alarms, removed } = this.#alarms();
    if (!this.#first && events.length === 0 && alarms.length === 0 && removed.length === 0) return null;
    const [all, missed] = [this.#first, this.#missed];
    this.#first = false;
    this.#missed = false;
    const more = this.#version !== engine.book.version ? { more: true } : {};
    const number = this.#number;
    return { type: 'alarms', all, alarms, removed, events, number, missed, counts: engine.counts(), ...more };
  }

  #events(): AlarmEvent[] {
    const { journal } = this.#engine.alarms;
    const known = this.#backlog.at(-1)?.number ?? this.#number;
    const fresh = journal.since(known, Infinity);
    // A reader that fell far behind: it looks into the history.
    if (fresh === null) this.#missed = true;
    const all = fresh === null ? [] : [...this.#backlog, ...fresh];
    const events = all.slice(0, PIECE);
    this.#backlog = all.slice(PIECE);
    this.#number = events.at(-1)?.number ?? (fresh === null ? journal.number : this.#number);
    return events;
  }

  #alarms(): { alarms: Alarm[]; removed: string[] } {
    const { alarms: engine } = this.#engine;
    const { book, children } = engine;
    const alarms: Alarm[] = [];
    const removed: string[] = [];
    if (this.#version === book.version) return { alarms, removed };
    const { version } = book;
    let text = 0;
    let complete = true;
    /** False: the message is full. */
    const take = (id: string, of: number, make: () => Alarm): boolean => {
      if (of === 0 || this.#sent.get(id) === of) return true;
      if (alarms.length === PIECE || text > MAX_TEXT) return (complete = false);
      const alarm = make();
      text += JSON.stringify(alarm).length;
      this.#sent.set(id, of);
      alarms.push(alarm);
      return true;
    };
    for (const held of book) if (!take(held.id, held.version, () => engine.describe(held))) break;
    if (complete) {
      for (const child of children) {
        if (!take(child.alarm.id, child.version, () => engine.describeChild(child))) break;
      }
    }
    for (const id of this.#sent.keys()) {
      if (book.get(id) || children.get(id)) continue;
      removed.push(id);
      this.#sent.delete(id);
    }
    if (complete) this.#version = version;
    return { alarms, removed };
  }
}
