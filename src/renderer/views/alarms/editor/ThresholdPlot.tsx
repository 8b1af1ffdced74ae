import { useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { useEffect, useMemo, useRef, useState } from 'react';
import uPlot from 'uplot';
import type { Comparison } from '../../../../shared/api/alarms.ts';
import type { Unit } from '../../../../shared/model/naming.ts';
import { bandColour, chartInk, lineColour, LINE_DASHES } from '../../../charts/colours.ts';
import type { Scheme } from '../../../charts/colours.ts';
import { TIME_STEPS } from '../../../charts/options.ts';
import { formatTick } from '../../../format/time.ts';
import { formatAxisValue } from '../../../format/units.ts';
import { axisRange, roundFor } from './plotData.ts';
import type { PlotData } from './plotData.ts';
import { ThresholdLine } from './ThresholdLine.tsx';

const HEIGHT = 300;
const FONT = '11px system-ui, sans-serif';

interface ThresholdPlotProps {
  readonly label: string;
  readonly data: PlotData;
  readonly span: { readonly from: number; readonly to: number };
  readonly unit: Unit;
  readonly perSecond: boolean;
  readonly op: Comparison;
  readonly raise: number | null;
  readonly clear: number | null;
  readonly text: (value: number) => string;
  /** The lines can be moved. */
  readonly may: boolean;
  readonly onRaise: (value: number) => void;
  readonly onClear: (value: number) => void;
}

/** What a rule compares over time, where it would have fired, and its thresholds to be dragged. */
export function ThresholdPlot(props: ThresholdPlotProps) {
  const { label, data, span, unit, perSecond, raise, clear, text, may, onRaise, onClear } = props;
  const scheme = useComputedColorScheme('light');
  const { ref, width } = useElementSize<HTMLDivElement>();
  const figure = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const shown = useRef({ data, span });
  // The axis rests while a line is dragged: it would run away from the pointer.
  const [held, setHeld] = useState<[number, number] | null>(null);
  const free = useMemo(() => axisRange(data, raise, clear), [data, raise, clear]);
  const axis = held ?? free;
  const [area, setArea] = useState({ left: 58, top: 8, width: 100, height: HEIGHT - 28 });

  // Before a plot is made of it.
  useEffect(() => {
    shown.current = { data, span };
  }, [data, span]);

  const keys = data.keys.join('\n');
  useEffect(() => {
    const element = figure.current;
    if (!element || width < 40) return undefined;
    const lines = shown.current.data.keys.length;
    const u = new uPlot(
      options({ scheme, width, lines, unit, perSecond, shown: () => shown.current }),
      [shown.current.data.xs, ...shown.current.data.ys] as uPlot.AlignedData,
      element,
    );
    plot.current = u;
    const ratio = window.devicePixelRatio || 1;
    const { left, top, width: wide, height } = u.bbox;
    setArea({ left: left / ratio, top: top / ratio, width: wide / ratio, height: height / ratio });
    return () => {
      plot.current = null;
      u.destroy();
    };
  }, [scheme, width, keys, unit, perSecond]);

  useEffect(() => {
    const u = plot.current;
    if (!u) return;
    u.batch(() => {
      u.setData([data.xs, ...data.ys] as uPlot.AlignedData, false);
      u.setScale('x', { min: span.from, max: span.to });
      u.setScale('y', { min: axis[0], max: axis[1] });
    });
  }, [data, span, axis, width, scheme, keys, unit, perSecond]);

  const change =
    (tell: (value: number) => void) =>
    (value: number, done: boolean): void => {
      setHeld(done ? null : axis);
      tell(roundFor(value, axis));
    };
  return (
    <div ref={ref} className="v-threshold-plot" style={{ height: HEIGHT }}>
      <div ref={figure} className="v-figure" role="img" aria-label={label} style={{ height: HEIGHT }} />
      <div className="v-threshold-area" style={area}>
        {clear === null ? null : (
          <ThresholdLine
            label="ends at"
            text={text(clear)}
            value={clear}
            axis={axis}
            height={area.height}
            className="v-threshold-clear"
            onChange={may ? change(onClear) : null}
          />
        )}
        {raise === null ? null : (
          <ThresholdLine
            label="fires at"
            text={text(raise)}
            value={raise}
            axis={axis}
            height={area.height}
            className="v-threshold-raise"
            onChange={may ? change(onRaise) : null}
          />
        )}
      </div>
    </div>
  );
}

interface Look {
  readonly scheme: Scheme;
  readonly width: number;
  readonly lines: number;
  readonly unit: Unit;
  readonly perSecond: boolean;
  readonly shown: () => { data: PlotData; span: { from: number; to: number } };
}

function options(look: Look): uPlot.Options {
  const { scheme, width, lines, unit, perSecond, shown } = look;
  const ink = chartInk(scheme);
  const axis = { font: FONT, stroke: ink.text, grid: { stroke: ink.grid, width: 1 }, ticks: { show: false, size: 0 } };
  // Nothing between two samples is no gap where samples are that far apart anyway.
  const gaps: uPlot.Series.GapsRefiner = (u, _series, _first, _last, found) => {
    const { spacing, xs } = shown().data;
    const bucket = u.valToPos(xs[1] ?? 1, 'x', true) - u.valToPos(xs[0] ?? 0, 'x', true);
    return found.filter(([from, to]) => to - from > 5 * spacing * bucket);
  };
  const line = (index: number): uPlot.Series[] => {
    const dash = LINE_DASHES[index % LINE_DASHES.length]!;
    const colour = { stroke: lineColour(scheme, index), gaps, spanGaps: false, points: { show: false } };
    return [
      { ...colour, width: 0 },
      { ...colour, width: 1.2, ...(dash.length > 0 ? { dash: [...dash] } : {}) },
    ];
  };
  return {
    ...{ width, height: HEIGHT, ms: 1, padding: [8, 8, 0, 0], legend: { show: false } },
    cursor: { show: false, drag: { x: false, y: false } },
    scales: { x: { time: true, auto: false }, y: { auto: false } },
    axes: [
      {
        ...{ ...axis, size: 20, gap: 5, space: 64, incrs: TIME_STEPS },
        values: (_u, splits, _i, _space, step) => splits.map((ms) => formatTick(ms, step)),
      },
      {
        ...{ ...axis, size: 58, gap: 6, space: 30 },
        values: (_u, splits) => splits.map((value) => formatAxisValue(value, unit, perSecond)),
      },
    ],
    series: [{}, ...Array.from({ length: lines }, (_, i) => line(i)).flat()],
    bands: Array.from({ length: lines }, (_, i) => ({
      series: [2 * i + 2, 2 * i + 1] as [number, number],
      fill: bandColour(scheme, i),
    })),
    hooks: { drawClear: [(u) => drawSpans(u, scheme, shown().data)] },
  };
}

/** Where it would have fired, and where it would have been about to. */
function drawSpans(u: uPlot, scheme: Scheme, { firing, pending }: PlotData): void {
  const { ctx, bbox } = u;
  const draw = (spans: readonly (readonly [number, number])[], fill: string, edge: string): void => {
    for (const [from, to] of spans) {
      const left = Math.max(bbox.left, u.valToPos(from, 'x', true));
      const right = Math.min(bbox.left + bbox.width, u.valToPos(to, 'x', true));
      if (right < bbox.left || left > bbox.left + bbox.width) continue;
      ctx.fillStyle = fill;
      ctx.fillRect(left, bbox.top, Math.max(1, right - left), bbox.height);
      ctx.fillStyle = edge;
      ctx.fillRect(left, bbox.top, Math.max(2, right - left), 3);
    }
  };
  ctx.save();
  const dark = scheme === 'dark';
  draw(pending, dark ? '#e6c84a22' : '#8a6a0018', dark ? '#e6c84a' : '#8a6a00');
  draw(firing, dark ? '#ff6b6b3a' : '#c9252530', dark ? '#ff6b6b' : '#c92525');
  ctx.restore();
}
