/**
 * When each target is asked. Pure over a clock that the caller reads: no timers here.
 *
 * Each target has its own offset within its period, by its id, so that a thousand of them do not come at once and a
 * restart does not change who comes when. Only so many run side by side. Targets that were good last time may use all
 * of these places; new ones, and those that failed, only a part: three hundred that hang until their timeout leave the
 * rest on time.
 */

/** A target that fails is asked again after its period, twice that, four times …, but not later than this, ms. */
export const BACKOFF_CAP = 60_000;
/** Delays after failures are changed by up to this part, so that what failed together does not come back together. */
const BACKOFF_JITTER = 0.2;
/** The first scrapes after a restart are spread over this time at most, ms. */
const START_WITHIN = 10_000;
/** New targets, and failing ones, may use this part of the places. */
const SHARE = { proven: 1, new: 0.5, failing: 0.25 } as const;

type Lane = keyof typeof SHARE;

interface Entry {
  readonly id: string;
  period: number;
  /** When it is to be asked, on the clock's time; Infinity while it runs. */
  due: number;
  /** When it was due that is running now. */
  began: number;
  failures: number;
  lane: Lane;
  running: boolean;
}

export interface ScheduleOptions {
  readonly sideBySide: number;
  /** The clock now, ms: where the offsets count from. */
  readonly start: number;
}

export class Schedule {
  readonly #options: ScheduleOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #running: Record<Lane, number> = { proven: 0, new: 0, failing: 0 };
  /** Not earlier than this is anything due. */
  #earliest = Infinity;
  /** Scrapes of targets that are up which began more than a period late for lack of places. */
  late = 0;

  constructor(options: ScheduleOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#running.proven + this.#running.new + this.#running.failing;
  }

  /** `soon`: somebody waits for it. Else its first time comes within the period, by its offset. */
  add(id: string, period: number, now: number, soon: boolean): void {
    this.remove(id);
    const due = soon ? now : now + offset(id, Math.min(period, START_WITHIN));
    this.#entries.set(id, { id, period, due, began: 0, failures: 0, lane: 'new', running: false });
    this.#earliest = Math.min(this.#earliest, due);
  }

  /** One that runs gives its place back when it is finished, also when it was removed. */
  remove(id: string): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    this.#entries.delete(id);
    if (entry.running) this.#running[entry.lane]--;
  }

  /** Asks it as soon as there is a place, whatever its last scrapes came to. */
  soon(id: string, now: number): void {
    const entry = this.#entries.get(id);
    if (!entry || entry.running) return;
    entry.due = now;
    this.#earliest = Math.min(this.#earliest, now);
  }

  /** When it is asked next; null: it runs, or is not there. */
  due(id: string): number | null {
    const entry = this.#entries.get(id);
    return entry && !entry.running ? entry.due : null;
  }

  /** Those that begin now, the longest due first. Each is to be told of by `finish`. */
  take(now: number): string[] {
    if (now < this.#earliest) return [];
    const due: Entry[] = [];
    let earliest = Infinity;
    for (const entry of this.#entries.values()) {
      if (entry.running) continue;
      if (entry.due <= now) due.push(entry);
      else if (entry.due < earliest) earliest = entry.due;
    }
    due.sort((a, b) => a.due - b.due);
    const taken: string[] = [];
    for (const entry of due) {
      if (!this.#hasPlace(entry.lane)) {
        // `finish` calls again when a place is free.
        earliest = Math.min(earliest, entry.due);
        continue;
      }
      if (entry.lane === 'proven' && now - entry.due > entry.period) this.late++;
      entry.running = true;
      entry.began = entry.due;
      this.#running[entry.lane]++;
      taken.push(entry.id);
    }
    this.#earliest = earliest;
    return taken;
  }

  #hasPlace(lane: Lane): boolean {
    const { sideBySide } = this.#options;
    return this.running < sideBySide && this.#running[lane] < Math.max(1, Math.floor(SHARE[lane] * sideBySide));
  }

  finish(id: string, good: boolean, now: number): void {
    const entry = this.#entries.get(id);
    if (!entry?.running) return;
    entry.running = false;
    this.#running[entry.lane]--;
    entry.failures = good ? 0 : entry.failures + 1;
    entry.lane = good ? 'proven' : 'failing';
    entry.due = good ? this.#nextOnGrid(entry, now) : now + backoff(id, entry.period, entry.failures);
    this.#earliest = Math.min(this.#earliest, entry.due);
  }

  /** The next of its times: those that passed while it ran are left out, not caught up. */
  #nextOnGrid({ id, period }: Entry, now: number): number {
    const first = this.#options.start + offset(id, period);
    return first + period * (Math.floor((now - first) / period) + 1);
  }

  /** When `take` has something to do if nothing is finished before; null: never. */
  next(now: number): number | null {
    let next = Infinity;
    for (const entry of this.#entries.values()) {
      if (entry.running || entry.due >= next) continue;
      // What is due and has no place waits for a `finish`.
      if (entry.due > now || this.#hasPlace(entry.lane)) next = entry.due;
    }
    return next === Infinity ? null : next;
  }
}

/** Delay after so many failures in a row, ms; never shorter than the period would be, less the jitter. */
export function backoff(id: string, period: number, failures: number): number {
  const cap = Math.max(period, BACKOFF_CAP);
  const delay = Math.min(cap, period * 2 ** Math.min(30, failures - 1));
  return delay * (1 - BACKOFF_JITTER * fraction(`${id} ${failures}`));
}

const offset = (id: string, within: number): number => fraction(id) * within;

/** From 0 up to 1, the same for the same text: FNV-1a, with its high bits spread to the low ones. */
function fraction(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  hash ^= hash >>> 12;
  return (hash >>> 0) / 2 ** 32;
}
