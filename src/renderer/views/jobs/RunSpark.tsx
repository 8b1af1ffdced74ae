import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { Run } from '../../../shared/api/runs.ts';
import type { Kind } from '../../../shared/model/values.ts';
import { Sparkline } from '../../charts/Sparkline.tsx';
import { useSettled } from '../../components/useSettled.ts';
import { isLive } from '../../data/runs.ts';
import { engineNow } from '../../state/connection.ts';
import { useEngine, useRunRow } from '../../state/engine.ts';

const POINTS = 48;
const NONE: readonly number[] = [];
/** What a live row shows: as much as its trail of rates can hold at one a second. */
const LIVE_SPAN_MS = POINTS * 1000;

/** The stored course of a run's headline series and whether it is a counter. */
export function useHeadline(run: Run): { avg: readonly (number | null)[]; kind: Kind } | undefined {
  const engine = useEngine();
  const live = isLive(run);
  const history = useQuery({
    queryKey: [engine.base, 'spark', run.id, live, run.headline],
    enabled: run.headline !== null && run.start_time > 0,
    staleTime: Infinity,
    gcTime: 60_000,
    retry: false,
    queryFn: async ({ signal }) => {
      const to = live ? engineNow() : run.end_time;
      const from = live ? Math.max(run.start_time, to - LIVE_SPAN_MS) : run.start_time;
      const range = {
        scope: run.scope,
        series: [run.headline ?? ''],
        from,
        to: Math.max(to, from + 1),
        maxPoints: POINTS,
      };
      const [first] = (await engine.api.query(range, signal)).series;
      return { avg: first?.avg ?? [], kind: first?.kind ?? 'counter' };
    },
  });
  return history.data;
}

/** What the run's headline series did: for a finished run over its whole time, for a live one lately. */
export function RunSpark({ run }: { readonly run: Run }) {
  return useSettled() ? <Course run={run} /> : <Sparkline values={NONE} label={label(run)} />;
}

function Course({ run }: { readonly run: Run }) {
  const trail = useRunRow(run.id)?.trail ?? NONE;
  const history = useHeadline(run);
  const live = isLive(run);
  const values = useMemo(
    () => (live ? [...(history?.avg ?? []), ...trail].slice(-POINTS) : (history?.avg ?? trail)),
    [live, history, trail],
  );
  return <Sparkline values={values} label={label(run)} />;
}

const label = (run: Run): string => `Course of the rate of ${run.jobid}`;
