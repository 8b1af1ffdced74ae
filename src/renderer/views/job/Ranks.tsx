import { Select, Skeleton } from '@mantine/core';
import { useMemo } from 'react';
import type { Profile, RankValues } from '../../../shared/api/profiles.ts';
import type { Run } from '../../../shared/api/runs.ts';
import { parseMpi } from '../../../shared/model/mpi.ts';
import type { Unit } from '../../../shared/model/naming.ts';
import { seriesLabel } from '../../charts/panels.ts';
import { DataTable } from '../../components/DataTable.tsx';
import type { Column, TableSort } from '../../components/DataTable.tsx';
import { Failure } from '../../components/Message.tsx';
import { formatValue } from '../../format/units.ts';
import { useUrlQuery } from '../../state/query.ts';
import { useRanks } from './useRanks.ts';

interface RankRow {
  readonly rank: number;
  readonly node: string;
  readonly value: number | null;
  /** Share of the largest value, 0 to 1. */
  readonly share: number;
}

function rankRows(ranks: readonly RankValues[], index: number): RankRow[] {
  const top = Math.max(0, ...ranks.map((rank) => Math.abs(rank.values[index] ?? 0)));
  return ranks.map(({ rank, node, values }) => {
    const value = values[index] ?? null;
    return { rank, node, value, share: top > 0 ? Math.abs(value ?? 0) / top : 0 };
  });
}

function sortRanks(rows: RankRow[], { id, descending }: TableSort): RankRow[] {
  const sign = descending ? -1 : 1;
  const by = (a: RankRow, b: RankRow): number => {
    if (id === 'node') return a.node.localeCompare(b.node);
    if (id === 'value') return (a.value ?? -Infinity) - (b.value ?? -Infinity);
    return a.rank - b.rank;
  };
  return [...rows].sort((a, b) => sign * by(a, b) || a.rank - b.rank);
}

const rankColumns = (unit: Unit): Column<RankRow>[] => [
  { id: 'rank', title: 'Rank', width: '80px', numeric: true, cell: (row) => row.rank },
  { id: 'node', title: 'Node', width: 'minmax(120px, 1fr)', cell: (row) => <bdi>{row.node}</bdi> },
  { id: 'value', title: 'Value', width: '130px', numeric: true, cell: (row) => formatValue(row.value, unit) },
  {
    id: 'share',
    title: 'Of the largest',
    width: 'minmax(200px, 2fr)',
    sortable: false,
    cell: (row) => (
      <span className="v-bar" title={`${Math.round(row.share * 100)} %`}>
        <span style={{ width: `${row.share * 100}%` }} />
      </span>
    ),
  },
];

/** Ranks of an MPI program that have called MPI: not its launcher, nor what runs beside it. Null: there is no MPI. */
export function inMpi({ series, ranks }: Pick<Profile, 'series' | 'ranks'>): RankValues[] | null {
  const places = series.flatMap((one, index) => (parseMpi(one.family) ? [index] : []));
  const found = ranks.filter(({ values }) => places.some((index) => (values[index] ?? 0) > 0));
  return found.length > 0 ? found : null;
}

/** Values of every rank for one series: the last ones, or of now. */
export function Ranks({ run, profile }: { readonly run: Run; readonly profile: Profile | null }) {
  const [params, setParams] = useUrlQuery();
  const key = params.get('series') ?? run.headline ?? '';
  const { series, chosen, ranks, index, error, loading, retry } = useRanks(run, profile, key);
  const id = params.get('ranksort') ?? 'rank';
  const descending = params.get('rankorder') === 'desc';
  const rows = useMemo(() => sortRanks(rankRows(ranks, index), { id, descending }), [ranks, index, id, descending]);
  const columns = useMemo(() => rankColumns(chosen?.unit ?? '1'), [chosen?.unit]);
  if (error) return <Failure error={error} retry={retry} />;
  if (loading) {
    return (
      <div className="v-skeletons" role="status" aria-label="Loading ranks">
        <Skeleton height={54} width={420} />
        <Skeleton height={200} />
      </div>
    );
  }
  return (
    <div className="v-fill">
      <div className="v-toolbar">
        <Select
          size="xs"
          label="Series"
          searchable
          w={420}
          limit={200}
          allowDeselect={false}
          value={chosen?.key ?? null}
          data={series.map((one) => ({ value: one.key, label: `${one.group} · ${seriesLabel(one)}` }))}
          onChange={(next) => setParams({ series: next })}
        />
      </div>
      <DataTable
        label="Ranks"
        testId="ranks-table"
        rows={rows}
        rowId={(row) => String(row.rank)}
        columns={columns}
        rowHeight={26}
        sort={{ id, descending }}
        onSort={(sort) => setParams({ ranksort: sort.id, rankorder: sort.descending ? 'desc' : null })}
        empty={<p>No rank has values.</p>}
      />
    </div>
  );
}
