/** What a store does for profiles beyond keeping them: lists, groups, and what people say of them. */

import type { Compared, CompareRequest } from '../../../shared/api/profile-compare.ts';
import type {
  GroupRule,
  ProfileChange,
  ProfileGroupList,
  ProfileGroupQuery,
  ProfileList,
  ProfileListQuery,
  ProfileMarks,
  ProfilesChange,
  ProfilesChanged,
  ProfileSummary,
} from '../../../shared/api/profiles.ts';
import { ApiError } from '../../../shared/errors.ts';
import type { RunFigures } from '../../../shared/profiles/footprint.ts';
import type { SearchTerm } from '../../../shared/profiles/search.ts';
import { placeOf } from './page-cursor.ts';

/** Searches are parsed where they are asked. */
export type ListAsked = Omit<ProfileListQuery, 'search'> & { readonly terms: readonly SearchTerm[] };
export type GroupsAsked = Omit<ProfileGroupQuery, 'search'> & { readonly terms: readonly SearchTerm[] };

export interface CommandCount {
  readonly command: string;
  readonly runs: number;
}

export interface RulesState {
  /** Null: the defaults. */
  readonly rules: readonly GroupRule[] | null;
  readonly regrouping: { readonly done: number; readonly total: number } | null;
}

export type ProfileQuestion =
  | { readonly ask: 'list'; readonly query: ListAsked }
  | { readonly ask: 'groups'; readonly query: GroupsAsked }
  | { readonly ask: 'summaries'; readonly ids: readonly string[] }
  | { readonly ask: 'marks'; readonly id: string }
  | { readonly ask: 'commands'; readonly limit: number }
  | { readonly ask: 'figures'; readonly ids: readonly string[] }
  | { readonly ask: 'compare'; readonly request: CompareRequest };

export type ProfileOrder =
  | { readonly order: 'change'; readonly id: string; readonly change: ProfileChange; readonly now: number }
  | { readonly order: 'changeMany'; readonly change: ProfilesChange; readonly now: number }
  /** deleted: ms since the epoch; null: out of the trash. */
  | { readonly order: 'trash'; readonly ids: readonly string[]; readonly deleted: number | null }
  | { readonly order: 'rules' }
  | { readonly order: 'setRules'; readonly rules: readonly GroupRule[] | null };

export type ProfileAnswer =
  | ProfileList
  | ProfileGroupList
  | (ProfileSummary | null)[]
  | ProfileMarks
  | CommandCount[]
  | (RunFigures | null)[]
  | Compared
  | null;
export type ProfileOrderAnswer = ProfileMarks | ProfilesChanged | RulesState | null;

/** Rejects with `store_unavailable`, and with `bad_request` for a cursor that is none. */
export interface ProfileStore {
  list(query: ListAsked): Promise<ProfileList>;
  groups(query: GroupsAsked): Promise<ProfileGroupList>;
  /** In their order; null: there is no profile with this id. Those in the trash are told, too. */
  summaries(ids: readonly string[]): Promise<(ProfileSummary | null)[]>;
  /** Null: there is no profile with this id. */
  marks(id: string): Promise<ProfileMarks | null>;
  /** Commands of the newest runs, as they were given. */
  commands(limit: number): Promise<CommandCount[]>;
  /** In their order; null: there is no profile with this id, or it cannot be read. */
  figures(ids: readonly string[], signal?: AbortSignal): Promise<(RunFigures | null)[]>;
  compare(request: CompareRequest, signal?: AbortSignal): Promise<Compared>;
  /** Null: there is no profile with this id. */
  change(id: string, change: ProfileChange, now: number): Promise<ProfileMarks | null>;
  changeMany(change: ProfilesChange, now: number): Promise<ProfilesChanged>;
  /** deleted: ms since the epoch; null: out of the trash. */
  trash(ids: readonly string[], deleted: number | null): Promise<ProfilesChanged>;
  rules(): Promise<RulesState>;
  /** Runs are grouped anew in the background. */
  setRules(rules: readonly GroupRule[] | null): Promise<RulesState>;
}

/** Answered at once: no thread is begun for it. */
export const isShort = (question: ProfileQuestion): boolean =>
  question.ask === 'marks' ||
  (question.ask === 'summaries' && question.ids.length <= 10) ||
  (question.ask === 'list' && question.query.terms.length === 0 && question.query.engine !== 'all');

/** Throws `bad_request` where the thread that answers could only say that it failed. */
export function checkCursor(query: ListAsked | GroupsAsked): void {
  if (query.cursor === undefined || placeOf(query)) return;
  throw new ApiError('bad_request', 'cursor: not one of an earlier answer to this question');
}

/** Over ways to ask the threads that have the database. */
export function askingProfileStore(
  ask: (question: ProfileQuestion, signal?: AbortSignal) => Promise<ProfileAnswer>,
  order: (order: ProfileOrder) => Promise<ProfileOrderAnswer>,
): ProfileStore {
  return {
    async list(query) {
      checkCursor(query);
      return (await ask({ ask: 'list', query })) as ProfileList;
    },
    async groups(query) {
      checkCursor(query);
      return (await ask({ ask: 'groups', query })) as ProfileGroupList;
    },
    summaries: async (ids) => (await ask({ ask: 'summaries', ids })) as (ProfileSummary | null)[],
    marks: async (id) => (await ask({ ask: 'marks', id })) as ProfileMarks | null,
    commands: async (limit) => (await ask({ ask: 'commands', limit })) as CommandCount[],
    figures: async (ids, signal) => (await ask({ ask: 'figures', ids }, signal)) as (RunFigures | null)[],
    compare: async (request, signal) => (await ask({ ask: 'compare', request }, signal)) as Compared,
    change: async (id, change, now) => (await order({ order: 'change', id, change, now })) as ProfileMarks | null,
    changeMany: async (change, now) => (await order({ order: 'changeMany', change, now })) as ProfilesChanged,
    trash: async (ids, deleted) => (await order({ order: 'trash', ids, deleted })) as ProfilesChanged,
    rules: async () => (await order({ order: 'rules' })) as RulesState,
    setRules: async (rules) => (await order({ order: 'setRules', rules })) as RulesState,
  };
}
