import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { UseQueryResult } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import type { GroupRules } from '../../../../shared/api/profiles.ts';
import { useEngine } from '../../../state/engine.ts';

const POLL_MS = 700;
const BEGUN_MS = [800, 3000];

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
  const rules = JSON.stringify(query.data?.rules);
  const busy = (query.data?.regrouping ?? null) !== null;
  const seen = useRef('');
  useEffect(() => {
    const now = `${rules} ${busy}`;
    const before = seen.current;
    seen.current = now;
    if (before === '' || before === now) return undefined;
    const again = (): void => {
      void queries.invalidateQueries({ queryKey: [engine.base, 'profiles'] });
      void queries.invalidateQueries({ queryKey: rulesKey(engine.base) });
    };
    void queries.invalidateQueries({ queryKey: [engine.base, 'profiles'] });
    // The engine begins to group anew in the moment after it has the rules, and may be done before it is asked how far it is.
    const timers = BEGUN_MS.map((ms) => setTimeout(again, ms));
    return () => timers.forEach((timer) => clearTimeout(timer));
  }, [rules, busy, engine, queries]);
  return query;
}
