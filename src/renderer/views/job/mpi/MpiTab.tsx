import { Button, SegmentedControl, Select, Skeleton } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMemo } from 'react';
import type { Profile } from '../../../../shared/api/profiles.ts';
import type { Run } from '../../../../shared/api/runs.ts';
import { mpiCallName } from '../../../../shared/model/mpi.ts';
import { download, fileStamp } from '../../../components/download.ts';
import { Icon } from '../../../components/Icon.tsx';
import { Failure } from '../../../components/Message.tsx';
import { isLive } from '../../../data/runs.ts';
import { safeFileName, toCsv } from '../../../format/csv.ts';
import type { CsvCell } from '../../../format/csv.ts';
import { useUrlQuery } from '../../../state/query.ts';
import { BalanceTable, RankStrip, RankTable } from './Balance.tsx';
import { CallsTable, MEASURE_NAMES, TopCalls } from './Calls.tsx';
import { callCells, rankCells } from './cells.ts';
import { Headline } from './Headline.tsx';
import { leastWaiting, ranksOfCall } from './model.ts';
import type { Measure } from './model.ts';
import { ShareBar } from './ShareBar.tsx';
import { useMpi } from './useMpi.ts';

/** No call has this name. */
const ALL = '*';
const MEASURES = ['time', 'bytes', 'calls'] as const;

/** A run's MPI as people read it: share of the run time, top calls, ranks. */
export function MpiTab({ run, profile }: { readonly run: Run; readonly profile: Profile | null }) {
  const live = isLive(run);
  const { data, error, retry } = useMpi(run, profile);
  const [params, setParams] = useUrlQuery();
  const asked = params.get('by');
  const measure: Measure = MEASURES.find((one) => one === asked) ?? 'time';
  const call = params.get('call');
  // A call that the run has not made (yet) shows as picked, without numbers: the link stays what it was.
  const rows = useMemo(() => {
    if (!data) return [];
    return call === null ? data.summary.ranks : ranksOfCall(data.source, call, data.summary);
  }, [data, call]);
  const waits = useMemo(() => (data ? leastWaiting(data.summary) : null), [data]);
  if (!data) return error ? <Failure error={error} retry={retry} /> : <MpiLoading />;
  const { summary, samples } = data;
  const name = call === null ? 'in MPI' : `in ${mpiCallName(call)}`;
  const least = waits?.matters ? waits.ranks : [];
  const pick = (next: string | null): void => setParams({ call: next });
  const calls = { summary, samples, live, measure, picked: call, onPick: pick };
  const names = new Map(summary.calls.map((row) => [row.call, row.name]));
  if (call !== null && !names.has(call)) names.set(call, mpiCallName(call));
  const choices = [...names].map(([value, label]) => ({ value, label })).sort((a, b) => (a.label < b.label ? -1 : 1));
  return (
    <div className="v-sheet" data-testid="mpi">
      <h2 className="v-hidden">MPI of {run.jobid}</h2>
      <section className="v-card" aria-label="MPI in short">
        <Headline summary={summary} samples={samples} />
        <ShareBar summary={summary} />
      </section>
      <div className="v-card-head">
        <SegmentedControl
          size="xs"
          aria-label="Compare by"
          value={measure}
          onChange={(next) => setParams({ by: next === 'time' ? null : next })}
          data={MEASURES.map((one) => ({ value: one, label: MEASURE_NAMES[one] }))}
        />
        <Select
          size="xs"
          aria-label="Call to compare over the ranks"
          w={220}
          searchable
          allowDeselect={false}
          limit={200}
          nothingFoundMessage="No such call"
          value={call ?? ALL}
          data={[{ value: ALL, label: 'All calls' }, ...choices]}
          onChange={(next) => pick(next === ALL ? null : next)}
        />
        <span className="v-muted">Whole run{live ? ' so far' : ''}, sums over all ranks and threads</span>
      </div>
      <div className="v-beside v-mpi-columns">
        <section className="v-card" aria-labelledby="mpi-calls-title">
          <Head id="mpi-calls-title" title={`Top calls by ${measure}`}>
            <SaveCsv run={run} what="mpi-calls" cells={() => callCells(summary, samples)} />
          </Head>
          <TopCalls {...calls} />
          <CallsTable {...calls} />
        </section>
        <section className="v-card" aria-labelledby="mpi-ranks-title">
          <Head id="mpi-ranks-title" title={`${MEASURE_NAMES[measure]} ${name}, per rank`}>
            <SaveCsv run={run} what="mpi-ranks" cells={() => rankCells(rows, call)} />
          </Head>
          <RankStrip rows={rows} measure={measure} name={name} least={least} />
          <BalanceTable rows={rows} name={name} />
          <RankTable rows={rows} name={name} least={least} live={live} />
        </section>
      </div>
    </div>
  );
}

function Head({
  id,
  title,
  children,
}: {
  readonly id: string;
  readonly title: string;
  readonly children: React.ReactNode;
}) {
  return (
    <div className="v-card-head">
      <h3 id={id}>{title}</h3>
      <div className="v-spacer" />
      {children}
    </div>
  );
}

interface SaveCsvProps {
  readonly run: Run;
  readonly what: string;
  readonly cells: () => CsvCell[][];
}

function SaveCsv({ run, what, cells }: SaveCsvProps) {
  const save = (): void => {
    const file = `vigie-${safeFileName(run.jobid)}-${what}-${fileStamp(Date.now())}.csv`;
    download(toCsv(cells()), 'text/csv', file).catch((error: unknown) => {
      notifications.show({ color: 'red', title: 'Not saved', message: error instanceof Error ? error.message : '' });
    });
  };
  return (
    <Button
      size="compact-xs"
      variant="subtle"
      aria-label={`CSV of ${what === 'mpi-calls' ? 'the calls' : 'the ranks'}`}
      leftSection={<Icon name="download" size={12} />}
      onClick={save}
    >
      CSV
    </Button>
  );
}

function MpiLoading() {
  return (
    <div className="v-skeletons" role="status" aria-label="Loading MPI">
      <Skeleton height={110} />
      <Skeleton height={28} width={420} />
      <Skeleton height={300} />
    </div>
  );
}
