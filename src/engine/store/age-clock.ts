/**
 * What time it is for retention. A clock that is wrong for a minute (a battery that died, a bad time server) would make
 * everything too old at once, and what is removed does not come back: a clock that is further ahead than time has passed
 * is believed only once it has been so for a day of running.
 */

import type Database from 'better-sqlite3';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** What a clock may be ahead at once: a short sleep of the machine, a correction. */
const SLACK = HOUR;
/** Running time after which a clock that stays ahead is believed. */
const HOLD = DAY;
/** Row of `setting`. */
const NAME = 'age_clock';

export interface Judged {
  /** The time by which ages count, ms since the epoch. */
  readonly time: number;
  /** Running time for which the clock has been ahead of it, ms; 0: it is not. */
  readonly ahead: number;
}

/** `elapsed`: time that has passed since `before`, by a clock that nobody sets, ms. */
export function judge(before: Judged, clock: number, elapsed: number): Judged {
  const expected = before.time + elapsed;
  if (clock <= expected + SLACK) return { time: clock, ahead: 0 };
  const ahead = before.ahead + elapsed;
  return ahead >= HOLD ? { time: clock, ahead: 0 } : { time: expected, ahead };
}

/** Why nothing is removed for its age by the clock, for people; null: it is, or the difference does not matter. */
export function heldText({ time, ahead }: Judged, clock: number): string | null {
  if (clock - time < DAY) return null;
  const days = Math.round((clock - time) / DAY);
  const hours = Math.max(1, Math.ceil((HOLD - ahead) / HOUR));
  return `the clock is ${days} d ahead of the history; for ${hours} h more nothing is removed for being that old`;
}

/** The judgement of one database, which goes on where an earlier start has left it. */
export class AgeClock {
  readonly #put;
  #judged: Judged;
  /** When that was judged, by the clock that nobody sets, ms. */
  #at: number;

  /** `clock`: ms since the epoch; `steady`: by a clock that nobody sets. */
  constructor(db: Database.Database, clock: number, steady: number) {
    this.#put = db.prepare(
      'INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
    );
    // How long it was stopped is not known: that is ahead, too, until it has run for a while.
    this.#judged = judge(stored(db) ?? { time: newestSample(db) ?? clock, ahead: 0 }, clock, 0);
    this.#at = steady;
  }

  /** Judges anew. Call it often enough that less than the time until a clock is believed lies between. */
  now(clock: number, steady: number): Judged {
    this.#judged = judge(this.#judged, clock, Math.max(0, steady - this.#at));
    this.#at = steady;
    return this.#judged;
  }

  /** Lets the next start go on from here. */
  save(): void {
    this.#put.run(NAME, JSON.stringify(this.#judged));
  }
}

function stored(db: Database.Database): Judged | null {
  const text = db.prepare('SELECT value FROM setting WHERE name = ?').pluck().get(NAME) as string | undefined;
  try {
    const { time, ahead } = JSON.parse(text ?? 'null') as Judged;
    return Number.isFinite(time) && ahead >= 0 ? { time, ahead } : null;
  } catch {
    // None, or damaged.
    return null;
  }
}

function newestSample(db: Database.Database): number | null {
  const sealed = db.prepare('SELECT max(last) FROM block WHERE tier = 0').pluck().get() as number | null;
  const open = db.prepare('SELECT time FROM tail ORDER BY id DESC LIMIT 1').pluck().get() as number | undefined;
  return sealed === null ? (open ?? null) : Math.max(sealed, open ?? sealed);
}
