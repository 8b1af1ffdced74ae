import type { SeriesValue } from '../../../../shared/api/series.ts';
import { DataTable } from '../../../components/DataTable.tsx';
import type { Column } from '../../../components/DataTable.tsx';
import { useUrlQuery } from '../../../state/query.ts';
import type { Cells, RowSum } from './cells.ts';
import { cellText } from './words.ts';

interface MapTableProps {
  readonly cells: Cells;
  readonly rows: readonly number[];
  readonly series: SeriesValue;
  readonly sums: readonly (RowSum | null)[];
}

interface Line {
  readonly rank: number;
  readonly node: string;
  readonly sum: RowSum | null;
}

const columnsOf = (series: SeriesValue): Column<Line>[] => {
  const value = (id: 'min' | 'mean' | 'max', title: string): Column<Line> => ({
    id,
    title,
    width: '110px',
    numeric: true,
    sortable: false,
    cell: ({ sum }) => cellText(sum?.[id] ?? NaN, series),
  });
  return [
    { id: 'rank', title: 'Rank', width: '70px', numeric: true, cell: ({ rank }) => rank },
    { id: 'node', title: 'Node', width: 'minmax(100px, 1fr)', cell: ({ node }) => <bdi title={node}>{node}</bdi> },
    value('min', 'Least'),
    { ...value('mean', 'Mean'), id: 'total', sortable: true, cell: ({ sum }) => cellText(sum?.mean ?? NaN, series) },
    value('max', 'Most'),
  ];
};

/** The rows of the map as numbers, over the range that it shows. */
export function MapTable({ cells, rows, series, sums }: MapTableProps) {
  const [params, setParams] = useUrlQuery();
  const order = params.get('rows') ?? 'rank';
  const lines = rows.map((row) => ({ rank: cells.ranks[row]!, node: cells.nodes[row]!, sum: sums[row] ?? null }));
  return (
    <div className="v-heat-table" style={{ height: Math.min(520, 36 + 26 * lines.length) }}>
      <DataTable
        label="Ranks over the range"
        testId="heatmap-table"
        rows={lines}
        rowId={({ rank }) => String(rank)}
        columns={columnsOf(series)}
        rowHeight={26}
        sort={{ id: order, descending: order === 'total' }}
        onSort={({ id }) => setParams({ rows: id === 'rank' ? null : id })}
        empty={<p>No rank has values.</p>}
      />
    </div>
  );
}
