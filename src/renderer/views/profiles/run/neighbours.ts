/** The runs beside a run: the ones before and after it of its command, and the baseline of that. */

import { useQuery } from '@tanstack/react-query';
import { quoteSearch } from '../../../../shared/profiles/search.ts';
import type { Run } from '../../../../shared/api/runs.ts';
import type { Api } from '../../../data/api.ts';
import { useEngine } from '../../../state/engine.ts';
import { engineOfRun } from '../list/listQuery.ts';

export interface Neighbours {
  readonly before: string | null;
  readonly after: string | null;
  readonly baseline: string | null;
}

/** So many may have started in the same second. */
const LOOKED_AT = 50;

/** A time as the search takes it, to the second. */
export const searchTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** The one behind a run in a list that begins at its second; null: there is none. */
export function nextOf(ids: readonly string[], id: string): string | null {
  const at = ids.indexOf(id);
  return at < 0 ? null : (ids[at + 1] ?? null);
}

async function look(api: Api, run: Run, group: string, signal: AbortSignal): Promise<Neighbours> {
  const time = searchTime(run.start_time);
  const engine = engineOfRun(run.id);
  const of = engine === null ? {} : { engine };
  const list = async (search: string, order: 'asc' | 'desc'): Promise<string[]> => {
    const page = await api.profiles.list({ ...of, group, search, sort: 'start', order }, LOOKED_AT, null, signal);
    return page.runs.map(({ id }) => id);
  };
  const mine = `job:${quoteSearch(run.jobid)} time:${time}`;
  const [earlier, later, groups] = await Promise.all([
    list(`to:${time}`, 'desc'),
    list(`from:${time}`, 'asc'),
    api.profiles.groups({ ...of, search: mine }, 20, null, signal),
  ]);
  return {
    before: nextOf(earlier, run.id),
    after: nextOf(later, run.id),
    baseline: groups.groups.find((one) => one.group === group)?.baseline ?? null,
  };
}

/** Null while they are not known. `group`: of the run; null: not known yet. */
export function useNeighbours(run: Run, group: string | null): Neighbours | null {
  const engine = useEngine();
  const { data } = useQuery({
    queryKey: [engine.base, 'profiles', 'neighbours', run.id, group],
    queryFn: ({ signal }) => look(engine.api, run, group ?? '', signal),
    enabled: group !== null && run.start_time > 0,
    staleTime: 10_000,
  });
  return data ?? null;
}
