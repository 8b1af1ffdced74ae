import { hashKey, keepPreviousData, skipToken, useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import type { ProfileGroup, ProfileSummary } from '../../../../shared/api/profiles.ts';
import type { GroupsAsked, ListAsked } from '../../../data/profilesApi.ts';
import { isLive } from '../../../data/runs.ts';
import { useEngine } from '../../../state/engine.ts';
import { FEW_PAGES, isFewPages } from './pages.ts';
import type { Page } from './pages.ts';

/** The first page is small, to be there at once; who goes on far wants many. Most that the engine gives. */
const RUNS_PAGE = { first: 200, most: 1000 };
const GROUPS_PAGE = { first: 100, most: 200 };
/** A run that ends is stored in the moment after. */
const GATHER_MS = 1500;

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

/** What was asked for page by page. Null: nothing is. */
function usePages<Asked, Row>(
  what: string,
  asked: Asked | null,
  size: { readonly first: number; readonly most: number },
  load: (asked: Asked, limit: number, cursor: string | null, signal: AbortSignal) => Promise<Page<Row>>,
): Pages<Row> {
  const engine = useEngine();
  const queries = useQueryClient();
  const queryKey = [engine.base, 'profiles', what, asked];
  const query = useInfiniteQuery({
    queryKey,
    queryFn:
      asked === null ? skipToken : ({ pageParam, signal }) => load(asked, pageParam.limit, pageParam.cursor, signal),
    initialPageParam: { limit: size.first, cursor: null as string | null },
    getNextPageParam: ({ next }, pages) =>
      next === null ? null : { limit: pages.length < FEW_PAGES ? size.first : size.most, cursor: next },
    placeholderData: keepPreviousData,
    staleTime: 10_000,
    // Each page would be held against all rows there are.
    structuralSharing: false,
    refetchOnReconnect: ({ state }) => isFewPages(state.data),
  });
  const hash = hashKey(queryKey);
  useEffect(() => {
    // What is left begins with its first page when one comes back, and is not asked for anew page by page.
    const forget = (): void =>
      queries.removeQueries({
        type: 'inactive',
        predicate: ({ queryHash, state }) => queryHash === hash && !isFewPages(state.data),
      });
    return () => void setTimeout(forget, 0);
  }, [queries, hash]);
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
  return usePages('runs', asked, RUNS_PAGE, async (of: ListAsked, limit, cursor, signal) => {
    const { runs, ...page } = await api.profiles.list(of, limit, cursor, signal);
    return { ...page, rows: runs };
  });
}

/** Commands page by page. Null: not asked for. */
export function useGroupPages(asked: GroupsAsked | null): Pages<ProfileGroup> {
  const { api } = useEngine();
  return usePages('groups', asked, GROUPS_PAGE, async (of: GroupsAsked, limit, cursor, signal) => {
    const { groups, ...page } = await api.profiles.groups(of, limit, cursor, signal);
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
      const all = queries.getQueriesData({ ...key, type: 'active' });
      if (!all.every(([, data]) => isFewPages(data))) setWaiting(true);
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
