import { useMemo } from 'react';
import type { Board } from '../../charts/board.ts';
import { fitSpan, parseRange, rangeParams } from '../../charts/range.ts';
import type { Span, TimeRange } from '../../charts/range.ts';
import { engineNow } from '../../state/connection.ts';
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
  /** A range as the limits allow it; `push`: a step of its own in the browser's history. */
  setRange(range: TimeRange, push: boolean): void;
  /** The span moved to where there can be samples. */
  fit(span: Span): Span;
  /** Live, or all of a finished run. */
  reset(): void;
  togglePause(): void;
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
    const reset = (): void => setParams({ from: null, to: null }, true);
    const fit = (span: Span): Span => fitSpan(span, { from: boundFrom ?? 1, to: boundTo ?? engineNow() });
    const setRange = (next: TimeRange, push: boolean): void => {
      if (next.kind === 'live') {
        setParams(rangeParams(next), push);
        return;
      }
      const { from, to } = fit(next);
      // All of a finished run has no need to be in its address.
      const whole = boundFrom !== null && boundTo !== null && from <= boundFrom && to >= boundTo;
      setParams(whole ? { from: null, to: null, last: null } : rangeParams({ kind: 'fixed', from, to }), push);
    };
    const order = params.get('order');
    return {
      range,
      totals: params.get('values') === 'totals',
      showIdle: params.get('idle') === '1',
      search: (params.get('q') ?? '').slice(0, 256),
      sort: { id: params.get('sort') ?? 'scope', descending: order === 'desc' },
      tab: params.get('tab') ?? 'charts',
      setRange,
      fit,
      reset,
      togglePause() {
        if (boundFrom !== null) return;
        if (range.kind === 'fixed') reset();
        else {
          const { from, to } = board.shown();
          setParams({ from: String(Math.round(from)), to: String(Math.round(to)) }, true);
        }
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
