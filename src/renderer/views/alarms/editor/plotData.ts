/** What a preview found, as uPlot takes it. Pure functions. */

import type { Comparison, PreviewSeries } from '../../../../shared/api/alarms.ts';
import { valueRange } from '../../../charts/valueRange.ts';

/** Lines that are drawn. */
export const MOST_PLOTTED = 12;

export interface PlotData {
  /** Middles of the buckets, ms since the epoch. */
  readonly xs: number[];
  /** For each series its low and its high line. */
  readonly ys: (number | null)[][];
  readonly keys: readonly string[];
  /** Of all values; null: there are none. */
  readonly range: { readonly min: number; readonly max: number } | null;
  /** Buckets between two that have a value, for most: more than that is a gap. */
  readonly spacing: number;
  /** Spans of all series in which one fires, or is about to. */
  readonly firing: readonly (readonly [number, number])[];
  readonly pending: readonly (readonly [number, number])[];
}

const NOTHING: PlotData = { xs: [], ys: [], keys: [], range: null, spacing: 1, firing: [], pending: [] };

export function plotData(series: readonly PreviewSeries[]): PlotData {
  const drawn = series.filter((one) => one.plot).slice(0, MOST_PLOTTED);
  const first = drawn[0]?.plot;
  if (!first) return NOTHING;
  const xs = first.low.map((_, i) => first.from + (i + 0.5) * first.step);
  let [min, max] = [Infinity, -Infinity];
  const ys: (number | null)[][] = [];
  const spaces: number[] = [];
  for (const { plot } of drawn) {
    if (!plot) continue;
    let last = -1;
    for (let i = 0; i < plot.low.length; i++) {
      const [low, high] = [plot.low[i] ?? null, plot.high[i] ?? null];
      if (low === null || high === null) continue;
      min = Math.min(min, low);
      max = Math.max(max, high);
      if (last >= 0) spaces.push(i - last);
      last = i;
    }
    ys.push([...plot.low], [...plot.high]);
  }
  spaces.sort((a, b) => a - b);
  return {
    ...{ xs, ys, keys: drawn.map(({ scope, metric }) => `${scope} ${metric}`) },
    range: min <= max ? { min, max } : null,
    spacing: spaces[spaces.length >>> 1] ?? 1,
    firing: joined(series.flatMap((one) => one.firing)),
    pending: joined(series.flatMap((one) => one.pending)),
  };
}

/** Spans that touch are one. */
export function joined(spans: readonly (readonly [number, number])[]): [number, number][] {
  const found: [number, number][] = [];
  for (const [from, to] of [...spans].sort((a, b) => a[0] - b[0])) {
    const last = found.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else found.push([from, to]);
  }
  return found;
}

/** The value axis: all values, and the thresholds with room to drag them further. */
export function axisRange(data: PlotData, raise: number | null, clear: number | null): [low: number, high: number] {
  const all = [data.range?.min, data.range?.max, raise, clear].filter(
    (value): value is number => typeof value === 'number' && Math.abs(value) < 1e300,
  );
  if (all.length === 0) return [0, 1];
  const [low, high] = valueRange(Math.min(...all), Math.max(...all));
  const room = (high - low) * 0.18 || 1;
  return [low < 0 ? low - room : low, high + room];
}

/** A number that people would write: as few digits as tell it from its neighbours on the axis. */
export function roundFor(value: number, [low, high]: readonly [number, number]): number {
  const span = high - low;
  if (!(span > 0) || !Number.isFinite(value)) return value;
  const digits = Math.max(0, Math.min(15, 2 - Math.floor(Math.log10(span))));
  const unit = span >= 1000 ? 10 ** (Math.floor(Math.log10(span)) - 2) : 0;
  return unit > 0 ? Math.round(value / unit) * unit : Number(value.toFixed(digits));
}

/** A threshold to begin with: what has been seen does not reach it, or hardly. */
export function firstThreshold(range: { min: number; max: number }, op: Comparison): number {
  const below = op === '<' || op === '<=';
  const span = range.max - range.min || Math.abs(range.max) || 1;
  if (below) return roundFor(range.min + 0.1 * span, [0, span]);
  return roundFor(range.max - 0.1 * span, [0, span]);
}

/** Where it ends, to begin with: a tenth of what is seen away from where it begins. */
export function firstClear(raise: number, op: Comparison, axis: readonly [number, number]): number {
  const step = 0.1 * (axis[1] - axis[0]);
  return roundFor(op === '<' || op === '<=' ? raise + step : raise - step, axis);
}

/** From where on there is something: what comes before it is not worth the room. Null: all of it is, or nothing. */
export function begins({ xs, ys }: PlotData): number | null {
  const first = Math.min(...ys.map((column) => column.findIndex((value) => value !== null)).filter((i) => i >= 0));
  if (!Number.isFinite(first) || first < 0.5 * xs.length) return null;
  const step = (xs[1] ?? 0) - (xs[0] ?? 0);
  return xs[first]! - 2 * step;
}
