import { keepPreviousData, skipToken, useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import type { ProfileGroup, ProfileSummary } from '../../../../shared/api/profiles.ts';
import type { GroupsAsked, ListAsked } from '../../../data/profilesApi.ts';
import { isLive } from '../../../data/runs.ts';
import { useEngine } from '../../../state/engine.ts';

const RUNS_PAGE = 200;
const GROUPS_PAGE = 100;
/** A run that ends is stored in the moment after. */
const GATHER_MS = 1500;
/** With more pages than this the list is asked for anew only when somebody wants it. */
const MOST_REFRESHED = 4;

export interface Pages<Row> {
  /** Undefined: not known yet. */
  readonly rows: Row[] | undefined;
  /** How many there are in all; null: not counted. */
  readonly total: number | null;
  readonly error: Error | null;
  /** Of another question than the one asked now. */
  readonly old: boolean;
  /** Loads the next page; null: these are all, or it is being loaded. */
  readonly more: (() => void) | null;
  readonly retry: () => void;
}

interface Page<Row> {
  readonly rows: readonly Row[];
  readonly total: number | null;
  readonly next: string | null;
}

/** What was asked for page by page. Null: nothing is. */
function usePages<Asked, Row>(
  what: string,
  asked: Asked | null,
  load: (asked: Asked, cursor: string | null, signal: AbortSignal) => Promise<Page<Row>>,
): Pages<Row> {
  const engine = useEngine();
  const query = useInfiniteQuery({
    queryKey: [engine.base, 'profiles', what, asked],
    queryFn: asked === null ? skipToken : ({ pageParam, signal }) => load(asked, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  });
  const { data } = query;
  const rows = useMemo(() => data?.pages.flatMap((page) => page.rows), [data]);
  return {
    rows,
    total: data?.pages[0]?.total ?? null,
    error: query.error,
    old: query.isPlaceholderData,
    more: query.hasNextPage && !query.isFetchingNextPage ? () => void query.fetchNextPage() : null,
    retry: () => void query.refetch(),
  };
}

/** Runs page by page. Null: not asked for. */
export function useRunPages(asked: ListAsked | null): Pages<ProfileSummary> {
  const { api } = useEngine();
  return usePages('runs', asked, async (of: ListAsked, cursor, signal) => {
    const { runs, ...page } = await api.profiles.list(of, RUNS_PAGE, cursor, signal);
    return { ...page, rows: runs };
  });
}

/** Commands page by page. Null: not asked for. */
export function useGroupPages(asked: GroupsAsked | null): Pages<ProfileGroup> {
  const { api } = useEngine();
  return usePages('groups', asked, async (of: GroupsAsked, cursor, signal) => {
    const { groups, ...page } = await api.profiles.groups(of, GROUPS_PAGE, cursor, signal);
    return { ...page, rows: groups };
  });
}

/** Asks again when runs end. True: there is news, but so much is loaded that it waits to be wanted. */
export function useNews(): { readonly waiting: boolean; readonly show: () => void } {
  const engine = useEngine();
  const queries = useQueryClient();
  const [waiting, setWaiting] = useState(false);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | null = null;
    let lost = false;
    const ask = (): void => {
      timer = null;
      const key = { queryKey: [engine.base, 'profiles'] };
      const most = Math.max(0, ...queries.getQueriesData({ ...key, type: 'active' }).map(([, data]) => pagesOf(data)));
      if (most > MOST_REFRESHED) setWaiting(true);
      else void queries.invalidateQueries(key);
    };
    const news = (): void => {
      timer ??= setTimeout(ask, GATHER_MS);
    };
    const leave = [
      engine.live.onRuns((runs, all) => {
        if (!all && runs.some((run) => !isLive(run))) news();
      }),
      // What ended while the socket was away is not told of.
      engine.live.onState(({ phase }) => {
        if (phase === 'open' && lost) news();
        if (phase === 'open' || phase === 'waiting') lost = phase === 'waiting';
      }),
    ];
    return () => {
      for (const stop of leave) stop();
      if (timer) clearTimeout(timer);
    };
  }, [engine, queries]);
  return {
    waiting,
    show: () => {
      setWaiting(false);
      void queries.resetQueries({ queryKey: [engine.base, 'profiles'] });
    },
  };
}

const pagesOf = (data: unknown): number =>
  typeof data === 'object' && data !== null && 'pages' in data && Array.isArray(data.pages) ? data.pages.length : 0;
