import { useEffect, useState } from 'react';
import type { RangeResult } from '../../../shared/api/query.ts';
import type { ScopeId } from '../../../shared/model/scope.ts';
import type { Board } from '../../charts/board.ts';
import { withRoom } from '../../charts/range.ts';
import type { Span, TimeRange } from '../../charts/range.ts';
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
/** With a picture on the screen its lines are refined first, and every other series follows. */
const OVERVIEW_AFTER_MS = 40;

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
    else if (!moving || (range.window === null && start <= 0)) setSpan(null);
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
}

const IDLE: HistoryState = { version: 0, loading: false, error: null };

const errorOf = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/** Puts an answer beside what the board has of the scope. */
function addResult(board: Board, result: RangeResult, points: number): void {
  const samples = board.samplesOf(result.scope);
  const history = samples.history ?? new History();
  history.add(result, points);
  if (!samples.history) board.samples.set(result.scope, { ...samples, history });
}

/** Keeps the board's history at the span: every series coarsely. What is here already stays until more has come. */
export function useHistory(
  board: Board,
  scopes: readonly { readonly scope: ScopeId; readonly count: number }[],
  span: Span | null,
): HistoryState {
  const engine = useEngine();
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
    const { signal } = abort;
    setState((old) => ({ ...old, loading: true, error: null }));
    const load = async (line: string): Promise<void> => {
      const scope = line.slice(line.indexOf(' ') + 1);
      const maxPoints = Number(line.slice(0, line.indexOf(' ')));
      if (maxPoints === 0) return;
      const result = await engine.ranges.load({ scope, series: [], ...withRoom(span), maxPoints }, signal);
      if (signal.aborted) return;
      addResult(board, result, maxPoints);
      board.loop.invalidate();
    };
    const start = async (): Promise<Error | null> => {
      const lines = key === '' ? [] : key.split('\n');
      if (lines.some((line) => board.samplesOf(line.slice(line.indexOf(' ') + 1)).history)) {
        await new Promise((resolve) => setTimeout(resolve, OVERVIEW_AFTER_MS));
        if (signal.aborted) return null;
      }
      const ended = await Promise.allSettled(lines.map(load));
      const failed = ended.find((one) => one.status === 'rejected');
      return failed ? errorOf(failed.reason) : null;
    };
    start()
      .then((error) => {
        if (signal.aborted) return;
        board.loop.invalidate();
        setState((old) => ({ version: old.version + 1, loading: false, error }));
      })
      .catch(() => undefined);
    return () => abort.abort();
  }, [board, engine, key, span]);
  return state;
}

const overviewPoints = (count: number): number =>
  Math.max(4, Math.min(OVERVIEW_POINTS, Math.floor(OVERVIEW_NUMBERS / Math.max(1, count))));

function isBanded(board: Board): boolean {
  for (const { history } of board.samples.values()) if (history?.coarse) return true;
  return false;
}

interface FineState {
  /** Some points stand for buckets of samples. */
  readonly banded: boolean;
  readonly loading: boolean;
  /** Grows with each answer. */
  readonly version: number;
}

/** Loads the lines that charts draw as finely as these are wide; lines of one chart come in one answer. */
export function useFine(
  board: Board,
  panels: readonly { readonly scope: ScopeId; readonly keys: readonly string[] }[],
  span: Span | null,
  version: number,
  maxPoints: number,
): FineState {
  const engine = useEngine();
  const [state, setState] = useState<FineState>({ banded: false, loading: false, version: 0 });
  useEffect(() => {
    if (!span || version === 0) {
      setState((old) => ({ banded: false, loading: false, version: old.version + 1 }));
      return undefined;
    }
    const abort = new AbortController();
    const { signal } = abort;
    // Charts that once had bands keep them: they would be built anew while somebody zooms through samples.
    const tell = (loading: boolean): void =>
      setState((old) => ({ banded: old.banded || isBanded(board), loading, version: old.version + 1 }));
    const load = async (): Promise<void> => {
      for (const { scope, keys } of chunks(panels)) {
        if (board.samplesOf(scope).history?.has(keys, withRoom(span), maxPoints)) continue;
        const result = await engine.ranges.load({ scope, series: keys, ...withRoom(span), maxPoints }, signal);
        if (signal.aborted) return;
        addResult(board, result, maxPoints);
        tell(true);
        board.loop.invalidate();
      }
    };
    tell(true);
    // The coarse answer stays where a finer one does not come.
    load()
      .catch(() => undefined)
      .then(() => {
        if (!signal.aborted) tell(false);
      })
      .catch(() => undefined);
    return () => abort.abort();
  }, [board, engine, panels, span, version, maxPoints]);
  return state;
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
