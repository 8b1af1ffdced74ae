import { useMemo } from 'react';
import type { Board } from '../../charts/board.ts';
import { changeRange, parseRange, rangeParams } from '../../charts/range.ts';
import type { TimeRange } from '../../charts/range.ts';
import { useUrlQuery } from '../../state/query.ts';

export interface SeriesSort {
  readonly id: string;
  readonly descending: boolean;
}

/** What a board shows, as its URL says it, and every change to it. */
export interface BoardQuery {
  readonly range: TimeRange;
  readonly totals: boolean;
  readonly showIdle: boolean;
  readonly search: string;
  readonly sort: SeriesSort;
  readonly tab: string;
  setFixed(from: number, to: number): void;
  setWindow(ms: number | null): void;
  /** Live, or all of a finished run. */
  reset(): void;
  togglePause(): void;
  zoom(factor: number, shift: number): void;
  setTotals(totals: boolean): void;
  setShowIdle(show: boolean): void;
  setSearch(text: string): void;
  setSort(sort: SeriesSort): void;
  setTab(tab: string | null): void;
}

/** @param bounds span of a finished run, to which its ranges are kept; null while it lives. */
export function useBoardQuery(bounds: { from: number; to: number } | null): (board: Board) => BoardQuery {
  const [params, setParams] = useUrlQuery();
  const boundFrom = bounds?.from ?? null;
  const boundTo = bounds?.to ?? null;
  const range = useMemo((): TimeRange => {
    const asked = parseRange(params);
    if (boundFrom === null || boundTo === null || asked.kind === 'fixed') return asked;
    return { kind: 'fixed', from: boundFrom, to: Math.max(boundTo, boundFrom + 1000) };
  }, [params, boundFrom, boundTo]);

  return (board) => {
    const setRange = (next: TimeRange, push: boolean): void => setParams(rangeParams(next), push);
    const reset = (): void => setParams({ from: null, to: null }, true);
    const clamp = (from: number, to: number): void => {
      const low = boundFrom ?? 1;
      const high = boundTo ?? Infinity;
      setRange({ kind: 'fixed', from: Math.max(low, from), to: Math.min(high, to) }, true);
    };
    const order = params.get('order');
    return {
      range,
      totals: params.get('values') === 'totals',
      showIdle: params.get('idle') === '1',
      search: (params.get('q') ?? '').slice(0, 256),
      sort: { id: params.get('sort') ?? 'scope', descending: order === 'desc' },
      tab: params.get('tab') ?? 'charts',
      setFixed: clamp,
      setWindow: (window) => setRange({ kind: 'live', window }, false),
      reset,
      togglePause() {
        if (boundFrom !== null) return;
        if (range.kind === 'fixed') reset();
        else {
          const { from, to } = board.shown();
          setParams({ from: String(Math.round(from)), to: String(Math.round(to)) }, true);
        }
      },
      zoom(factor, shift) {
        const shown = board.shown();
        const next = changeRange(shown.from, shown.to, factor, shift);
        // What moves is narrowed to its newest part.
        const back = range.kind === 'live' ? next.to - shown.to : 0;
        clamp(next.from - back, next.to - back);
      },
      setTotals: (totals) => setParams({ values: totals ? 'totals' : null }),
      setShowIdle: (show) => setParams({ idle: show ? '1' : null }),
      setSearch: (text) => setParams({ q: text }),
      setSort: (sort) =>
        setParams({ sort: sort.id === 'scope' ? null : sort.id, order: sort.descending ? 'desc' : null }),
      setTab: (tab) => setParams({ tab: tab === null || tab === 'charts' ? null : tab }),
    };
  };
}
