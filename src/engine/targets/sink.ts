/**
 * Brings what a scanner read into a target's scope.
 *
 * A counter counts what it grew by since its target was added: its first value is where it begins. A series that comes
 * later, of a metric that was there before, began at nothing. A counter that is smaller than before began anew. What the
 * target does not send for three periods leaves: gauges have no value then, counters keep what they counted.
 */

import { setImmediate } from 'node:timers/promises';
import type { Label } from '../../shared/model/metric.ts';
import { formatMetric } from '../../shared/model/metric.ts';
import { growFloat64, growInt32, NO_DOUBLES, NO_INTS } from '../live/columns.ts';
import { Contributor } from '../live/contributor.ts';
import type { Scope, SeriesRefusal } from '../live/scope.ts';
import { decodeSeries } from './scan-labels.ts';
import type { Scanner } from './scan.ts';

/** Periods without a series after which it has left. */
const PERIODS_TO_LEAVE = 3;
/** A value with a time of its own that is further away than this is not of now, ms. */
const [OLD, AHEAD] = [3_600_000, 600_000];
/** New series that are learnt before others have their turn: some milliseconds. */
const LEARNT_AT_ONCE = 256;
/** Longest description that is kept, in characters. */
const MAX_DOC = 1024;

export type SinkRefusal = SeriesRefusal | 'duplicate_series' | 'negative_counter' | 'not_a_number' | 'time_too_far';

const REGISTER_REFUSALS: readonly SeriesRefusal[] = [
  'type_conflict',
  'too_many_series',
  'name_empty',
  'name_too_long',
  'name_control_character',
  'name_too_many_labels',
];

export interface Applied {
  /** Series that have a value now. */
  readonly series: number;
  readonly newSeries: number;
  readonly refused: Record<string, number>;
}

/** False without a time. */
const isFar = (time: number, now: number): boolean => time < now - OLD || time > now + AHEAD;

const byName = (a: Label, b: Label): number => (a[0] < b[0] ? -1 : 1);

export class Sink {
  readonly #scope: Scope;
  readonly #contributor: Contributor;
  readonly #labels: readonly Label[];
  /** By entry of the scanner's names: series + 1; 0: not looked up; below: -1 - a number of REGISTER_REFUSALS. */
  #series = NO_INTS;
  #generation = -1;
  /** By the scope's index: series + 1. */
  #ofCounter = NO_INTS;
  #ofGauge = NO_INTS;

  /** By series, in the order in which they came. */
  #count = 0;
  #locals = NO_INTS;
  /** 1: a gauge. */
  #kinds = NO_INTS;
  /** Round in which it was last there; 0: it has left. */
  #seen = NO_INTS;
  #live = 0;
  /** What the target said last. */
  #last = NO_DOUBLES;
  /** What is added to a counter's value to have what it counted. */
  #offsets = NO_DOUBLES;
  /** Time that came with the last value, when any did. */
  #times = NO_DOUBLES;
  /** By the scanner's metric: 1: counters of this name were there in earlier answers. */
  #known = NO_INTS;
  /** Metrics that become known with the end of this answer, and how many series there were before it. */
  #newMetrics: number[] = [];
  #before = 0;
  /** Answers and failures. */
  #round = 0;
  #closed = false;

  constructor(scope: Scope, hostname: string, labels: readonly Label[]) {
    this.#scope = scope;
    this.#labels = labels;
    this.#contributor = new Contributor(scope, 0, hostname);
  }

  /**
   * Learns the new series of a whole answer a few at a time, so that tens of thousands at once do not hold up everything
   * else. They have no value before {@link apply}.
   */
  async prepare(scanner: Scanner, now: number): Promise<void> {
    this.#follow(scanner);
    const { count, codes, times } = scanner.staged!;
    let learned = 0;
    for (let i = 0; i < count; i++) {
      if (this.#series[codes[i]! >>> 1] !== 0 || isFar(times[i]!, now)) continue;
      this.#learn(scanner, codes[i]!);
      if (++learned % LEARNT_AT_ONCE !== 0) continue;
      await setImmediate();
      if (this.#closed) return;
    }
  }

  /** Entries of the scanner are those that this one knows. */
  #follow(scanner: Scanner): void {
    if (this.#generation !== scanner.generation) {
      this.#generation = scanner.generation;
      this.#series = this.#known = NO_INTS;
    }
    this.#series = growInt32(this.#series, scanner.names.count);
  }

  /** Takes a whole answer. `now`: ms since the epoch. */
  apply(scanner: Scanner, now: number): Applied {
    const staged = scanner.staged!;
    this.#follow(scanner);
    this.#round++;
    const round = this.#round;
    const before = this.#before;
    let [taken, conflicts, duplicates, negative, notNumbers, far] = [0, 0, 0, 0, 0, 0];
    const unregistered = new Int32Array(REGISTER_REFUSALS.length);
    for (let i = 0; i < staged.count; i++) {
      const code = staged.codes[i]!;
      const value = staged.values[i]!;
      const time = staged.times[i]!;
      if (isFar(time, now)) {
        far++;
        continue;
      }
      let series = this.#series[code >>> 1]!;
      if (series === 0) series = this.#learn(scanner, code);
      if (series < 0) {
        unregistered[-1 - series]!++;
        continue;
      }
      series--;
      if (this.#kinds[series] !== (code & 1)) {
        conflicts++;
        continue;
      }
      if (this.#seen[series] === round && !this.#isLater(series, time)) {
        duplicates++;
        continue;
      }
      if ((code & 1) === 0) {
        if (!(value >= 0 && value < Infinity)) {
          if (value < 0) negative++;
          else notNumbers++;
          continue;
        }
        this.#setCounter(series, value);
      } else {
        // A gauge that is not a number has no value; that is what it says.
        if (value === Infinity || value === -Infinity) notNumbers++;
        this.#setGauge(series, value);
      }
      if (this.#seen[series] !== round) taken++;
      if (this.#seen[series] === 0) this.#live++;
      this.#seen[series] = round;
      if (time === time || series < this.#times.length) this.#noteTime(series, time);
    }
    for (const metric of this.#newMetrics) this.#known[metric] = 1;
    this.#newMetrics = [];
    this.#before = this.#count;
    if (taken < this.#live) this.#leave();
    const refused: Record<string, number> = {};
    const note = (reason: SinkRefusal, count: number): void => {
      if (count > 0) refused[reason] = (refused[reason] ?? 0) + count;
    };
    for (const [i, reason] of REGISTER_REFUSALS.entries()) note(reason, unregistered[i]!);
    note('type_conflict', conflicts);
    note('duplicate_series', duplicates);
    note('negative_counter', negative);
    note('not_a_number', notNumbers);
    note('time_too_far', far);
    return { series: taken, newSeries: this.#count - before, refused };
  }

  /** No value of the answer is of now: each has a time of its own that is far away. Before {@link apply}. */
  static isAllFar(scanner: Scanner, now: number): boolean {
    const { count, times } = scanner.staged!;
    for (let i = 0; i < count; i++) if (!isFar(times[i]!, now)) return false;
    return count > 0;
  }

  /** A period passed without an answer. */
  miss(): void {
    this.#round++;
    this.#leave();
  }

  /** All gauges leave, counters keep what they counted. */
  close(): void {
    this.#closed = true;
    for (let series = 0; series < this.#count; series++) {
      if (this.#seen[series] !== 0 && this.#kinds[series] === 1) this.#clearGauge(series);
      this.#seen[series] = 0;
    }
    this.#live = 0;
    this.#contributor.detach();
  }

  #leave(): void {
    const last = this.#round - PERIODS_TO_LEAVE;
    for (let series = 0; series < this.#count; series++) {
      const seen = this.#seen[series]!;
      if (seen === 0 || seen > last) continue;
      if (this.#kinds[series] === 1) this.#clearGauge(series);
      this.#seen[series] = 0;
      this.#live--;
    }
  }

  #clearGauge(series: number): void {
    this.#last[series] = NaN;
    this.#contributor.setGauge(this.#locals[series]!, Infinity, -Infinity, 0, 0);
  }

  /** The series of an entry + 1, or why there is none; noted for the next time. */
  #learn(scanner: Scanner, code: number): number {
    const series = this.#register(scanner, code);
    this.#series[code >>> 1] = series;
    return series;
  }

  #register(scanner: Scanner, code: number): number {
    const entry = code >>> 1;
    const isGauge = (code & 1) === 1;
    const { family, labels } = decodeSeries(scanner.rawName(entry));
    const metric = scanner.metricOf(entry);
    const doc = scanner.metrics.docOf(metric).slice(0, MAX_DOC).toWellFormed();
    const place = this.#scope.register(formatMetric(family, this.#withOwn(labels)), doc, isGauge ? 'gauge' : 'counter');
    if ('refused' in place) return -1 - REGISTER_REFUSALS.indexOf(place.refused);
    const { index } = place;
    const map = isGauge ? this.#ofGauge : this.#ofCounter;
    const known = map[index] ?? 0;
    if (known !== 0) return known;
    const series = this.#append(index, isGauge);
    if (isGauge) {
      this.#last[series] = NaN;
      return series + 1;
    }
    this.#known = growInt32(this.#known, metric + 1);
    const isKnown = this.#known[metric] === 1;
    if (!isKnown) this.#newMetrics.push(metric);
    // NaN: what it has now is where it begins.
    this.#last[series] = isKnown ? 0 : NaN;
    return series + 1;
  }

  #append(index: number, isGauge: boolean): number {
    const series = this.#count++;
    const count = this.#count;
    this.#locals = growInt32(this.#locals, count);
    this.#kinds = growInt32(this.#kinds, count);
    this.#seen = growInt32(this.#seen, count);
    this.#last = growFloat64(this.#last, count);
    this.#offsets = growFloat64(this.#offsets, count);
    this.#kinds[series] = isGauge ? 1 : 0;
    if (isGauge) {
      this.#ofGauge = growInt32(this.#ofGauge, index + 1);
      this.#ofGauge[index] = series + 1;
      this.#locals[series] = this.#contributor.addGauge(index);
    } else {
      this.#ofCounter = growInt32(this.#ofCounter, index + 1);
      this.#ofCounter[index] = series + 1;
      this.#locals[series] = this.#contributor.addCounter(index);
    }
    return series;
  }

  /** Sorted, without empty ones, which mean nothing, and with those of the target's entry. */
  #withOwn(labels: Label[]): Label[] {
    const own = this.#labels;
    const kept = labels.filter(([, value]) => value !== '');
    if (own.length === 0) return kept.sort(byName);
    const taken = new Set(own.map(([name]) => name));
    const names = new Set([...taken, ...kept.map(([name]) => name)]);
    const renamed = kept.map(([name, value]): Label => {
      if (!taken.has(name)) return [name, value];
      let other = name;
      while (names.has(other)) other = `exported_${other}`;
      names.add(other);
      return [other, value];
    });
    return [...renamed, ...own].sort(byName);
  }

  #isLater(series: number, time: number): boolean {
    return series < this.#times.length && time > this.#times[series]!;
  }

  #noteTime(series: number, time: number): void {
    if (series >= this.#times.length) {
      const from = this.#times.length;
      this.#times = growFloat64(this.#times, this.#count);
      this.#times.fill(NaN, from);
    }
    this.#times[series] = time;
  }

  #setCounter(series: number, value: number): void {
    const last = this.#last[series]!;
    if (value === last) return;
    if (last !== last) this.#offsets[series] = -value;
    // It began anew.
    else if (value < last) this.#offsets[series]! += last;
    this.#last[series] = value;
    const total = value + this.#offsets[series]!;
    // Behind a reset, a sum of huge numbers may be infinite: what was counted stays.
    if (total < Infinity) this.#contributor.setTotal(this.#locals[series]!, total);
  }

  #setGauge(series: number, value: number): void {
    if (value === this.#last[series]) return;
    if (value - value !== 0) {
      if (this.#last[series] === this.#last[series]) this.#clearGauge(series);
      return;
    }
    this.#last[series] = value;
    this.#contributor.setGauge(this.#locals[series]!, value, value, 1, value);
  }
}
