import { useQuery } from '@tanstack/react-query';
import type { WhoAmI } from '../../shared/api/tokens.ts';
import { useEngine, useHome } from './engine.ts';
import { useShown } from './engines.ts';

export interface Access {
  readonly known: boolean;
  readonly who: WhoAmI | null;
  /** Why this page may change nothing here; null: it may. */
  readonly refusal: string | null;
  readonly error: Error | null;
  readonly retry: () => void;
}

/** What the engine lets this page do. It is the engine that decides; the page only says so beforehand. */
export function useMayControl(): Access {
  const engine = useEngine();
  const { data, error, refetch } = useQuery({
    queryKey: [engine.base, 'whoami'],
    queryFn: ({ signal }) => engine.api.whoami(signal),
    staleTime: 60_000,
  });
  const home = useHome();
  const { name: cluster } = useShown();
  const own = useQuery({
    queryKey: [home.base, 'whoami'],
    queryFn: ({ signal }) => home.api.whoami(signal),
    staleTime: 60_000,
    enabled: home !== engine,
  });
  const isFar = home !== engine && own.data?.role === 'control';
  const refusal =
    data?.role === 'view' && isFar
      ? `The token that was found on ${cluster} may only view there, so nothing can be changed from here.`
      : data?.role === 'view'
        ? `This page’s token, “${data.name}”, may only view. Open the page with a token that has the role control.`
        : null;
  return { known: data !== undefined, who: data ?? null, refusal, error, retry: () => void refetch() };
}
