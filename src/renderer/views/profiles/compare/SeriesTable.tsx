import { useMemo, useRef } from 'react';
import type { ComparedSeries } from '../../../../shared/api/profile-compare.ts';
import { DataTable } from '../../../components/DataTable.tsx';
import type { Column, TableSort } from '../../../components/DataTable.tsx';
import { Copy } from '../../../components/Copy.tsx';
import { SearchField } from '../../../components/SearchField.tsx';
import { useKeys } from '../../../components/useKeys.ts';
import { toCsv } from '../../../format/csv.ts';
import { formatCount, formatValue, NO_VALUE, threeDigits } from '../../../format/units.ts';
import { useUrlQuery } from '../../../state/query.ts';
import { seriesName } from './model.ts';
import type { Comparison } from './useComparison.ts';
import { percent } from './words.ts';

const SORTS = {
  rank: (one: ComparedSeries) => one.rank,
  name: (one: ComparedSeries) => seriesName(one),
  min: (one: ComparedSeries) => one.min,
  avg: (one: ComparedSeries) => one.avg,
  max: (one: ComparedSeries) => one.max,
  spread: (one: ComparedSeries) => one.spread,
  change: (one: ComparedSeries) => (one.change === null ? null : Math.abs(one.change)),
  share: (one: ComparedSeries) => (one.share_change === null ? null : Math.abs(one.share_change)),
};
type SortId = keyof typeof SORTS;
const isSort = (id: string | null): id is SortId => id !== null && Object.hasOwn(SORTS, id);

/** A difference of two shares: `+29 points`. */
function points(part: number | null): string {
  if (part === null) return NO_VALUE;
  const size = threeDigits(Math.round(Math.abs(part) * 1000) / 10);
  return size === '0' ? '0' : `${part < 0 ? '−' : '+'}${size} points`;
}

/** `+38 %`, `−12 %`, `× 31`. */
function signedPart(part: number | null): string {
  if (part === null) return NO_VALUE;
  if (part >= 9.95) return `× ${threeDigits(part + 1)}`;
  return `${part < 0 ? '−' : '+'}${percent(Math.abs(part))}`;
}

/** Least, average, largest and spread of every series over the runs. A row shows its chart. */
export function SeriesTable({ compared, base, set }: Comparison) {
  const [params] = useUrlQuery();
  const field = useRef<HTMLInputElement>(null);
  useKeys({ '/': () => field.current?.focus() });
  const search = (params.get('s') ?? '').slice(0, 256);
  const asked = params.get('sort');
  const id: SortId = isSort(asked) ? asked : 'rank';
  const descending = params.get('order') === null ? id !== 'name' : params.get('order') === 'desc';
  const rows = useMemo(() => {
    const words = search.toLowerCase().split(/\s+/).filter(Boolean);
    const found = compared.series.filter((one) => {
      const text = `${seriesName(one)} ${one.key} ${one.doc}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
    const way = descending ? -1 : 1;
    return found.sort((a, b) => {
      const [x, y] = [SORTS[id](a), SORTS[id](b)];
      if (x === null || y === null) return Number(x === null) - Number(y === null);
      return x === y ? 0 : way * (x < y ? -1 : 1);
    });
  }, [compared, search, id, descending]);
  const columns = useMemo(() => columnsOf(base), [base]);
  const sort: TableSort = { id, descending };
  return (
    <div className="v-fill">
      <div className="v-toolbar">
        <SearchField
          ref={field}
          label="Search series"
          placeholder="MPI barrier time"
          value={search}
          onChange={(text) => set({ s: text })}
        />
        <div className="v-spacer" />
        <Copy text={csvOf(rows)} name="the shown series as CSV" />
        <span className="v-muted" role="status">
          {formatCount(rows.length)}
          {compared.total > rows.length ? ` of ${formatCount(compared.total)}` : ''} series
        </span>
      </div>
      <DataTable
        label="Series of the runs"
        testId="compared-series"
        rows={rows}
        rowId={(one) => one.key}
        columns={columns}
        sort={sort}
        onSort={(next) => set({ sort: next.id, order: next.descending ? 'desc' : 'asc' })}
        onOpen={(one) => set({ m: one.key, run: null, tab: null })}
        empty={<p>No series matches.</p>}
      />
    </div>
  );
}

const columnsOf = (base: number): Column<ComparedSeries>[] => [
  {
    id: 'name',
    title: 'Series',
    width: 'minmax(150px, 2.4fr)',
    cell: (one) => <bdi title={`${one.key}${one.doc === '' ? '' : ` – ${one.doc}`}`}>{seriesName(one)}</bdi>,
  },
  ...(['min', 'avg', 'max'] as const).map((what): Column<ComparedSeries> => ({
    id: what,
    title: { min: 'Min', avg: 'Average', max: 'Max' }[what],
    width: '72px',
    numeric: true,
    cell: (one) => formatValue(one[what], one.unit),
  })),
  {
    id: 'spread',
    title: 'Spread',
    width: '66px',
    numeric: true,
    cell: (one) => <span title="(max − min) / median">{one.spread === null ? NO_VALUE : percent(one.spread)}</span>,
  },
  {
    id: 'base',
    title: 'Baseline',
    width: '72px',
    numeric: true,
    sortable: false,
    cell: (one) => formatValue(one.values[base] ?? null, one.unit),
  },
  { id: 'change', title: 'Change', width: '66px', numeric: true, cell: (one) => signedPart(one.change) },
  {
    id: 'share',
    title: 'Of run time',
    width: '96px',
    numeric: true,
    cell: (one) => (
      <span title="Change of its share of the run time, in percentage points">{points(one.share_change)}</span>
    ),
  },
  {
    id: 'rank',
    title: 'Weight',
    width: '62px',
    numeric: true,
    cell: (one) => <span title="What the list of changes is ordered by">{threeDigits(one.rank)}</span>,
  },
];

const csvOf = (rows: readonly ComparedSeries[]): string =>
  toCsv([
    ['series', 'unit', 'min', 'avg', 'max', 'median', 'spread', 'change', 'share_change'],
    ...rows.map((one) => [
      one.key,
      one.unit,
      one.min,
      one.avg,
      one.max,
      one.median,
      one.spread,
      one.change,
      one.share_change,
    ]),
  ]);
