/** Pages of a list as the page keeps them, and what becomes of them when runs are changed: pure functions. */

import type { ProfileSummary } from '../../../../shared/api/profiles.ts';
import type { ManyChange } from '../../../data/profilesApi.ts';

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** In all pages; null: not counted. */
  readonly total: number | null;
  readonly next: string | null;
}

/** A list with more pages than this is not asked for anew by itself: that is one request after the other for all of them. */
export const FEW_PAGES = 4;

interface PagesData {
  readonly pages: readonly Page<unknown>[];
}

export const hasPages = (data: unknown): data is PagesData =>
  typeof data === 'object' && data !== null && 'pages' in data && Array.isArray(data.pages);

/** True of anything else. */
export const isFewPages = (data: unknown): boolean => !hasPages(data) || data.pages.length <= FEW_PAGES;

type RunPages = { readonly pages: readonly Page<ProfileSummary>[] };

/** A run that was taken out of its list, and where it stood. */
export interface TakenOut {
  readonly page: number;
  readonly index: number;
  readonly run: ProfileSummary;
}

/** Where these runs stand, in order. */
export const placesOf = ({ pages }: RunPages, ids: ReadonlySet<string>): TakenOut[] =>
  pages.flatMap(({ rows }, page) => rows.flatMap((run, index) => (ids.has(run.id) ? [{ page, index, run }] : [])));

/** The pages without these runs. A page that has none of them has the same rows. */
export function withoutRuns<Data extends RunPages>(data: Data, ids: ReadonlySet<string>): Data {
  const left = data.pages.map(({ rows }) =>
    rows.some(({ id }) => ids.has(id)) ? rows.filter(({ id }) => !ids.has(id)) : rows,
  );
  return withRows(data, left);
}

/** The pages with what was taken out of them where it stood; what is there already stays. */
export function withRunsBack<Data extends RunPages>(data: Data, taken: readonly TakenOut[]): Data {
  const there = new Set(data.pages.flatMap(({ rows }) => rows.map(({ id }) => id)));
  const rows = data.pages.map((page) => [...page.rows]);
  for (const { page, index, run } of taken) if (!there.has(run.id)) rows[page]?.splice(index, 0, run);
  return withRows(data, rows);
}

/** With other rows in its pages; each page says how many there are in all. */
function withRows<Data extends RunPages>(data: Data, rows: readonly (readonly ProfileSummary[])[]): Data {
  const more = data.pages.reduce((sum, page, i) => sum + (rows[i]?.length ?? 0) - page.rows.length, 0);
  const pages = data.pages.map((page, i) => ({
    ...page,
    rows: rows[i] ?? [],
    total: page.total === null ? null : page.total + more,
  }));
  return { ...data, pages };
}

/** The pages after a change to some of their runs. */
export function withChange<Data extends RunPages>(
  data: Data,
  ids: ReadonlySet<string>,
  change: Omit<ManyChange, 'ids'>,
): Data {
  const pages = data.pages.map((page) =>
    page.rows.some(({ id }) => ids.has(id))
      ? { ...page, rows: page.rows.map((run) => (ids.has(run.id) ? changed(run, change) : run)) }
      : page,
  );
  return { ...data, pages };
}

function changed(run: ProfileSummary, { add_tags, remove_tags = [], pinned }: Omit<ManyChange, 'ids'>): ProfileSummary {
  const same = (a: string) => (b: string) => a.toLowerCase() === b.toLowerCase();
  const kept = run.tags.filter((tag) => !remove_tags.some(same(tag)));
  const added = (add_tags ?? []).filter((tag) => !kept.some(same(tag)));
  return { ...run, tags: [...kept, ...added], pinned: pinned ?? run.pinned };
}
