import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import type { Profile } from '../../../../shared/api/profiles.ts';
import type { Run } from '../../../../shared/api/runs.ts';
import { isLive } from '../../../data/runs.ts';
import type { TableSort } from '../../../components/DataTable.tsx';
import { useEngine } from '../../../state/engine.ts';
import { orderRows } from './order.ts';
import type { SortKey } from './order.ts';
import { summarize } from './model.ts';
import type { MpiSource, MpiSummary } from './model.ts';
import { keepSamples } from './steady.ts';
import type { Sample } from './steady.ts';

/** Of each call on each rank; the two directions of the bytes are not shown. */
const QUANTITIES = ['calls', 'time', 'bytes'];
const GROUP = 'MPI';
/** A live run is asked for this often, in ms; one with many values less often, for the engine's sake and the page's. */
const EVERY = 1000;
const EVERY_WIDE = 5000;
const WIDE = 20_000;

interface Mpi {
  readonly source: MpiSource;
  readonly summary: MpiSummary;
  /** The run's calls of each call over the last seconds, for rates; of an ended run none. */
  readonly samples: readonly Sample[];
}

interface MpiState {
  readonly data: Mpi | null;
  readonly error: Error | null;
  readonly retry: () => void;
}

/** A run's MPI: anew each second while it lives, then as its profile has it. What was shown stays until then. */
export function useMpi(run: Run, profile: Profile | null): MpiState {
  const engine = useEngine();
  const queries = useQueryClient();
  const live = isLive(run);
  const key = [engine.base, 'mpi', run.id];
  const asked = useQuery({
    queryKey: key,
    queryFn: async ({ signal }): Promise<Mpi> => {
      const source = await engine.api.ranks(run.id, GROUP, QUANTITIES, signal);
      const summary = summarize(source);
      const values = new Map(summary.calls.map((row) => [row.call, row.calls ?? 0]));
      const before = queries.getQueryData<Mpi>(key)?.samples ?? [];
      return { source, summary, samples: keepSamples(before, { time: source.time, values }) };
    },
    enabled: live,
    structuralSharing: false,
    refetchInterval: ({ state: { data } }) => {
      const wide = (data?.source.series.length ?? 0) * (data?.source.ranks.length ?? 0) > WIDE;
      return Math.max(wide ? EVERY_WIDE : EVERY, engine.live.hello?.period ?? 0);
    },
  });
  const ended = useMemo((): Mpi | null => {
    if (live || !profile) return null;
    const source = { ...profile, time: profile.run.end_time };
    return { source, summary: summarize(source), samples: [] };
  }, [live, profile]);
  return { data: ended ?? asked.data ?? null, error: asked.error, retry: () => void asked.refetch() };
}

interface OrderOptions {
  readonly live: boolean;
  /** Somebody points at the rows. */
  readonly hold: boolean;
  /** What the rows are of: of something else they are ordered anew. */
  readonly subject: string;
}

/** Rows in the order asked for; while the run lives they move only when they are clearly out of place. */
export function useOrder<Row>(
  rows: readonly Row[],
  id: (row: Row) => string,
  key: SortKey<Row>,
  sort: TableSort,
  { live, hold, subject }: OrderOptions,
): Row[] {
  const [shown, setShown] = useState<{ what: string; order: readonly string[] }>({ what: '', order: [] });
  const what = `${sort.id} ${sort.descending} ${live} ${subject}`;
  const before = shown.what === what && live ? shown.order : [];
  const order = orderRows({ rows, id, key, sort, before, hold });
  // The order to start from next time; ordering what is in order changes nothing, so this comes to rest.
  if (shown.what !== what || order.some((one, i) => one !== shown.order[i])) setShown({ what, order });
  const byId = new Map(rows.map((row) => [id(row), row]));
  return order.map((one) => byId.get(one)!);
}
