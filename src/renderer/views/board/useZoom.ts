import { useEffect, useMemo, useReducer, useState } from 'react';
import type { Board } from '../../charts/board.ts';
import type { TimeRange } from '../../charts/range.ts';
import type { BoardQuery } from './boardQuery.ts';
import { ZoomControl } from './zoomControl.ts';

/** Ways to another range. */
export interface Zoom {
  /** There is something wider. */
  readonly deep: boolean;
  to(range: TimeRange): void;
  by(factor: number): void;
  pan(share: number): void;
  back(): void;
  reset(): void;
}

/** Zooming and moving of all charts of a board: by keys, buttons, brush and wheel. */
export function useZoom(board: Board, query: BoardQuery): Zoom {
  const [steps, changed] = useReducer((n: number) => n + 1, 0);
  const [control] = useState(() => new ZoomControl(board, query, changed));
  useEffect(() => control.follow(query));
  useEffect(() => {
    board.onBrush = (from, to) => control.brush(from, to);
    board.onBack = () => control.back();
    board.onZoom = (factor, at) => control.wheel(factor, at);
    board.onPan = (share) => control.slide(share);
    return () => control.close();
  }, [board, control]);
  // The steps stand for a stack that React does not see.
  // oxlint-disable-next-line react-hooks/exhaustive-deps
  const deep = useMemo(() => control.next(query) !== null, [control, query, steps]);
  return useMemo(
    () => ({
      deep,
      to: (range) => control.to(range),
      by: (factor) => control.by(factor),
      pan: (share) => control.pan(share),
      back: () => control.back(),
      reset: () => control.reset(),
    }),
    [control, deep],
  );
}
