import { useSyncExternalStore } from 'react';

const EVERY_MS = 5000;

const subscribe = (listener: () => void): (() => void) => {
  const timer = setInterval(listener, EVERY_MS);
  return () => clearInterval(timer);
};

/** This machine's clock, ms since the epoch, in steps of a few seconds: figures of several engines have several clocks. */
export const useNow = (): number => useSyncExternalStore(subscribe, () => Math.floor(Date.now() / EVERY_MS) * EVERY_MS);
