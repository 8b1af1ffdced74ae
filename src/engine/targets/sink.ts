/**
 * Brings what a scanner read into a target's scope.
 *
 * A counter counts what it grew by since its target was added: its first value is where it begins. A series that comes
 * later, of a metric that was there before, began at nothing. A counter that is smaller than before began anew. What the
 * target does not send for three periods leaves: gauges have no value then, counters keep what they counted. What it has
 * not sent for an hour more, though it answered, is retired: it counts for no limit. Where a scope is full, all that has
 * left is.
 */

import { setImmediate } from 'node:timers/promises';
import type { Label } from '../../shared/model/metric.ts';
import { formatMetric } from '../../shared/model/metric.ts';
import { growFloat64, growInt32, NO_DOUBLES, NO_INTS } from '../live/columns.ts';
import { Contributor } from '../live/contributor.ts';
import type { Scope, SeriesRefusal } from '../live/scope.ts';
import { placeOf } from '../live/series-table.ts';
import { decodeSeries } from './scan-labels.ts';
import type { Scanner } from './scan.ts';

/** Periods without a series after which it has left. */
const PERIODS_TO_LEAVE = 3;
/** Then it is retired after this time, ms, or so many periods, whichever is longer. */
const RETIRE_AFTER = 3_600_000;
const PERIODS_TO_RETIRE = 10;
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

/** In place of a series: its scope was full. */
const NO_ROOM = -1 - REGISTER_REFUSALS.indexOf('too_many_series');

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
  /** 2 × the contributor's place, + 1 for a gauge. */
  #places = NO_INTS;
  /** Round in which it was last there; below 0: the same, and it has left; 0: it was retired. */
  #seen = NO_INTS;
  #live = 0;
  readonly #roundsToRetire: number;
  /** Not before this round is there anything to retire. */
  #retireAt: number;
  /** After this round all was retired that could be. */
  #pressed = -1;
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
  /** Answers and failures, and how many of them are done with. */
  #round = 0;
  #done = 0;
  #closed = false;

  constructor(scope: Scope, hostname: string, labels: readonly Label[], periodMs: number) {
    this.#scope = scope;
    this.#roundsToRetire = PERIODS_TO_LEAVE + Math.max(PERIODS_TO_RETIRE, Math.ceil(RETIRE_AFTER / periodMs));
    // What an earlier session of the same scope had and this one does not.
    this.#retireAt = this.#roundsToRetire;
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
      if (!this.#isUnknown(this.#series[codes[i]! >>> 1]!) || isFar(times[i]!, now)) continue;
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
      if (this.#isUnknown(series)) series = this.#learn(scanner, code);
      if (series < 0) {
        unregistered[-1 - series]!++;
        continue;
      }
      series--;
      if ((this.#places[series]! & 1) !== (code & 1)) {
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
      const seen = this.#seen[series]!;
      if (seen !== round) {
        taken++;
        if (seen <= 0) this.#live++;
        if (seen === 0) this.#scope.revive((code & 1) === 1 ? 'gauge' : 'counter', this.#indexOf(series));
        this.#seen[series] = round;
      }
      if (time === time || series < this.#times.length) this.#noteTime(series, time);
    }
    for (const metric of this.#newMetrics) this.#known[metric] = 1;
    this.#newMetrics = [];
    this.#before = this.#count;
    if (taken < this.#live) this.#leave();
    this.#done = round;
    if (round >= this.#retireAt) this.#retire(round - this.#roundsToRetire);
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
    this.#done = ++this.#round;
    this.#leave();
  }

  /** All gauges leave, counters keep what they counted. */
  close(): void {
    this.#closed = true;
    for (let series = 0; series < this.#count; series++) {
      if (this.#seen[series]! > 0 && (this.#places[series]! & 1) === 1) this.#clearGauge(series);
      this.#seen[series] = -Math.abs(this.#seen[series]!);
    }
    this.#live = 0;
    this.#contributor.detach();
  }

  #leave(): void {
    const last = this.#round - PERIODS_TO_LEAVE;
    for (let series = 0; series < this.#count; series++) {
      const seen = this.#seen[series]!;
      if (seen <= 0 || seen > last) continue;
      if ((this.#places[series]! & 1) === 1) this.#clearGauge(series);
      this.#seen[series] = -seen;
      this.#live--;
      this.#retireAt = Math.min(this.#retireAt, seen + this.#roundsToRetire);
    }
  }

  #indexOf(series: number): number {
    const place = this.#places[series]!;
    const { gaugeMap, counterMap } = this.#contributor;
    return (place & 1) === 1 ? gaugeMap[place >>> 1]! : counterMap[place >>> 1]!;
  }

  /** Retires what has left and was last there in this round or before, and what this session has never seen. */
  #retire(last: number): void {
    this.#retireAt = Infinity;
    for (let series = 0; series < this.#count; series++) {
      const seen = this.#seen[series]!;
      if (seen >= 0) continue;
      if (-seen > last) {
        this.#retireAt = Math.min(this.#retireAt, -seen + this.#roundsToRetire);
        continue;
      }
      this.#scope.retire((this.#places[series]! & 1) === 1 ? 'gauge' : 'counter', this.#indexOf(series));
      this.#seen[series] = 0;
    }
    const { counterCount, gaugeCount } = this.#scope;
    for (let i = 0; i < counterCount; i++) if (!this.#ofCounter[i]) this.#scope.retire('counter', i);
    for (let i = 0; i < gaugeCount; i++) if (!this.#ofGauge[i]) this.#scope.retire('gauge', i);
  }

  /** It is to be looked up: it was not yet, or there was no room for it and is now. */
  #isUnknown(series: number): boolean {
    return series === 0 || (series === NO_ROOM && this.#makeRoom());
  }

  /** The scope takes one more, perhaps because what has left is retired sooner than otherwise. */
  #makeRoom(): boolean {
    if (this.#scope.hasRoom) return true;
    if (this.#pressed === this.#done) return false;
    this.#pressed = this.#done;
    this.#retire(this.#done);
    return this.#scope.hasRoom;
  }

  #clearGauge(series: number): void {
    this.#last[series] = NaN;
    this.#contributor.setGauge(this.#places[series]! >>> 1, Infinity, -Infinity, 0, 0);
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
    if (!this.#scope.hasRoom) this.#makeRoom();
    const place = this.#scope.register(formatMetric(family, this.#withOwn(labels)), doc, isGauge ? 'gauge' : 'counter');
    if ('refused' in place) return -1 - REGISTER_REFUSALS.indexOf(place.refused);
    const { index } = place;
    const map = isGauge ? this.#ofGauge : this.#ofCounter;
    const known = map[index] ?? 0;
    if (known !== 0) {
      if (this.#seen[known - 1] === 0) this.#expect(known - 1);
      return known;
    }
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
    this.#places = growInt32(this.#places, count);
    this.#seen = growInt32(this.#seen, count);
    this.#last = growFloat64(this.#last, count);
    this.#offsets = growFloat64(this.#offsets, count);
    this.#expect(series);
    if (isGauge) {
      this.#ofGauge = growInt32(this.#ofGauge, index + 1);
      this.#ofGauge[index] = series + 1;
      this.#places[series] = placeOf('gauge', this.#contributor.addGauge(index));
    } else {
      this.#ofCounter = growInt32(this.#ofCounter, index + 1);
      this.#ofCounter[index] = series + 1;
      this.#places[series] = placeOf('counter', this.#contributor.addCounter(index));
    }
    return series;
  }

  /** It has a value in the round that is being read; if not, it is as one that left then. */
  #expect(series: number): void {
    this.#seen[series] = -(this.#done + 1);
    this.#retireAt = Math.min(this.#retireAt, this.#done + 1 + this.#roundsToRetire);
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
    if (total < Infinity) this.#contributor.setTotal(this.#places[series]! >>> 1, total);
  }

  #setGauge(series: number, value: number): void {
    if (value === this.#last[series]) return;
    if (value - value !== 0) {
      if (this.#last[series] === this.#last[series]) this.#clearGauge(series);
      return;
    }
    this.#last[series] = value;
    this.#contributor.setGauge(this.#places[series]! >>> 1, value, value, 1, value);
  }
}
