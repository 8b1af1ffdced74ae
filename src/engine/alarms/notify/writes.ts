/**
 * Writing of what is told. A disk that refuses, or hangs, does not keep people from being told, since it may be what they are to be
 * told of; what could not be written is written with the next that can.
 */

import { patiently } from '../patient.ts';
import type { RecordChange, Records } from '../records.ts';

const AGAIN_AFTER = 5000;

const isDocument = (value: unknown): value is object => typeof value === 'object' && value !== null;

export class Writes {
  readonly #toDisk: Records['write'];
  readonly #warn: (message: string) => void;
  #last: Promise<void> = Promise.resolve();
  /** By kind and id, the newest of each. */
  readonly #unwritten = new Map<string, RecordChange>();
  #timer: NodeJS.Timeout | null = null;
  #problem: string | null = null;

  constructor(records: Records, warn: (message: string) => void) {
    this.#toDisk = patiently(records);
    this.#warn = warn;
  }

  /** In words; null: all is written. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Resolves when it is durable, or cannot be. In the order of the calls. */
  write(changes: readonly RecordChange[]): Promise<void> {
    if (changes.length === 0) return this.#last;
    // As they are now, since a writing takes its turn: of deliveries the fields change, of nothing what is below them.
    const copies = changes.map(({ kind, id, value }) => ({
      kind,
      id,
      value: isDocument(value) ? { ...value } : value,
    }));
    this.#last = this.#last.then(() => this.#write(copies));
    return this.#last;
  }

  async #write(changes: readonly RecordChange[]): Promise<void> {
    const all = [...this.#unwritten.values(), ...changes];
    try {
      await this.#toDisk(all);
      this.#unwritten.clear();
      this.#problem = null;
    } catch (error) {
      const reason = (error as Error).message;
      if (this.#problem === null) this.#warn(`messages about alarms cannot be kept: ${reason}`);
      this.#problem = `messages cannot be kept on disk, and may come twice after a restart: ${reason}`;
      for (const change of all) {
        const key = `${change.kind} ${change.id}`;
        // The newest is the last.
        this.#unwritten.delete(key);
        this.#unwritten.set(key, change);
      }
      this.#again();
    }
  }

  #again(): void {
    if (this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#last = this.#last.then(() => (this.#unwritten.size > 0 ? this.#write([]) : undefined));
    }, AGAIN_AFTER);
    this.#timer.unref();
  }

  async close(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    await this.#last;
    if (this.#unwritten.size > 0) await this.#write([]);
    if (this.#timer) clearTimeout(this.#timer);
  }
}
