import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { Profile } from '../../../shared/api/profiles.ts';
import type { Run } from '../../../shared/api/runs.ts';
import type { Series } from '../../../shared/model/described-series.ts';
import { parseIo } from '../../../shared/model/io.ts';
import { parseMpi } from '../../../shared/model/mpi.ts';
import { hostScope } from '../../../shared/model/scope.ts';
import { Failure, NotFound, useTitle } from '../../components/Message.tsx';
import { RequestError } from '../../data/api.ts';
import { isLive } from '../../data/runs.ts';
import { useEngine, useRun } from '../../state/engine.ts';
import { BoardView } from '../board/BoardView.tsx';
import type { ExtraTab } from '../board/BoardView.tsx';
import type { BoardScope } from '../board/useBoard.ts';
import { exitWords } from './exits.ts';
import { JobHeader } from './JobHeader.tsx';
import { Analysis, Heatmap, Io, Mpi } from './lateTabs.ts';
import { inMpi, Ranks } from './Ranks.tsx';

/** Nodes whose charts stand beside the job's own; the others are links. */
const MOST_NODES = 8;

/** One run of a job: by id, from the list if it is there, else asked for. */
export function JobView({ id }: { readonly id: string }) {
  const engine = useEngine();
  const listed = useRun(id);
  const asked = useQuery({
    queryKey: [engine.base, 'run', id],
    queryFn: ({ signal }) => engine.api.run(id, signal),
    enabled: listed === undefined,
  });
  const run = listed ?? asked.data;
  useTitle(run ? run.jobid : 'Job');
  if (run) return <Loaded run={run} />;
  if (asked.error instanceof RequestError && asked.error.code === 'run_not_found') {
    return (
      <NotFound
        title="There is no such job"
        detail="The engine knows no run with this address. It may have been kept by another engine."
      />
    );
  }
  if (asked.error) return <Failure error={asked.error} retry={() => void asked.refetch()} />;
  return (
    <div className="v-skeletons" role="status" aria-label="Loading the job">
      <Skeleton height={28} width={320} />
      <Skeleton height={60} />
      <Skeleton height={300} />
    </div>
  );
}

function Loaded({ run }: { readonly run: Run }) {
  const engine = useEngine();
  const live = isLive(run);
  const profile = useQuery({
    queryKey: [engine.base, 'profile', run.id],
    queryFn: ({ signal }) => engine.api.profile(run.id, signal),
    enabled: !live,
    // A run that has just ended is not stored in the same instant.
    retry: 5,
    retryDelay: 500,
    staleTime: Infinity,
  });
  const scopes = useScopes(run, live, profile.data);
  const bounds = useMemo(
    () => (live ? null : { from: run.start_time, to: Math.max(run.end_time, run.start_time + 1000) }),
    [live, run.start_time, run.end_time],
  );
  const data = profile.data ?? null;
  const extras = useMemo(() => tabsOf(run, data), [run, data]);
  const exits = useMemo(() => (data ? exitWords(data.series) : null), [data]);
  return (
    <BoardView
      title={run.jobid}
      header={<JobHeader run={run} exits={exits} profile={data} />}
      scopes={scopes}
      start={run.start_time}
      bounds={bounds}
      extras={extras}
    />
  );
}

const hasIo = (series: readonly Series[]): boolean =>
  series.some(({ family, labels }) => parseIo(family, labels) !== null);
const hasMpi = (series: readonly Series[]): boolean => series.some(({ family }) => parseMpi(family) !== null);

function tabsOf(run: Run, profile: Profile | null): ExtraTab[] {
  const tabs: ExtraTab[] = [
    { id: 'mpi', label: 'MPI', body: <Mpi run={run} profile={profile} />, shows: hasMpi, whole: true },
    { id: 'io', label: 'I/O', body: <Io run={run} profile={profile} />, shows: hasIo, whole: true },
  ];
  if ((profile?.ranks.length ?? run.ranks) > 1) {
    tabs.push({
      id: 'ranks',
      // Of a live run it is not known which of its clients are in MPI.
      label: profile ? `Ranks (${(inMpi(profile) ?? profile.ranks).length})` : 'Ranks',
      body: <Ranks run={run} profile={profile} />,
      whole: true,
    });
  }
  if (profile) {
    if (profile.ranks.length > 1) {
      tabs.push({ id: 'heatmap', label: 'Heatmap', body: <Heatmap profile={profile} /> });
    }
    tabs.push({ id: 'analysis', label: 'Analysis', body: <Analysis profile={profile} />, whole: true });
  }
  return tabs;
}

/** The run's own numbers first, then those of its nodes over the same time. */
function useScopes(run: Run, live: boolean, profile: Profile | undefined): BoardScope[] {
  const engine = useEngine();
  const hosts = run.nodes.slice(0, MOST_NODES);
  const hostKey = hosts.join('\n');
  const { jobid, scope } = run;
  const past = useQuery({
    queryKey: [engine.base, 'series', scope, hostKey],
    enabled: !live && hosts.length > 0,
    staleTime: 60_000,
    queryFn: ({ signal }) =>
      Promise.all(
        hosts.map((host) =>
          engine.api.series(hostScope(scope, host), signal).then(
            (list) => list.series,
            // Of an engine elsewhere that is not reached: its nodes are only there.
            (error: unknown) => (error instanceof RequestError && error.code === 'engine_unavailable' ? null : []),
          ),
        ),
      ),
  });
  const runId = run.id;
  // Series of the run as they were when it ended, until its profile is here.
  const ended = useQuery({
    queryKey: [engine.base, 'run-series', runId],
    enabled: !live && profile === undefined,
    queryFn: ({ signal }) => engine.api.series(scope, signal).then((list) => list.series),
  });
  return useMemo(
    () => [
      { scope, label: jobid, live, series: profile?.series ?? ended.data ?? [] },
      ...(hostKey === '' ? [] : hostKey.split('\n')).flatMap((host, i) => {
        const series = past.data?.[i];
        return series === null ? [] : [{ scope: hostScope(scope, host), label: host, live, series: series ?? [] }];
      }),
    ],
    [scope, jobid, live, profile, ended.data, hostKey, past.data],
  );
}
