import { createContext, useContext, useSyncExternalStore } from 'react';
import type { ListedEngine } from '../../shared/api/connections.ts';
import type { EnginesModel, EnginesSnapshot } from '../data/engines.ts';
import { useConnection } from './connection.ts';
import { useEngine, useHome } from './engine.ts';

export const EnginesContext = createContext<EnginesModel | null>(null);

export function useEnginesModel(): EnginesModel {
  const model = useContext(EnginesContext);
  if (!model) throw new Error('useEnginesModel outside a page');
  return model;
}

/** The engines that can be looked at; renders when any of them changes. */
export function useEngines(): EnginesSnapshot {
  const model = useEnginesModel();
  return useSyncExternalStore(model.subscribe, model.snapshot);
}

/** The id of the engine that is looked at; null: the page's own. */
export function useShownId(): string | null {
  const engine = useEngine();
  const home = useHome();
  return engine === home ? null : engine.base.slice(engine.base.lastIndexOf('/') + 1);
}

export interface Shown {
  /** Null: the page's own. */
  readonly id: string | null;
  /** As people call it. Empty while it is not known. */
  readonly name: string;
  readonly listed: ListedEngine | null;
  /** There are others to switch to. */
  readonly others: boolean;
}

/** The engine that is looked at, as the list has it. */
export function useShown(): Shown {
  const id = useShownId();
  const { engines } = useEngines();
  const host = useConnection((s) => s.status?.engine.host ?? '');
  const listed = engines.find((one) => (id === null ? one.connection === null : one.id === id)) ?? null;
  return { id, name: listed?.name ?? (id === null ? host : id.slice(0, 8)), listed, others: engines.length > 1 };
}
