import type { Alarm, AlarmEvent, StateCounts } from '../../shared/api/alarms.ts';
import type { LiveAlarms } from '../../shared/api/live.ts';
import { countOpen, mergeAlarms } from './alarms.ts';
import { beat } from './beat.ts';

export interface AlarmsSnapshot {
  /** In any state but inactive, by id. */
  readonly rows: ReadonlyMap<string, Alarm>;
  /** The complete list has come. */
  readonly loaded: boolean;
  readonly counts: StateCounts;
  /** That fire and that nobody has silenced or acknowledged. */
  readonly open: number;
}

interface AlarmsSource {
  onAlarms(listener: (change: LiveAlarms) => void): () => void;
}

const NO_COUNTS: StateCounts = {
  inactive: 0,
  pending: 0,
  firing: 0,
  resolved: 0,
  no_data: 0,
  silenced: 0,
  acknowledged: 0,
};

const NONE: AlarmsSnapshot = { rows: new Map(), loaded: false, counts: NO_COUNTS, open: 0 };

/** All alarms of an engine that are not inactive. Always listening: what fires is to be seen from every view. */
export class AlarmsModel {
  readonly #source: AlarmsSource;
  readonly #listeners = new Set<() => void>();
  readonly #openListeners = new Set<(open: number) => void>();
  readonly #eventListeners = new Set<(events: readonly AlarmEvent[]) => void>();
  #snapshot = NONE;
  #stop: (() => void) | null = null;

  constructor(source: AlarmsSource) {
    this.#source = source;
  }

  readonly snapshot = (): AlarmsSnapshot => this.#snapshot;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Told at once, also while the page is hidden: its tab's title and the dock's badge are seen then. */
  onOpen(listener: (open: number) => void): () => void {
    this.#openListeners.add(listener);
    return () => this.#openListeners.delete(listener);
  }

  /** Something happened, or may have while the connection was away (an empty list). */
  onEvents(listener: (events: readonly AlarmEvent[]) => void): () => void {
    this.#eventListeners.add(listener);
    return () => this.#eventListeners.delete(listener);
  }

  start(): void {
    this.#stop ??= this.#source.onAlarms(this.#take);
  }

  close(): void {
    this.#stop?.();
    this.#stop = null;
    this.#snapshot = NONE;
  }

  /** A change that a request's answer tells before the socket does. */
  put(alarms: readonly Alarm[]): void {
    const rows = new Map(this.#snapshot.rows);
    for (const alarm of alarms) if (rows.has(alarm.id)) rows.set(alarm.id, alarm);
    this.#snapshot = { ...this.#snapshot, rows, open: countOpen(rows.values()) };
    this.#notify();
  }

  readonly #take = (event: LiveAlarms): void => {
    const rows = mergeAlarms(this.#snapshot.rows, event);
    this.#snapshot = {
      rows,
      open: countOpen(rows.values()),
      loaded: this.#snapshot.loaded || event.all,
      counts: event.counts,
    };
    for (const listener of this.#openListeners) listener(this.#snapshot.open);
    if (event.events.length > 0 || event.all || event.missed) {
      for (const listener of this.#eventListeners) listener(event.events);
    }
    beat.add(this.#notify);
  };

  readonly #notify = (): void => {
    for (const listener of this.#listeners) listener();
  };
}
