import { useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { KeyboardEvent, PointerEvent } from 'react';
import type { SeriesValue } from '../../../../shared/api/series.ts';
import { chartInk } from '../../../charts/colours.ts';
import type { Span } from '../../../charts/range.ts';
import { cellAt } from './cells.ts';
import type { Cells, RowOrder } from './cells.ts';
import { drawMap, pictureOf } from './draw.ts';
import { boxOf, columnAt, hit, layoutOf, moved, spanOf } from './place.ts';
import type { Layout, Place } from './place.ts';
import type { Limits } from './scale.ts';
import { cellText, rankText, timeText } from './words.ts';

interface PlotProps {
  readonly cells: Cells;
  /** Rows of the cells from top to bottom. */
  readonly rows: readonly number[];
  readonly series: SeriesValue;
  readonly limits: Limits;
  readonly order: RowOrder;
  /** Row of the cells that is pointed out; −1: none. */
  readonly marked: number;
  /** Start of the run, ms since the epoch. */
  readonly start: number;
  readonly summary: string;
  readonly onZoom: (span: Span) => void;
}

/** A shorter way than this is a click. Pixels. */
const LEAST_DRAG = 5;

/** The map itself: pointed at, walked over with arrow keys, zoomed by drawing over it. */
export function Plot({ cells, rows, series, limits, order, marked, start, summary, onZoom }: PlotProps) {
  const { ref, width } = useElementSize();
  const layout = layoutOf(width, rows.length, cells.columns);
  const [place, setPlace] = useState<Place | null>(null);
  const { drag, ...drags } = useDrag(layout, setPlace, (a, b) =>
    onZoom(spanOf(cells, a, b, { from: cells.from, to: cells.to })),
  );
  const markedAt = marked < 0 ? -1 : rows.indexOf(marked);
  // Of another map there may be no such cell.
  const at = place && place.row < rows.length && place.column < cells.columns ? place : null;
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const next = moved(at ?? { row: Math.max(0, markedAt), column: 0 }, event.key, layout);
    if (event.key === 'Escape' && at) setPlace(null);
    else if (next) setPlace(at ? next : { row: Math.max(0, markedAt), column: 0 });
    else return;
    // The range of the page has a use for the same keys.
    event.preventDefault();
  };
  const texts = at ? tipOf(cells, rows[at.row]!, at.column, series, start) : null;
  return (
    <div
      className="v-heat"
      role="group"
      aria-label="Map of ranks over time: arrow keys move from cell to cell"
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      onKeyDown={onKeyDown}
      onBlur={() => setPlace(null)}
    >
      <div ref={ref} className="v-heat-plot" {...drags} style={{ height: layout.height + layout.bottom }}>
        <Picture {...{ cells, rows, limits, order, layout, markedAt, summary }} />
        {drag ? <Dragged layout={layout} from={drag.from} to={drag.to} /> : null}
        {at && texts && !drag ? <Pointed layout={layout} place={at} texts={texts} /> : null}
      </div>
      <p className="v-hidden" role="status">
        {texts?.join(', ')}
      </p>
    </div>
  );
}

function tipOf(cells: Cells, row: number, column: number, series: SeriesValue, start: number): string[] {
  const who = rankText(cells, row);
  const value = cellText(cellAt(cells, row, column), series);
  return [value, `${who.charAt(0).toUpperCase()}${who.slice(1)}`, timeText(cells, column, start)];
}

interface Drag {
  readonly from: number;
  readonly to: number;
}

/** A stretch drawn with the pointer, in columns. */
function useDrag(layout: Layout, point: (place: Place | null) => void, done: (a: number, b: number) => void) {
  const [began, setBegan] = useState<{ readonly x: number; readonly pointer: number } | null>(null);
  const [x, setX] = useState(0);
  const at = (event: PointerEvent<HTMLElement>): [number, number] => {
    const box = event.currentTarget.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const far = began !== null && Math.abs(x - began.x) >= LEAST_DRAG;
  const drag: Drag | null = far ? { from: columnAt(layout, began.x), to: columnAt(layout, x) } : null;
  return {
    drag,
    onPointerDown(event: PointerEvent<HTMLElement>): void {
      const [left, top] = at(event);
      if (event.button !== 0 || !hit(layout, left, top)) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      setBegan({ x: left, pointer: event.pointerId });
      setX(left);
    },
    onPointerMove(event: PointerEvent<HTMLElement>): void {
      const [left, top] = at(event);
      setX(left);
      point(hit(layout, left, top));
    },
    onPointerUp(): void {
      if (drag) done(drag.from, drag.to);
      setBegan(null);
    },
    onPointerCancel: (): void => setBegan(null),
    onPointerLeave: (): void => (began ? undefined : point(null)),
  };
}

interface PictureProps {
  readonly cells: Cells;
  readonly rows: readonly number[];
  readonly limits: Limits;
  readonly order: RowOrder;
  readonly layout: Layout;
  readonly markedAt: number;
  readonly summary: string;
}

function Picture({ cells, rows, limits, order, layout, markedAt, summary }: PictureProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const scheme = useComputedColorScheme('light');
  const picture = useMemo(() => pictureOf(cells, rows, limits), [cells, rows, limits]);
  const { width, height, left, bottom } = layout;
  useEffect(() => {
    const element = canvas.current;
    if (!element || width <= 0 || !picture) return;
    const shape = layoutOf(width + left, rows.length, cells.columns);
    drawMap(element, { picture, cells, rows, order, layout: shape, markedAt, ink: chartInk(scheme) });
  }, [picture, cells, rows, order, width, left, markedAt, scheme]);
  return (
    <>
      <div className="v-heat-none" style={{ left, top: 0, width, height }} />
      <canvas
        ref={canvas}
        role="img"
        aria-label={summary}
        data-testid="heatmap-canvas"
        style={{ width: width + left, height: height + bottom }}
      />
    </>
  );
}

function Dragged({ layout, from, to }: { readonly layout: Layout } & Drag) {
  const [left] = boxOf(layout, { row: 0, column: Math.min(from, to) });
  const [right, , width] = boxOf(layout, { row: 0, column: Math.max(from, to) });
  return <div className="v-heat-drag" style={{ left, width: right! + width! - left!, height: layout.height }} />;
}

const TIP_WIDTH = 300;

interface PointedProps {
  readonly layout: Layout;
  readonly place: Place;
  readonly texts: readonly string[];
}

/** The cell that is looked at, and what it says. */
function Pointed({ layout, place, texts }: PointedProps) {
  const [left, top, width, height] = boxOf(layout, place) as [number, number, number, number];
  const all = layout.left + layout.width;
  const isRight = left + TIP_WIDTH + 16 > all;
  const isLow = top > layout.height / 2;
  const tip = {
    maxWidth: TIP_WIDTH,
    ...(isRight ? { right: all - left + 8 } : { left: left + width + 8 }),
    ...(isLow ? { bottom: layout.height + layout.bottom - top - height } : { top }),
  };
  const [value, ...rest] = texts;
  return (
    <>
      <div className="v-heat-cell" style={{ left, top, width: Math.max(3, width), height: Math.max(3, height) }} />
      <div className="v-plot-tip v-heat-tip" style={tip} aria-hidden="true" data-testid="heatmap-tip">
        <b>{value}</b>
        {rest.map((line) => (
          <bdi key={line}>{line}</bdi>
        ))}
      </div>
    </>
  );
}
