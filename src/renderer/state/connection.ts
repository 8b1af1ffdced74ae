import { create } from 'zustand';
import type { Status } from '../../shared/api/status.ts';
import type { LiveState } from '../data/live.ts';

interface Connection {
  readonly state: LiveState;
  /** It was lost, and has not come back since. */
  readonly away: boolean;
  /** Last status the engine sent; stays while the connection is away. */
  readonly status: Status | null;
  /** When the engine was reached, ms by this machine's clock: what is seen is as of then while no status has come. */
  readonly opened: number | null;
  /** The engine's clock minus this machine's, ms: views show the engine's time. */
  readonly skew: number;
  setState(state: LiveState): void;
  setStatus(status: Status): void;
  /** Another engine is looked at from now on: nothing of the one before is left. */
  show(state: LiveState, status: Status | null): void;
}

const isAway = ({ phase }: LiveState, before: boolean): boolean => (phase === 'connecting' ? before : phase !== 'open');

const openedBy = ({ phase }: LiveState): number | null => (phase === 'open' ? Date.now() : null);

export const useConnection = create<Connection>((set) => ({
  state: { phase: 'connecting' },
  away: false,
  status: null,
  opened: null,
  skew: 0,
  setState: (state) =>
    set(({ away, opened }) => ({ state, away: isAway(state, away), opened: openedBy(state) ?? opened })),
  setStatus: (status) => set({ status, skew: status.time - Date.now() }),
  show: (state, status) => set({ state, away: isAway(state, false), status, opened: openedBy(state), skew: 0 }),
}));

/** Now on the engine's clock, ms since the epoch. */
export const engineNow = (): number => Date.now() + useConnection.getState().skew;
