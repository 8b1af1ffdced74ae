import type uPlot from 'uplot';
import type { Unit } from '../../shared/model/naming.ts';
import { formatTick } from '../format/time.ts';
import { formatAxisValue } from '../format/units.ts';
import type { Board } from './board.ts';
import { bandColour, chartInk, LINE_DASHES, lineColour } from './colours.ts';
import type { Scheme } from './colours.ts';
import { addBreaks } from './gaps.ts';
import { BINARY_STEPS } from './ticks.ts';
import { valueRange } from './valueRange.ts';

export interface ChartLook {
  readonly width: number;
  readonly height: number;
  readonly lines: number;
  readonly unit: Unit;
  /** Values are rates of that unit. */
  readonly perSecond: boolean;
  readonly scheme: Scheme;
  /** Points stand for buckets: show the band from their min to their max. */
  readonly banded: boolean;
  /** Points that no line reaches from the one before, growing; read at each drawing. */
  readonly breaks: readonly number[];
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
export const TIME_STEPS = [
  ...[1, 5, 10, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 7, 14, 28, 91, 182, 364, 728].map((n) => n * DAY),
];

const FONT = '11px system-ui, sans-serif';

export function chartOptions(look: ChartLook, board: Board, onCursor: () => void): uPlot.Options {
  const ink = chartInk(look.scheme);
  const axis = { font: FONT, stroke: ink.text, grid: { stroke: ink.grid, width: 1 }, ticks: { show: false, size: 0 } };
  const lines = Array.from({ length: look.lines }, (_, i) => line(look, i));
  const edges = look.banded ? lines.flatMap(() => [edge(), edge()]) : [];
  return {
    width: look.width,
    height: look.height,
    ms: 1,
    padding: [8, 22, 0, 0],
    legend: { show: false },
    scales: { x: { time: true, auto: false }, y: { range: (_u, min, max) => valueRange(min, max) } },
    axes: [
      {
        ...axis,
        size: 20,
        gap: 5,
        space: 64,
        incrs: TIME_STEPS,
        values: (_u, splits, _i, _space, step) => splits.map((ms) => formatTick(ms, step)),
      },
      {
        ...axis,
        size: 58,
        gap: 6,
        space: 26,
        ...(look.unit === 'B' || look.unit === 'B/s' ? { incrs: BINARY_STEPS } : {}),
        values: (_u, splits) => splits.map((value) => formatAxisValue(value, look.unit, look.perSecond)),
      },
    ],
    series: [{}, ...lines, ...edges],
    ...(look.banded ? { bands: lines.map((_, i) => band(look, i)) } : {}),
    cursor: {
      y: false,
      points: { size: 5, width: 1 },
      drag: { x: true, y: false, setScale: false, dist: 4 },
      // Only the position travels: a brush drawn in one chart must not be finished by every other one too.
      sync: {
        key: board.cursorKey,
        scales: ['x', null],
        filters: { pub: (type) => type === 'mousemove' || type === 'mouseleave' },
      },
      bind: {
        dblclick: () => () => {
          board.onBack();
          return null;
        },
      },
    },
    hooks: {
      setCursor: [onCursor],
      setSelect: [(u) => brush(u, board)],
    },
  };
}

function line(look: ChartLook, index: number): uPlot.Series {
  const dash = LINE_DASHES[index % LINE_DASHES.length]!;
  return {
    stroke: lineColour(look.scheme, index),
    width: 1,
    ...(dash.length > 0 ? { dash: [...dash] } : {}),
    // Samples far apart are seen as such, and one between two gaps is seen at all.
    points: {
      size: 4,
      width: 1,
      fill: lineColour(look.scheme, index),
      show: (u, _series, first, last) => sparse(u, first, last),
      filter: (u, series, show) => (show ? null : lonely(u.data[series]!, u.data[0], look.breaks)),
    },
    spanGaps: false,
    gaps: (u, _series, first, last, gaps) => {
      const xs = u.data[0];
      const position = (at: number): number => u.valToPos(xs[at]!, 'x', true);
      return addBreaks(gaps, look.breaks, first, last, position);
    },
  };
}

/** Least distance of points that are drawn as such, px. */
const POINT_DISTANCE = 12;

function sparse(u: uPlot, first: number, last: number): boolean {
  return (last - first) * POINT_DISTANCE <= u.bbox.width / (window.devicePixelRatio || 1);
}

/** Points to which no line leads and from which none goes on; null: there are none. */
function lonely(
  values: ArrayLike<number | null | undefined>,
  times: ArrayLike<number>,
  breaks: readonly number[],
): number[] | null {
  const cut = new Set(breaks);
  const has = (at: number): boolean => values[at] !== null && values[at] !== undefined;
  const found: number[] = [];
  for (let i = 0; i < times.length; i++) {
    if (!has(i)) continue;
    const led = i > 0 && has(i - 1) && !cut.has(i);
    const goes = i + 1 < times.length && has(i + 1) && !cut.has(i + 1);
    if (!led && !goes) found.push(i);
  }
  return found.length > 0 ? found : null;
}

const edge = (): uPlot.Series => ({ stroke: 'transparent', width: 0, points: { show: false } });

function band(look: ChartLook, index: number): uPlot.Band {
  const low = 1 + look.lines + 2 * index;
  return { series: [low + 1, low], fill: bandColour(look.scheme, index) };
}

function brush(u: uPlot, board: Board): void {
  const { left, width } = u.select;
  if (width < 4) return;
  const from = u.posToVal(left, 'x');
  const to = u.posToVal(left + width, 'x');
  u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  board.onBrush(from, to);
}
