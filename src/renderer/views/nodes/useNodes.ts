import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEngine } from '../../state/engine.ts';
import { nextRows } from './nodes.ts';
import type { NodeRow } from './nodes.ts';

/** Rates need two looks; node exporters are asked every few seconds at most. */
const LOOK_MS = 3000;

interface Nodes {
  readonly rows: ReadonlyMap<string, NodeRow>;
  readonly loaded: boolean;
  readonly error: Error | null;
  readonly retry: () => void;
}

const NONE: ReadonlyMap<string, NodeRow> = new Map();

/** All nodes, looked at again and again while the page shows them. */
export function useNodes(): Nodes {
  const engine = useEngine();
  const queries = useQueryClient();
  const key = [engine.base, 'node-rows'];
  const { data, error, refetch } = useQuery({
    queryKey: key,
    queryFn: async ({ signal }) => {
      const { nodes } = await engine.api.nodes(signal);
      return nextRows(queries.getQueryData<ReadonlyMap<string, NodeRow>>(key) ?? NONE, nodes);
    },
    refetchInterval: LOOK_MS,
    staleTime: 0,
    // A page that is opened again begins with what the store has: of the time between nothing was seen here.
    gcTime: 0,
    // Maps are compared by identity anyway.
    structuralSharing: false,
  });
  return { rows: data ?? NONE, loaded: data !== undefined, error, retry: () => void refetch() };
}
