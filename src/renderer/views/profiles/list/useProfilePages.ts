import { keepPreviousData, useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
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
  readonly loadingMore: boolean;
  /** Loads the next page; null: these are all. */
  readonly more: (() => void) | null;
  readonly retry: () => void;
}

/** Runs page by page. Null: not asked for. */
export function useRunPages(asked: ListAsked | null): Pages<ProfileSummary> {
  const engine = useEngine();
  const query = useInfiniteQuery({
    queryKey: [engine.base, 'profiles', 'runs', asked],
    queryFn: ({ pageParam, signal }) => engine.api.profiles.list(asked ?? {}, RUNS_PAGE, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    enabled: asked !== null,
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  });
  const { data } = query;
  const rows = useMemo(() => data?.pages.flatMap((page) => page.runs), [data]);
  return { rows, total: data?.pages[0]?.total ?? null, ...stateOf(query) };
}

/** Commands page by page. Null: not asked for. */
export function useGroupPages(asked: GroupsAsked | null): Pages<ProfileGroup> {
  const engine = useEngine();
  const query = useInfiniteQuery({
    queryKey: [engine.base, 'profiles', 'groups', asked],
    queryFn: ({ pageParam, signal }) => engine.api.profiles.groups(asked ?? {}, GROUPS_PAGE, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    enabled: asked !== null,
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  });
  const { data } = query;
  const rows = useMemo(() => data?.pages.flatMap((page) => page.groups), [data]);
  return { rows, total: data?.pages[0]?.total ?? null, ...stateOf(query) };
}

interface QueryState {
  readonly error: Error | null;
  readonly isPlaceholderData: boolean;
  readonly isFetchingNextPage: boolean;
  readonly hasNextPage: boolean;
  fetchNextPage(): Promise<unknown>;
  refetch(): Promise<unknown>;
}

const stateOf = (query: QueryState): Omit<Pages<never>, 'rows' | 'total'> => ({
  error: query.error,
  old: query.isPlaceholderData,
  loadingMore: query.isFetchingNextPage,
  more: query.hasNextPage && !query.isFetchingNextPage ? () => void query.fetchNextPage() : null,
  retry: () => void query.refetch(),
});

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
