import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import type { Unit } from '../../../../shared/model/naming.ts';
import { chartInk, LINE_DASHES, lineColour } from '../../../charts/colours.ts';
import type { Scheme } from '../../../charts/colours.ts';
import { valueRange } from '../../../charts/valueRange.ts';
import { formatElapsed } from '../../../format/time.ts';
import { formatAxisValue, formatValue, NO_VALUE } from '../../../format/units.ts';
import type { Aligned } from './aligned.ts';
import { valueAt } from './aligned.ts';

export interface PlotLine {
  readonly id: string;
  readonly label: string;
  /** Which of the colours and dashes; the same run has the same in all plots. */
  readonly look: number;
}

interface AlignedPlotProps {
  readonly name: string;
  readonly lines: readonly PlotLine[];
  readonly data: Aligned;
  readonly unit: Unit;
  readonly perSecond: boolean;
  readonly height: number;
  /** Ends of the axes, so that plots beside each other can be compared. */
  readonly right: number;
  readonly top: number | null;
  /** Plots with the same key have one cursor. */
  readonly cursor: string;
}

const FONT = '11px system-ui, sans-serif';
const SECOND = 1000;
const STEPS = [
  ...[1, 10, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800].map((n) => n * SECOND),
  ...[1, 2, 3, 6, 12, 24, 48, 168].map((n) => n * 3600 * SECOND),
];

/** Lines over the time since each run's start. */
export function AlignedPlot(props: AlignedPlotProps) {
  const { lines, data, name } = props;
  const scheme = useComputedColorScheme('light');
  const figure = useRef<HTMLDivElement>(null);
  const legend = useRef<HTMLUListElement>(null);
  const latest = useRef(props);
  useEffect(() => {
    latest.current = props;
  });
  useEffect(() => {
    const element = figure.current;
    if (!element || !legend.current) return undefined;
    return mount(element, legend.current, latest.current, scheme);
    // A plot is made anew when what it shows changes; everything else of the props comes with these.
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- read through the ref
  }, [data, scheme, props.unit, props.perSecond, props.right, props.top, props.height]);
  return (
    <div role="group" className="v-panel" aria-label={name} data-testid="aligned-plot">
      <div
        ref={figure}
        className="v-figure"
        role="img"
        aria-label={`${name}, over the time since the start`}
        style={{ height: props.height }}
      />
      <ul ref={legend} className="v-legend" aria-label={`Lines of ${name}`}>
        {lines.map(({ id, label, look }) => (
          <li key={id}>
            <LineSwatch look={look} />
            <bdi className="v-legend-name">{label}</bdi>
            <span className="v-legend-value">{NO_VALUE}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** How a run's line looks. */
export function LineSwatch({ look }: { readonly look: number }) {
  const scheme = useComputedColorScheme('light');
  const dash = LINE_DASHES[look % LINE_DASHES.length] ?? [];
  return (
    <svg width="18" height="8" aria-hidden="true" focusable="false">
      <line
        x1="0"
        x2="18"
        y1="4"
        y2="4"
        stroke={lineColour(scheme, look)}
        strokeWidth="2.5"
        strokeDasharray={dash.join(' ')}
      />
    </svg>
  );
}

function mount(element: HTMLElement, legend: HTMLElement, props: AlignedPlotProps, scheme: Scheme): () => void {
  const { lines, data, unit, perSecond, height } = props;
  const values = legend.querySelectorAll<HTMLElement>('.v-legend-value');
  const show = (index: number | null): void => {
    lines.forEach((_, i) => {
      const value = index === null ? null : valueAt(data.ys[i] ?? [], index);
      const node = values[i];
      if (node) node.textContent = formatValue(value, unit, perSecond);
    });
  };
  const options: uPlot.Options = {
    ...plotOptions(props, scheme),
    width: Math.max(160, element.clientWidth),
    height,
    hooks: { setCursor: [(u) => show(typeof u.cursor.idx === 'number' ? u.cursor.idx : null)] },
  };
  const plot = new uPlot(options, [data.xs, ...data.ys] as uPlot.AlignedData, element);
  const size = new ResizeObserver(() => {
    const width = element.clientWidth;
    if (width > 0 && width !== plot.width) plot.setSize({ width, height });
  });
  size.observe(element);
  return () => {
    size.disconnect();
    plot.destroy();
  };
}

function plotOptions(props: AlignedPlotProps, scheme: Scheme): Omit<uPlot.Options, 'width' | 'height'> {
  const { unit, perSecond, top, right, cursor, lines } = props;
  const ink = chartInk(scheme);
  const axis = { font: FONT, stroke: ink.text, grid: { stroke: ink.grid, width: 1 }, ticks: { show: false, size: 0 } };
  return {
    ms: 1,
    padding: [8, 22, 0, 0],
    legend: { show: false },
    scales: {
      x: { time: false, range: () => [0, Math.max(1, right)] },
      y: { range: (_u, min, max) => valueRange(Math.min(0, min ?? 0), top ?? max) },
    },
    axes: [
      {
        ...axis,
        size: 20,
        gap: 5,
        space: 64,
        incrs: STEPS,
        values: (_u, splits) => splits.map((ms) => formatElapsed(ms)),
      },
      {
        ...axis,
        size: 58,
        gap: 6,
        space: 26,
        values: (_u, splits) => splits.map((value) => formatAxisValue(value, unit, perSecond)),
      },
    ],
    series: [
      {},
      ...lines.map(({ look }): uPlot.Series => {
        const dash = LINE_DASHES[look % LINE_DASHES.length] ?? [];
        return {
          stroke: lineColour(scheme, look),
          width: 1.5,
          ...(dash.length > 0 ? { dash: [...dash] } : {}),
          points: { show: false },
          // Places where only other runs have a point break no line.
          spanGaps: false,
        };
      }),
    ],
    cursor: {
      y: false,
      points: { size: 5, width: 1 },
      drag: { x: false, y: false },
      sync: {
        key: cursor,
        scales: ['x', null],
        filters: { pub: (type) => type === 'mousemove' || type === 'mouseleave' },
      },
    },
  };
}
