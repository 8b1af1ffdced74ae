import { useSyncExternalStore } from 'react';
import { engineNow, useConnection } from './connection.ts';

/** While the engine is away nothing else moves the clock. */
const LATE_MS = 1500;

const listeners = new Set<() => void>();
let second = 0;
let moved = 0;
let stop: (() => void) | null = null;

function move(): void {
  second = Math.floor(engineNow() / 1000);
  moved = performance.now();
  for (const each of listeners) each();
}

/** Ticks with the engine's status, so that it costs no frame of its own; by a timer while no status comes. */
function start(): () => void {
  const leave = useConnection.subscribe((now, before) => {
    if (now.status !== before.status) move();
  });
  const timer = setInterval(() => {
    if (!document.hidden && performance.now() - moved > LATE_MS) move();
  }, 1000);
  return () => {
    leave();
    clearInterval(timer);
  };
}

function subscribe(listener: () => void): () => void {
  if (!stop) {
    second = Math.floor(engineNow() / 1000);
    stop = start();
  }
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    stop?.();
    stop = null;
  };
}

/** The engine's time in ms, whole seconds; renders once a second. */
export function useSecond(): number {
  const value = useSyncExternalStore(subscribe, () => second || (second = Math.floor(engineNow() / 1000)));
  return value * 1000;
}
