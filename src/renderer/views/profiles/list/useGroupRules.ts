import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { UseQueryResult } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import type { GroupRules } from '../../../../shared/api/profiles.ts';
import { useEngine } from '../../../state/engine.ts';

const POLL_MS = 700;

export const rulesKey = (base: string): readonly string[] => [base, 'profile-rules'];

/** The rules of grouping. While runs are grouped anew it is asked how far that is, and at its end the lists come again. */
export function useGroupRules(): UseQueryResult<GroupRules> {
  const engine = useEngine();
  const queries = useQueryClient();
  const query = useQuery({
    queryKey: rulesKey(engine.base),
    queryFn: ({ signal }) => engine.api.profiles.rules(signal),
    refetchInterval: ({ state }) => (state.data?.regrouping ? POLL_MS : false),
    staleTime: 10_000,
  });
  const { data } = query;
  const state = data && JSON.stringify([data.rules, data.regrouping !== null]);
  const seen = useRef<string | undefined>(undefined);
  useEffect(() => {
    const before = seen.current;
    seen.current = state;
    // The first answer is no change.
    if (before === undefined || before === state) return;
    void queries.invalidateQueries({ queryKey: [engine.base, 'profiles'] });
  }, [state, engine, queries]);
  return query;
}
