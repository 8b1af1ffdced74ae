/** What the charts of a comparison have in common. */

import type { ReactNode } from 'react';
import { ResponsiveContainer, YAxis } from 'recharts';
import type { ProfileSummary } from '../../../../shared/api/profiles.ts';
import { DURATION, timeTicks } from './model.ts';
import type { Measure } from './model.ts';

const HEIGHT = 250;
export const TICK = { fill: 'var(--v-muted)', fontSize: 11 };
/** Of lines that are not drawn nothing need be known: else each name on the axis is measured for them. */
export const noLines = (): number[] => [];
export const MARGIN = { top: 14, right: 12, bottom: 4, left: 4 };

export interface RunChartProps {
  readonly runs: readonly ProfileSummary[];
  readonly measure: Measure;
  readonly base: number;
  readonly focus: number | null;
  readonly label: (run: ProfileSummary) => string;
  readonly onPick: (run: string) => void;
}

export const figureText = (name: string, texts: readonly string[]): string => {
  const shown = texts.slice(0, 40).join(', ');
  return `${name}: ${shown}${texts.length > 40 ? `, and ${texts.length - 40} more` : ''}`;
};

interface FigureProps {
  readonly label: string;
  readonly children: ReactNode;
  /** What stands above the chart, in its px. */
  readonly over?: ReactNode;
}

export function Figure({ label, children, over }: FigureProps) {
  return (
    <figure
      role="img"
      aria-label={label}
      className="v-compare-chart"
      style={{ height: HEIGHT }}
      data-testid="compare-chart"
    >
      <ResponsiveContainer width="100%" height={HEIGHT} initialDimension={{ width: 600, height: HEIGHT }}>
        {children}
      </ResponsiveContainer>
      {over}
    </figure>
  );
}

interface ValueAxisProps {
  readonly measure: Measure;
  readonly domain?: [number, number];
  /** Of points; bars tell it themselves. */
  readonly dataKey?: string;
}

export function ValueAxis({ measure, domain, dataKey }: ValueAxisProps): ReactNode {
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

export interface TipProps {
  readonly active?: boolean;
  readonly payload?: readonly { readonly payload?: unknown }[];
}

/** Characters that there is room for below each of so many. */
const room = (count: number): number => Math.max(5, Math.floor(90 / Math.max(1, count)));

/** The beginning of a name, as far as there is room for it. */
export const short = (name: string, count: number): string =>
  name.length > room(count) ? `${name.slice(0, room(count) - 1)}…` : name;

/** Its end: names of runs differ there. */
export const shortEnd = (name: string, count: number): string =>
  name.length > room(count) ? `…${name.slice(1 - room(count))}` : name;
