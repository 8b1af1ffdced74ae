/** From and to in pixels of the canvas. */
export type Gap = [from: number, to: number];

/**
 * The gaps of a line with those before `breaks` among them, in order and without overlaps, as the chart cuts them out of
 * the line. `first` and `last` are the points that are drawn; `position` tells where a point is.
 */
export function addBreaks(
  gaps: Gap[],
  breaks: readonly number[],
  first: number,
  last: number,
  position: (point: number) => number,
): Gap[] {
  const own = breaks.filter((at) => at > first && at <= last);
  if (own.length === 0) return gaps;
  const all = [...gaps, ...own.map((at): Gap => [position(at - 1), position(at)])].sort((a, b) => a[0] - b[0]);
  const merged: Gap[] = [];
  for (const [from, to] of all) {
    const before = merged.at(-1);
    if (before && from <= before[1]) before[1] = Math.max(before[1], to);
    else merged.push([from, to]);
  }
  return merged;
}
