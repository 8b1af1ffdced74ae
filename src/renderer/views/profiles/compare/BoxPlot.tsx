import type { ReactNode } from 'react';
import { Bar, BarChart, CartesianGrid, Tooltip, XAxis } from 'recharts';
import type { BarShapeProps } from 'recharts';
import { Figure, figureText, MARGIN, noLines, short, TICK, ValueAxis } from './chartParts.tsx';
import type { TipProps } from './chartParts.tsx';
import { DURATION, timeTicks } from './model.ts';
import type { Box, Measure } from './model.ts';

/** Median, quartiles and ends of each group. */
export function BoxPlot({ boxes, measure }: { readonly boxes: readonly Box[]; readonly measure: Measure }) {
  const top = Math.max(...boxes.map(({ max }) => max));
  const bottom = Math.min(0, ...boxes.map(({ min }) => min));
  const texts = boxes.map(
    ({ name, count, min, median, max }) =>
      `${name}, ${count} runs, median ${measure.format(median)}, ${measure.format(min)} to ${measure.format(max)}`,
  );
  const span = top > bottom ? top - bottom : 1;
  // The boxes are drawn by the axis' own ends.
  const high = measure.id === DURATION ? timeTicks(top).at(-1)! : top + span * 0.05;
  return (
    <Figure label={figureText(`${measure.name}, how it is spread`, texts)}>
      <BarChart data={[...boxes]} margin={MARGIN} accessibilityLayer={false}>
        <CartesianGrid vertical={false} verticalCoordinatesGenerator={noLines} stroke="var(--v-line-soft)" />
        <XAxis
          dataKey="name"
          tick={TICK}
          tickLine={false}
          interval="preserveStartEnd"
          axisLine={{ stroke: 'var(--v-line)' }}
          tickFormatter={(name: string) => short(name, boxes.length)}
        />
        <ValueAxis measure={measure} domain={[bottom, high]} />
        <Tooltip cursor={{ fill: 'var(--v-accent-soft)' }} isAnimationActive={false} content={boxTip(measure)} />
        <Bar dataKey="max" isAnimationActive={false} maxBarSize={46} shape={boxShape(bottom, high)} />
      </BarChart>
    </Figure>
  );
}

const boxShape =
  (low: number, high: number) =>
  ({ x, width, payload, background }: BarShapeProps): ReactNode => (
    <BoxShape
      x={x}
      width={width}
      box={payload as Box | undefined}
      plot={{ y: background?.y ?? null, height: background?.height ?? null }}
      low={low}
      high={high}
    />
  );

interface BoxShapeProps {
  readonly x: number;
  readonly width: number;
  readonly box: Box | undefined;
  readonly plot: { readonly y: number | null; readonly height: number | null };
  /** Ends of the axis. */
  readonly low: number;
  readonly high: number;
}

function BoxShape({ x, width, box, plot: { y, height }, low, high }: BoxShapeProps) {
  if (!box || y === null || height === null) return null;
  const at = (value: number): number => y + height * (1 - (value - low) / (high - low));
  const middle = x + width / 2;
  const cap = width / 4;
  return (
    <g className="v-box">
      <path d={`M${middle} ${at(box.max)}V${at(box.high)}M${middle} ${at(box.low)}V${at(box.min)}`} />
      <path d={`M${middle - cap} ${at(box.max)}h${2 * cap}M${middle - cap} ${at(box.min)}h${2 * cap}`} />
      <rect x={x} width={width} y={at(box.high)} height={Math.max(1, at(box.low) - at(box.high))} />
      <path className="v-box-median" d={`M${x} ${at(box.median)}h${width}`} />
    </g>
  );
}

const boxTip =
  (measure: Measure) =>
  ({ active, payload }: TipProps): ReactNode => {
    const box = payload?.[0]?.payload as Box | undefined;
    if (!active || !box) return null;
    return (
      <div className="v-plot-tip">
        <b>
          <bdi>{box.name}</bdi>
        </b>
        <span>
          {box.count} {box.count === 1 ? 'run' : 'runs'}, median <b>{measure.format(box.median)}</b>
        </span>
        <span className="v-muted">
          half of them {measure.format(box.low)} to {measure.format(box.high)}; all {measure.format(box.min)} to{' '}
          {measure.format(box.max)}
        </span>
      </div>
    );
  };
