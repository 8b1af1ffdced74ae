/** A measure over the runs: as bars, as points over another one. */

import { useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import {
  Bar,
  BarChart,
  CartesianGrid,
  Cell,
  ComposedChart,
  Line,
  ReferenceLine,
  Scatter,
  ScatterChart,
  Tooltip,
  XAxis,
} from 'recharts';
import { regressionText } from '../words.ts';
import { namedPlaces } from './shapes.ts';
import { Key } from './Key.tsx';
import { ManyBars } from './ManyBars.tsx';
import { ManyPoints } from './ManyPoints.tsx';
import type { Pointed } from './ManyPoints.tsx';
import { Mark } from './Mark.tsx';
import { Figure, figureText, MARGIN, noLines, shortEnd, TICK, ValueAxis } from './chartParts.tsx';
import type { RunChartProps, TipProps } from './chartParts.tsx';
import type { Measure } from './model.ts';

/** Runs whose names stand below their bars; of more, some. */
const MOST_NAMED = 16;
const SOME_NAMED = 7;
/** Bars that are an element each. */
const MOST_SINGLE = 80;

interface Point {
  readonly id: string;
  readonly name: string;
  readonly value: number;
  readonly look: string;
  readonly notes: readonly string[];
}

/** What a run is beside the others, by more than its colour: outlined, hatched, and named in words. */
function pointsOf({
  runs,
  measure,
  base,
  focus,
  label,
}: Omit<RunChartProps, 'onPick'>): (Point & { readonly at: number })[] {
  return runs.flatMap((run, at) => {
    const value = measure.values[at];
    if (value === null || value === undefined) return [];
    const slow = run.regression !== null;
    const look = [
      'v-compare-bar',
      ...(at === base ? ['v-base'] : slow ? ['v-slow'] : []),
      ...(at === focus ? ['v-focus'] : []),
    ].join(' ');
    const notes = [
      ...(at === base ? ['baseline'] : []),
      ...(run.regression ? [regressionText(run.regression)] : []),
      ...(run.tags.length > 0 ? [run.tags.join(', ')] : []),
    ];
    return [{ at, id: run.id, name: label(run), value, look, notes }];
  });
}

/** One bar a run, in the order in which they were named. */
export function RunBars(props: RunChartProps) {
  const { measure, base, focus, onPick } = props;
  const points = pointsOf(props);
  const baseline = measure.values[base] ?? null;
  const isMany = points.length > MOST_SINGLE;
  const named = points.length <= MOST_NAMED;
  const names = new Map(points.map(({ id, name }) => [id, shortEnd(name, named ? points.length : SOME_NAMED)]));
  const pick = (index: number | undefined): void => {
    const id = points[index ?? -1]?.id;
    if (id) onPick(id);
  };
  const axes = (
    <>
      <Patterns />
      <CartesianGrid vertical={false} verticalCoordinatesGenerator={noLines} stroke="var(--v-line-soft)" />
      <XAxis
        dataKey="id"
        tick={TICK}
        tickLine={!named}
        height={22}
        axisLine={{ stroke: 'var(--v-line)' }}
        tickFormatter={(id: string) => names.get(id) ?? ''}
        {...(isMany ? { scale: 'band' } : {})}
        {...(named
          ? { interval: 0 }
          : { interval: 'preserveStartEnd', ticks: namedPlaces(points.length, SOME_NAMED).map((i) => points[i]!.id) })}
      />
      <ValueAxis measure={measure} />
    </>
  );
  const baseLine = baseline === null ? null : <BaseLine value={baseline} />;
  return (
    <>
      <Figure
        label={figureText(
          `${measure.name} of each run`,
          points.map(({ name, value }) => `${name} ${measure.format(value)}`),
        )}
      >
        {isMany ? (
          <ComposedChart
            data={points}
            margin={MARGIN}
            accessibilityLayer={false}
            className="v-opens"
            onClick={({ activeTooltipIndex }) => pick(Number(activeTooltipIndex ?? -1))}
          >
            {axes}
            <Tooltip
              cursor={{ stroke: 'var(--v-accent)', strokeDasharray: '2 2' }}
              isAnimationActive={false}
              content={tip(measure)}
            />
            {/* Nothing to see: it has the values for the axis and the tooltip. */}
            <Line dataKey="value" stroke="none" dot={false} activeDot={false} isAnimationActive={false} />
            <ManyBars points={points} focus={indexOf(points, focus)} />
            {baseLine}
          </ComposedChart>
        ) : (
          <BarChart
            data={points}
            margin={MARGIN}
            accessibilityLayer={false}
            barCategoryGap={points.length > 60 ? 0 : '15%'}
          >
            {axes}
            <Tooltip cursor={{ fill: 'var(--v-accent-soft)' }} isAnimationActive={false} content={tip(measure)} />
            <Bar
              dataKey="value"
              isAnimationActive={false}
              maxBarSize={46}
              minPointSize={1}
              onClick={(_, index) => pick(index)}
            >
              {points.map(({ id, look }) => (
                <Cell key={id} className={`${look} v-opens`} />
              ))}
            </Bar>
            {baseLine}
          </BarChart>
        )}
      </Figure>
      <Key {...props} kind={isMany ? 'thin' : 'bars'} />
    </>
  );
}

/** Place among the points of a run, which is its place among all runs where each has a value. */
function indexOf(points: readonly { readonly at: number }[], run: number | null): number | null {
  const found = run === null ? -1 : points.findIndex(({ at }) => at === run);
  return found < 0 ? null : found;
}

interface ScatterProps extends RunChartProps {
  readonly x: Measure;
}

/** One point a run, over another of its numbers. */
export function RunScatter(props: ScatterProps) {
  const { runs, measure, x, base, focus, onPick } = props;
  const [pointed, setPointed] = useState<Pointed | null>(null);
  const points = useMemo(
    () =>
      pointsOf({ runs, measure, base, focus, label: props.label }).flatMap((point) => {
        const across = x.values[point.at];
        return across === null || across === undefined ? [] : [{ ...point, across }];
      }),
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- the labels come with the runs
    [runs, measure, base, focus, x],
  );
  const baseline = measure.values[base] ?? null;
  const texts = points.map(({ name, value, across }) => `${name} ${measure.format(value)} at ${x.format(across)}`);
  const axes = (
    <>
      <CartesianGrid stroke="var(--v-line-soft)" />
      <XAxis
        type="number"
        dataKey="across"
        domain={['auto', 'auto']}
        tick={TICK}
        tickLine={false}
        minTickGap={40}
        padding={{ left: 12, right: 12 }}
        axisLine={{ stroke: 'var(--v-line)' }}
        tickFormatter={(value: number) => x.format(value)}
      />
    </>
  );
  const baseLine = baseline === null ? null : <BaseLine value={baseline} />;
  const at = pointed && points[pointed.index];
  return (
    <>
      <Figure
        label={figureText(`${measure.name} over ${x.name.toLowerCase()}`, texts)}
        over={
          pointed && at ? (
            <div
              className={`v-point-tip${pointed.inRight ? ' v-left-of' : ''}`}
              style={{ left: pointed.x, top: pointed.y }}
            >
              <PointTip point={at} measure={measure} x={x} />
            </div>
          ) : null
        }
      >
        {points.length > MOST_SINGLE ? (
          <ComposedChart data={points} margin={MARGIN} accessibilityLayer={false}>
            {axes}
            <ValueAxis measure={measure} />
            {/* Nothing to see: it has the values for the axis. */}
            <Line dataKey="value" stroke="none" dot={false} activeDot={false} isAnimationActive={false} />
            {baseLine}
            <ManyPoints
              points={points}
              onPoint={(next) => setPointed((before) => (before?.index === next?.index ? before : next))}
              onPick={(index) => {
                const id = points[index]?.id;
                if (id) onPick(id);
              }}
            />
          </ComposedChart>
        ) : (
          <ScatterChart margin={MARGIN} accessibilityLayer={false}>
            {axes}
            <ValueAxis measure={measure} dataKey="value" />
            <Tooltip cursor={false} isAnimationActive={false} content={tip(measure, x)} />
            <Scatter
              data={points}
              isAnimationActive={false}
              shape={mark}
              onClick={({ payload }) => {
                const point = payload as Point | undefined;
                if (point) onPick(point.id);
              }}
            />
            {baseLine}
          </ScatterChart>
        )}
      </Figure>
      <Key {...props} kind="points" />
    </>
  );
}

const mark = ({ cx, cy, payload }: ScatterPoint): ReactNode => (
  <Mark cx={cx ?? 0} cy={cy ?? 0} look={(payload as Point | undefined)?.look ?? ''} />
);

interface ScatterPoint {
  readonly cx?: number | undefined;
  readonly cy?: number | undefined;
  readonly payload?: unknown;
}

const BaseLine = ({ value }: { readonly value: number }): ReactNode => (
  <ReferenceLine
    y={value}
    stroke="var(--v-text)"
    strokeDasharray="5 4"
    strokeWidth={1}
    label={{
      ...{ value: 'baseline', position: 'insideBottomRight', fill: 'var(--v-text)', fontSize: 11 },
      // Readable over bars, too.
      ...{ stroke: 'var(--v-surface)', strokeWidth: 3, paintOrder: 'stroke' },
    }}
  />
);

/** Diagonal lines: a regression is seen without its colour. */
function Patterns() {
  return (
    <defs>
      <pattern id="v-slow-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <rect width="6" height="6" className="v-slow-ground" />
        <line x1="0" x2="0" y1="0" y2="6" className="v-slow-line" />
      </pattern>
    </defs>
  );
}

const tip =
  (measure: Measure, x?: Measure) =>
  ({ active, payload }: TipProps): ReactNode => {
    const point = payload?.[0]?.payload as TipPoint | undefined;
    return !active || !point ? null : <PointTip point={point} measure={measure} x={x} />;
  };

type TipPoint = Point & { readonly across?: number };

interface PointTipProps {
  readonly point: TipPoint;
  readonly measure: Measure;
  readonly x: Measure | undefined;
}

const PointTip = ({ point, measure, x }: PointTipProps): ReactNode => (
  <div className="v-plot-tip">
    <b>
      <bdi>{point.name}</bdi>
    </b>
    <span>
      {measure.name} <b>{measure.format(point.value)}</b>
    </span>
    {x && point.across !== undefined ? (
      <span>
        {x.name} {x.format(point.across)}
      </span>
    ) : null}
    {point.notes.map((note) => (
      <span key={note} className="v-muted">
        <bdi>{note}</bdi>
      </span>
    ))}
  </div>
);
