import { create } from 'zustand';
import type { Status } from '../../shared/api/status.ts';
import type { LiveState } from '../data/live.ts';

interface Connection {
  readonly state: LiveState;
  /** Last status the engine sent; stays while the connection is away. */
  readonly status: Status | null;
  /** The engine's clock minus this machine's, ms: views show the engine's time. */
  readonly skew: number;
  setState(state: LiveState): void;
  setStatus(status: Status): void;
}

export const useConnection = create<Connection>((set) => ({
  state: { phase: 'connecting' },
  status: null,
  skew: 0,
  setState: (state) => set({ state }),
  setStatus: (status) => set({ status, skew: status.time - Date.now() }),
}));

/** Now on the engine's clock, ms since the epoch. */
export const engineNow = (): number => Date.now() + useConnection.getState().skew;
