import type { MouseEvent } from 'react';
import { useMemo } from 'react';
import { usePlotArea, useXAxisScale, useYAxisScale } from 'recharts';
import { nearestSpot, spotPaths } from './shapes.ts';

interface ManyPoint {
  readonly value: number;
  readonly across: number;
  readonly look: string;
}

/** A point that is pointed at, px within the chart. */
export interface Pointed {
  readonly index: number;
  readonly x: number;
  readonly y: number;
  /** In the right half, where what is told stands left of it. */
  readonly inRight: boolean;
}

interface ManyPointsProps {
  readonly points: readonly ManyPoint[];
  readonly onPoint: (pointed: Pointed | null) => void;
  readonly onPick: (index: number) => void;
}

/** The pointer need not meet a point exactly. */
const NEAR = 14;

/** Points within a chart: an element for each of hundreds would hold up the page. */
export function ManyPoints({ points, onPoint, onPick }: ManyPointsProps) {
  const plot = usePlotArea();
  const [across, up] = [useXAxisScale(), useYAxisScale()];
  const spots = useMemo(
    () =>
      across && up
        ? points.map(({ value, across: at, look }) => ({ x: across(at) ?? 0, y: up(value) ?? 0, look }))
        : [],
    [points, across, up],
  );
  const paths = useMemo(() => spotPaths(spots), [spots]);
  if (!plot || spots.length === 0) return null;
  const at = ({ currentTarget, clientX, clientY }: MouseEvent<SVGRectElement>): number | null => {
    const box = currentTarget.getBoundingClientRect();
    return nearestSpot(spots, clientX - box.left + plot.x, clientY - box.top + plot.y, NEAR);
  };
  return (
    <g className="recharts-scatter">
      {paths.map(({ look, d }) => (
        <path key={look} className={look} d={d} />
      ))}
      <rect
        className="v-catch v-opens"
        x={plot.x}
        y={plot.y}
        width={plot.width}
        height={plot.height}
        onMouseMove={(event) => {
          const index = at(event);
          const spot = spots[index ?? -1];
          onPoint(
            index === null || !spot ? null : { index, x: spot.x, y: spot.y, inRight: spot.x > plot.x + plot.width / 2 },
          );
        }}
        onMouseLeave={() => onPoint(null)}
        onClick={(event) => {
          const index = at(event);
          if (index !== null) onPick(index);
        }}
      />
    </g>
  );
}
