import { useQuery } from '@tanstack/react-query';
import type { Profile, RankValues } from '../../../shared/api/profiles.ts';
import type { Run } from '../../../shared/api/runs.ts';
import type { SeriesValue } from '../../../shared/api/series.ts';
import { isLive } from '../../data/runs.ts';
import { useEngine } from '../../state/engine.ts';

/** Values of a live run's ranks are asked for this often, in ms; which series there are, less often. */
const EVERY = 1000;
const SERIES_EVERY = 10_000;

export interface RanksOfSeries {
  /** That can be chosen from. */
  readonly series: readonly SeriesValue[];
  readonly chosen: SeriesValue | null;
  readonly ranks: readonly RankValues[];
  /** Place of the chosen series among the ranks' values; −1: no rank has a value yet. */
  readonly index: number;
  readonly error: Error | null;
  readonly loading: boolean;
  readonly retry: () => void;
}

/** A series over the ranks of a run: as its profile has it, anew each second while it lives. `key`: of the series. */
export function useRanks(run: Run, profile: Profile | null, key: string): RanksOfSeries {
  const engine = useEngine();
  const live = isLive(run);
  const listed = useQuery({
    queryKey: [engine.base, 'rank-series', run.id],
    queryFn: ({ signal }) => engine.api.series(run.scope, signal).then((list) => list.series),
    enabled: live,
    refetchInterval: SERIES_EVERY,
  });
  const series = profile?.series ?? listed.data ?? [];
  const chosen = series.find((one) => one.key === key) ?? series[0] ?? null;
  const { group = '', quantity = '' } = chosen ?? {};
  const asked = useQuery({
    queryKey: [engine.base, 'rank-values', run.id, group, quantity],
    queryFn: ({ signal }) => engine.api.ranks(run.id, group, [quantity], signal),
    enabled: live && chosen !== null,
    structuralSharing: false,
    refetchInterval: () => Math.max(EVERY, engine.live.hello?.period ?? 0),
  });
  const values = profile ?? asked.data;
  return {
    series,
    chosen,
    ranks: values?.ranks ?? [],
    index: values?.series.findIndex((one) => one.key === chosen?.key) ?? -1,
    error: values ? null : (listed.error ?? asked.error),
    loading: values === undefined,
    retry: () => void (listed.error ? listed.refetch() : asked.refetch()),
  };
}
