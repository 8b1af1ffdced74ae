import { useEffect, useMemo, useRef, useState } from 'react';
import type { Board } from '../../charts/board.ts';
import { panSpan, popZoom, pushZoom, sameRange, syncZoom, zoomSpan } from '../../charts/range.ts';
import type { Span, TimeRange, ZoomStack } from '../../charts/range.ts';
import type { BoardQuery } from './boardQuery.ts';

/** A gesture is over when the wheel has rested this long; its range is fetched then. */
const REST_MS = 140;
/** Steps to the side that follow one another this closely are one step of the browser's history. */
const ONE_MOVE_MS = 1500;

/** Ways to another range. Every change of the width can be taken back step by step. */
export interface Zoom {
  /** There is something wider. */
  readonly deep: boolean;
  to(range: TimeRange): void;
  /** A range `factor` times as wide, around its middle; what moves is narrowed to its newest part. */
  by(factor: number): void;
  pan(share: number): void;
  /** To the wider range before this one; twice as wide where there was none. */
  back(): void;
  /** Live, or all of a finished run. */
  reset(): void;
}

/** Zooming and moving of all charts of a board: by keys, buttons, brush and wheel. */
export function useZoom(board: Board, query: BoardQuery): Zoom {
  const [stack, setStack] = useState<ZoomStack>([]);
  const { range } = query;
  const latest = useRef({ query, stack });
  const moved = useRef(-Infinity);
  const resting = useRef<ReturnType<typeof setTimeout> | null>(null);
  useEffect(() => {
    latest.current = { query, stack };
  });
  useEffect(() => setStack((old) => syncZoom(old, range)), [range]);
  useEffect(
    () => () => {
      if (resting.current) clearTimeout(resting.current);
    },
    [],
  );

  const zoom = useMemo(() => {
    const remember = (): void => {
      const left = latest.current.query.range;
      setStack((old) => pushZoom(old, left));
    };
    const to = (next: TimeRange): void => {
      const { query: now } = latest.current;
      if (sameRange(next, now.range)) return;
      remember();
      now.setRange(next, true);
    };
    /** Shows a span at once and has it fetched when the gesture is over. */
    const pass = (span: Span, widened: boolean): void => {
      const fitted = latest.current.query.fit(span);
      board.show({ kind: 'fixed', ...fitted });
      if (resting.current) clearTimeout(resting.current);
      resting.current = setTimeout(() => {
        resting.current = null;
        const { query: now } = latest.current;
        const next: TimeRange = { kind: 'fixed', ...fitted };
        if (sameRange(next, now.range)) return;
        if (widened) remember();
        now.setRange(next, widened || isNewMove());
      }, REST_MS);
    };
    const isNewMove = (): boolean => {
      const before = moved.current;
      moved.current = performance.now();
      return moved.current - before > ONE_MOVE_MS;
    };
    let zooming = false;
    return {
      to,
      by(factor: number): void {
        const shown = board.shown();
        const { query: now } = latest.current;
        // The end of what moves is now: there is nothing after it.
        to({ kind: 'fixed', ...now.fit(zoomSpan(shown, factor, now.range.kind === 'live' ? shown.to : undefined)) });
      },
      pan(share: number): void {
        const { query: now } = latest.current;
        const next: TimeRange = { kind: 'fixed', ...now.fit(panSpan(board.shown(), share)) };
        if (sameRange(next, now.range)) return;
        if (now.range.kind === 'live') remember();
        now.setRange(next, isNewMove());
      },
      back(): void {
        const { query: now, stack: steps } = latest.current;
        const step = popZoom(steps, now.range);
        if (step) setStack(step.stack);
        const next = step?.range ?? wider(now);
        if (next) now.setRange(next, true);
      },
      reset(): void {
        setStack([]);
        latest.current.query.reset();
      },
      wheel(factor: number, at: number): void {
        zooming = true;
        pass(zoomSpan(board.shown(), factor, at), true);
      },
      slide(share: number): void {
        // Of a gesture that does both the width decides.
        const widened = resting.current !== null && zooming;
        zooming = widened;
        pass(panSpan(board.shown(), share), widened || latest.current.query.range.kind === 'live');
      },
    };
  }, [board]);

  useEffect(() => {
    board.onBrush = (from, to) => zoom.to({ kind: 'fixed', ...latest.current.query.fit({ from, to }) });
    board.onBack = zoom.back;
    board.onZoom = zoom.wheel;
    board.onPan = zoom.slide;
  }, [board, zoom]);
  return { ...zoom, deep: popZoom(stack, range) !== null || wider(query) !== null };
}

/** A fixed range twice as wide, as far as there is more; null: there is not. */
function wider({ range, fit }: BoardQuery): TimeRange | null {
  if (range.kind === 'live') return null;
  const next: TimeRange = { kind: 'fixed', ...fit(zoomSpan(range, 2)) };
  return sameRange(next, range) ? null : next;
}
