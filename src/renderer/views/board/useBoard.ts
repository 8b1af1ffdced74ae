import { useEffect, useMemo, useReducer, useState } from 'react';
import type { Series } from '../../../shared/model/described-series.ts';
import type { ScopeId } from '../../../shared/model/scope.ts';
import { Board } from '../../charts/board.ts';
import type { TimeRange } from '../../charts/range.ts';
import { beat } from '../../data/beat.ts';
import { engineNow } from '../../state/connection.ts';
import { useEngine } from '../../state/engine.ts';

/** A scope that a view shows. */
export interface BoardScope {
  readonly scope: ScopeId;
  /** What people call it: the job id, the host. */
  readonly label: string;
  /** What it is, before its label where it stands beside others; absent: a node. */
  readonly kind?: string;
  /** Listen to it; otherwise only its history is shown. */
  readonly live: boolean;
  /** Series of a scope that is not listened to. */
  readonly series: readonly Series[];
}

export interface BoardScopeState extends BoardScope {
  readonly error: string | null;
  /** Why a part of its last samples is not here, or null. */
  readonly missing: string | null;
  /** Its series are known. */
  readonly ready: boolean;
}

/** Whether charts follow from the ring alone, which holds the last minutes. */
export const RING_WINDOW_MS = 300_000;

/** The view's board, its scopes with their series as they come, and redraws for each sample. */
export function useBoard(scopes: readonly BoardScope[], start: number): { board: Board; states: BoardScopeState[] } {
  const engine = useEngine();
  const [board] = useState(() => new Board(engineNow));
  const [version, changed] = useReducer((n: number) => n + 1, 0);
  board.start = start;
  const liveKey = scopes.map((s) => `${s.live ? 'live' : 'past'} ${s.scope}`).join('\n');

  useEffect(() => {
    const wanted = new Set<ScopeId>();
    const releases: (() => void)[] = [];
    for (const one of liveKey === '' ? [] : liveKey.split('\n')) {
      const scope = one.slice(5);
      wanted.add(scope);
      const known = board.samplesOf(scope);
      if (one.startsWith('live')) {
        const held = engine.hold(scope);
        releases.push(held.release);
        board.samples.set(scope, { ...known, buffer: held.buffer });
      } else {
        // What a run showed when it ended stays until its history is here.
        board.samples.set(scope, known);
      }
    }
    for (const scope of board.samples.keys()) if (!wanted.has(scope)) board.samples.delete(scope);
    const stopTicks = engine.onTick((scope) => {
      if (wanted.has(scope) && board.range.kind === 'live') beat.add(board.loop.tick);
    });
    const stopSchema = engine.onSchema((scope) => {
      if (wanted.has(scope)) changed();
    });
    changed();
    return () => {
      stopTicks();
      stopSchema();
      for (const release of releases) release();
    };
  }, [engine, board, liveKey]);

  const states = useMemo(
    () =>
      scopes.map((one): BoardScopeState => {
        const buffer = one.live ? board.samplesOf(one.scope).buffer : null;
        const series = buffer && buffer.series.length > 0 ? buffer.series : one.series;
        const ready = series.length > 0 || buffer?.live === true;
        return { ...one, series, error: buffer?.error ?? null, missing: buffer?.missing ?? null, ready };
      }),
    // A new version means that a buffer has something new.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
    [scopes, board, version],
  );
  return { board, states };
}

/** Tells the board what to show, and redraws it. */
export function useShown(board: Board, range: TimeRange, totals: boolean): void {
  useEffect(() => {
    board.totals = totals;
    board.show(range);
  }, [board, range, totals]);
}
