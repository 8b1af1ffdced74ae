/**
 * Finds the scale that makes whole numbers of a column: CPU seconds are hundredths, memory is pages of 4 KiB, and what
 * was measured with a clock has fewer bits than a double may have. value = whole / (10^ten × 2^two), bit for bit.
 */

import { divisorOf, TEN_POWERS, TWO_MAX, twoPower } from './column-format.ts';

export interface Scale {
  readonly ten: number;
  readonly two: number;
  /** value = whole × 10^-ten instead, as programs compute it that multiply by 0.01; two is 0. */
  readonly times: boolean;
}

/** Decimals that are measured are shorter than this. */
const LONG = 2 ** 40;
/** Values that are looked at to choose a power of ten. */
const PROBES = 12;

/** Writes the whole numbers of `count` values to `into`. Null where no scale makes them whole and below 2^53. */
export function scaleColumn(values: Float64Array, count: number, into: Float64Array): Scale | null {
  if (whole(values, count)) {
    into.set(values.subarray(0, count));
    return { ten: 0, two: halve(into, count), times: false };
  }
  // The power of ten that makes the smallest numbers of a few values; then all of them must fit.
  let best = Number.MAX_SAFE_INTEGER;
  let ten = -1;
  for (let power = 0; power < TEN_POWERS.length && best > 1; power++) {
    const largest = probe(values, count, power, best);
    if (largest * 2 >= best) continue;
    best = largest;
    ten = power;
  }
  // Long numbers are no decimals, or not by division.
  if (best <= LONG) {
    const two = byDivision(values, count, ten, into);
    if (two !== null && largestOf(into, count) <= LONG) return { ten, two: two + halve(into, count), times: false };
  }
  const times = byTimes(values, count, into);
  if (times > 0) return { ten: times, two: 0, times: true };
  const two = ten < 0 ? null : byDivision(values, count, ten, into);
  return two === null ? null : { ten, two: two + halve(into, count), times: false };
}

function largestOf(numbers: Float64Array, count: number): number {
  let largest = 0;
  for (let i = 0; i < count; i++) largest = Math.max(largest, Math.abs(numbers[i]!));
  return largest;
}

function whole(values: Float64Array, count: number): boolean {
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    // Floor of what is infinite is itself; -0 is not a whole number that could be told from 0.
    if (Math.floor(value) !== value || Math.abs(value) > Number.MAX_SAFE_INTEGER || Object.is(value, -0)) return false;
  }
  return true;
}

/** Smallest power of two, from `two` on, with which the value is a whole number over 10^ten × 2^two; -1: none. */
function fit(value: number, ten: number, two: number): number {
  for (let power = two; power <= TWO_MAX; power++) {
    const divisor = divisorOf(ten, power);
    const scaled = Math.round(value * divisor);
    if (!(Math.abs(scaled) <= Number.MAX_SAFE_INTEGER)) return -1;
    if (scaled / divisor === value) return power;
  }
  return -1;
}

/** Largest whole number that the probed values become; Infinity when one becomes none, or one above `limit`. */
function probe(values: Float64Array, count: number, ten: number, limit: number): number {
  const step = Math.max(1, Math.floor(count / PROBES));
  let two = 0;
  let largest = 0;
  for (let i = 0; i < count; i += step) {
    two = fit(values[i]!, ten, two);
    if (two < 0) return Infinity;
    largest = Math.max(largest, Math.abs(values[i]!));
    if (largest * divisorOf(ten, two) > limit) return Infinity;
  }
  return largest * divisorOf(ten, two);
}

function byDivision(values: Float64Array, count: number, ten: number, into: Float64Array): number | null {
  let two = 0;
  let divisor = divisorOf(ten, two);
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    let scaled = Math.round(value * divisor);
    if (scaled / divisor !== value) {
      const next = fit(value, ten, two);
      if (next < 0) return null;
      // What was written so far is multiplied by what was missing.
      const factor = twoPower(next - two);
      for (let k = 0; k < i; k++) into[k]! *= factor;
      two = next;
      divisor = divisorOf(ten, two);
      scaled = Math.round(value * divisor);
    }
    if (Object.is(value, -0)) return null;
    into[i] = scaled;
  }
  return largestOf(into, count) <= Number.MAX_SAFE_INTEGER ? two : null;
}

/** The power of ten of which all values are whole multiples as doubles multiply; -1: none. */
function byTimes(values: Float64Array, count: number, into: Float64Array): number {
  for (let ten = 1; ten < TEN_POWERS.length; ten++) {
    const power = TEN_POWERS[ten]!;
    const factor = 1 / power;
    let i = 0;
    for (; i < count; i++) {
      const value = values[i]!;
      const scaled = Math.round(value * power);
      if (scaled * factor !== value || !(Math.abs(scaled) < LONG) || Object.is(value, -0)) break;
      into[i] = scaled;
    }
    if (i === count) return ten;
  }
  return -1;
}

/** Divides all by their greatest common power of two; returns its exponent, not positive. */
function halve(into: Float64Array, count: number): number {
  // The low 32 bits of each; if they are all 0, nothing is gained, which is rare and harmless.
  let low = 0;
  for (let i = 0; i < count; i++) {
    low |= into[i]!;
    if ((low & 1) !== 0) return 0;
  }
  if (low === 0) return 0;
  const zeros = 31 - Math.clz32(low & -low);
  const factor = twoPower(-zeros);
  for (let i = 0; i < count; i++) into[i]! *= factor;
  return -zeros;
}
