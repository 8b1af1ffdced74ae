/**
 * What of the series of a selection is compared: columns of numbers, computed once per tick however many rules compare
 * them with something.
 */

import type { Measure } from '../../shared/api/alarms.ts';
import { parseMetric } from '../../shared/model/metric.ts';
import { growFloat64, growInt32, NO_DOUBLES, NO_INTS } from '../live/columns.ts';
import type { Since } from './moment.ts';
import type { Binding, Segment, Selection } from './selection.ts';
import { bucketWidth, windowCells, Windows, type WindowKind } from './window.ts';

/** The column of one segment. */
export interface Column {
  readonly of: Segment;
  /** What is compared; NaN: nothing. */
  values: Float64Array;
  /** The same where a window is not full yet: at least (max, increase) or at most (min) so much. Else equal to `values`. */
  partial: Float64Array;
  /** Of `partial`. */
  min: number;
  max: number;
  compute(now: Since): void;
}

/** Numbers that a measure keeps of each series. */
export function cellsOf(measure: Measure): number {
  switch (measure.kind) {
    case 'value':
    case 'absent':
      return 0;
    case 'rate':
      return 3;
    case 'ratio':
      return 4;
    default:
      return windowCells(measure.kind, measure.window) + 4;
  }
}

/** Numbers that a ratio keeps of each series that it divides by. */
export const DIVISOR_CELLS = 4;

function columnOf(measure: Measure, of: Segment, to: Selection | null): Column {
  switch (measure.kind) {
    case 'value':
    case 'absent':
      return new ValueColumn(of);
    case 'rate':
      return new RateColumn(of);
    case 'ratio':
      return new RatioColumn(of, to!);
    default:
      return new WindowColumn(of, measure.kind, measure.window);
  }
}

abstract class BaseColumn implements Column {
  readonly of: Segment;
  values: Float64Array = NO_DOUBLES;
  partial: Float64Array = NO_DOUBLES;
  min = Infinity;
  max = -Infinity;

  constructor(of: Segment) {
    this.of = of;
  }

  abstract fill(now: Since): void;

  compute(now: Since): void {
    this.fill(now);
    const { partial } = this;
    let [min, max] = [Infinity, -Infinity];
    for (let i = 0; i < this.of.count; i++) {
      const value = partial[i]!;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    this.min = min;
    this.max = max;
  }
}

class ValueColumn extends BaseColumn {
  fill(): void {
    this.values = this.partial = this.of.values;
  }
}

/** How much each series grew since the sample before that told something of it. */
class Growth {
  #before: Float64Array = NO_DOUBLES;
  /** Wall clock of it. */
  #times: Float64Array = NO_DOUBLES;
  /** Of a sum: parts that had it then. */
  #holders: Int32Array = NO_INTS;
  #count = 0;
  grown: Float64Array = NO_DOUBLES;
  /** In how many ms; NaN where nothing is known. */
  over: Float64Array = NO_DOUBLES;

  compute(of: Segment, { time, gap }: Since): void {
    const { count, values, places } = of;
    const isSum = of.binding.about === null;
    this.#before = growFloat64(this.#before, count);
    this.#times = growFloat64(this.#times, count);
    this.grown = growFloat64(this.grown, count);
    this.over = growFloat64(this.over, count);
    // Nobody divides over time that was not observed.
    const known = gap ? 0 : this.#count;
    const { grown, over } = this;
    const [befores, times] = [this.#before, this.#times];
    for (let i = 0; i < count; i++) {
      const value = values[i]!;
      const before = i < known ? befores[i]! : NaN;
      const ms = time - times[i]!;
      const isKnown = before === before && ms > 0;
      let by = value - before;
      // A counter that fell began anew: it grew by all that it shows. A sum fell because a part of it has.
      if (by < 0 && (places[i]! & 1) === 0) by = isSum ? NaN : value;
      grown[i] = isKnown ? by : NaN;
      over[i] = isKnown ? ms : NaN;
      if (value === value || i >= known) {
        befores[i] = value;
        times[i] = time;
      }
    }
    if (isSum) this.#forgetMoved(of, known);
    this.#count = count;
  }

  /** What came or went with a part of a sum was not counted just now. */
  #forgetMoved({ binding: { source }, places, count }: Segment, known: number): void {
    if (!source.holders) return;
    this.#holders = growInt32(this.#holders, count);
    for (let i = 0; i < count; i++) {
      const holders = source.holders(places[i]!);
      if (i < known && holders !== this.#holders[i] && (places[i]! & 1) === 0) this.grown[i] = NaN;
      this.#holders[i] = holders;
    }
  }
}

class RateColumn extends BaseColumn {
  readonly #growth = new Growth();

  fill(now: Since): void {
    this.#growth.compute(this.of, now);
    this.values = this.partial = growFloat64(this.values, this.of.count);
    const { grown, over } = this.#growth;
    for (let i = 0; i < this.of.count; i++) this.values[i] = (1000 * grown[i]!) / over[i]!;
  }
}

class WindowColumn extends BaseColumn {
  readonly #windows: Windows;
  readonly #window: number;
  readonly #width: number;
  readonly #growth: Growth | null;

  constructor(of: Segment, kind: WindowKind, window: number) {
    super(of);
    this.#windows = new Windows(kind, window);
    this.#window = window;
    this.#width = bucketWidth(window);
    this.#growth = kind === 'increase' ? new Growth() : null;
  }

  fill(now: Since): void {
    const { of } = this;
    this.#windows.grow(of.count, now.clock);
    if (now.gap && this.#hasHole(now)) this.#windows.clear(now.clock);
    this.#windows.advance(now.clock);
    this.#growth?.compute(of, now);
    const numbers = this.#growth?.grown ?? of.values;
    for (let i = 0; i < of.count; i++) {
      const value = numbers[i]!;
      if (value === value) this.#windows.add(i, value);
    }
    this.values = growFloat64(this.values, of.count);
    this.partial = growFloat64(this.partial, of.count);
    this.#windows.read(now.clock, this.partial, this.values);
  }

  /** What a window has left says too little: nothing was added to it while its time went by. */
  #hasHole({ jump, waited }: Since): boolean {
    return Math.abs(jump) > this.#window || (this.#growth !== null && waited > this.#width);
  }
}

/** Each series divided by that of the other selection with the same labels, or by its only one, of the same scope. */
class RatioColumn extends BaseColumn {
  readonly #to: Selection;
  readonly #growth = new Growth();
  readonly #below = new Growth();
  /** Slot of the divisor; -1: there is none. */
  #pairs: Int32Array = NO_INTS;
  #known = '';

  constructor(of: Segment, to: Selection) {
    super(of);
    this.#to = to;
  }

  fill(now: Since): void {
    const { of } = this;
    this.values = this.partial = growFloat64(this.values, of.count);
    const below = this.#to.segments.get(of.binding);
    if (!below) {
      this.values.fill(NaN);
      return;
    }
    this.#pair(below);
    this.#growth.compute(of, now);
    this.#below.compute(below, now);
    for (let i = 0; i < of.count; i++) {
      const k = this.#pairs[i]!;
      let ratio = NaN;
      if (k >= 0 && of.isCounter(i) && below.isCounter(k)) ratio = this.#growth.grown[i]! / this.#below.grown[k]!;
      else if (k >= 0) ratio = of.values[i]! / below.values[k]!;
      // Divided by nothing there is no ratio.
      this.values[i] = Number.isFinite(ratio) ? ratio : NaN;
    }
  }

  #pair(below: Segment): void {
    const { of } = this;
    const known = `${of.count} ${below.count}`;
    if (known === this.#known) return;
    this.#known = known;
    this.#pairs = growInt32(this.#pairs, of.count);
    const slots = new Map<string, number>();
    for (let k = 0; k < below.count; k++) slots.set(labelsOf(below.key(k)), k);
    const only = below.count === 1 ? 0 : -1;
    for (let i = 0; i < of.count; i++) this.#pairs[i] = slots.get(labelsOf(of.key(i))) ?? only;
  }
}

const labelsOf = (key: string): string => key.slice(parseMetric(key).family.length);

/** A selection under a measure. */
export class Measured {
  readonly key: string;
  readonly measure: Measure;
  readonly selection: Selection;
  readonly to: Selection | null;
  readonly columns = new Map<Binding, Column>();
  /** Rules that compare it. */
  users = 0;
  /** Its windows would take more than there is room for: nothing is computed. */
  refused = false;

  constructor(key: string, measure: Measure, selection: Selection, to: Selection | null) {
    this.key = key;
    this.measure = measure;
    this.selection = selection;
    this.to = to;
  }

  /** Those whose scope has a sample of this tick. */
  compute(): void {
    for (const [binding, segment] of this.selection.segments) {
      let column = this.columns.get(binding);
      if (!column) {
        column = columnOf(this.measure, segment, this.to);
        this.columns.set(binding, column);
      }
      if (segment.fresh) column.compute(binding.since);
    }
  }
}
