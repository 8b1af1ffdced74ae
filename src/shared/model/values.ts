/**
 * The two kinds of value and how contributions to them merge.
 *
 * A counter is one number that only grows while its contributor lives. A gauge is {min, max, hits, total}: smallest and
 * largest value seen, how many observations, and their sum; it is shown as total / hits.
 */

export type Kind = 'counter' | 'gauge';

export interface Gauge {
  min: number;
  max: number;
  /** Number of observations, not negative. */
  hits: number;
  /** Sum of the observations. */
  total: number;
}

/** What one gauge occupies in a column: min, max, hits, total. */
export const GAUGE_WIDTH = 4;

/** The neutral element of {@link mergeGauge}: merging it changes nothing. */
export const EMPTY_GAUGE: Readonly<Gauge> = Object.freeze({ min: Infinity, max: -Infinity, hits: 0, total: 0 });

/** The sum of two finite numbers, kept finite: what has become infinite could not be written as JSON. */
export function finiteSum(a: number, b: number): number {
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, a + b));
}

/** Merges across contributors. Commutative and associative, so the order of arrival cannot matter. */
export function mergeGauge(a: Readonly<Gauge>, b: Readonly<Gauge>): Gauge {
  // What an unset gauge says of min, max and total means nothing.
  if (a.hits === 0) return b.hits === 0 ? { ...EMPTY_GAUGE } : { ...b };
  if (b.hits === 0) return { ...a };
  return {
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    hits: finiteSum(a.hits, b.hits),
    total: finiteSum(a.total, b.total),
  };
}

/** The number a gauge is shown as, or NaN when nothing was observed. */
export function gaugeValue(g: Readonly<Gauge>): number {
  return g.hits > 0 ? g.total / g.hits : NaN;
}
