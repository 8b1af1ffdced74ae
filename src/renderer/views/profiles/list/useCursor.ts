import { useLayoutEffect, useMemo, useRef, useState } from 'react';

export interface Cursor {
  /** As it is rendered. */
  readonly index: number;
  /** As it is now: a key that is held comes faster than the page renders. */
  now(): number;
  set(index: number): void;
  move(step: number): void;
}

/** The row under the keyboard's cursor, of so many; −1: none. */
export function useCursor(count: number): Cursor {
  const [index, setIndex] = useState(-1);
  const latest = useRef(-1);
  const most = useRef(count);
  useLayoutEffect(() => {
    most.current = count;
  }, [count]);
  return useMemo(() => {
    const set = (next: number): void => {
      latest.current = next;
      setIndex(next);
    };
    return {
      index,
      now: () => Math.min(latest.current, most.current - 1),
      set,
      move: (step) => set(Math.max(0, Math.min(most.current - 1, latest.current + step))),
    };
  }, [index]);
}
