/** Which points an answer has, and of which series. */

import { parseMetric } from '../../shared/model/metric.ts';
import type { SeriesDef } from '../../shared/model/series.ts';
import type { Kind } from '../../shared/model/values.ts';
import { Selector } from './selector.ts';

/** Most points × series of one answer (about 32 MB of columns). More series means wider buckets. */
const MAX_CELLS = 1_000_000;

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NICE_STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
];

/** Width in ms of the buckets of each tier; 0: samples. */
export const TIER_WIDTH = [0, MINUTE, HOUR] as const;
export type TierNumber = 0 | 1 | 2;

/** Smallest nice width in ms, of `least` or more, with which at most `points` buckets hold all of the range. */
export function niceStep(from: number, to: number, points: number, least = 0): number {
  const enough = (step: number): boolean => step >= least && !(bucketsOf(from, to, step) > points);
  const nice = NICE_STEPS.find(enough);
  if (nice !== undefined) return nice;
  for (let days = 1; ; days *= 2) if (enough(days * DAY)) return days * DAY;
}

/** Buckets of whole minutes begin at whole minutes, so that the tiers' buckets fall into them. */
export const isAligned = (step: number): boolean => step > 0 && step % MINUTE === 0;
const originOf = (from: number, step: number): number => (isAligned(step) ? Math.floor(from / step) * step : from);
const bucketsOf = (from: number, to: number, step: number): number =>
  Math.floor((to - originOf(from, step)) / step) + 1;

/** Points an answer of this many series may have. */
export function pointLimit(maxPoints: number, seriesCount: number): number {
  return Math.max(2, Math.min(Math.floor(maxPoints), Math.floor(MAX_CELLS / Math.max(1, seriesCount))));
}

/** A series of an answer. */
export interface RangeTarget {
  readonly key: string;
  readonly name: string;
  readonly kind: Kind;
}

/** Which series are asked for: by key in that order, then those that match; nothing said: all of them. */
export interface Wanted {
  readonly series: readonly string[];
  readonly select?: readonly string[] | undefined;
  readonly family?: readonly string[] | undefined;
}

/**
 * Several schemas are one scope over several starts of the engine, newest first: a series is then what the newest says.
 * Throws SelectorError.
 */
export function chooseTargets(schemas: readonly (readonly SeriesDef[])[], wanted: Wanted): RangeTarget[] {
  const { series: keys, select = [], family = [] } = wanted;
  const selectors = [...Selector.all(select), ...family.map((name) => Selector.family(name))];
  const known = new Map<string, RangeTarget>();
  for (const schema of schemas) {
    for (const { name, kind } of schema) {
      const { key } = parseMetric(name);
      if (!known.has(key)) known.set(key, { key, name, kind });
    }
  }
  if (keys.length === 0 && selectors.length === 0) return [...known.values()];
  const isMeant = (metric: ReturnType<typeof parseMetric>): boolean => selectors.some((one) => one.fits(metric));
  const matched = selectors.length === 0 ? [] : [...known.values()].filter(({ name }) => isMeant(parseMetric(name)));
  return [...new Set([...keys, ...matched.map(({ key }) => key)])].flatMap((key) => known.get(key) ?? []);
}

export interface RangePlan {
  readonly scope: string;
  /** First and last time, both included, ms. */
  readonly from: number;
  readonly to: number;
  /** As {@link pointLimit} gives it. */
  readonly limit: number;
  /** Samples between from and to; any number above `limit` stands for too many. */
  readonly samples: number;
  readonly targets: readonly RangeTarget[];
  /** Width of a bucket that was asked for, ms; widened when there would be too many of them. */
  readonly step?: number | undefined;
  /** Least width of a bucket: of the finest tier that has all of the range. */
  readonly least?: number;
  /** Where the buckets, `step` wide, begin: exactly these, which need not follow one another closely. */
  readonly starts?: Float64Array<ArrayBuffer>;
}

/** The points of an answer. */
export interface Grid {
  /** 0: every sample is a point of its own. */
  readonly step: number;
  readonly points: number;
  /** Where the first bucket begins. */
  readonly origin: number;
  /** Last time that belongs to the answer: whole minutes are answered whole. */
  readonly end: number;
}

export function gridOf({ from, to, limit, samples, step: asked = 0, least = 0, starts }: RangePlan): Grid {
  if (starts) return { step: asked, points: starts.length, origin: starts[0] ?? from, end: to };
  if (from > to) return { step: 0, points: 0, origin: from, end: to };
  if (asked === 0 && least === 0 && samples <= limit) return { step: 0, points: samples, origin: from, end: to };
  const wanted = Math.max(asked, least);
  const step = wanted > 0 && bucketsOf(from, to, wanted) <= limit ? wanted : niceStep(from, to, limit, wanted);
  const origin = originOf(from, step);
  const points = bucketsOf(from, to, step);
  return { step, points, origin, end: isAligned(step) ? origin + points * step - 1 : to };
}
