/** Bars of many runs as few shapes: pure functions. */

export interface BarPoint {
  readonly value: number;
  /** Classes; bars with the same ones are drawn together. */
  readonly look: string;
}

export interface BarPath {
  readonly look: string;
  readonly d: string;
}

interface Place {
  readonly x: number;
  readonly width: number;
}

const exact = (value: number): string => String(Math.round(value * 100) / 100);

/** One path for all bars that look alike, in the order in which looks first come. `heightAt`: of a value, px from the top. */
export function barPaths(points: readonly BarPoint[], plot: Place, heightAt: (value: number) => number): BarPath[] {
  const paths = new Map<string, string[]>();
  const width = plot.width / points.length;
  const floor = heightAt(0);
  points.forEach(({ value, look }, i) => {
    // A run that took next to nothing is one too.
    const at = Math.abs(heightAt(value) - floor) < 1 ? floor - 1 : heightAt(value);
    const path = paths.get(look) ?? [];
    paths.set(look, path);
    path.push(`M${exact(plot.x + i * width)} ${exact(floor)}V${exact(at)}h${exact(width)}V${exact(floor)}Z`);
  });
  return [...paths].map(([look, parts]) => ({ look, d: parts.join('') }));
}

/** Places of names below an axis of so many bars, at most `most`: evenly, the first and the last among them. */
export function namedPlaces(count: number, most: number): number[] {
  if (count <= most) return Array.from({ length: count }, (_, i) => i);
  return Array.from({ length: most }, (_, i) => Math.round((i * (count - 1)) / (most - 1)));
}

export interface Spot {
  readonly x: number;
  readonly y: number;
  readonly look: string;
}

const RADIUS = 4.5;

/** One path for all points that look alike: squares of the baseline, triangles of regressions, others round. */
export function spotPaths(spots: readonly Spot[]): BarPath[] {
  const paths = new Map<string, string[]>();
  for (const { x, y, look } of spots) {
    const path = paths.get(look) ?? [];
    paths.set(look, path);
    path.push(spotShape(exact(x), exact(y), look));
  }
  return [...paths].map(([look, parts]) => ({ look, d: parts.join('') }));
}

function spotShape(x: string, y: string, look: string): string {
  if (look.includes('v-base')) return `M${x} ${y}m-5 -5h10v10h-10Z`;
  if (look.includes('v-slow')) return `M${x} ${y}m0 -6l6 11h-12Z`;
  const [r, d] = [RADIUS, 2 * RADIUS];
  return `M${x} ${y}m-${r} 0a${r} ${r} 0 1 0 ${d} 0a${r} ${r} 0 1 0 -${d} 0Z`;
}

/** Place of the spot that is nearest to a point, and not further than so many px; null: there is none. */
export function nearestSpot(
  spots: readonly Pick<Spot, 'x' | 'y'>[],
  x: number,
  y: number,
  most: number,
): number | null {
  let found: number | null = null;
  let least = most;
  spots.forEach((spot, i) => {
    const distance = Math.hypot(spot.x - x, spot.y - y);
    // Of those in one place the one that is drawn last is on top.
    if (distance <= least) [found, least] = [i, distance];
  });
  return found;
}
