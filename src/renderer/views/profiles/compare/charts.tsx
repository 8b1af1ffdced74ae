/** A measure over the runs: as bars, as points over another one, as boxes. */

import type { ReactNode } from 'react';
import {
  Bar,
  BarChart,
  CartesianGrid,
  Cell,
  ReferenceLine,
  ResponsiveContainer,
  Scatter,
  ScatterChart,
  Tooltip,
  XAxis,
  YAxis,
} from 'recharts';
import type { BarShapeProps } from 'recharts';
import type { ProfileSummary } from '../../../../shared/api/profiles.ts';
import { regressionText } from '../words.ts';
import { DURATION, timeTicks } from './model.ts';
import type { Box, Measure } from './model.ts';

const HEIGHT = 250;
/** Runs whose names stand below their bars. */
const MOST_NAMED = 16;
const TICK = { fill: 'var(--v-muted)', fontSize: 11 };
const MARGIN = { top: 14, right: 12, bottom: 4, left: 4 };

interface RunChartProps {
  readonly runs: readonly ProfileSummary[];
  readonly measure: Measure;
  readonly base: number;
  readonly focus: number | null;
  readonly label: (run: ProfileSummary) => string;
  readonly onPick: (run: string) => void;
}

interface Point {
  readonly id: string;
  readonly name: string;
  readonly value: number;
  readonly look: string;
  readonly notes: readonly string[];
}

/** What a run is beside the others, by more than its colour: outlined, hatched, and named in words. */
function pointsOf({ runs, measure, base, focus, label }: RunChartProps): (Point & { readonly at: number })[] {
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

const figureText = (name: string, texts: readonly string[]): string => {
  const shown = texts.slice(0, 40).join(', ');
  return `${name}: ${shown}${texts.length > 40 ? `, and ${texts.length - 40} more` : ''}`;
};

/** One bar a run, in the order in which they were named. */
export function RunBars(props: RunChartProps) {
  const { measure, base, onPick } = props;
  const points = pointsOf(props);
  const baseline = measure.values[base] ?? null;
  const named = points.length <= MOST_NAMED;
  return (
    <Figure
      label={figureText(
        `${measure.name} of each run`,
        points.map(({ name, value }) => `${name} ${measure.format(value)}`),
      )}
    >
      <BarChart
        data={points}
        margin={MARGIN}
        accessibilityLayer={false}
        barCategoryGap={points.length > 60 ? 0 : '15%'}
      >
        <Patterns />
        <CartesianGrid vertical={false} stroke="var(--v-line-soft)" />
        <XAxis
          dataKey="id"
          tick={named ? TICK : false}
          tickLine={false}
          height={named ? 22 : 6}
          axisLine={{ stroke: 'var(--v-line)' }}
          tickFormatter={(id: string) => shortEnd(points.find((point) => point.id === id)?.name ?? '', points.length)}
          interval={0}
        />
        <ValueAxis measure={measure} />
        <Tooltip cursor={{ fill: 'var(--v-accent-soft)' }} isAnimationActive={false} content={tip(measure)} />
        <Bar
          dataKey="value"
          isAnimationActive={false}
          maxBarSize={46}
          minPointSize={1}
          onClick={(_, index) => {
            const id = points[index]?.id;
            if (id) onPick(id);
          }}
        >
          {points.map(({ id, look }) => (
            <Cell key={id} className={`${look} v-opens`} />
          ))}
        </Bar>
        {baseline === null ? null : <BaseLine value={baseline} />}
      </BarChart>
    </Figure>
  );
}

interface ScatterProps extends RunChartProps {
  readonly x: Measure;
}

/** One point a run, over another of its numbers. */
export function RunScatter(props: ScatterProps) {
  const { measure, x, base, onPick } = props;
  const points = pointsOf(props).flatMap((point) => {
    const across = x.values[point.at];
    return across === null || across === undefined ? [] : [{ ...point, across }];
  });
  const baseline = measure.values[base] ?? null;
  const texts = points.map(({ name, value, across }) => `${name} ${measure.format(value)} at ${x.format(across)}`);
  return (
    <Figure label={figureText(`${measure.name} over ${x.name.toLowerCase()}`, texts)}>
      <ScatterChart margin={MARGIN} accessibilityLayer={false}>
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
        {baseline === null ? null : <BaseLine value={baseline} />}
      </ScatterChart>
    </Figure>
  );
}

const mark = ({ cx, cy, payload }: ScatterPoint): ReactNode => (
  <Mark cx={cx ?? 0} cy={cy ?? 0} point={payload as Point | undefined} />
);

interface ScatterPoint {
  readonly cx?: number | undefined;
  readonly cy?: number | undefined;
  readonly payload?: unknown;
}

/** The baseline is a square, a regression a triangle, any other run round. */
function Mark({ cx, cy, point }: { readonly cx: number; readonly cy: number; readonly point: Point | undefined }) {
  const look = `${point?.look ?? ''} v-opens`;
  if (look.includes('v-base')) return <rect className={look} x={cx - 5} y={cy - 5} width={10} height={10} />;
  if (look.includes('v-slow')) {
    return <path className={look} d={`M${cx} ${cy - 6}L${cx + 6} ${cy + 5}H${cx - 6}Z`} />;
  }
  return <circle className={look} cx={cx} cy={cy} r={4.5} />;
}

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
        <CartesianGrid vertical={false} stroke="var(--v-line-soft)" />
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

function Figure({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <figure role="img" aria-label={label} style={{ height: HEIGHT }} data-testid="compare-chart">
      <ResponsiveContainer width="100%" height={HEIGHT} initialDimension={{ width: 600, height: HEIGHT }}>
        {children}
      </ResponsiveContainer>
    </figure>
  );
}

interface ValueAxisProps {
  readonly measure: Measure;
  readonly domain?: [number, number];
  /** Of points; bars tell it themselves. */
  readonly dataKey?: string;
}

function ValueAxis({ measure, domain, dataKey }: ValueAxisProps): ReactNode {
  const top = domain?.[1] ?? Math.max(0, ...measure.values.map((value) => value ?? 0));
  const ticks = measure.id === DURATION ? timeTicks(top) : null;
  return (
    <YAxis
      type="number"
      {...(dataKey === undefined ? {} : { dataKey })}
      width={64}
      tick={TICK}
      tickLine={false}
      axisLine={false}
      tickCount={5}
      {...(ticks ? { ticks, domain: [0, Math.max(top, ticks.at(-1)!)] } : domain ? { domain } : {})}
      tickFormatter={(value: number) => measure.format(value)}
    />
  );
}

const BaseLine = ({ value }: { readonly value: number }): ReactNode => (
  <ReferenceLine
    y={value}
    stroke="var(--v-text)"
    strokeDasharray="5 4"
    strokeWidth={1}
    label={{ value: 'baseline', position: 'insideBottomRight', fill: 'var(--v-muted)', fontSize: 11 }}
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

interface TipProps {
  readonly active?: boolean;
  readonly payload?: readonly { readonly payload?: unknown }[];
}

const tip =
  (measure: Measure, x?: Measure) =>
  ({ active, payload }: TipProps): ReactNode => {
    const point = payload?.[0]?.payload as (Point & { readonly across?: number }) | undefined;
    if (!active || !point) return null;
    return (
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
  };

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

/** Characters that there is room for below each of so many. */
const room = (count: number): number => Math.max(5, Math.floor(90 / Math.max(1, count)));

/** The beginning of a name, as far as there is room for it. */
const short = (name: string, count: number): string =>
  name.length > room(count) ? `${name.slice(0, room(count) - 1)}…` : name;

/** Its end: names of runs differ there. */
const shortEnd = (name: string, count: number): string =>
  name.length > room(count) ? `…${name.slice(1 - room(count))}` : name;
