/** Families, labels and their values out of names of series, however many there are: one page is held, never all. */

import type { NamesKind, NamesList, NamesQuery } from '../../shared/api/names.ts';
import { parseMetric } from '../../shared/model/metric.ts';
import { Selector } from './selector.ts';

/** Sorted pages are made of this many times as many. */
const SLACK = 4;

export class NamesPage {
  readonly #query: NamesKind & NamesQuery;
  readonly #selector: Selector | null;
  #found = new Set<string>();
  /** What is beyond is not on this page. */
  #last: string | null = null;

  /** Throws SelectorError. */
  constructor(query: NamesKind & NamesQuery) {
    this.#query = query;
    this.#selector = query.select === undefined ? null : Selector.parse(query.select);
  }

  /** Only names of this family matter; null: all. */
  get family(): string | null {
    return this.#selector?.family ?? null;
  }

  add(name: string): void {
    if (this.#selector && !this.#selector.matches(name)) return;
    const { family, labels } = parseMetric(name);
    const query = this.#query;
    if ('label' in query) {
      for (const [label, value] of labels) if (label === query.label) this.#take(value);
    } else if (query.what === 'families') this.#take(family);
    else for (const [label] of labels) this.#take(label);
  }

  #take(text: string): void {
    const { cursor, limit } = this.#query;
    if (cursor !== undefined && text <= cursor.slice(1)) return;
    if (this.#last !== null && text > this.#last) return;
    this.#found.add(text);
    if (this.#found.size > SLACK * (limit + 1)) {
      const kept = [...this.#found].sort().slice(0, limit + 1);
      this.#found = new Set(kept);
      this.#last = kept.at(-1)!;
    }
  }

  list(): NamesList {
    const { limit } = this.#query;
    const all = [...this.#found].sort();
    const names = all.slice(0, limit);
    // A mark in front: a value may be empty, a cursor may not.
    return { names, next: all.length > limit ? `=${names.at(-1)!}` : null };
  }
}
