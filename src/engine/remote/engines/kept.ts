/** Profiles of other engines that are in this engine's store, with the ids that they have over there. */

import type { Profile, ProfileGroupList, ProfileList, ProfileSummary } from '../../../shared/api/profiles.ts';
import type { RangeQuery, RangeResult } from '../../../shared/api/query.ts';
import type { Run, RunList, RunListQuery } from '../../../shared/api/runs.ts';
import { ApiError } from '../../../shared/errors.ts';
import { runScope } from '../../../shared/model/scope.ts';
import type { GroupsAsked, ListAsked } from '../../store/profiles/profile-store.ts';
import type { Store } from '../../store/store.ts';
import { isRunId, storedRunId } from './engine-id.ts';

const idBack = (engine: string, id: string): string => id.slice(storedRunId(engine, '').length);

const back = (engine: string, run: Run): Run => {
  const id = idBack(engine, run.id);
  return { ...run, id, scope: runScope(id) };
};

const noRun = (): ApiError =>
  new ApiError(
    'run_not_found',
    'this run is not among those that were brought here, and its engine is not reached now',
  );

export async function keptRuns(store: Store, engine: string, query: RunListQuery): Promise<RunList> {
  const { runs, next } = await store.runs(query, engine);
  return { runs: runs.map((run) => back(engine, run)), next };
}

const summaryBack = (engine: string, summary: ProfileSummary): ProfileSummary => {
  const { regression } = summary;
  const against = regression?.run ?? null;
  return {
    ...summary,
    ...back(engine, summary),
    engine: null,
    regression: regression && against !== null ? { ...regression, run: idBack(engine, against) } : regression,
  };
};

/** As that engine would answer: with its own ids, which are what its page asks for. */
export async function keptProfiles(store: Store, engine: string, query: ListAsked): Promise<ProfileList> {
  const list = await store.profiles.list({ ...query, engine });
  return { ...list, runs: list.runs.map((run) => summaryBack(engine, run)) };
}

export async function keptGroups(store: Store, engine: string, query: GroupsAsked): Promise<ProfileGroupList> {
  const list = await store.profiles.groups({ ...query, engine });
  return {
    ...list,
    groups: list.groups.map((group) => ({
      ...group,
      last: summaryBack(engine, group.last),
      durations: group.durations.map((each) => ({ ...each, run: idBack(engine, each.run) })),
      baseline: group.baseline === null ? null : idBack(engine, group.baseline),
    })),
  };
}

/** Errors: `run_not_found`. */
export async function keptRun(store: Store, engine: string, id: string): Promise<Run> {
  const run = isRunId(id) ? await store.run(storedRunId(engine, id)) : null;
  if (!run) throw noRun();
  return back(engine, run);
}

/** History that was pinned over there. Errors: `run_not_found`. */
export async function keptHistory(store: Store, engine: string, query: RangeQuery): Promise<RangeResult> {
  const id = query.scope.startsWith('run/') ? query.scope.slice('run/'.length) : '';
  const result = isRunId(id) ? await store.query({ ...query, scope: runScope(storedRunId(engine, id)) }) : null;
  if (!result) {
    throw new ApiError(
      'run_not_found',
      'of the history of this run nothing was brought here (of pinned runs it is), and its engine is not reached now',
    );
  }
  return { ...result, scope: query.scope };
}

/** Errors: `run_not_found`. */
export async function keptProfile(store: Store, engine: string, id: string): Promise<Profile> {
  const profile = isRunId(id) ? await store.profile(storedRunId(engine, id)) : null;
  if (!profile) throw noRun();
  return { ...profile, run: back(engine, profile.run) };
}
