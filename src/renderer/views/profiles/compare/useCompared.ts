import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { Compared } from '../../../../shared/api/profile-compare.ts';
import { MAX_COMPARED } from '../../../../shared/api/profile-compare.ts';
import type { Api } from '../../../data/api.ts';
import { useEngine } from '../../../state/engine.ts';
import type { Subject } from './link.ts';

export interface ComparedState {
  readonly compared: Compared | undefined;
  /** A search or a command has more runs than are compared. */
  readonly more: boolean;
  readonly error: Error | null;
  /** Of another question than the one asked now. */
  readonly old: boolean;
  readonly retry: () => void;
}

interface Found {
  readonly ids: readonly string[];
  readonly more: boolean;
}

async function idsOf(api: Api, subject: Subject, signal: AbortSignal): Promise<Found> {
  if (subject.kind === 'runs') return { ids: subject.ids, more: false };
  const { group, search, engine } = subject;
  const asked = {
    ...(group === null ? {} : { group }),
    ...(search === '' ? {} : { search }),
    ...(engine === undefined ? {} : { engine }),
  };
  const page = await api.profiles.list(asked, MAX_COMPARED, null, signal);
  return { ids: page.runs.map(({ id }) => id).toReversed(), more: page.next !== null };
}

/** The runs of an address, compared. A run that was deleted meanwhile is told, and not an error. */
export function useCompared(subject: Subject, baseline: string | null): ComparedState {
  const engine = useEngine();
  const { data, error, isPlaceholderData, refetch } = useQuery({
    queryKey: [engine.base, 'profiles', 'compare', subject, baseline],
    queryFn: async ({ signal }) => {
      const found = await idsOf(engine.api, subject, signal);
      if (found.ids.length === 0) return { compared: NOTHING, more: false };
      const runs = [...found.ids];
      // A baseline that is none of the runs is none.
      const asked = { runs, ...(baseline !== null && runs.includes(baseline) ? { baseline } : {}) };
      const compared = await engine.api.profiles.compare(asked, signal);
      return { compared, more: found.more };
    },
    placeholderData: keepPreviousData,
    structuralSharing: false,
    staleTime: 30_000,
  });
  return {
    compared: data?.compared,
    more: data?.more ?? false,
    error,
    old: isPlaceholderData,
    retry: () => void refetch(),
  };
}

const NOTHING: Compared = { runs: [], baseline: null, missing: [], series: [], total: 0, differences: [], common: [] };
