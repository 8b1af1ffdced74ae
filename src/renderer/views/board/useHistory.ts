import { useQueryClient } from '@tanstack/react-query';
import type { QueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { RangeResult } from '../../../shared/api/query.ts';
import type { ScopeId } from '../../../shared/model/scope.ts';
import type { Board } from '../../charts/board.ts';
import type { TimeRange } from '../../charts/range.ts';
import type { Engine } from '../../data/engine.ts';
import { History } from '../../data/history.ts';
import { engineNow } from '../../state/connection.ts';
import { useEngine } from '../../state/engine.ts';
import { RING_WINDOW_MS } from './useBoard.ts';

/** Points of the first, coarse answer, which has every series. */
const OVERVIEW_POINTS = 64;
/** Numbers in an overview, so that thousands of series stay a quick answer. */
const OVERVIEW_NUMBERS = 60_000;
/** A request line longer than this is not safe with every server in between. */
const MOST_KEY_CHARACTERS = 5000;
/** A moving window beyond the ring is fetched again this often, at least. */
const REFRESH_MS = 10_000;

export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What has to be fetched to show a range, or null when the ring has it all. Renews itself for a long moving window. */
export function useSpan(board: Board, range: TimeRange, start: number): Span | null {
  const moving = range.kind === 'live' && (range.window === null ? true : range.window > RING_WINDOW_MS);
  const [renewed, renew] = useState(0);
  useEffect(() => {
    if (!moving || range.kind !== 'live') return undefined;
    const width = range.window ?? engineNow() - start;
    const timer = setInterval(() => renew((n) => n + 1), Math.max(REFRESH_MS, width / 200));
    return () => clearInterval(timer);
  }, [moving, range, start]);
  const [span, setSpan] = useState<Span | null>(null);
  useEffect(() => {
    if (range.kind === 'fixed') setSpan({ from: range.from, to: range.to });
    else if (!moving) setSpan(null);
    else {
      const now = board.latest();
      const from = range.window === null ? start : Math.max(start, now - range.window);
      setSpan(
        now - from > RING_WINDOW_MS || range.window !== null ? { from: Math.min(from, now - 1000), to: now } : null,
      );
    }
  }, [board, range, start, moving, renewed]);
  return span;
}

export interface HistoryState {
  /** Grows with each answer. */
  readonly version: number;
  readonly loading: boolean;
  readonly error: Error | null;
  /** Points stand for buckets of samples. */
  readonly banded: boolean;
}

const IDLE: HistoryState = { version: 0, loading: false, error: null, banded: false };

/** Keeps the board's history at the span: first every series coarsely, then the drawn lines as fine as the charts are wide. */
export function useHistory(
  board: Board,
  scopes: readonly { readonly scope: ScopeId; readonly count: number }[],
  span: Span | null,
): HistoryState {
  const engine = useEngine();
  const queries = useQueryClient();
  const [state, setState] = useState(IDLE);
  const key = scopes.map((s) => `${s.count > 0 ? overviewPoints(s.count) : 0} ${s.scope}`).join('\n');

  useEffect(() => {
    if (!span) {
      for (const [scope, samples] of board.samples) board.samples.set(scope, { ...samples, history: null });
      board.loop.invalidate();
      setState((old) => ({ ...IDLE, version: old.version + 1 }));
      return undefined;
    }
    const abort = new AbortController();
    setState((old) => ({ ...old, loading: true, error: null }));
    const load = async (line: string): Promise<void> => {
      const scope = line.slice(line.indexOf(' ') + 1);
      const maxPoints = Number(line.slice(0, line.indexOf(' ')));
      if (maxPoints === 0) return;
      const result = await fetchRange(queries, engine, { scope, series: [], ...span, maxPoints });
      if (abort.signal.aborted) return;
      const history = new History();
      history.add(result);
      board.samples.set(scope, { ...board.samplesOf(scope), history });
    };
    Promise.all((key === '' ? [] : key.split('\n')).map(load))
      .then(
        () => null,
        (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
      )
      .then((error) => {
        if (abort.signal.aborted) return;
        board.loop.invalidate();
        setState((old) => ({ version: old.version + 1, loading: false, error, banded: isBanded(board) }));
      })
      .catch(() => undefined);
    return () => abort.abort();
  }, [board, engine, queries, key, span]);
  return state;
}

const overviewPoints = (count: number): number =>
  Math.max(4, Math.min(OVERVIEW_POINTS, Math.floor(OVERVIEW_NUMBERS / Math.max(1, count))));

function isBanded(board: Board): boolean {
  for (const { history } of board.samples.values()) if (history?.coarse) return true;
  return false;
}

/** Loads the lines that charts draw as finely as these are wide; lines of one chart come in one answer. */
export function useFine(
  board: Board,
  panels: readonly { readonly scope: ScopeId; readonly keys: readonly string[] }[],
  span: Span | null,
  version: number,
  maxPoints: number,
): boolean {
  const engine = useEngine();
  const queries = useQueryClient();
  const [banded, setBanded] = useState(false);
  useEffect(() => {
    if (!span || version === 0) {
      setBanded(false);
      return undefined;
    }
    const abort = new AbortController();
    const load = async (): Promise<void> => {
      for (const { scope, keys } of chunks(panels)) {
        const history = board.samplesOf(scope).history;
        if (!history?.coarse) continue;
        const result = await fetchRange(queries, engine, { scope, series: keys, ...span, maxPoints });
        if (abort.signal.aborted || board.samplesOf(scope).history !== history) return;
        history.add(result);
        setBanded(isBanded(board));
        board.loop.invalidate();
      }
    };
    setBanded(isBanded(board));
    // The coarse answer stays where a finer one does not come.
    load().catch(() => undefined);
    return () => abort.abort();
  }, [board, engine, queries, panels, span, version, maxPoints]);
  return banded;
}

/** Panels gathered into requests that are not too long; a panel is never split. */
export function chunks(
  panels: readonly { readonly scope: ScopeId; readonly keys: readonly string[] }[],
): { scope: ScopeId; keys: string[] }[] {
  const out: { scope: ScopeId; keys: string[] }[] = [];
  const open = new Map<ScopeId, { scope: ScopeId; keys: string[]; size: number }>();
  for (const { scope, keys } of panels) {
    const size = keys.reduce((sum, key) => sum + encodeURIComponent(key).length + 8, 0);
    let chunk = open.get(scope);
    if (!chunk || chunk.size + size > MOST_KEY_CHARACTERS) {
      chunk = { scope, keys: [], size: 0 };
      open.set(scope, chunk);
      out.push(chunk);
    }
    chunk.keys.push(...keys);
    chunk.size += size;
  }
  return out;
}

interface Asked extends Span {
  readonly scope: ScopeId;
  readonly series: readonly string[];
  readonly maxPoints: number;
}

/** Not tied to who asks first: the next one may want the same answer while the first has gone. */
export function fetchRange(queries: QueryClient, engine: Engine, asked: Asked): Promise<RangeResult> {
  return queries.fetchQuery({
    queryKey: [engine.base, 'range', asked.scope, asked.from, asked.to, asked.maxPoints, asked.series],
    queryFn: () => engine.api.query(asked),
    staleTime: 30_000,
    gcTime: 60_000,
  });
}
