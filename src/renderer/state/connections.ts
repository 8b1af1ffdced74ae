import { useSyncExternalStore } from 'react';
import type { Connection, Prompt } from '../../shared/api/connections.ts';
import type { ConnectionsSnapshot } from '../data/connectionsModel.ts';
import { useHome } from './engine.ts';

/** All connections; renders when any of them changes. */
export function useConnectionsSnapshot(): ConnectionsSnapshot {
  const { connections } = useHome();
  return useSyncExternalStore(connections.subscribe, connections.snapshot);
}

/** One connection and whether the list is here; renders when it changes. */
export function useOneConnection(id: string): { connection: Connection | undefined; loaded: boolean } {
  const { connections } = useHome();
  const connection = useSyncExternalStore(connections.subscribe, () => connections.snapshot().rows.get(id));
  const loaded = useSyncExternalStore(connections.subscribe, () => connections.snapshot().loaded);
  return { connection, loaded };
}

/** What connections ask a person, oldest first. */
export function usePrompts(): readonly Prompt[] {
  const { prompts } = useHome();
  return useSyncExternalStore(prompts.subscribe, prompts.snapshot);
}
