import { useQueries, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useSyncExternalStore } from 'react';
import type { Board } from '../../charts/board.ts';
import { markSpans } from '../../charts/marks.ts';
import type { Span } from '../../charts/range.ts';
import { engineNow } from '../../state/connection.ts';
import { useEngine } from '../../state/engine.ts';
import { RING_WINDOW_MS } from './useBoard.ts';

/** Events of one scope that are shown; of more only the newest. */
const MOST_EVENTS = 1000;
/** Scopes whose alarms are asked for: those that stand first. */
const MOST_SCOPES = 16;
/** A range that moves is asked for in whole pieces of this length, ms. */
const PIECE = 600_000;
/** What came of events is asked for again at most once in this time, ms. */
const GATHER_MS = 1000;

/** Puts the alarms of the board's scopes on its plots, as they were over the shown time and as they come. */
export function useAlarmMarks(board: Board, scopes: readonly { scope: string }[], span: Span | null): void {
  const engine = useEngine();
  const queries = useQueryClient();
  const { alarms } = engine;
  const wanted = scopes
    .slice(0, MOST_SCOPES)
    .map(({ scope }) => scope)
    .join('\n');
  const begin = span?.from ?? engineNow() - RING_WINDOW_MS;
  const from = Math.floor(begin / PIECE) * PIECE;
  const answers = useQueries({
    queries: wanted
      .split('\n')
      .filter((scope) => scope !== '')
      .map((scope) => ({
        queryKey: [engine.base, 'alarms', 'marks', scope, from],
        queryFn: ({ signal }: { signal: AbortSignal }) =>
          engine.api.alarms.history({ scope, from }, MOST_EVENTS, null, signal),
        staleTime: 30_000,
        retry: false,
      })),
  });
  const { data: rules } = useQuery({
    queryKey: [engine.base, 'alarms', 'rules'],
    queryFn: ({ signal }) => engine.api.alarms.rules(signal),
    staleTime: 30_000,
  });
  const firing = useSyncExternalStore(alarms.subscribe, () => alarms.snapshot().rows);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | null = null;
    const stop = alarms.onEvents(() => {
      timer ??= setTimeout(() => {
        timer = null;
        void queries.invalidateQueries({ queryKey: [engine.base, 'alarms', 'marks'] });
      }, GATHER_MS);
    });
    return () => {
      stop();
      if (timer) clearTimeout(timer);
    };
  }, [alarms, engine, queries]);
  const measures = useMemo(() => new Map((rules?.rules ?? []).map(({ id, measure }) => [id, measure.kind])), [rules]);
  // A new array each time, of answers that seldom change.
  const version = answers.map(({ dataUpdatedAt }) => dataUpdatedAt).join(' ');
  useEffect(() => {
    const here = new Set(wanted.split('\n'));
    const events = answers.flatMap(({ data }) => data?.events ?? []);
    const active = [...firing.values()].filter(({ scope, from: told }) => told === null && here.has(scope));
    board.setMarks(markSpans(events, active, measures, from));
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- the version says that answers changed
  }, [board, version, firing, measures, wanted, from]);
}
