import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import type { Imbalance } from '../../../../shared/api/profile-analysis.ts';
import type { Profile } from '../../../../shared/api/profiles.ts';
import { DataTable } from '../../../components/DataTable.tsx';
import type { Column, TableSort } from '../../../components/DataTable.tsx';
import { download, fileStamp } from '../../../components/download.ts';
import { Icon } from '../../../components/Icon.tsx';
import { safeFileName, toCsv } from '../../../format/csv.ts';
import { formatCount } from '../../../format/units.ts';
import { useUrlQuery } from '../../../state/query.ts';
import { amountText, imbalanceCells, unevenOnes, unevenText } from './words.ts';

const ROW = 28;
const MOST_ROWS = 12;

interface ImbalanceTableProps {
  /** As the engine ordered them: what matters most first. */
  readonly rows: readonly Imbalance[];
  readonly profile: Profile;
}

type Show = (row: Imbalance, rank: number) => void;

const columnsOf = (show: Show): Column<Imbalance>[] => {
  const fixed = { sortable: false, numeric: true } as const;
  const ranked = (id: 'max' | 'min', title: string): Column<Imbalance> => ({
    ...{ id, title, ...fixed, width: '170px' },
    cell: (row) => {
      const rank = id === 'max' ? row.max_rank : row.min_rank;
      return (
        <>
          {amountText(row[id], row.unit)}{' '}
          <button
            type="button"
            className="v-profile-rank"
            aria-label={`Rank ${rank} over time: ${row.name}`}
            onClick={() => show(row, rank)}
          >
            rank {rank}
          </button>
        </>
      );
    },
  });
  return [
    { id: 'name', title: 'Series', width: 'minmax(160px, 1fr)', sortable: false, cell: nameCell },
    { id: 'uneven', title: 'Max / mean', ...fixed, width: '90px', cell: (row) => <b>{unevenText(row)}</b> },
    ranked('max', 'Most'),
    ranked('min', 'Least'),
    { id: 'mean', title: 'Mean', ...fixed, width: '90px', cell: (row) => amountText(row.mean, row.unit) },
    { id: 'lost', title: 'Lost by it', ...fixed, width: '100px', cell: lostCell },
  ];
};

const nameCell = ({ name, key }: Imbalance): React.ReactNode => <bdi title={key.slice(0, 500)}>{name}</bdi>;

const lostCell = ({ lost }: Imbalance): React.ReactNode => (
  <span title="What all ranks together would have saved if it were even">{amountText(lost, 's')}</span>
);

const AS_SENT: TableSort = { id: '', descending: false };

/** How unevenly each series lies on the ranks; a rank leads to its row of the heatmap. */
export function ImbalanceTable({ rows, profile }: ImbalanceTableProps) {
  const [, setParams] = useUrlQuery();
  const show: Show = ({ key }, rank) =>
    setParams({ tab: 'heatmap', series: key, rank: String(rank), from: null, to: null }, true);
  const save = (): void => {
    const name = `vigie-${safeFileName(profile.run.jobid)}-imbalance-${fileStamp(Date.now())}.csv`;
    download(toCsv(imbalanceCells(rows)), 'text/csv', name).catch((problem: unknown) => {
      notifications.show({
        color: 'red',
        title: 'Not saved',
        message: problem instanceof Error ? problem.message : '',
      });
    });
  };
  const one = profile.ranks.length < 2;
  const shown = unevenOnes(rows);
  const even = rows.length - shown.length;
  return (
    <section className="v-card" aria-labelledby="imbalance-title">
      <div className="v-card-head">
        <h3 id="imbalance-title">Imbalance of the ranks</h3>
        <span className="v-muted">what differs most from rank to rank, times first</span>
        <div className="v-spacer" />
        {rows.length === 0 ? null : (
          <Button
            size="compact-xs"
            variant="subtle"
            aria-label="CSV of the imbalance"
            leftSection={<Icon name="download" size={12} />}
            onClick={save}
          >
            CSV
          </Button>
        )}
      </div>
      {rows.length === 0 ? (
        <p className="v-muted">
          {one ? 'The run had one rank: there is nothing to be uneven.' : 'No series has values of several ranks.'}
        </p>
      ) : (
        <>
          {shown.length > 0 ? (
            <div className="v-heat-table" style={{ height: 32 + ROW * Math.min(MOST_ROWS, shown.length) }}>
              <DataTable
                label="Imbalance"
                testId="imbalance-table"
                rows={shown}
                rowId={({ key }) => key}
                columns={columnsOf(show)}
                rowHeight={ROW}
                sort={AS_SENT}
                onSort={() => undefined}
                empty={<p>Nothing is uneven.</p>}
              />
            </div>
          ) : null}
          {even > 0 ? (
            <p className="v-muted">{shown.length === 0 ? 'All' : formatCount(even)} series are even over the ranks.</p>
          ) : null}
        </>
      )}
    </section>
  );
}
