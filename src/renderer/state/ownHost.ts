import { useQuery } from '@tanstack/react-query';
import { useConnection } from './connection.ts';
import { useEngine } from './engine.ts';

interface OwnHost {
  /** Null while it is not known. */
  readonly host: string | null;
  /** Why it could not be asked for. */
  readonly error: Error | null;
  readonly retry: () => void;
}

/** The host of the engine itself: from the live status, else it is asked for. */
export function useOwnHost(): OwnHost {
  const engine = useEngine();
  const live = useConnection((s) => s.status?.engine.host ?? null);
  const status = useQuery({
    queryKey: [engine.base, 'status'],
    queryFn: ({ signal }) => engine.api.status(signal),
    enabled: live === null,
  });
  return {
    host: live ?? status.data?.engine.host ?? null,
    error: status.error,
    retry: () => void status.refetch(),
  };
}
