import { ActionIcon } from '@mantine/core';
import { useMemo } from 'react';
import { Link } from 'wouter';
import type { ProfileSummary } from '../../../../shared/api/profiles.ts';
import { DataTable } from '../../../components/DataTable.tsx';
import type { Column, TableSort } from '../../../components/DataTable.tsx';
import { Icon } from '../../../components/Icon.tsx';
import { formatWhen } from '../../../format/time.ts';
import { formatCount, NO_VALUE } from '../../../format/units.ts';
import { engineNow } from '../../../state/connection.ts';
import { useUrlQuery } from '../../../state/query.ts';
import { runPath } from '../../jobs/columns.tsx';
import { Ended, Marks, sizeText } from '../list/cells.tsx';
import { Tags } from '../tags.tsx';
import { longerText, regressionText, runTime } from '../words.ts';
import { packIds } from './link.ts';
import type { Comparison } from './useComparison.ts';

const ROW = 30;
const MOST_ROWS = 14;
const SORTS = ['run', 'start', 'duration', 'size', 'value'] as const;

/** Every compared run: what the charts show, and the way to each of them. */
export function RunsTable(comparison: Comparison) {
  const { compared, base, focus, measure, label, set } = comparison;
  const [params] = useUrlQuery();
  const asked = params.get('runsort');
  const sort: TableSort = {
    id: SORTS.find((one) => one === asked) ?? 'order',
    descending: params.get('runorder') === 'desc',
  };
  const rows = useMemo(() => sorted(comparison, sort.id, sort.descending), [comparison, sort.id, sort.descending]);
  const columns = useMemo(
    () => columnsOf({ compared, base, measure, label, set }),
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- the labels come with the answer
    [compared, base, measure, set],
  );
  return (
    <section className="v-card" aria-label="The runs">
      <h2>The {formatCount(compared.runs.length)} runs</h2>
      <div className="v-compare-runs" style={{ height: Math.min(rows.length, MOST_ROWS) * ROW + 34 }}>
        <DataTable
          label="Compared runs"
          testId="compared-runs"
          rows={rows}
          rowId={(run) => run.id}
          columns={columns}
          rowHeight={ROW}
          sort={sort}
          onSort={(next) => set({ runsort: next.id, runorder: next.descending ? 'desc' : null })}
          cursor={rows.findIndex(({ id }) => id === compared.runs[focus ?? -1]?.id)}
          onCursor={(index) => set({ run: rows[index]?.id ?? null })}
          onOpen={(run) => set({ run: run.id })}
          empty={null}
        />
      </div>
    </section>
  );
}

type ColumnsOf = Pick<Comparison, 'compared' | 'base' | 'measure' | 'label' | 'set'>;

function columnsOf(comparison: ColumnsOf): Column<ProfileSummary>[] {
  const { compared, base, measure, label } = comparison;
  const baseline = compared.runs[base]?.duration ?? null;
  const place = new Map(compared.runs.map(({ id }, i) => [id, i]));
  return [
    {
      id: 'run',
      title: 'Run',
      width: 'minmax(110px, 1.4fr)',
      cell: (run) => (
        <>
          <Link href={runPath(run)} className="v-link" tabIndex={-1} onClick={(event) => event.stopPropagation()}>
            <bdi>{label(run)}</bdi>
          </Link>{' '}
          <Marks run={run} />
        </>
      ),
    },
    {
      id: 'start',
      title: 'Start',
      width: '122px',
      numeric: true,
      cell: (run) => formatWhen(run.start_time, engineNow()),
    },
    { id: 'size', title: 'Size', width: '44px', numeric: true, cell: (run) => sizeText(run.size) },
    {
      id: 'duration',
      title: 'Run time',
      width: '76px',
      numeric: true,
      cell: (run) => (run.duration === null ? NO_VALUE : runTime(run.duration)),
    },
    {
      id: 'against',
      title: 'Against baseline',
      width: '112px',
      sortable: false,
      cell: (run) =>
        run.id === compared.baseline ? (
          <span className="v-muted">is the baseline</span>
        ) : baseline && run.duration !== null ? (
          longerText(run.duration / baseline)
        ) : (
          NO_VALUE
        ),
    },
    ...(measure.series
      ? [
          {
            id: 'value',
            title: measure.name,
            width: 'minmax(100px, 1fr)',
            numeric: true,
            cell: (run: ProfileSummary) => measure.format(measure.values[place.get(run.id) ?? -1] ?? null),
          },
        ]
      : []),
    { id: 'ended', title: 'Ended', width: '98px', sortable: false, cell: (run) => <Ended run={run} /> },
    {
      id: 'flag',
      title: 'Regression',
      width: 'minmax(96px, 1fr)',
      sortable: false,
      cell: (run) =>
        run.regression ? (
          <span className="v-regression">
            <Icon name="warning" size={12} /> {regressionText(run.regression)}
          </span>
        ) : null,
    },
    {
      id: 'tags',
      title: 'Tags',
      width: 'minmax(70px, 0.8fr)',
      sortable: false,
      cell: (run) => <Tags tags={run.tags} />,
    },
    {
      id: 'out',
      title: 'Leave out',
      head: <span className="v-hidden">Leave out</span>,
      width: '26px',
      sortable: false,
      cell: (run) => <LeaveOut run={run} comparison={comparison} />,
    },
  ];
}

function sorted({ compared, measure, label }: Comparison, id: string, descending: boolean): ProfileSummary[] {
  const rows = compared.runs.map((run, at) => ({ run, at }));
  const of: Readonly<Record<string, (row: (typeof rows)[number]) => number | string | null>> = {
    run: ({ run }) => label(run),
    start: ({ run }) => run.start_time,
    size: ({ run }) => run.size,
    duration: ({ run }) => run.duration,
    value: ({ at }) => measure.values[at] ?? null,
  };
  const key = of[id];
  if (!key) return rows.map(({ run }) => run);
  const way = descending ? -1 : 1;
  return rows
    .sort((a, b) => {
      const [x, y] = [key(a), key(b)];
      // What is not known is last, whichever way.
      if (x === null || y === null) return Number(x === null) - Number(y === null);
      return x === y ? 0 : way * (x < y ? -1 : 1);
    })
    .map(({ run }) => run);
}

function LeaveOut({ run, comparison }: { readonly run: ProfileSummary; readonly comparison: ColumnsOf }) {
  const { compared, set, label } = comparison;
  if (compared.runs.length <= 2) return null;
  const left = compared.runs.filter(({ id }) => id !== run.id).map(({ id }) => id);
  return (
    <ActionIcon
      size="sm"
      variant="subtle"
      color="gray"
      tabIndex={-1}
      aria-label={`Leave ${label(run)} out`}
      onClick={(event) => {
        event.stopPropagation();
        const baseline = compared.baseline === run.id ? { baseline: null } : {};
        set({ runs: packIds(left), group: null, q: null, ...baseline });
      }}
    >
      <Icon name="minus" size={12} />
    </ActionIcon>
  );
}
