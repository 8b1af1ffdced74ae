import { useComputedColorScheme } from '@mantine/core';
import { memo, useEffect, useRef } from 'react';
import uPlot from 'uplot';
import type { Series } from '../../shared/model/described-series.ts';
import { formatValue, NO_VALUE, unitName } from '../format/units.ts';
import type { Board } from './board.ts';
import { LINE_DASHES, lineColour } from './colours.ts';
import { drawMarks } from './drawMarks.ts';
import { marksOf } from './marks.ts';
import { chartOptions } from './options.ts';
import { lineLabel } from './panels.ts';
import type { PanelSpec } from './panels.ts';
import { PanelMarks } from './PanelMarks.tsx';
import { SetAlarm } from './SetAlarm.tsx';
import type { Drawable } from './redraw.ts';
import { emptyPlot, readPlot } from './samples.ts';

export const CHART_HEIGHT = 132;
/** The text alternative need not follow every sample. */
const LABEL_EVERY_MS = 5000;

interface ChartPanelProps {
  readonly board: Board;
  readonly panel: PanelSpec;
  readonly lines: readonly Series[];
  /** Series of this panel that move too but are not drawn. */
  readonly left: number;
  readonly totals: boolean;
  readonly banded: boolean;
  /** It goes on no more: its last rates are those of its end, and say nothing of it. */
  readonly over: boolean;
}

/** One chart. It renders when its lines change; samples are drawn without React. */
export const ChartPanel = memo(function ChartPanel(props: ChartPanelProps) {
  const { board, panel, lines, left, totals, banded, over } = props;
  const scheme = useComputedColorScheme('light');
  const figure = useRef<HTMLDivElement>(null);
  const legend = useRef<HTMLUListElement>(null);
  const chart = useRef<uPlot | null>(null);
  const perSecond = panel.kind === 'counter' && !totals;
  const unit = unitName(panel.unit, panel.quantity, perSecond);
  const title = panel.title;
  const mean = over && !(panel.kind === 'counter' && totals);
  const says = [unit, ...(mean ? ['mean'] : [])].filter((word) => word !== '').join(', ');

  useEffect(() => {
    const element = figure.current;
    const values = legend.current?.querySelectorAll<HTMLElement>('.v-legend-value');
    if (!element || !values) return undefined;
    return mountChart({ board, panel, lines, totals, banded, scheme, element, values, perSecond, mean, title, chart });
  }, [board, panel, lines, totals, banded, scheme, perSecond, mean, title]);

  const focus = (index: number | null): void => {
    chart.current?.setSeries(index === null ? null : index + 1, { focus: true }, false);
  };

  return (
    <div role="group" className="v-panel" data-testid="chart-panel" aria-label={`${panel.group}: ${title}`}>
      <h4>
        <bdi>{title}</bdi> {says === '' ? null : <span className="v-unit">{says}</span>}
      </h4>
      <SetAlarm panel={panel} lines={lines} perSecond={perSecond} />
      <div ref={figure} className="v-figure" role="img" style={{ height: CHART_HEIGHT }} />
      <ul ref={legend} className="v-legend" aria-label={`Lines of ${title}`}>
        {lines.map((series, index) => (
          <li key={series.key} onMouseEnter={() => focus(index)} onMouseLeave={() => focus(null)} title={series.name}>
            <Swatch colour={lineColour(scheme, index)} dash={LINE_DASHES[index % LINE_DASHES.length] ?? []} />
            <bdi className="v-legend-name">{lineLabel(series, panel)}</bdi>
            <span className="v-legend-value">{NO_VALUE}</span>
          </li>
        ))}
      </ul>
      {left > 0 ? <div className="v-legend-more">and {left} more in the series table</div> : null}
      <PanelMarks board={board} panel={panel} />
    </div>
  );
});

function Swatch({ colour, dash }: { readonly colour: string; readonly dash: readonly number[] }) {
  return (
    <svg width="18" height="8" aria-hidden="true" focusable="false">
      <line x1="0" x2="18" y1="4" y2="4" stroke={colour} strokeWidth="2.5" strokeDasharray={dash.join(' ')} />
    </svg>
  );
}

interface Mount extends Omit<ChartPanelProps, 'left' | 'over'> {
  readonly scheme: 'light' | 'dark';
  readonly element: HTMLElement;
  readonly values: NodeListOf<HTMLElement>;
  readonly perSecond: boolean;
  /** Of what is shown, where the cursor is not on it; otherwise the last value. */
  readonly mean: boolean;
  readonly title: string;
  readonly chart: { current: uPlot | null };
}

/** Puts a uPlot into the element and keeps it drawn; returns what takes it away. */
function mountChart(mount: Mount): () => void {
  const { board, panel, lines, totals, banded, element } = mount;
  const plot = emptyPlot();
  let labelled = 0;

  const showValues = (): void => {
    const { idx } = u.cursor;
    for (let i = 0; i < lines.length; i++) {
      const value = typeof idx === 'number' ? plot.ys[i]?.[idx] : resting(plot.ys[i], mount.mean);
      const text = formatValue(value, panel.unit, mount.perSecond);
      // The text node stays: a new one each second would cost more layout.
      const node = mount.values[i]?.firstChild;
      if (node && node.nodeValue !== text) node.nodeValue = text;
    }
  };

  const look = {
    width: Math.max(160, element.clientWidth),
    height: CHART_HEIGHT,
    lines: lines.length,
    unit: panel.unit,
    perSecond: mount.perSecond,
    breaks: plot.breaks,
  };
  const options = chartOptions({ ...look, scheme: mount.scheme, banded }, board, () => {
    showValues();
    const { idx } = u.cursor;
    board.onCursor(typeof idx === 'number' ? (plot.xs[idx] ?? null) : null);
  });
  options.hooks!.drawClear = [
    (u) => drawMarks(u, mount.scheme, marksOf(board.marks, panel), { perSecond: mount.perSecond, totals }),
  ];
  const data = (): uPlot.AlignedData => {
    const edges = banded ? lines.flatMap((_, i) => [plot.lows[i]!, plot.highs[i]!]) : [];
    return [plot.xs, ...plot.ys, ...edges];
  };
  const read = (): { from: number; to: number } => {
    const { from, to } = board.shown();
    readPlot(board.samplesOf(panel.scope), lines, from, to, totals, plot);
    return { from, to };
  };
  read();
  const u = new uPlot({ ...options, focus: { alpha: 0.25 } }, data(), element);
  mount.chart.current = u;

  const item: Drawable = {
    visible: false,
    stale: true,
    draw() {
      const { from, to } = read();
      u.batch(() => {
        u.setData(data(), false);
        u.setScale('x', { min: from, max: to });
      });
      if (typeof u.cursor.idx !== 'number') showValues();
      const now = performance.now();
      if (labelled === 0 || now - labelled > LABEL_EVERY_MS) {
        labelled = now;
        element.setAttribute('aria-label', describe(mount, plot.ys));
      }
    },
  };
  element.setAttribute('aria-label', describe(mount, plot.ys));
  const remove = board.loop.add(item);
  const sight = new IntersectionObserver(([entry]) => board.loop.show(item, entry?.isIntersecting ?? false), {
    rootMargin: '60px',
  });
  sight.observe(element);
  const size = new ResizeObserver(() => {
    const width = element.clientWidth;
    if (width > 0 && width !== u.width) u.setSize({ width, height: CHART_HEIGHT });
  });
  size.observe(element);
  const onWheel = (event: WheelEvent): void => wheel(event, u, board);
  // It keeps the page from being zoomed instead. Not at the plot's own element: browsers send all of a gesture's events to
  // where it began, and the plot is made anew while one goes on.
  element.addEventListener('wheel', onWheel, { passive: false });
  return () => {
    element.removeEventListener('wheel', onWheel);
    sight.disconnect();
    size.disconnect();
    remove();
    mount.chart.current = null;
    u.destroy();
  };
}

/** Pixels of a line, where the wheel counts in lines. */
const LINE_PX = 16;
/** More than this in one event is a notch of a mouse's wheel; trackpads send little and often. */
const NOTCH_PX = 60;
const ZOOM_PER_PX = 0.01;

/** With Ctrl, which is also what a pinch sends, around the pointer; sideways along the time. */
function wheel(event: WheelEvent, u: uPlot, board: Board): void {
  const unit = event.deltaMode === 1 ? LINE_PX : 1;
  const [across, along] = [event.deltaY * unit, event.deltaX * unit];
  if (event.ctrlKey || event.metaKey) {
    event.preventDefault();
    // The pointer may also be on an axis.
    const at = u.posToVal(Math.max(0, Math.min(u.rect.width, event.clientX - u.rect.left)), 'x');
    board.onZoom(Math.exp(Math.max(-NOTCH_PX, Math.min(NOTCH_PX, across)) * ZOOM_PER_PX), at);
  } else if (event.shiftKey || Math.abs(along) > Math.abs(across)) {
    event.preventDefault();
    board.onPan((along === 0 ? across : along) / Math.max(1, u.over.clientWidth));
  }
}

function describe(mount: Mount, ys: readonly (readonly (number | null)[])[]): string {
  const { panel, lines } = mount;
  const latest = lines.map(
    (s, i) => `${lineLabel(s, panel)} ${formatValue(resting(ys[i], mount.mean), panel.unit, mount.perSecond)}`,
  );
  return `${panel.group}, ${mount.title}. ${mount.mean ? 'Mean' : 'Latest'}: ${latest.join(', ')}`.slice(0, 600);
}

/** What stands beside a line that the cursor is not on. */
function resting(points: readonly (number | null)[] | undefined, mean: boolean): number | null | undefined {
  if (!mean || !points) return points?.at(-1);
  let [sum, count] = [0, 0];
  for (const value of points) {
    if (value === null) continue;
    sum += value;
    count++;
  }
  return count === 0 ? null : sum / count;
}
