import type { Series } from '../../shared/model/described-series.ts';
import { seriesLabel } from './panels.ts';
import type { Stats } from './samples.ts';

/** A line of the series table. */
export interface SeriesRow extends Stats {
  readonly id: string;
  readonly scope: string;
  /** Place of the scope in its view: the job's own is 0, its nodes follow. */
  readonly place: number;
  /** Job id or host. */
  readonly scopeLabel: string;
  readonly series: Series;
  readonly label: string;
}

export const SERIES_SORTS = ['scope', 'group', 'name', 'min', 'avg', 'max', 'last'] as const;
export type SeriesSortId = (typeof SERIES_SORTS)[number];

/** A series matches when each word is somewhere in what people or programs call it. */
export function matchesSearch(series: Series, scopeLabel: string, search: string): boolean {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const text = `${scopeLabel}\n${series.group}\n${seriesLabel(series)}\n${series.name}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

const collator = new Intl.Collator('en', { numeric: true });

function compareRows(a: SeriesRow, b: SeriesRow, id: SeriesSortId, sign: number): number {
  switch (id) {
    case 'scope':
      return sign * (a.place - b.place) || compareRows(a, b, 'name', 1);
    case 'group':
      return sign * collator.compare(a.series.group, b.series.group);
    case 'name':
      return sign * (collator.compare(a.series.group, b.series.group) || collator.compare(a.label, b.label));
    default: {
      // What has no value stands last in either direction.
      const x = a[id];
      const y = b[id];
      if (x === null || y === null) return Number(x === null) - Number(y === null);
      return sign * (x - y);
    }
  }
}

export function sortSeries(rows: readonly SeriesRow[], id: string, descending: boolean): SeriesRow[] {
  const by = (SERIES_SORTS as readonly string[]).includes(id) ? (id as SeriesSortId) : 'scope';
  const sign = descending ? -1 : 1;
  return [...rows].sort((a, b) => compareRows(a, b, by, sign) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}
