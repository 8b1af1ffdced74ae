/** Silences as people make and end them, and which alarms they hit. */

import type { Matcher, Silence, SilencePreview, SilenceSettings } from '../../shared/api/silences.ts';
import { ApiError } from '../../shared/errors.ts';
import { describeAlarm, fires, type Book, type Held } from './book.ts';
import type { Records } from './records.ts';
import { compiled, Silences, type SilenceRecord } from './silences.ts';

/** Alarms that a preview lists, and values of each label. */
const PREVIEWED = 50;

/** A preview is at work for so long at a time, and altogether, ms. */
const SLICE = 10;
const PREVIEW_WITHIN = 5000;

interface DeskOptions {
  readonly records: Records;
  /** Wall clock, ms since the epoch. */
  readonly now: () => number;
  readonly book: Book;
  /** These alarms are silenced, or are so no more. */
  readonly changed: (alarms: readonly Held[]) => void;
  /** Other silences are active than before. */
  readonly looked: () => void;
}

export class SilenceDesk {
  readonly #options: DeskOptions;
  readonly #silences = new Silences();

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  load(documents: ReadonlyMap<string, unknown>, now: number): void {
    this.#silences.load(documents, now);
  }

  /** Ids of those that hit an alarm with these labels now. */
  hitting(labels: Held['labels']): readonly string[] {
    return this.#silences.size === 0 ? [] : this.#silences.hitting(labels);
  }

  /** Once per tick, and after each change: windows open and end. */
  look(time: number): void {
    if (this.#silences.size === 0) return;
    const { changed, forgotten } = this.#silences.look(time);
    const { records, book } = this.#options;
    if (forgotten.length > 0) {
      // Tried again by the next start.
      records.write(forgotten.map((id) => ({ kind: 'silence', id, value: null }))).catch(() => undefined);
    }
    if (!changed) return;
    this.#options.looked();
    const other: Held[] = [];
    for (const held of book) {
      const silenced = this.#silences.hitting(held.labels);
      if (silenced.join() === held.silenced.join()) continue;
      book.change(held, { silenced });
      other.push(held);
    }
    if (other.length > 0) this.#options.changed(other);
  }

  list(): Silence[] {
    return this.#silences.list(this.#options.now(), this.#hits());
  }

  /** Errors: `silence_not_found`. */
  describe(id: string): Silence {
    return this.#silences.describe(id, this.#options.now(), this.#hits().get(id) ?? 0);
  }

  #hits(): Map<string, number> {
    const hits = new Map<string, number>();
    for (const held of this.#options.book) {
      if (!fires(held)) continue;
      for (const id of held.silenced) hits.set(id, (hits.get(id) ?? 0) + 1);
    }
    return hits;
  }

  /** Errors: `bad_request`, `store_unavailable`. */
  async add(settings: SilenceSettings, owner: string): Promise<Silence> {
    const record = this.#silences.add(settings, owner, this.#options.now());
    await this.#write(record, () => this.#silences.restore(record.id, null));
    return this.describe(record.id);
  }

  /** It is silent no more. Errors: `silence_not_found`, `store_unavailable`. */
  async end(id: string): Promise<Silence> {
    const before = this.#silences.record(id);
    const record = this.#silences.end(id, this.#options.now());
    await this.#write(record, () => this.#silences.restore(id, before));
    return this.describe(id);
  }

  async #write(record: SilenceRecord, undo: () => void): Promise<void> {
    const { records, now } = this.#options;
    try {
      await records.write([{ kind: 'silence', id: record.id, value: record }]);
    } catch (error) {
      undo();
      throw error;
    } finally {
      this.look(now());
    }
  }

  /**
   * What one with these matchers would hit now; without any, nothing. Others are let in between: whoever may only look
   * may ask with any pattern. Errors: `bad_request`.
   */
  async preview(matchers: readonly Matcher[]): Promise<SilencePreview> {
    const hitsIt = compiled(matchers);
    let turn = performance.now();
    const until = turn + PREVIEW_WITHIN;
    const values = new Map<string, Set<string>>();
    const hit: Held[] = [];
    let firing = 0;
    for (const held of [...this.#options.book]) {
      const now = performance.now();
      if (now > until) throw new ApiError('bad_request', 'matchers: these patterns take too long over so many alarms');
      if (now - turn > SLICE) {
        await new Promise((resolve) => void setImmediate(resolve));
        turn = performance.now();
      }
      for (const [name, value] of Object.entries(held.labels)) {
        const of = values.get(name) ?? new Set();
        values.set(name, of);
        if (of.size < PREVIEWED) of.add(value);
      }
      if (matchers.length === 0 || !hitsIt(held.labels)) continue;
      hit.push(held);
      if (fires(held)) firing++;
    }
    const first = hit.sort((a, b) => Number(fires(b)) - Number(fires(a))).slice(0, PREVIEWED);
    return {
      hits: hit.length,
      firing,
      alarms: first.map((held) => {
        const { id, name, place, metric, state } = describeAlarm(held);
        return { id, name, place, metric, state };
      }),
      labels: Object.fromEntries(Array.from(values, ([name, of]) => [name, [...of].sort()])),
    };
  }
}
