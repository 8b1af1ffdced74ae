import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import type { Rule } from '../../../shared/api/alarms.ts';
import { useEngine } from '../../state/engine.ts';

/** What came of events is asked for again at most once in this time, ms. */
const GATHER_MS = 1000;
/** And at most in this part of the time: thousands of rules take a while to be told. */
const SHARE = 0.1;

/** Asks again for answers about `what` when something happens to an alarm, for as long as a view is open. */
export function useFresh(what: 'rules' | 'silences' | 'history' | 'deliveries'): void {
  const engine = useEngine();
  const queries = useQueryClient();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | null = null;
    let took = 0;
    const ask = async (): Promise<void> => {
      timer = null;
      const begin = performance.now();
      await queries.invalidateQueries({ queryKey: [engine.base, 'alarms', what] });
      took = performance.now() - begin;
    };
    const stop = engine.alarms.onEvents(() => {
      timer ??= setTimeout(() => void ask(), Math.max(GATHER_MS, took / SHARE));
    });
    return () => {
      stop();
      if (timer) clearTimeout(timer);
    };
  }, [engine, queries, what]);
}

interface Rules {
  /** Undefined: not known yet. */
  readonly rules: readonly Rule[] | undefined;
  readonly byId: ReadonlyMap<string, Rule>;
  readonly error: Error | null;
  readonly retry: () => void;
}

/** All rules with the states of their series. */
export function useRules(): Rules {
  const engine = useEngine();
  useFresh('rules');
  const { data, error, refetch } = useQuery({
    queryKey: [engine.base, 'alarms', 'rules'],
    queryFn: ({ signal }) => engine.api.alarms.rules(signal),
    // Series that a rule watches come and go without an event.
    refetchInterval: 15_000,
    staleTime: 2000,
  });
  const rules = data?.rules;
  const byId = useMemo(() => new Map((rules ?? []).map((rule) => [rule.id, rule])), [rules]);
  return { rules, byId, error, retry: () => void refetch() };
}

/** Asks again for all about alarms: something was changed here. */
export function useForget(): () => Promise<void> {
  const engine = useEngine();
  const queries = useQueryClient();
  return async () => {
    void queries.invalidateQueries({ queryKey: [engine.base, 'audit'] });
    await queries.invalidateQueries({ queryKey: [engine.base, 'alarms'] });
  };
}
