import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useEffect, useMemo, useReducer } from 'react';
import type { Series } from '../../../shared/model/described-series.ts';
import type { Board } from '../../charts/board.ts';
import { seriesLabel } from '../../charts/panels.ts';
import type { TimeRange } from '../../charts/range.ts';
import { readStats } from '../../charts/samples.ts';
import type { Stats } from '../../charts/samples.ts';
import { download, fileStamp } from '../../components/download.ts';
import { Icon } from '../../components/Icon.tsx';
import { toCsv } from '../../format/csv.ts';
import { formatValue } from '../../format/units.ts';
import { engineNow, useConnection } from '../../state/connection.ts';
import { PanelGroups } from '../board/PanelGroups.tsx';
import { useBoard, useShown } from '../board/useBoard.ts';
import type { BoardScope, BoardScopeState } from '../board/useBoard.ts';
import { useFine, useHistory, useSpan } from '../board/useHistory.ts';
import { useLayout } from '../board/useLayout.ts';
import { diagnosticPanels, ownSeries } from './plots.ts';

/** What is shown: long enough to see what led to a trouble. */
const RANGE: TimeRange = { kind: 'live', window: 900_000 };
const LINE_POINTS = 400;
/** How often the table is read anew. */
const TABLE_MS = 2000;
/** More charts than there are. */
const CHARTS = 100;

/** The engine's own figures over the last quarter of an hour: plots, and a table. */
export function Figures({ scopes }: { readonly scopes: readonly BoardScope[] }) {
  // An engine that has just begun fills the plots with what there is.
  const started = useConnection((s) => s.status?.engine.started ?? 0);
  const { board, states } = useBoard(scopes, started);
  useShown(board, RANGE, false);
  const span = useSpan(board, RANGE, started);
  const counts = useMemo(() => states.map((s) => ({ scope: s.scope, count: s.series.length })), [states]);
  const history = useHistory(board, counts, span);
  const sections = useLayout(board, states, true, history.version, diagnosticPanels);
  const keys = useMemo(
    () =>
      sections.flatMap(({ groups }) =>
        groups.flatMap(({ panels }) =>
          panels.map(({ panel, lines }) => ({ scope: panel.scope, keys: lines.map((one) => one.key) })),
        ),
      ),
    [sections],
  );
  const { banded } = useFine(board, keys, span, history.version, LINE_POINTS);
  const [section] = sections;
  const [state] = states;
  const missing = history.error?.message ?? state?.missing ?? null;
  return (
    <>
      <section className="v-diagnostics-plots" aria-labelledby="figures-title">
        <h2 id="figures-title">The last 15 minutes</h2>
        {missing === null ? null : (
          <p role="alert" className="v-notice">
            The history did not come: {missing}
          </p>
        )}
        {section && section.groups.length > 0 ? (
          <PanelGroups board={board} section={section} totals={false} banded={banded} limit={CHARTS} />
        ) : (
          <p className="v-muted">{state?.error ?? 'No figures yet.'}</p>
        )}
      </section>
      {state ? <FigureTable board={board} state={state} version={history.version} /> : null}
    </>
  );
}

interface FigureTableProps {
  readonly board: Board;
  readonly state: BoardScopeState;
  readonly version: number;
}

interface Row {
  readonly series: Series;
  readonly stats: Stats;
}

function FigureTable({ board, state, version }: FigureTableProps) {
  const [turn, again] = useReducer((n: number) => n + 1, 0);
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) again();
    }, TABLE_MS);
    return () => clearInterval(timer);
  }, []);
  const rows = useMemo((): Row[] => {
    const { from, to } = board.shown();
    const samples = board.samplesOf(state.scope);
    return ownSeries(state.series)
      .map((series) => ({ series, stats: readStats(samples, series, from, to, false) }))
      .sort((a, b) => a.series.key.localeCompare(b.series.key));
    // Turn and version stand for samples that React does not see.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [board, state, version, turn]);
  return (
    <section className="v-card" aria-labelledby="table-title">
      <div className="v-card-head">
        <h2 id="table-title">Figures</h2>
        <span className="v-muted">counters as rates per second</span>
        <span className="v-spacer" />
        <Button
          size="compact-xs"
          variant="default"
          leftSection={<Icon name="download" size={12} />}
          onClick={() => void save(rows)}
        >
          CSV
        </Button>
      </div>
      <div className="v-plain-scroll" tabIndex={0} role="region" aria-label="Figures of the engine">
        <table className="v-plain" aria-label="Figures" data-testid="figures-table">
          <thead>
            <tr>
              <th scope="col">Figure</th>
              {COLUMNS.map(([title]) => (
                <th key={title} scope="col" className="v-num">
                  {title}
                </th>
              ))}
              <th scope="col">What it is</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ series, stats }) => (
              <tr key={series.key}>
                <th scope="row" title={series.name}>
                  <bdi>{seriesLabel(series)}</bdi>
                </th>
                {COLUMNS.map(([title, read]) => (
                  <td key={title} className="v-num">
                    {formatValue(read(stats), series.unit, series.kind === 'counter')}
                  </td>
                ))}
                <td className="v-wide">{series.doc}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

const COLUMNS: readonly (readonly [title: string, read: (stats: Stats) => number | null])[] = [
  ['Now', (stats) => stats.last],
  ['Least', (stats) => stats.min],
  ['Average', (stats) => stats.avg],
  ['Most', (stats) => stats.max],
];

const csvOf = (rows: readonly Row[]): string =>
  toCsv([
    ['figure', 'kind', 'now', 'least', 'average', 'most', 'what'],
    ...rows.map(({ series, stats }) => [
      series.name,
      series.kind === 'counter' ? 'rate per second' : 'gauge',
      stats.last,
      stats.min,
      stats.avg,
      stats.max,
      series.doc,
    ]),
  ]);

async function save(rows: readonly Row[]): Promise<void> {
  try {
    await download(csvOf(rows), 'text/csv', `vigie-figures-${fileStamp(engineNow())}.csv`);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    notifications.show({ color: 'red', title: 'The figures were not saved', message });
  }
}
