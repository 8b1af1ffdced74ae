import { useEffect, useRef } from 'react';
import type { RefObject } from 'react';
import { parseMetric } from '../../../shared/model/metric.ts';
import { useUrlQuery } from '../../state/query.ts';
import type { ShownGroup } from './useLayout.ts';

/** Place of the chart, among all of a section in order, that has the series of the address's `plot`; -1: none has. */
export function plotIndex(groups: readonly ShownGroup[], plot: string): number {
  const { key } = parseMetric(plot);
  const panels = groups.flatMap((group) => group.panels);
  return panels.findIndex(({ panel }) => panel.series.some((series) => series.key === key));
}

/**
 * Brings the chart that a link is about into sight, once: links of alarms name a series.
 *
 * @param within Where the charts are, in the order of the groups.
 * @returns How many charts must be there for it to be among them.
 */
export function usePlotFocus(
  groups: readonly ShownGroup[],
  within: RefObject<HTMLElement | null>,
  ready: boolean,
): number {
  const [params] = useUrlQuery();
  const plot = params.get('plot');
  const index = plot === null ? -1 : plotIndex(groups, plot);
  const done = useRef<string | null>(null);
  useEffect(() => {
    if (plot === null || index < 0 || !ready || done.current === plot) return;
    const chart = within.current?.querySelectorAll('[data-testid="chart-panel"]')[index];
    if (!(chart instanceof HTMLElement)) return;
    done.current = plot;
    chart.scrollIntoView({ block: 'center' });
    chart.classList.add('v-meant');
  });
  return index + 1;
}
