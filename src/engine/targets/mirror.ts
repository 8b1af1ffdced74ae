/**
 * Brings named values of another proxy or engine into one scope. A counter counts what it grew by since the target was
 * added; one that is smaller than before began anew. What is not told for three rounds leaves: gauges lose their value,
 * counters keep what they counted. An hour later, or where its scope is full, it is retired.
 */

import { formatMetric, parseMetric, type Label } from '../../shared/model/metric.ts';
import type { Gauge, Kind } from '../../shared/model/values.ts';
import { Contributor } from '../live/contributor.ts';
import type { Scope } from '../live/scope.ts';

const ROUNDS_TO_LEAVE = 3;
/** What has left is retired after this time, ms, if there are answers. */
const RETIRE_AFTER = 3_600_000;
const MAX_DOC = 1024;
const [LEFT, RETIRED] = [-1, -2];

interface Mirrored {
  readonly kind: Kind;
  readonly index: number;
  readonly local: number;
  /** What the counter was at last; NaN: not known, the next one is where it begins. */
  last: number;
  /** Round in which it was last told of; -1: it has left; -2: it was retired. */
  seen: number;
}

export interface MirrorOptions {
  /** Host of the values. */
  readonly node: string;
  readonly labels: readonly Label[];
  /** By family. */
  readonly keep: (family: string) => boolean;
  /** Series that may still be added to the target. */
  readonly room: () => number;
  /** What its counters had before the first round is not counted; else they began at nothing. */
  readonly began: boolean;
}

export class Mirror {
  readonly scope: Scope;
  readonly #options: MirrorOptions;
  readonly #contributor: Contributor;
  /** By the name as it was told; null: it is not taken. */
  readonly #series = new Map<string, Mirrored | null>();
  #round = 0;
  #answers = 0;
  #closed = false;
  /** By series that have left: when they did, on the monotonic clock, in that order. */
  readonly #left = new Map<Mirrored, number>();
  /** Of the round at work. */
  samples = 0;
  newSeries = 0;
  filtered = 0;
  refused: Record<string, number> = {};

  constructor(scope: Scope, options: MirrorOptions) {
    this.scope = scope;
    this.#options = options;
    this.#contributor = new Contributor(scope, 0, options.node);
  }

  /** All that is told from here to `end` is of one time. */
  begin(): void {
    this.#round++;
    this.samples = 0;
    this.newSeries = 0;
    this.filtered = 0;
    this.refused = {};
  }

  counter(name: string, doc: string, total: number): void {
    this.samples++;
    const series = this.#find(name, doc, 'counter');
    if (!series) return;
    if (!(total >= 0 && total < Infinity)) return this.refuse(total < 0 ? 'negative_counter' : 'not_a_number');
    const before = series.last;
    series.last = total;
    series.seen = this.#round;
    if (Number.isNaN(before)) return;
    const by = total >= before ? total - before : total;
    if (by > 0 && !this.#contributor.increase(series.local, by)) this.refuse('not_a_number');
  }

  gauge(name: string, doc: string, { min, max, hits, total }: Readonly<Gauge>): void {
    this.samples++;
    const series = this.#find(name, doc, 'gauge');
    if (!series) return;
    const usable = [min, max, hits, total].every((n) => Number.isFinite(n)) && hits >= 0;
    // Nobody has set it: that is what it says.
    if (!usable && hits !== 0) this.refuse('not_a_number');
    series.seen = this.#round;
    if (usable && hits > 0) this.#contributor.setGauge(series.local, min, max, hits, total);
    else this.#contributor.setGauge(series.local, Infinity, -Infinity, 0, 0);
  }

  /** It is as before, though nothing was told of it. */
  same(name: string): void {
    const series = this.#series.get(name);
    if (series && series.seen >= 0) series.seen = this.#round;
  }

  refuse(reason: string): void {
    this.refused[reason] = (this.refused[reason] ?? 0) + 1;
  }

  #find(name: string, doc: string, kind: Kind): Mirrored | null {
    const known = this.#series.get(name);
    if (known === undefined) return this.#learn(name, doc, kind);
    if (known === null) this.filtered++;
    else if (known.kind !== kind) this.refuse('type_conflict');
    else {
      if (known.seen < 0) this.#comeBack(known);
      return known;
    }
    return null;
  }

  #comeBack(series: Mirrored): void {
    this.#left.delete(series);
    if (series.seen === RETIRED) this.scope.revive(series.kind, series.index);
    series.seen = this.#round;
  }

  /** Those that left before a time, on the monotonic clock. */
  #retire(before: number): void {
    for (const [series, since] of this.#left) {
      if (since > before) return;
      this.#left.delete(series);
      series.seen = RETIRED;
      this.scope.retire(series.kind, series.index);
    }
  }

  #learn(name: string, doc: string, kind: Kind): Mirrored | null {
    const { labels, keep, room, began } = this.#options;
    const { family, labels: own } = parseMetric(name);
    if (!keep(family)) {
      this.filtered++;
      // A list of what is not taken must not grow without a limit either.
      if (this.#series.size < 200_000) this.#series.set(name, null);
      return null;
    }
    const spelled = labels.length === 0 ? name : formatMetric(family, withOwn(own, labels));
    if (!this.scope.hasRoom) this.#retire(Infinity);
    if (!this.scope.find(parseMetric(spelled).key) && room() <= 0) {
      this.refuse('too_many_series');
      return null;
    }
    const place = this.scope.register(spelled, doc.slice(0, MAX_DOC).toWellFormed(), kind);
    if ('refused' in place) {
      this.refuse(place.refused);
      return null;
    }
    this.newSeries++;
    const local =
      kind === 'counter' ? this.#contributor.addCounter(place.index) : this.#contributor.addGauge(place.index);
    // What comes later of a scope that was there began at nothing.
    const last = began && this.#answers === 0 ? NaN : 0;
    const series = { kind, index: place.index, local, last, seen: this.#round };
    this.#series.set(name, series);
    return series;
  }

  /** Series that have a value now. */
  get live(): number {
    let live = 0;
    for (const series of this.#series.values()) if (series !== null && series.seen >= 0) live++;
    return live;
  }

  end(): void {
    this.#answers++;
    this.#leave();
    this.#retire(performance.now() - RETIRE_AFTER);
  }

  /** A period passed without an answer. */
  miss(): void {
    this.#round++;
    this.#leave();
  }

  #leave(): void {
    for (const series of this.#series.values()) {
      if (series === null || series.seen < 0 || series.seen > this.#round - ROUNDS_TO_LEAVE) continue;
      series.seen = LEFT;
      this.#left.set(series, performance.now());
      if (series.kind === 'gauge') this.#contributor.setGauge(series.local, Infinity, -Infinity, 0, 0);
    }
  }

  /** All gauges leave, counters keep what they counted. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const series of this.#series.values()) {
      if (series?.kind === 'gauge') this.#contributor.setGauge(series.local, Infinity, -Infinity, 0, 0);
    }
    this.#contributor.detach();
  }
}

/** A label that the target sends and its entry has too is kept under another name. */
function withOwn(labels: readonly Label[], own: readonly Label[]): Label[] {
  const taken = new Set(own.map(([name]) => name));
  const names = new Set([...taken, ...labels.map(([name]) => name)]);
  const renamed = labels.map(([name, value]): Label => {
    let other = name;
    if (taken.has(name)) {
      while (names.has(other)) other = `exported_${other}`;
      names.add(other);
    }
    return [other, value];
  });
  return [...renamed, ...own];
}
