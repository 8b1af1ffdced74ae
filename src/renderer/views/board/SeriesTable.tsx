import { useEffect, useMemo, useReducer, useRef } from 'react';
import type { RefObject } from 'react';
import { SearchField } from '../../components/SearchField.tsx';
import type { Board } from '../../charts/board.ts';
import { seriesLabel } from '../../charts/panels.ts';
import { readStats } from '../../charts/samples.ts';
import { matchesSearch, sortSeries } from '../../charts/table.ts';
import type { SeriesRow } from '../../charts/table.ts';
import { DataTable } from '../../components/DataTable.tsx';
import type { Column } from '../../components/DataTable.tsx';
import { formatCount, formatValue } from '../../format/units.ts';
import type { BoardQuery } from './boardQuery.ts';
import type { BoardScopeState } from './useBoard.ts';

interface SeriesTableProps {
  readonly board: Board;
  readonly scopes: readonly BoardScopeState[];
  readonly query: BoardQuery;
  readonly version: number;
  readonly search: RefObject<HTMLInputElement | null>;
}

const statColumns = (totals: boolean): Column<SeriesRow>[] =>
  (['min', 'avg', 'max', 'last'] as const).map((id) => ({
    id,
    title: id,
    width: '104px',
    numeric: true,
    cell: (row) => formatValue(row[id], row.series.unit, row.series.kind === 'counter' && !totals),
  }));

const columnsOf = (totals: boolean): Column<SeriesRow>[] => [
  { id: 'scope', title: 'Scope', width: 'minmax(80px, 0.6fr)', cell: (row) => <bdi>{row.scopeLabel}</bdi> },
  { id: 'group', title: 'Group', width: 'minmax(80px, 0.6fr)', cell: (row) => <bdi>{row.series.group}</bdi> },
  {
    id: 'name',
    title: 'Series',
    width: 'minmax(180px, 2fr)',
    cell: (row) => <bdi title={`${row.series.name}\n${row.series.doc}`.slice(0, 2000)}>{row.label.slice(0, 400)}</bdi>,
  },
  ...statColumns(totals),
];

/** Min, average, max and last of every series over the range that is shown. Only mounted while its tab is open. */
export function SeriesTable({ board, scopes, query, version, search }: SeriesTableProps) {
  const [turn, again] = useReducer((n: number) => n + 1, 0);
  const moving = query.range.kind === 'live';
  const last = useRef(0);
  useEffect(() => {
    if (!moving) return undefined;
    // Follows the samples, once a second at most, and only while someone can see it.
    const timer = setInterval(() => {
      const latest = board.latest();
      if (document.hidden || latest === last.current) return;
      last.current = latest;
      again();
    }, 1000);
    return () => clearInterval(timer);
  }, [board, moving]);

  const rows = useMemo(() => {
    const { from, to } = board.shown();
    const list: SeriesRow[] = [];
    for (const [place, { scope, label: scopeLabel, series }] of scopes.entries()) {
      const samples = board.samplesOf(scope);
      for (const one of series) {
        if (!matchesSearch(one, scopeLabel, query.search)) continue;
        const stats = readStats(samples, one, from, to, query.totals);
        const names = { scope, place, scopeLabel, label: seriesLabel(one) };
        list.push({ id: `${scope} ${one.key}`, ...names, series: one, ...stats });
      }
    }
    return sortSeries(list, query.sort.id, query.sort.descending);
    // Turn and version stand for samples that React does not see; the range has reached the board by then.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [board, scopes, query.search, query.totals, query.sort.id, query.sort.descending, query.range, version, turn]);
  const columns = useMemo(() => columnsOf(query.totals), [query.totals]);
  const all = scopes.reduce((sum, scope) => sum + scope.series.length, 0);

  return (
    <div className="v-fill">
      <div className="v-toolbar">
        <SearchField
          ref={search}
          label="Search series"
          placeholder="Name, group, label, host"
          value={query.search}
          onChange={query.setSearch}
        />
        <span className="v-muted" role="status">
          {formatCount(rows.length)} of {formatCount(all)} series
        </span>
      </div>
      <DataTable
        label="Series"
        testId="series-table"
        rows={rows}
        rowId={(row) => row.id}
        columns={columns}
        rowHeight={26}
        sort={query.sort}
        onSort={query.setSort}
        empty={<p>No series matches.</p>}
      />
    </div>
  );
}
