/**
 * What of the alarms outlives the engine: small documents by kind and id, and the events that became history. Kept with
 * the store's data; with `--memory` only as long as the engine lives.
 */

import type { AlarmEvent, AlarmHistory, HistoryQuery } from '../../shared/api/alarms.ts';

/** One document, JSON; null removes it. */
export interface RecordChange {
  readonly kind:
    'rule' | 'instance' | 'acknowledgement' | 'silence' | 'channel' | 'routes' | 'group' | 'delivery' | 'child';
  readonly id: string;
  readonly value: unknown;
}

export interface Records {
  /** All documents of a kind, by id. Not validated: the caller does. */
  read(kind: RecordChange['kind']): Promise<ReadonlyMap<string, unknown>>;
  /** All of it or nothing, in the order of the calls. Resolves when it is durable. */
  write(changes: readonly RecordChange[], events?: readonly AlarmEvent[]): Promise<void>;
  /** Newest first. */
  history(query: HistoryQuery): Promise<AlarmHistory>;
  /** The highest number of an event so far; 0: there are none. */
  lastNumber(): Promise<number>;
}
