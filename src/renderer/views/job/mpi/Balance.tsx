import { Bar, BarChart, Cell, ReferenceLine, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts';
import type { TooltipContentProps } from 'recharts';
import { useMemo, useState } from 'react';
import { DataTable } from '../../../components/DataTable.tsx';
import type { Column, TableSort } from '../../../components/DataTable.tsx';
import { formatAxisValue, formatValue } from '../../../format/units.ts';
import { useUrlQuery } from '../../../state/query.ts';
import { MEASURE_NAMES, ROW, tableHeight, UNITS } from './Calls.tsx';
import { balanceOf, binRanks } from './model.ts';
import type { Balance as Spread, Bin, Measure, RankRow } from './model.ts';
import type { SortKey } from './order.ts';
import { Swatch } from './ShareBar.tsx';
import { useOrder } from './useMpi.ts';
import { percent } from './words.ts';

const STRIP_HEIGHT = 150;
const MOST_BARS = 96;

interface BalanceProps {
  readonly rows: readonly RankRow[];
  readonly measure: Measure;
  /** `MPI` or the name of the call that the rows are of. */
  readonly name: string;
  /** Ranks with the least time in communication, when that matters. */
  readonly least: readonly number[];
}

/** Each rank as a bar, or each group of neighbours: dark up to its least, light up to its most. */
export function RankStrip({ rows, measure, name, least }: BalanceProps) {
  const bins = useMemo(() => binRanks(rows, measure, MOST_BARS), [rows, measure]);
  const balance = balanceOf(rows, measure);
  if (!balance || balance.max <= 0) {
    return (
      <p className="v-muted v-none">
        {MEASURE_NAMES[measure]} {name} per rank: nothing was measured.
      </p>
    );
  }
  const unit = UNITS[measure];
  const data = bins.map((bin) => ({ ...bin, rest: bin.max - bin.min }));
  const marked = (bin: Bin): boolean => least.some((rank) => rank >= bin.first && rank <= bin.last);
  const tip = ({ active, payload }: TooltipContentProps): React.ReactNode => {
    const bin = payload[0]?.payload as Bin | undefined;
    return active && bin ? <BinTip bin={bin} unit={unit} marked={marked(bin)} /> : null;
  };
  const text = `${MEASURE_NAMES[measure]} ${name} per rank: from ${formatValue(balance.min, unit)} on rank ${balance.minRank} to ${formatValue(balance.max, unit)} on rank ${balance.maxRank}, mean ${formatValue(balance.mean, unit)}`;
  return (
    <div>
      <figure role="img" aria-label={text} style={{ height: STRIP_HEIGHT }} data-testid="mpi-strip">
        <ResponsiveContainer width="100%" height={STRIP_HEIGHT} initialDimension={{ width: 600, height: STRIP_HEIGHT }}>
          <BarChart
            data={data}
            margin={{ top: 8, right: 40, bottom: 0, left: 0 }}
            accessibilityLayer={false}
            barCategoryGap="12%"
          >
            <XAxis
              dataKey="label"
              tick={{ fill: 'var(--v-muted)', fontSize: 11 }}
              axisLine={{ stroke: 'var(--v-line)' }}
              tickLine={false}
              minTickGap={12}
              height={20}
            />
            <YAxis
              width={62}
              tick={{ fill: 'var(--v-muted)', fontSize: 11 }}
              axisLine={false}
              tickLine={false}
              tickCount={4}
              tickFormatter={(value: number) => formatAxisValue(value, unit, false)}
            />
            <Tooltip isAnimationActive={false} cursor={{ fill: 'var(--v-line-soft)' }} content={tip} />
            <Bar dataKey="min" stackId="value" isAnimationActive={false} maxBarSize={48}>
              {data.map((bin) => (
                <Cell key={bin.first} className={marked(bin) ? 'v-mpi-marked' : 'v-mpi-transfer'} />
              ))}
            </Bar>
            <Bar dataKey="rest" stackId="value" isAnimationActive={false} maxBarSize={48} className="v-mpi-range" />
            <ReferenceLine
              y={balance.mean}
              stroke="var(--v-text)"
              strokeDasharray="5 3"
              label={{ value: 'mean', position: 'right', fill: 'var(--v-text)', fontSize: 11 }}
            />
          </BarChart>
        </ResponsiveContainer>
      </figure>
      {least.length > 0 ? (
        <ul className="v-plot-key v-muted" aria-label="Marks">
          <li>
            <Swatch id="marked" /> least time in communication, all calls together
          </li>
        </ul>
      ) : null}
    </div>
  );
}

function BinTip({
  bin,
  unit,
  marked,
}: {
  readonly bin: Bin;
  readonly unit: 's' | 'B' | '1';
  readonly marked: boolean;
}) {
  const one = bin.first === bin.last;
  return (
    <div className="v-plot-tip">
      <b>{one ? `Rank ${bin.label}` : `Ranks ${bin.label}`}</b>
      <span>
        {one
          ? formatValue(bin.max, unit)
          : `min ${formatValue(bin.min, unit)}, mean ${formatValue(bin.mean, unit)}, max ${formatValue(bin.max, unit)}`}
      </span>
      {marked ? <span>least time in communication</span> : null}
    </div>
  );
}

/** How evenly the ranks share the work: one line for each number. */
export function BalanceTable({ rows, name }: { readonly rows: readonly RankRow[]; readonly name: string }) {
  const measures = (['time', 'bytes', 'calls'] as const)
    .map((measure) => ({ measure, balance: balanceOf(rows, measure) }))
    .filter(({ balance }) => balance !== null && balance.max > 0);
  if (measures.length === 0) return null;
  return (
    <table className="v-numbers" data-testid="mpi-balance">
      <caption className="v-hidden">Balance of {name} over the ranks</caption>
      <thead>
        <tr>
          <th scope="col">Over the ranks</th>
          <th scope="col">Min</th>
          <th scope="col">Mean</th>
          <th scope="col">Max</th>
          <th scope="col" title="Largest value divided by the mean: 1 is even">
            Max/mean
          </th>
        </tr>
      </thead>
      <tbody>
        {measures.map(({ measure, balance }) => (
          <tr key={measure}>
            <th scope="row">
              {MEASURE_NAMES[measure]} <span className="v-muted">{name}</span>
            </th>
            <td>
              {formatValue(balance!.min, UNITS[measure])} <RankOf balance={balance!} rank={balance!.minRank} />
            </td>
            <td>{formatValue(balance!.mean, UNITS[measure])}</td>
            <td>
              {formatValue(balance!.max, UNITS[measure])} <RankOf balance={balance!} rank={balance!.maxRank} />
            </td>
            <td>
              <b>{balance!.ratio === null ? '–' : balance!.ratio.toFixed(2)}</b>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Which rank it is, unless all are alike. */
function RankOf({ balance, rank }: { readonly balance: Spread; readonly rank: number }) {
  return balance.min === balance.max ? null : <span className="v-muted">rank {rank}</span>;
}

const SORTS: ReadonlyMap<string, SortKey<RankRow>> = new Map([
  ['rank', { value: (row: RankRow) => row.rank, moving: false }],
  ['node', { value: (row: RankRow) => row.node, moving: false }],
  ['time', { value: (row: RankRow) => row.time, moving: true }],
  ['waited', { value: (row: RankRow) => row.waited, moving: true }],
  ['bytes', { value: (row: RankRow) => row.bytes, moving: true }],
  ['calls', { value: (row: RankRow) => row.calls, moving: true }],
]);

const rankId = (row: RankRow): string => String(row.rank);

/** Every rank with its own numbers. */
export function RankTable({ rows, name, least, live }: Omit<BalanceProps, 'measure'> & { readonly live: boolean }) {
  const [params, setParams] = useUrlQuery();
  const [hold, setHold] = useState(false);
  const asked = params.get('mpisort') ?? '';
  const id = SORTS.has(asked) ? asked : 'rank';
  const sort: TableSort = { id, descending: params.get('mpiorder') === 'desc' };
  const sorted = useOrder(rows, rankId, SORTS.get(id)!, sort, { live, hold, subject: name });
  const top = Math.max(0, ...rows.map((row) => row.time ?? 0));
  const columns = rankColumns(new Set(least), top);
  return (
    <div
      className="v-mpi-table"
      style={{ height: tableHeight(rows.length) }}
      onPointerEnter={() => setHold(true)}
      onPointerLeave={() => setHold(false)}
    >
      <DataTable
        label={`${name} per rank`}
        testId="mpi-ranks"
        rows={sorted}
        rowId={rankId}
        columns={columns}
        rowHeight={ROW}
        sort={sort}
        onSort={(next) => setParams({ mpisort: next.id, mpiorder: next.descending ? 'desc' : null })}
        empty={<p>No rank has values of its own.</p>}
      />
    </div>
  );
}

const rankColumns = (least: ReadonlySet<number>, top: number): Column<RankRow>[] => [
  {
    id: 'rank',
    title: 'Rank',
    width: '60px',
    cell: (row) => row.rank,
  },
  { id: 'node', title: 'Node', width: 'minmax(70px, 1fr)', cell: (row) => <bdi title={row.node}>{row.node}</bdi> },
  { id: 'time', title: 'Time', width: '68px', numeric: true, cell: (row) => formatValue(row.time, 's') },
  {
    id: 'bar',
    title: 'Of run time',
    width: 'minmax(110px, 1fr)',
    sortable: false,
    cell: (row) => (
      <span className="v-mpi-cellbar">
        <span className="v-mpi-cellshare">{percent(row.share)}</span>
        <span className="v-bar">
          <span style={{ width: `${top > 0 ? (100 * (row.time ?? 0)) / top : 0}%` }} />
        </span>
      </span>
    ),
  },
  {
    id: 'waited',
    title: 'Communication',
    width: '124px',
    numeric: true,
    cell: (row) => (
      <span title="Time in calls that move data or only wait, all of them together">
        {least.has(row.rank) ? <span className="v-mpi-mark">least</span> : null} {formatValue(row.waited, 's')}
      </span>
    ),
  },
  { id: 'bytes', title: 'Bytes', width: '72px', numeric: true, cell: (row) => formatValue(row.bytes, 'B') },
  { id: 'calls', title: 'Calls', width: '64px', numeric: true, cell: (row) => formatValue(row.calls, '1') },
];
