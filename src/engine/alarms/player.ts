/** One series of a preview: what is compared, and the states that follow, chunk by chunk. */

import type { Measure, RuleSettings } from '../../shared/api/alarms.ts';
import type { ScopeId } from '../../shared/model/scope.ts';
import type { RangeColumns } from '../store/aggregate.ts';
import type { RangeTarget } from '../store/range-plan.ts';
import type { Drawn } from './drawn.ts';
import { compare, conditionOf, finish, INACTIVE, step, type Condition, type RuleState } from './rule.ts';
import { isEarly } from './scan.ts';
import { bucketWidth, OneWindow } from './window.ts';

/** Spans that are told of one series; all are counted. */
const MAX_SPANS = 2000;
/** Values of each chunk that the middle is found from. */
const SOME = 200;
/** Steps in a silence: states change at few moments of it only. */
const SILENT_STEPS = 2000;

interface Series {
  readonly scope: ScopeId;
  readonly place: string;
  readonly target: RangeTarget;
  readonly divisor: RangeTarget | null;
  /** Rows of both in the columns; -1: there is no divisor. */
  readonly row: number;
  readonly below: number;
  /** Spans before this are not told, ms since the epoch. */
  readonly from: number;
  /** Told all that is compared from then on. */
  readonly drawn?: Drawn | null;
}

type Span = [from: number, to: number];

export class Player {
  readonly scope: ScopeId;
  readonly place: string;
  readonly metric: string;
  readonly firing: Span[] = [];
  readonly pending: Span[] = [];
  /** Times it began to fire; longest and all together, ms. */
  times = 0;
  longest = 0;
  total = 0;
  min = Infinity;
  max = -Infinity;
  /** Some of what is compared. */
  readonly some: number[] = [];
  readonly drawn: Drawn | null;
  readonly #series: Series;
  readonly #settings: RuleSettings;
  readonly #condition: Condition;
  readonly #early: boolean;
  readonly #window: OneWindow | null;
  #state: RuleState = INACTIVE;
  #clock = 0;
  /** Of the last sample, wall clock; NaN: there was none. */
  #time = NaN;
  /** The observed clock when it told something last. */
  #toldAt = 0;
  /** Of a gauge, for its growth. */
  #before = NaN;
  #beforeTime = NaN;
  /** The target was not asked in time; else nobody watched. */
  readonly #isSilence: boolean;

  constructor(rule: RuleSettings, series: Series) {
    this.scope = series.scope;
    this.place = series.place;
    this.metric = series.target.key;
    this.drawn = series.drawn ?? null;
    this.#series = series;
    this.#settings = rule;
    this.#condition = conditionOf(rule);
    this.#early = isEarly(rule);
    const { measure } = rule;
    this.#window = 'window' in measure ? new OneWindow(measure.kind, measure.window) : null;
    this.#isSilence = series.scope.startsWith('target/');
  }

  /** `absent` where nothing matches. */
  static ofNothing(rule: RuleSettings, from: number, to: number): Player {
    const target = { key: '', name: '', kind: 'gauge' } as const;
    const player = new Player(rule, { scope: '', place: '', target, divisor: null, row: 0, below: -1, from });
    player.#time = from;
    player.#silence(to, 1000);
    player.end(to, false);
    return player;
  }

  play(columns: RangeColumns): void {
    const { times, step: width } = columns;
    const count = times.length;
    if (count === 0) return;
    const usual = usualDistance(times);
    const hole = Math.max(5 * usual, usual + 5000);
    const raw = this.#raw(columns);
    const values = this.#compared(columns, raw, hole);
    const stride = Math.max(1, Math.floor(count / SOME));
    const c = this.#condition;
    const { from } = this.#series;
    const needsSilence = c.absentAfter !== null || c.noData === 'state' || c.noData === 'fire' || c.noData === 'ok';
    for (let i = 0; i < count; i++) {
      const time = times[i]! + width;
      // A bucket that two questions have in common.
      if (time <= this.#time) continue;
      const apart = time - this.#time;
      if (apart > hole && this.#isSilence) this.#silence(time, usual);
      else if (apart > 0 && apart <= hole) this.#clock += apart;
      this.#time = time;
      const told = raw[i]!;
      if (told === told) this.#toldAt = this.#clock;
      const value = values[i]!;
      if (value === value && time >= from) {
        if (value < this.min) this.min = value;
        if (value > this.max) this.max = value;
        if (i % stride === 0) this.some.push(value);
        this.drawn?.add(time, value);
      }
      // Most of the time nothing is the matter.
      if (this.#state.state === 'inactive' && (value === value ? !compare(c.op, value, c.raise) : !needsSilence)) {
        if (c.absentAfter === null) continue;
      }
      this.#step(value, time);
    }
  }

  #step(value: number, time: number): void {
    const was = this.#state;
    const next = step(this.#condition, was, value, this.#clock - this.#toldAt, this.#clock, time);
    if (next === was) return;
    this.#state = next;
    if (next.state === was.state) return;
    this.#leave(was, time);
    if (next.state === 'firing' && was.fired !== next.fired && time >= this.#series.from) this.times++;
  }

  #leave({ state, since }: RuleState, time: number): void {
    if ((state !== 'firing' && state !== 'pending') || time <= this.#series.from) return;
    // What fired at the beginning fired within the range, too.
    if (state === 'firing' && since < this.#series.from) this.times++;
    const span: Span = [Math.max(since, this.#series.from), time];
    const spans = state === 'firing' ? this.firing : this.pending;
    if (spans.length < MAX_SPANS) spans.push(span);
    if (state !== 'firing') return;
    const length = span[1] - span[0];
    this.longest = Math.max(this.longest, length);
    this.total += length;
  }

  /** Time in which nothing came and somebody watched. */
  #silence(until: number, usual: number): void {
    const every = Math.max(usual, (until - this.#time) / SILENT_STEPS);
    while (this.#time + every < until) {
      this.#time += every;
      this.#clock += every;
      this.#step(NaN, this.#time);
    }
    this.#clock += until - this.#time;
    this.#time = until;
  }

  /** `over`: the scope ended then; else it lives. */
  end(time: number, over: boolean): void {
    if (!over && this.#isSilence && time > this.#time) this.#silence(time, 1000);
    if (over) this.#state = finish(this.#state, this.#clock, time);
    else if (this.#time === this.#time) this.#leave(this.#state, time);
  }

  /** What the series itself says: NaN where it says nothing. */
  #raw({ times, step: width, last, avg }: RangeColumns): Float64Array {
    const { row, target } = this.#series;
    const column = target.kind === 'gauge' && width > 0 ? avg : last;
    return column.subarray(row * times.length, (row + 1) * times.length);
  }

  #compared(columns: RangeColumns, raw: Float64Array, hole: number): Float64Array {
    const { measure } = this.#settings;
    const { row, target } = this.#series;
    const count = columns.times.length;
    switch (measure.kind) {
      case 'value':
        return raw;
      case 'absent':
        return new Float64Array(count).fill(NaN);
      case 'rate':
        if (target.kind === 'counter') return columns.avg.subarray(row * count, (row + 1) * count);
        return this.#growth(columns, raw, hole).map((by, i) => (1000 * by) / this.#over[i]!);
      case 'ratio':
        return this.#ratio(columns, raw);
      default:
        return this.#windowed(columns, raw, hole);
    }
  }

  /** How long each growth of a gauge took, ms. */
  #over: Float64Array = new Float64Array(0);

  #growth({ times }: RangeColumns, raw: Float64Array, hole: number): Float64Array {
    const grown = new Float64Array(raw.length).fill(NaN);
    this.#over = new Float64Array(raw.length);
    for (let i = 0; i < raw.length; i++) {
      const value = raw[i]!;
      if (value !== value) continue;
      const ms = times[i]! - this.#beforeTime;
      if (ms > 0 && ms <= hole) {
        grown[i] = value - this.#before;
        this.#over[i] = ms;
      }
      this.#before = value;
      this.#beforeTime = times[i]!;
    }
    return grown;
  }

  #ratio(columns: RangeColumns, raw: Float64Array): Float64Array {
    const { row, below, target, divisor } = this.#series;
    const out = new Float64Array(raw.length).fill(NaN);
    if (!divisor) return out;
    const count = raw.length;
    const [both, gauge] = [target.kind === 'counter' && divisor.kind === 'counter', divisor.kind === 'gauge'];
    const { avg, weight, last, step: width } = columns;
    const under = gauge && width > 0 ? avg : last;
    for (let i = 0; i < count; i++) {
      const [a, b] = [row * count + i, below * count + i];
      const ratio = both ? (avg[a]! * weight[a]!) / (avg[b]! * weight[b]!) : raw[i]! / under[b]!;
      if (Number.isFinite(ratio)) out[i] = ratio;
    }
    return out;
  }

  #emptiesWindow(measure: Measure, apart: number): boolean {
    if (!('window' in measure)) return false;
    return (
      apart > measure.window || (measure.kind === 'increase' && this.#isSilence && apart > bucketWidth(measure.window))
    );
  }

  #windowed(columns: RangeColumns, raw: Float64Array, hole: number): Float64Array {
    const window = this.#window!;
    const { row, target } = this.#series;
    const { measure, op, raise } = this.#settings;
    const { times, avg, weight, min, max, step: width } = columns;
    const count = times.length;
    let numbers = raw;
    if (measure.kind === 'increase') {
      if (target.kind === 'gauge') numbers = this.#growth(columns, raw, hole);
      else numbers = raw.map((_, i) => avg[row * count + i]! * weight[row * count + i]!);
    } else if (width > 0 && target.kind === 'gauge' && measure.kind !== 'avg') {
      numbers = (measure.kind === 'min' ? min : max).subarray(row * count, (row + 1) * count);
    }
    const out = new Float64Array(count).fill(NaN);
    let [clock, before] = [this.#clock, this.#time];
    for (let i = 0; i < count; i++) {
      const time = times[i]! + width;
      if (time <= before) continue;
      const apart = time - before;
      if (apart > 0 && (apart <= hole || this.#isSilence)) clock += apart;
      before = time;
      // As live: what is left of it would say too little.
      if (apart > hole && this.#emptiesWindow(measure, apart)) window.clear();
      window.take(clock, numbers[i]!);
      if (window.whole === window.whole) out[i] = window.whole;
      else if (this.#early && compare(op, window.partial, raise)) out[i] = window.partial;
    }
    return out;
  }
}

/** The middle of the distances between the first samples, ms. */
function usualDistance(times: Float64Array): number {
  const apart: number[] = [];
  for (let i = 1; i < Math.min(times.length, 200); i++) apart.push(times[i]! - times[i - 1]!);
  apart.sort((a, b) => a - b);
  return Math.max(1, apart[apart.length >>> 1] ?? 1000);
}
