import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import type { ProbeRequestInput, ProbeResult } from '../../../shared/api/targets.ts';
import { useEngine } from '../../state/engine.ts';

/** So long after the last key the engine goes and looks. */
const TYPED_MS = 400;

export interface ProbeState {
  /** It is being asked, or will be in a moment. */
  readonly asking: boolean;
  readonly result: ProbeResult | null;
  /** Period that the result's cost of a day is of. */
  readonly period: string;
  /** Why the engine did not look at all. */
  readonly error: Error | null;
  readonly again: () => void;
}

/** What is at an address, asked when the typing rests. Null asks nothing. */
export function useProbe(request: ProbeRequestInput | null): ProbeState {
  const engine = useEngine();
  // The period and what is added later do not change what is found there.
  const asked = request === null ? null : JSON.stringify(reduced(request));
  const [settled] = useDebouncedValue(asked, TYPED_MS);
  const query = useQuery({
    queryKey: [engine.base, 'probe', settled],
    enabled: settled !== null && settled === asked,
    retry: false,
    staleTime: 15_000,
    gcTime: 30_000,
    queryFn: async ({ signal }) => {
      const body = JSON.parse(settled ?? '{}') as ProbeRequestInput;
      return engine.api.targets.probe(body, signal);
    },
  });
  const current = asked !== null && settled === asked;
  return {
    asking: asked !== null && (!current || query.isFetching),
    result: current ? (query.data ?? null) : null,
    period: PROBE_PERIOD,
    error: current ? query.error : null,
    again: () => void query.refetch(),
  };
}

const PROBE_PERIOD = '10s';

function reduced(request: ProbeRequestInput): ProbeRequestInput {
  const { id, url, type, timeout, filter, auth, tls } = request;
  return {
    url,
    period: PROBE_PERIOD,
    ...(id === undefined ? {} : { id }),
    ...(type === undefined ? {} : { type }),
    ...(timeout === undefined ? {} : { timeout }),
    ...(filter === undefined ? {} : { filter }),
    ...(auth === undefined ? {} : { auth }),
    ...(tls === undefined ? {} : { tls }),
  };
}
