/**
 * Expressions that give what a bucket holds: min, avg, max and last, in PromQL that Prometheus and VictoriaMetrics read
 * alike. An expression is evaluated one ms before a bucket's end and looks back over the bucket's width. What is exactly
 * that old is out of the window for VictoriaMetrics and newer Prometheus, in it for older ones, which is harmless.
 */

import type { Kind } from '../../shared/model/values.ts';

export const PARTS = ['min', 'avg', 'max', 'last'] as const;
export type Part = (typeof PARTS)[number];

/** Label that says which series and part of the question a result is: `3:max`. */
export const PART_LABEL = 'vigie_part';

/** Most rates that one bucket is made of: a month in a thousand points would else be millions. */
const MAX_RATES = 120;

const quoted = (text: string): string => `"${text.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`))}"`;

/** Series with exactly these labels, `missing` being absent. */
export function selector(labels: Iterable<readonly [string, string]>, missing: readonly string[]): string {
  const matchers = [
    ...[...labels].map(([name, value]) => `${name}=${quoted(value)}`),
    ...missing.map((name) => `${name}=""`),
  ];
  return `{${matchers.join(',')}}`;
}

const ms = (time: number): string => `${Math.max(1, Math.round(time))}ms`;

/** Of one selector; `interval` is the time between two samples of it. Both in ms. */
export function partExpressions(of: string, kind: Kind, step: number, interval: number): Record<Part, string> {
  const window = ms(step);
  const seldom = step < 2 * interval;
  if (kind === 'gauge') {
    // Buckets narrower than the samples' distance: each shows the sample before it.
    const range = seldom ? ms(1.5 * interval) : window;
    const over = (what: string): string => `${what}_over_time(${of}[${range}])`;
    return {
      min: over(seldom ? 'last' : 'min'),
      avg: over(seldom ? 'last' : 'avg'),
      max: over(seldom ? 'last' : 'max'),
      last: over('last'),
    };
  }
  const last = `last_over_time(${of}[${seldom ? ms(1.5 * interval) : window}])`;
  // The rate between a sample and the one before it; in wide buckets that of longer spans.
  const single = `irate(${of}[${ms(3 * interval)}])`;
  if (seldom) return { min: single, avg: single, max: single, last };
  const distance = Math.max(interval, Math.ceil(step / MAX_RATES));
  const rate = distance === interval ? single : `rate(${of}[${ms(distance + interval)}])`;
  const over = (what: string): string => `${what}_over_time(${rate}[${window}:${ms(distance)}])`;
  return { min: over('min'), avg: over('avg'), max: over('max'), last };
}

/** All parts of several series in one question. */
export function questionOf(
  series: readonly { readonly selector: string; readonly kind: Kind }[],
  step: number,
  interval: number,
): string {
  return series
    .flatMap(({ selector: of, kind }, i) =>
      Object.entries(partExpressions(of, kind, step, interval)).map(
        ([part, expression]) => `label_replace(${expression},"${PART_LABEL}","${i}:${part}","","")`,
      ),
    )
    .join(' or ');
}
