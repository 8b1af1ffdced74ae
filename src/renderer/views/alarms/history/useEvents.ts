import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import type { AlarmEvent } from '../../../../shared/api/alarms.ts';
import type { HistoryFilter } from '../../../data/alarmsApi.ts';
import { useEngine } from '../../../state/engine.ts';
import { useFresh } from '../useAlarmData.ts';

const PAGE = 100;

interface Events {
  /** Newest first; undefined: not known yet. */
  readonly events: readonly AlarmEvent[] | undefined;
  readonly error: Error | null;
  readonly loading: boolean;
  /** Loads older ones; null: these are all. */
  readonly more: (() => void) | null;
  readonly retry: () => void;
}

/** What happened, page by page; asked for again when something does. Null: not asked for. */
export function useEvents(filter: HistoryFilter | null): Events {
  const engine = useEngine();
  useFresh('history');
  const query = useInfiniteQuery({
    queryKey: [engine.base, 'alarms', 'history', filter],
    queryFn: ({ pageParam, signal }) => engine.api.alarms.history(filter ?? {}, PAGE, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    enabled: filter !== null,
    placeholderData: keepPreviousData,
  });
  return {
    events: query.data?.pages.flatMap((page) => page.events),
    error: query.error,
    loading: query.isFetching,
    more: query.hasNextPage ? () => void query.fetchNextPage() : null,
    retry: () => void query.refetch(),
  };
}
