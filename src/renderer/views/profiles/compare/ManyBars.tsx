import { usePlotArea, useYAxisScale } from 'recharts';
import { barPaths } from './shapes.ts';
import type { BarPoint } from './shapes.ts';

/** Narrower ones have neither lines in them nor a line around them. */
const THIN = 5;

/** Bars within a chart: an element for each of hundreds would hold up the page. The one that is looked at has a mark above it. */
export function ManyBars({ points, focus }: { readonly points: readonly BarPoint[]; readonly focus: number | null }) {
  const plot = usePlotArea();
  const scale = useYAxisScale();
  if (!plot || !scale || points.length === 0) return null;
  const heightAt = (value: number): number => scale(value) ?? plot.y + plot.height;
  const width = plot.width / points.length;
  const looked = focus === null ? undefined : points[focus];
  return (
    <g className={width < THIN ? 'v-thin' : ''}>
      {barPaths(points, plot, heightAt).map(({ look, d }) => (
        <path key={look} className={look} d={d} />
      ))}
      {looked && focus !== null ? (
        <path
          className="v-focus-mark"
          d={`M${plot.x + (focus + 0.5) * width} ${heightAt(Math.max(0, looked.value)) - 2}l-5 -8h10Z`}
        />
      ) : null}
    </g>
  );
}
