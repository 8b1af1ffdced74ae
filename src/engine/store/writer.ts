/**
 * Writes in order, each one tried again while the disk is full or does not answer. A tick is given up after a time; runs
 * and profiles are few and dear and wait as long as it takes, up to a total of bytes. Nothing here throws.
 */

import { isDamage, isPassing } from './errors.ts';
import type { Left, WriteMessage } from './messages.ts';
import type { PreparedTick, SqliteStore } from './sqlite.ts';
import { PackedSeries } from './series-pack.ts';
import type { Tick } from './store.ts';

const RETRY_EVERY = 500;
/** Most bytes of runs and profiles that wait. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

export interface WriterEvents {
  /** Writes left the queue, written or given up. */
  done(left: Left, durableUntil: number): void;
  trouble(error: string | null): void;
  damage(error: unknown): void;
}

interface Entry {
  readonly message: WriteMessage;
  /** Grows by one per entry. */
  readonly number: number;
  readonly taken: number;
  /** Came from the engine, whose books must be kept. */
  readonly counted: boolean;
  /** Made when the tick comes first: frames must be prepared in order and only once. */
  prepared: PreparedTick | null;
}

interface Flush {
  /** Number of the last entry it waits for. */
  readonly upTo: number;
  readonly since: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

const runBytesOf = (message: WriteMessage): number =>
  message.type === 'tick' ? 0 : message.type === 'profile' ? message.body.byteLength : message.bytes;

const textOf = (error: unknown): string => {
  const { code, message } = error as { code?: string; message?: string };
  if (code === 'SQLITE_FULL') return 'the disk is full: free some space; what waits is tried again';
  if (isDamage(error)) return 'the database is damaged: restart the engine, which sets it aside and begins a new one';
  return `writing fails: ${message ?? String(error)}${code ? ` (${code})` : ''}`;
};

export class Writer {
  readonly #store: SqliteStore;
  readonly #events: WriterEvents;
  readonly #retryFor: number;
  #queue: Entry[] = [];
  #flushes: Flush[] = [];
  #timer: NodeJS.Timeout | null = null;
  #waitingBytes = 0;
  #taken = 0;
  #durableUntil = 0;
  #error: string | null = null;

  constructor(store: SqliteStore, retryFor: number, events: WriterEvents) {
    this.#store = store;
    this.#retryFor = retryFor;
    this.#events = events;
  }

  take(message: WriteMessage, counted: boolean): void {
    this.#queue.push({ message, number: ++this.#taken, taken: Date.now(), counted, prepared: null });
    this.#waitingBytes += runBytesOf(message);
    if (this.#timer === null) this.#drain();
    else this.#shed();
  }

  /** Nothing waits to be written. */
  get isIdle(): boolean {
    return this.#queue.length === 0;
  }

  /** Resolves when all taken so far is written or given up; rejects when writing has failed for long. */
  flush(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#flushes.push({ upTo: this.#taken, since: Date.now(), resolve, reject });
      this.#answerFlushes();
    });
  }

  /** One last try for what waits. */
  close(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#drain();
    if (this.#timer) clearTimeout(this.#timer);
  }

  #drain(): void {
    this.#timer = null;
    const left: Entry[] = [];
    const lost: Entry[] = [];
    for (let head = this.#queue[0]; head; head = this.#queue[0]) {
      try {
        this.#write(head);
        this.#setError(null);
      } catch (error) {
        this.#setError(textOf(error));
        if (isDamage(error)) this.#events.damage(error);
        if (isPassing(error)) {
          lost.push(...this.#expired());
          this.#timer = setTimeout(() => this.#drain(), RETRY_EVERY);
          break;
        }
        // It would come again each time.
        lost.push(head);
        // What failed in preparing has marked itself.
        if (head.prepared) this.#store.loseTick(head.prepared);
      }
      this.#queue.shift();
      left.push(head);
    }
    this.#tell(left, lost);
    // What a lost tick had of new series is still to be written with the next one.
    for (const entry of left) if (!lost.includes(entry)) release(entry.message);
  }

  /** Takes ticks out that have waited too long: the oldest ones. */
  #expired(): Entry[] {
    const before = Date.now() - this.#retryFor;
    const isOver = ({ message, taken }: Entry): boolean => message.type === 'tick' && taken <= before;
    const over = this.#queue.filter(isOver);
    this.#queue = this.#queue.filter((entry) => !isOver(entry));
    for (const entry of over) {
      if (entry.message.type !== 'tick') continue;
      try {
        // Its differences must reach the scopes' present values, or all later frames would miss them.
        entry.prepared ??= this.#store.prepare(unpack(entry.message));
        this.#store.loseTick(entry.prepared);
      } catch {
        // Not readable, and marked as lost by that.
      }
    }
    return over;
  }

  #write(entry: Entry): void {
    const { message } = entry;
    if (message.type === 'run') return this.#store.putRun(message.run);
    if (message.type === 'profile') return this.#store.putProfile(message.run, message.body, message.about);
    if (message.type === 'audit') return this.#store.putAudit(message.entry);
    entry.prepared ??= this.#store.prepare(unpack(message));
    this.#store.writeTick(entry.prepared);
    this.#durableUntil = message.time;
  }

  /** While nothing can be written: a run's older descriptions, and the oldest of what is too much, go. */
  #shed(): void {
    const newest = this.#queue.at(-1)!.message;
    let bytes = this.#waitingBytes;
    const superseded: Entry[] = [];
    const lost: Entry[] = [];
    this.#queue = this.#queue.filter((entry) => {
      const { message } = entry;
      if (message === newest || message.type === 'tick') return true;
      const again = newest.type === 'run' && message.type === 'run' && message.run.id === newest.run.id;
      if (!again && bytes <= MAX_WAITING_BYTES) return true;
      bytes -= runBytesOf(message);
      (again ? superseded : lost).push(entry);
      return false;
    });
    this.#tell(superseded, lost);
  }

  /** `left` and `lost` are no longer in the queue; an entry may be in both. */
  #tell(left: readonly Entry[], lost: readonly Entry[]): void {
    const gone = new Set([...left, ...lost]);
    let [ticks, tickBytes, runBytes] = [0, 0, 0];
    for (const { message, counted } of gone) {
      this.#waitingBytes -= runBytesOf(message);
      if (!counted) continue;
      runBytes += runBytesOf(message);
      if (message.type !== 'tick') continue;
      ticks++;
      tickBytes += message.frames.byteLength;
    }
    const lostTicks = lost.filter(({ message }) => message.type === 'tick').length;
    if (gone.size > 0)
      this.#events.done({ ticks, tickBytes, runBytes, lost: lost.length, lostTicks }, this.#durableUntil);
    this.#answerFlushes();
  }

  #answerFlushes(): void {
    const first = this.#queue[0]?.number ?? Infinity;
    this.#flushes = this.#flushes.filter(({ upTo, since, resolve, reject }) => {
      if (first <= upTo && Date.now() - since < this.#retryFor) return true;
      if (first > upTo) resolve();
      else reject(new Error(this.#error ?? 'writing failed'));
      return false;
    });
  }

  #setError(error: string | null): void {
    if (error === this.#error) return;
    this.#error = error;
    this.#events.trouble(error);
  }
}

/**
 * Frees what a written message holds. Nothing else here makes garbage, so that the collector would leave many megabytes
 * of a burst of series where they are for hours.
 */
function release(message: WriteMessage): void {
  if (message.type === 'run' || message.type === 'audit') return;
  if (message.type === 'profile') return void message.body.buffer.transfer(0);
  message.frames.transfer(0);
  message.series?.buffer.transfer(0);
}

function unpack(message: Extract<WriteMessage, { type: 'tick' }>): Tick {
  let [at, seriesAt] = [0, 0];
  const scopes = message.scopes.map(({ scope, added, count, bytes }) => {
    const frame = new Uint8Array(message.frames, at, bytes);
    at += bytes;
    const packed = message.series?.subarray(seriesAt, (seriesAt += added));
    return { scope, added: packed && count > 0 ? new PackedSeries(packed, count) : [], frame };
  });
  const tables = message.tables.map(({ nonce, scope, bytes }) => {
    // Copied: it may wait for a later tick, and the frames' memory is freed.
    const state = bytes === null ? null : new Uint8Array(message.frames, at, bytes).slice();
    at += bytes ?? 0;
    return { nonce, scope, state };
  });
  return { time: message.time, scopes, tables };
}
