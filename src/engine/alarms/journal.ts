/**
 * What happened to alarms: numbered, written, and then told, in this order. Only one writing is under way; what comes
 * meanwhile is one writing afterwards. Where the disk refuses, or hangs, people are told all the same, since a full disk may be the
 * very thing that an alarm is about, and the writing is tried again.
 */

import type { AlarmEvent } from '../../shared/api/alarms.ts';
import { patiently } from './patient.ts';
import type { RecordChange, Records } from './records.ts';

/** The newest events, for readers that come back. */
const RING = 5000;
/** A writing that failed is tried again after so long, ms. */
const RETRY_AFTER = 1000;
/** Events that wait for a disk that does not answer; the oldest ones beyond that are not in the history. */
const MAX_WAITING = 100_000;

export type NewEvent = Omit<AlarmEvent, 'number'>;

interface Batch {
  /** The last one of each document. */
  readonly changes: Map<string, RecordChange>;
  events: AlarmEvent[];
  readonly after: (() => void)[];
}

const emptyBatch = (): Batch => ({ changes: new Map(), events: [], after: [] });

export class Journal {
  readonly #write: Records['write'];
  readonly #warn: (message: string) => void;
  #next: number;
  /** Told, oldest first. */
  #ring: AlarmEvent[] = [];
  /** Of the last event that was told. */
  #number: number;
  #waiting = emptyBatch();
  #writing: Promise<void> | null = null;
  #retry: NodeJS.Timeout | null = null;
  #failed = false;
  #closed = false;

  /** `last`: the highest number so far. */
  constructor(records: Records, last: number, warn: (message: string) => void) {
    this.#write = patiently(records);
    this.#warn = warn;
    this.#number = last;
    this.#next = last + 1;
  }

  /** Number of the newest event that readers may have. */
  get number(): number {
    return this.#number;
  }

  /** Events after a number, oldest first, at most `limit`; null: some of them are not here any more. */
  since(number: number, limit: number): readonly AlarmEvent[] | null {
    if (number === this.#number) return [];
    const first = this.#ring[0];
    if (!first || number > this.#number || number < first.number - 1) return null;
    const at = lowerBound(this.#ring, number + 1);
    return this.#ring.length - at > limit ? null : this.#ring.slice(at);
  }

  /** What came before this start, so that readers go on over a restart. */
  fill(events: readonly AlarmEvent[]): void {
    const first = this.#ring[0]?.number ?? this.#next;
    this.#ring = [...events.filter(({ number }) => number < first), ...this.#ring].slice(-RING);
  }

  /** `after` is called when all of it is on the disk, and the events are told. */
  add(changes: readonly RecordChange[], events: readonly NewEvent[], after: () => void = () => {}): void {
    const waiting = this.#waiting;
    for (const change of changes) waiting.changes.set(`${change.kind} ${change.id}`, change);
    for (const event of events) waiting.events.push({ ...event, number: this.#next++ });
    waiting.after.push(after);
    this.#begin();
  }

  #begin(): void {
    if (this.#writing || this.#retry) return;
    const batch = this.#waiting;
    if (batch.changes.size === 0 && batch.events.length === 0 && batch.after.length === 0) return;
    this.#waiting = emptyBatch();
    this.#writing = this.#take(batch).then(() => {
      this.#writing = null;
      this.#begin();
    });
  }

  async #take(batch: Batch): Promise<void> {
    try {
      // What changes nothing that is kept has nothing to wait for.
      if (batch.changes.size + batch.events.length > 0) {
        await this.#write([...batch.changes.values()], batch.events);
      }
      this.#failed = false;
      this.#tell(batch);
    } catch (error) {
      if (!this.#failed) this.#warn(`alarms cannot be written, and are tried again: ${(error as Error).message}`);
      this.#failed = true;
      this.#tell(batch);
      this.#again(batch);
    }
  }

  /** Before all that waits. */
  #again({ changes, events }: Batch): void {
    const later = this.#waiting;
    for (const [key, change] of later.changes) changes.set(key, change);
    const all = [...events, ...later.events].slice(-MAX_WAITING);
    this.#waiting = { changes, events: all, after: later.after };
    if (this.#closed) return;
    this.#retry = setTimeout(() => {
      this.#retry = null;
      this.#begin();
    }, RETRY_AFTER);
  }

  #tell({ events, after }: Batch): void {
    // Those that are written again were told.
    const fresh = events.filter(({ number }) => number > this.#number);
    for (const event of fresh) this.#ring.push(event);
    if (this.#ring.length > 2 * RING) this.#ring = this.#ring.slice(-RING);
    this.#number = fresh.at(-1)?.number ?? this.#number;
    for (const call of after.splice(0)) call();
  }

  /** Resolves when all that was added is written, or cannot be. */
  async flush(): Promise<void> {
    while (this.#writing) await this.#writing;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.flush();
    if (this.#retry) {
      clearTimeout(this.#retry);
      this.#retry = null;
      this.#begin();
      await this.flush();
    }
  }
}

/** Index of the first event with this number or a higher one. */
function lowerBound(events: readonly AlarmEvent[], number: number): number {
  let [low, high] = [0, events.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (events[middle]!.number < number) low = middle + 1;
    else high = middle;
  }
  return low;
}
