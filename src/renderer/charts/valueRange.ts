/** Zero is on the axis unless values are negative; a line that is zero all the time lies on the ground. */
export function valueRange(min: number | null, max: number | null): [number, number] {
  if (min === null || max === null || !Number.isFinite(min) || !Number.isFinite(max)) return [0, 1];
  if (min >= 0) return [0, max > 0 ? max * 1.08 : 1];
  const pad = (Math.max(max, 0) - min) * 0.06 || 1;
  return [min - pad, Math.max(max, 0) + pad];
}
