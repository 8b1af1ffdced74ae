import { EngineList } from '../../shared/api/connections.ts';
import { Heatmap, ProfileAnalysis } from '../../shared/api/profile-analysis.ts';
import { Compared } from '../../shared/api/profile-compare.ts';
import type { CompareRequest } from '../../shared/api/profile-compare.ts';
import {
  GroupPreview,
  GroupRules,
  ImportState,
  ProfileGroupList,
  ProfileList,
  ProfileMarks,
  ProfilesChanged,
} from '../../shared/api/profiles.ts';
import type { GroupRule, ProfileChange, ProfileGroupQuery, ProfileListQuery } from '../../shared/api/profiles.ts';
import type { Requests } from './api.ts';

/** A question for a page of runs; without `limit` and `cursor`, which belong to the page. */
export type ListAsked = Partial<Pick<ProfileListQuery, 'search' | 'group' | 'sort' | 'order' | 'trash' | 'engine'>>;
export type GroupsAsked = Partial<Pick<ProfileGroupQuery, 'search' | 'sort' | 'order' | 'engine'>>;

/** A change of many runs at once. */
export interface ManyChange {
  readonly ids: readonly string[];
  readonly add_tags?: readonly string[];
  readonly remove_tags?: readonly string[];
  readonly pinned?: boolean;
}

/** What is asked of a comparison; the engine has defaults for the rest. */
export type CompareAsked = Omit<CompareRequest, 'limit'>;

/** A map of the ranks over time: which series, over what span in ms since the epoch, in at most so many columns. */
export interface HeatmapAsked {
  readonly series: string;
  readonly from: number;
  readonly to: number;
  readonly columns: number;
}

const path = (id: string): string => `/profiles/${encodeURIComponent(id)}`;

function queryOf(asked: Readonly<Record<string, string | undefined>>, limit: number, cursor: string | null): string {
  const params = new URLSearchParams({ limit: String(limit) });
  for (const [name, value] of Object.entries(asked)) {
    // A group may be called '': runs without a command.
    if (value !== undefined && (value !== '' || name === 'group')) params.set(name, value);
  }
  if (cursor !== null) params.set('cursor', cursor);
  return params.toString();
}

/** Requests about finished runs and what people say of them. */
export function profilesApi({ get, change, upload }: Requests) {
  const many = (what: 'delete' | 'restore') => (ids: readonly string[]) =>
    change(`/profiles/${what}`, ProfilesChanged, { method: 'POST', body: { ids } });
  return {
    list: (asked: ListAsked, limit: number, cursor: string | null, signal?: AbortSignal): Promise<ProfileList> =>
      get(`/profiles?${queryOf(asked, limit, cursor)}`, ProfileList, signal),
    groups: (
      asked: GroupsAsked,
      limit: number,
      cursor: string | null,
      signal?: AbortSignal,
    ): Promise<ProfileGroupList> => get(`/profiles/groups?${queryOf(asked, limit, cursor)}`, ProfileGroupList, signal),
    marks: (id: string, signal?: AbortSignal): Promise<ProfileMarks> => get(`${path(id)}/marks`, ProfileMarks, signal),
    mark: (id: string, body: ProfileChange): Promise<ProfileMarks> =>
      change(path(id), ProfileMarks, { method: 'PATCH', body }),
    change: (body: ManyChange): Promise<ProfilesChanged> =>
      change('/profiles/change', ProfilesChanged, { method: 'POST', body }),
    remove: many('delete'),
    restore: many('restore'),
    /** Engines whose profiles may be here. */
    engines: (signal?: AbortSignal): Promise<EngineList> => get('/engines', EngineList, signal),
    rules: (signal?: AbortSignal): Promise<GroupRules> => get('/profiles/rules', GroupRules, signal),
    /** Null: the defaults. */
    setRules: (rules: readonly GroupRule[] | null): Promise<GroupRules> =>
      change('/profiles/rules', GroupRules, { method: 'PUT', body: { rules } }),
    previewRules: (rules: readonly GroupRule[]): Promise<GroupPreview> =>
      change('/profiles/rules/preview', GroupPreview, { method: 'POST', body: { rules } }),
    importFile: (file: File, signal?: AbortSignal): Promise<ImportState> =>
      upload(`/profiles/import?name=${encodeURIComponent(file.name)}`, ImportState, file, signal),
    importState: (signal?: AbortSignal): Promise<ImportState> => get('/profiles/import', ImportState, signal),
    heatmap: (id: string, { series, from, to, columns }: HeatmapAsked, signal?: AbortSignal): Promise<Heatmap> => {
      const asked = { series, from: String(from), to: String(to), columns: String(columns) };
      return get(`${path(id)}/heatmap?${new URLSearchParams(asked).toString()}`, Heatmap, signal);
    },
    analysis: (id: string, signal?: AbortSignal): Promise<ProfileAnalysis> =>
      get(`${path(id)}/analysis`, ProfileAnalysis, signal),
    compare: (body: CompareAsked, signal?: AbortSignal): Promise<Compared> =>
      change('/profiles/compare', Compared, { method: 'POST', body, ...(signal ? { signal } : {}) }),
  };
}
