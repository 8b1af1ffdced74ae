/** What the list shows, as its address has it. */

import type { GroupsAsked, ListAsked } from '../../../data/profilesApi.ts';

/** By command; one row a run; what was deleted. */
export type ListView = 'commands' | 'runs' | 'trash';

export const RUN_SORTS = ['start', 'duration', 'command', 'size'] as const;
export const GROUP_SORTS = ['last', 'runs', 'failed', 'command'] as const;
export type RunSort = (typeof RUN_SORTS)[number];
export type GroupSort = (typeof GROUP_SORTS)[number];

export interface ListQuery {
  readonly view: ListView;
  readonly search: string;
  /** Of one command only; '': of none. Null: of all. */
  readonly group: string | null;
  readonly sort: RunSort | GroupSort;
  readonly descending: boolean;
  /** Id of another engine whose profiles are kept here, or `all`; null: this one's own. */
  readonly engine: string | null;
}

export const LIST = '/ui/profiles';

export function readListQuery(params: URLSearchParams): ListQuery {
  const group = params.get('group');
  const asked = params.get('view');
  const view = asked === 'trash' ? 'trash' : asked === 'runs' || group !== null ? 'runs' : 'commands';
  const sorts: readonly string[] = view === 'commands' ? GROUP_SORTS : RUN_SORTS;
  const sort = params.get('sort') ?? '';
  const chosen = (sorts.includes(sort) ? sort : sorts[0]!) as ListQuery['sort'];
  const order = params.get('order');
  return {
    view,
    search: (params.get('q') ?? '').slice(0, 1000),
    group,
    sort: chosen,
    descending: order === 'asc' ? false : order === 'desc' ? true : chosen !== 'command',
    engine: /^(all|[0-9a-f]{32})$/.exec(params.get('engine') ?? '')?.[0] ?? null,
  };
}

/** The address of the runs of one command. `engine`: as {@link ListQuery} has it. */
export const groupLink = (group: string, engine: string | null = null): string =>
  `${LIST}?group=${encodeURIComponent(group)}${engine === null ? '' : `&engine=${encodeURIComponent(engine)}`}`;

/** Of a run of another engine that is kept here (`ENGINE.RUN`) that engine; null: it is of this one. */
export const engineOfRun = (id: string): string | null => (id.includes('.') ? id.slice(0, id.indexOf('.')) : null);

/** The address of the runs that a search finds. */
export const searchLink = (search: string): string => `${LIST}?view=runs&q=${encodeURIComponent(search)}`;

const orderOf = ({ descending }: ListQuery): 'asc' | 'desc' => (descending ? 'desc' : 'asc');

/** The question for runs. `search`: one without errors. */
export const runsAsked = (query: ListQuery, search: string): ListAsked => ({
  ...(search === '' ? {} : { search }),
  ...(query.group === null ? {} : { group: query.group }),
  ...(query.view === 'trash' ? { trash: '1' } : {}),
  ...(query.engine === null ? {} : { engine: query.engine }),
  sort: query.sort as RunSort,
  order: orderOf(query),
});

export const groupsAsked = (query: ListQuery, search: string): GroupsAsked => ({
  ...(search === '' ? {} : { search }),
  ...(query.engine === null ? {} : { engine: query.engine }),
  sort: query.sort as GroupSort,
  order: orderOf(query),
});
