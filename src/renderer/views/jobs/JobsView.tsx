import { Button, SegmentedControl, Skeleton } from '@mantine/core';
import { useDeferredValue, useMemo, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import { SearchField } from '../../components/SearchField.tsx';
import { DataTable } from '../../components/DataTable.tsx';
import { Failure, useTitle } from '../../components/Message.tsx';
import { stepKeys, useKeys } from '../../components/useKeys.ts';
import { RUN_SORTS, selectRuns } from '../../data/runs.ts';
import type { RunQuery, RunSort, StateFilter } from '../../data/runs.ts';
import { formatCount } from '../../format/units.ts';
import { engineNow } from '../../state/connection.ts';
import { useEngine, useRunsSnapshot } from '../../state/engine.ts';
import { useUrlQuery } from '../../state/query.ts';
import { RUN_COLUMNS, runPath } from './columns.tsx';
import { NoJobs } from './NoJobs.tsx';

const FILTERS = [
  { value: 'all', label: 'All' },
  { value: 'live', label: 'Running' },
  { value: 'ended', label: 'Finished' },
];

function readQuery(params: URLSearchParams): RunQuery {
  const sort = params.get('sort') ?? 'start';
  const state = params.get('state');
  return {
    search: (params.get('q') ?? '').slice(0, 256),
    state: state === 'live' || state === 'ended' ? state : 'all',
    sort: (RUN_SORTS as readonly string[]).includes(sort) ? (sort as RunSort) : 'start',
    descending: params.get('order') !== 'asc',
  };
}

/** Running and finished jobs in one table. */
export function JobsView() {
  useTitle('Jobs');
  const { runs } = useEngine();
  const [params, setParams] = useUrlQuery();
  const [, navigate] = useLocation();
  const [cursor, setCursor] = useState(-1);
  const search = useRef<HTMLInputElement>(null);
  const query = useMemo(() => readQuery(params), [params]);
  // Only these orders follow the rates; in any other, rows change by themselves.
  const each = query.sort === 'rate' || query.sort === 'elapsed';
  const { rows, structure, loaded, more, error } = useRunsSnapshot(each);
  const shown = useDeferredValue(
    useMemo(
      () => selectRuns(rows.values(), query, engineNow()).map((row) => row.run),
      // oxlint-disable-next-line react-hooks/exhaustive-deps -- other rows with the same structure are in the same order
      [structure, each ? rows : null, query],
    ),
  );

  const move = (step: number): void => setCursor((at) => Math.max(0, Math.min(shown.length - 1, at + step)));
  const open = (index: number): void => {
    const row = shown[index];
    if (row) navigate(runPath(row));
  };
  useKeys({
    ...stepKeys(move),
    Enter: () => open(cursor),
    '/': () => search.current?.focus(),
  });

  if (error && rows.size === 0) return <Failure error={error} retry={() => void runs.load()} />;
  return (
    <div className="v-fill">
      <div className="v-toolbar">
        <h1>Jobs</h1>
        <SearchField
          ref={search}
          label="Search jobs"
          placeholder="Job, command, node, cluster"
          value={query.search}
          onChange={(q) => {
            setCursor(-1);
            setParams({ q });
          }}
          onEnter={() => open(Math.max(0, cursor))}
        />
        <SegmentedControl
          size="xs"
          aria-label="State"
          data={FILTERS}
          value={query.state}
          onChange={(value) => {
            setCursor(-1);
            setParams({ state: (value as StateFilter) === 'all' ? null : value });
          }}
        />
        <div className="v-spacer" />
        <span className="v-muted" role="status">
          {loaded ? countText(shown.length, rows.size, more) : ''}
        </span>
      </div>
      {!loaded ? (
        <TableSkeleton />
      ) : rows.size === 0 ? (
        <NoJobs />
      ) : (
        <DataTable
          label="Jobs"
          testId="jobs-table"
          rows={shown}
          rowId={(run) => run.id}
          columns={RUN_COLUMNS}
          sort={{ id: query.sort, descending: query.descending }}
          onSort={({ id, descending }) =>
            setParams({ sort: id === 'start' ? null : id, order: descending ? null : 'asc' })
          }
          cursor={cursor}
          onCursor={setCursor}
          onOpen={(run) => navigate(runPath(run))}
          empty={
            <>
              <p>No job matches.</p>
              <Button size="xs" variant="default" onClick={() => setParams({ q: null, state: null })}>
                Show all jobs
              </Button>
            </>
          }
        />
      )}
    </div>
  );
}

function countText(shown: number, all: number, more: boolean): string {
  const count = shown === all ? formatCount(all) : `${formatCount(shown)} of ${formatCount(all)}`;
  return `${count} ${all === 1 ? 'job' : 'jobs'}${more ? '; older ones are not listed' : ''}`;
}

function TableSkeleton() {
  return (
    <div className="v-skeletons" role="status" aria-label="Loading the jobs">
      {Array.from({ length: 14 }, (_, i) => (
        <Skeleton key={i} height={22} />
      ))}
    </div>
  );
}
