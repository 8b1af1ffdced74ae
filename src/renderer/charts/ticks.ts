/** Marks of axes. */

/** Steps of a byte axis: powers of two, so that its marks are round in KiB and MiB. */
export const BINARY_STEPS = Array.from({ length: 61 }, (_, i) => 2 ** i);

const MOST_TICKS = 6;

/** Marks of an axis from 0 to at least `top`, apart by the first of the steps that makes few of them. */
export function ticksTo(top: number, steps: readonly number[]): number[] {
  const step = steps.find((one) => top / one <= MOST_TICKS - 1) ?? top / (MOST_TICKS - 1);
  const count = Math.max(1, Math.ceil(top / step));
  return Array.from({ length: count + 1 }, (_, i) => i * step);
}
