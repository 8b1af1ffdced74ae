/** Silences: which alarms nobody is told of at the moment. */

import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { compileMatchers, type Labels } from '../../shared/alarms/matchers.ts';
import { Matcher, Recurring, type Silence, type SilenceSettings } from '../../shared/api/silences.ts';
import { formatDuration } from '../../shared/duration.ts';
import { ApiError } from '../../shared/errors.ts';
import { LinearPattern } from '../store/linear-pattern.ts';
import { isOpen, windowAt, type Span } from './silence-windows.ts';

/** Most that have not ended. */
const MAX_SILENCES = 1000;
/** Ended ones are kept for so long, ms. */
const KEEP_ENDED = 5 * 86_400_000;
/** Of all patterns of a silence together: each alarm is held against them. */
const MAX_STATES = 5000;
/** A silence that has so much of its window left is not yet said to end soon: ms, and a part of the window. */
const SOON = 15 * 60_000;
const LAST_PART = 0.1;

/** As it is kept. Durations in ms. */
export const SilenceRecord = z.object({
  id: z.string(),
  matchers: z.array(Matcher),
  from: z.number(),
  to: z.number().nullable(),
  recurring: z.object({ ...Recurring.shape, lasts: z.number() }).nullable(),
  comment: z.string(),
  owner: z.string(),
  created: z.number(),
});
export type SilenceRecord = z.infer<typeof SilenceRecord>;

interface Entry {
  record: SilenceRecord;
  readonly hits: (labels: Labels) => boolean;
  /** As of the last look. */
  window: Span | null;
  open: boolean;
}

/** What is wrong with matchers is an ApiError: `bad_request`. */
export function compiled(matchers: readonly Matcher[]): (labels: Labels) => boolean {
  let room = MAX_STATES;
  try {
    return compileMatchers(matchers, (text) => {
      const pattern = new LinearPattern(text, room);
      room -= pattern.states;
      return (value) => pattern.matches(value);
    });
  } catch (error) {
    throw new ApiError('bad_request', `matchers: ${(error as Error).message}`);
  }
}

export class Silences {
  readonly #entries = new Map<string, Entry>();
  /** When the next window opens or ends, or something is to be forgotten: until then nothing is looked at. */
  #next = -Infinity;
  #looked = -Infinity;

  /** What was kept; what cannot be read is left out. */
  load(documents: ReadonlyMap<string, unknown>, now: number): void {
    for (const document of documents.values()) {
      const record = SilenceRecord.safeParse(document);
      if (!record.success) continue;
      try {
        this.#entries.set(record.data.id, entryOf(record.data));
      } catch {
        // A pattern of another version of this program.
      }
    }
    this.look(now);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Ids of those that are silent now and hit these labels. */
  hitting(labels: Labels): string[] {
    const ids: string[] = [];
    for (const [id, { open, hits }] of this.#entries) if (open && hits(labels)) ids.push(id);
    return ids;
  }

  /**
   * Opens and ends windows, and forgets what ended long ago. `changed`: others are silent now than before; `forgotten`:
   * ids whose records go. Once per tick: nearly always one comparison.
   */
  look(now: number): { changed: boolean; forgotten: string[] } {
    // A clock that was set back may have left a window.
    if (now < this.#next && now >= this.#looked) return { changed: false, forgotten: [] };
    this.#looked = now;
    let changed = false;
    const forgotten: string[] = [];
    let next = Infinity;
    for (const [id, entry] of this.#entries) {
      entry.window = windowAt(entry.record, now);
      const open = isOpen(entry.window, now);
      changed ||= open !== entry.open;
      entry.open = open;
      if (entry.window) next = Math.min(next, open ? entry.window.to : entry.window.from);
      else if (endOf(entry.record) + KEEP_ENDED <= now) {
        this.#entries.delete(id);
        forgotten.push(id);
      } else next = Math.min(next, endOf(entry.record) + KEEP_ENDED);
    }
    this.#next = next;
    return { changed, forgotten };
  }

  /** Errors: `bad_request`. The record is the caller's to write, before it is shown to anybody. */
  add(settings: SilenceSettings, owner: string, now: number): SilenceRecord {
    const live = [...this.#entries.values()].filter(({ window }) => window !== null).length;
    if (live >= MAX_SILENCES) throw new ApiError('bad_request', `there may be ${MAX_SILENCES} silences at a time`);
    const record = { id: randomBytes(6).toString('hex'), ...settings, owner, created: now };
    if (windowAt(record, now) === null) throw new ApiError('bad_request', 'to: it would have ended already');
    this.#entries.set(record.id, entryOf(record));
    this.#next = -Infinity;
    return record;
  }

  /** It is silent no more from now on. Errors: `silence_not_found`. */
  end(id: string, now: number): SilenceRecord {
    const entry = this.#need(id);
    if (windowAt(entry.record, now) === null) return entry.record;
    // One that never began ends where it would have.
    const from = Math.min(entry.record.from, now - 1);
    entry.record = { ...entry.record, from, to: now };
    this.#next = -Infinity;
    return entry.record;
  }

  /** Takes back what could not be written. */
  restore(id: string, record: SilenceRecord | null): void {
    if (record === null) this.#entries.delete(id);
    else {
      const entry = this.#entries.get(id);
      if (entry) entry.record = record;
    }
    this.#next = -Infinity;
  }

  record(id: string): SilenceRecord {
    return this.#need(id).record;
  }

  #need(id: string): Entry {
    const entry = this.#entries.get(id);
    if (!entry) throw new ApiError('silence_not_found', 'no silence has this id; ended ones are kept for five days');
    return entry;
  }

  /** Active first, then waiting, then ended; each newest first. `hits`: how many alarms that fire each one hits. */
  list(now: number, hits: ReadonlyMap<string, number>): Silence[] {
    const order = { active: 0, waiting: 1, ended: 2 };
    return [...this.#entries.values()]
      .map((entry) => describe(entry, now, hits.get(entry.record.id) ?? 0))
      .sort((a, b) => order[a.state] - order[b.state] || b.created - a.created);
  }

  describe(id: string, now: number, hits: number): Silence {
    return describe(this.#need(id), now, hits);
  }
}

const endOf = ({ to, created }: SilenceRecord): number => to ?? created;

const entryOf = (record: SilenceRecord): Entry => ({
  record,
  hits: compiled(record.matchers),
  window: null,
  open: false,
});

function describe({ record }: Entry, now: number, hits: number): Silence {
  const { recurring, ...rest } = record;
  const window = windowAt(record, now);
  const open = isOpen(window, now);
  const soon = window !== null && window.to - now <= Math.max(SOON, LAST_PART * (window.to - window.from));
  return {
    ...rest,
    recurring: recurring && { ...recurring, lasts: formatDuration(recurring.lasts) },
    state: open ? 'active' : window ? 'waiting' : 'ended',
    window: window && Number.isFinite(window.to) ? window : null,
    ends_soon: open && soon && hits > 0,
    hits,
  };
}
