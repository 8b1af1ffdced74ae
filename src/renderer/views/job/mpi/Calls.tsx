import { Bar, BarChart, Cell, LabelList, ResponsiveContainer, XAxis, YAxis } from 'recharts';
import { useMemo, useState } from 'react';
import { DataTable } from '../../../components/DataTable.tsx';
import type { Column, TableSort } from '../../../components/DataTable.tsx';
import { formatValue, NO_VALUE } from '../../../format/units.ts';
import { useUrlQuery } from '../../../state/query.ts';
import { Hatch } from './Hatch.tsx';
import type { CallRow, Measure, MpiSummary } from './model.ts';
import type { SortKey } from './order.ts';
import { Swatch } from './ShareBar.tsx';
import { callsPerSecond } from './steady.ts';
import type { Sample } from './steady.ts';
import { useOrder } from './useMpi.ts';
import { percent } from './words.ts';

/** Calls with a bar of their own. */
const MOST_BARS = 8;
const BAR = 24;
export const UNITS = { time: 's', bytes: 'B', calls: '1' } as const;
export const MEASURE_NAMES: Readonly<Record<Measure, string>> = { time: 'Time', bytes: 'Bytes', calls: 'Calls' };
/** As the bar above has them: what moves data may wait in the same call. */
const KINDS = { waiting: 'only waiting', transfer: 'transfer, waiting', other: 'other' } as const;

interface CallsProps {
  readonly summary: MpiSummary;
  readonly samples: readonly Sample[];
  readonly live: boolean;
  readonly measure: Measure;
  readonly picked: string | null;
  readonly onPick: (call: string | null) => void;
}

const callId = (row: CallRow): string => row.call;

/** The calls that matter most, as bars. */
export function TopCalls({ summary, live, measure, picked, onPick }: CallsProps) {
  const [hold, setHold] = useState(false);
  const key: SortKey<CallRow> = { value: (row) => row[measure], moving: true };
  const rows = useOrder(summary.calls, callId, key, { id: measure, descending: true }, { live, hold, subject: '' });
  const positive = rows.filter((row) => (row[measure] ?? 0) > 0);
  const total = summary.calls.reduce((sum, row) => sum + (row[measure] ?? 0), 0);
  const shown = positive.slice(0, positive.length > MOST_BARS + 1 ? MOST_BARS : MOST_BARS + 1);
  const rest = positive.slice(shown.length);
  const bars = shown.map((row) => ({ ...row, value: row[measure] ?? 0 }));
  const others = rest.reduce((sum, row) => sum + (row[measure] ?? 0), 0);
  const data = [
    ...bars,
    ...(rest.length > 0 ? [{ call: null, name: `${rest.length} others`, kind: 'other' as const, value: others }] : []),
  ].map((bar) => ({
    ...bar,
    label: `${formatValue(bar.value, UNITS[measure])} · ${percent(total > 0 ? bar.value / total : null)}`,
  }));
  if (data.length === 0) {
    const what = { time: 'The time of calls was', bytes: 'The size of calls was', calls: 'The number of calls was' };
    return <p className="v-muted v-none">{what[measure]} not measured.</p>;
  }
  const height = data.length * BAR + 4;
  const kinds = (['waiting', 'transfer', 'other'] as const).filter((kind) => data.some((bar) => bar.kind === kind));
  return (
    <div onPointerEnter={() => setHold(true)} onPointerLeave={() => setHold(false)}>
      <figure
        role="img"
        aria-label={`Calls by ${measure}: ${data.map(({ name, label }) => `${name} ${label}`).join(', ')}`}
        style={{ height }}
        data-testid="mpi-top-calls"
      >
        <ResponsiveContainer width="100%" height={height} initialDimension={{ width: 600, height }}>
          <BarChart
            data={data}
            layout="vertical"
            margin={{ top: 0, right: 118, bottom: 0, left: 0 }}
            accessibilityLayer={false}
          >
            <Hatch />
            <XAxis type="number" hide domain={[0, 'dataMax']} />
            <YAxis
              type="category"
              dataKey="name"
              width={178}
              interval={0}
              axisLine={false}
              tickLine={false}
              tick={{ fill: 'var(--v-text)', fontSize: 12 }}
              tickFormatter={(name: string) => (name.length > 24 ? `${name.slice(0, 23)}…` : name)}
            />
            <Bar
              dataKey="value"
              isAnimationActive={false}
              barSize={BAR - 9}
              minPointSize={1}
              onClick={(_, index) => {
                const call = data[index]?.call;
                if (call) onPick(call === picked ? null : call);
              }}
            >
              {data.map((bar) => (
                <Cell
                  key={bar.name}
                  className={`v-mpi-${bar.call === null ? 'outside' : bar.kind}${
                    picked !== null && bar.call !== picked ? ' v-mpi-faint' : ''
                  }${bar.call === null ? '' : ' v-opens'}`}
                />
              ))}
              <LabelList dataKey="label" position="right" className="v-mpi-label" offset={6} />
            </Bar>
          </BarChart>
        </ResponsiveContainer>
      </figure>
      <ul className="v-plot-key v-muted" aria-label="Kinds of calls">
        {kinds.map((kind) => (
          <li key={kind}>
            <Swatch id={kind} /> {KINDS[kind]}
          </li>
        ))}
      </ul>
    </div>
  );
}

const perCall = (row: CallRow, value: number | null): number | null =>
  value !== null && row.calls !== null && row.calls > 0 ? value / row.calls : null;

/** Every call with what was measured of it. */
export function CallsTable({ summary, samples, live, picked, onPick }: CallsProps) {
  const [params, setParams] = useUrlQuery();
  const [hold, setHold] = useState(false);
  const total = summary.calls.reduce((sum, row) => sum + (row.time ?? 0), 0);
  const { elapsed } = summary;
  const keys = useMemo(() => sortKeys(samples, elapsed), [samples, elapsed]);
  const asked = params.get('callsort') ?? '';
  const id = keys.has(asked) ? asked : 'time';
  const descending = keys.has(asked) ? params.get('callorder') === 'desc' : true;
  const sort: TableSort = { id, descending };
  const rows = useOrder(summary.calls, callId, keys.get(id)!, sort, { live, hold, subject: '' });
  const columns = useMemo(
    () => callColumns({ samples, elapsed, total, picked, onPick }),
    [samples, elapsed, total, picked, onPick],
  );
  return (
    <div
      className="v-mpi-table v-mpi-wide"
      style={{ height: tableHeight(rows.length) }}
      onPointerEnter={() => setHold(true)}
      onPointerLeave={() => setHold(false)}
    >
      <DataTable
        label="MPI calls"
        testId="mpi-calls"
        rows={rows}
        rowId={callId}
        columns={columns}
        rowHeight={ROW}
        cursor={rows.findIndex((row) => row.call === picked)}
        sort={sort}
        onSort={(next) => setParams({ callsort: next.id, callorder: next.descending ? 'desc' : null })}
        empty={<p>No call yet.</p>}
      />
    </div>
  );
}

interface CallColumnsOptions extends Pick<CallsProps, 'samples' | 'picked' | 'onPick'> {
  readonly elapsed: number | null;
  /** Seconds in all calls. */
  readonly total: number;
}

const callColumns = ({ samples, elapsed, total, picked, onPick }: CallColumnsOptions): Column<CallRow>[] => [
  {
    id: 'name',
    title: 'Call',
    width: 'minmax(124px, 1fr)',
    cell: (row) => (
      <button
        type="button"
        className="v-mpi-pick"
        aria-pressed={row.call === picked}
        title={`Compare ${row.name} over the ranks`}
        onClick={() => onPick(row.call === picked ? null : row.call)}
      >
        {row.name}
      </button>
    ),
  },
  { id: 'kind', title: 'Kind', width: '120px', cell: (row) => KINDS[row.kind] },
  { id: 'time', title: 'Time', width: '62px', numeric: true, cell: (row) => formatValue(row.time, 's') },
  {
    id: 'share',
    title: 'Of MPI',
    width: '54px',
    numeric: true,
    sortable: false,
    cell: (row) => (row.time === null || total <= 0 ? NO_VALUE : percent(row.time / total)),
  },
  {
    id: 'each',
    title: 'Per call',
    width: '64px',
    numeric: true,
    cell: (row) => formatValue(perCall(row, row.time), 's'),
  },
  { id: 'calls', title: 'Calls', width: '58px', numeric: true, cell: (row) => formatValue(row.calls, '1') },
  {
    id: 'rate',
    title: 'Calls/s',
    width: '68px',
    numeric: true,
    cell: (row) => formatValue(callsPerSecond(row, samples, elapsed), '1', true),
  },
  { id: 'bytes', title: 'Bytes', width: '68px', numeric: true, cell: (row) => formatValue(row.bytes, 'B') },
  {
    id: 'size',
    title: 'Size/call',
    width: '72px',
    numeric: true,
    cell: (row) => formatValue(perCall(row, row.bytes), 'B'),
  },
];

export const ROW = 26;
const MOST_ROWS = 12;
/** Of a table with so many rows; longer ones scroll. */
export const tableHeight = (rows: number): number => Math.max(2, Math.min(rows, MOST_ROWS)) * ROW + 34;

function sortKeys(samples: readonly Sample[], elapsed: number | null): Map<string, SortKey<CallRow>> {
  return new Map<string, SortKey<CallRow>>([
    ['name', { value: (row) => row.name, moving: false }],
    ['kind', { value: (row) => row.kind, moving: false }],
    ['time', { value: (row) => row.time, moving: true }],
    ['each', { value: (row) => perCall(row, row.time), moving: true }],
    ['calls', { value: (row) => row.calls, moving: true }],
    ['rate', { value: (row) => callsPerSecond(row, samples, elapsed), moving: true }],
    ['bytes', { value: (row) => row.bytes, moving: true }],
    ['size', { value: (row) => perCall(row, row.bytes), moving: true }],
  ]);
}
