/** The last minutes of a node out of its stored history, so that its small chart has a line when the page is opened. */

import type { RangeResult, RangeSeries } from '../../../shared/api/query.ts';
import { parseMetric } from '../../../shared/model/metric.ts';
import { CPU_FAMILIES, NODE_COUNTERS, NODE_GAUGES, NOT_A_CARD, RESTING } from '../../../shared/model/node-metrics.ts';
import type { NodeFigure } from '../../../shared/model/node-metrics.ts';
import type { NodeMetric } from './nodes.ts';

const FIGURES: Readonly<Record<NodeMetric, readonly NodeFigure[]>> = {
  cpu: [],
  memory: ['memory_total', 'memory_used', 'memory_left'],
  pressure: ['load'],
  network: ['received', 'sent'],
};

const familiesOf = (all: Readonly<Record<string, NodeFigure>>, wanted: readonly NodeFigure[]): string[] =>
  Object.keys(all).filter((family) => wanted.includes(all[family]!));

/** Families that a chart is made of. */
export function familiesFor(metric: NodeMetric): readonly string[] {
  if (metric === 'cpu') return CPU_FAMILIES;
  return [...familiesOf(NODE_GAUGES, FIGURES[metric]), ...familiesOf(NODE_COUNTERS, FIGURES[metric])];
}

/** What a series counts for; null: for nothing, such as a network interface that is no card. */
function figureOf({ key }: RangeSeries): NodeFigure | null {
  const { family, labels } = parseMetric(key);
  const label = new Map(labels);
  if (CPU_FAMILIES.includes(family)) return RESTING.includes(label.get('mode') ?? '') ? 'idle' : 'busy';
  const counted = NODE_COUNTERS[family];
  if (counted !== undefined) return NOT_A_CARD.test(label.get('device') ?? '') ? null : counted;
  return NODE_GAUGES[family] ?? null;
}

/** `cores`: of the node, null where they are not known. Points of which nothing is known are left out. */
export function pastOf(metric: NodeMetric, { times, series }: RangeResult, cores: number | null): number[] {
  const figured = series.flatMap((one) => {
    const figure = figureOf(one);
    return figure === null ? [] : [{ figure, avg: one.avg }];
  });
  return times.flatMap((_, i) => {
    const sums = new Map<NodeFigure, number>();
    for (const { figure, avg } of figured) {
      const value = avg[i] ?? null;
      if (value !== null) sums.set(figure, (sums.get(figure) ?? 0) + value);
    }
    const value = valueOf(metric, (figure) => sums.get(figure) ?? null, cores);
    return value === null ? [] : [value];
  });
}

function valueOf(metric: NodeMetric, of: (figure: NodeFigure) => number | null, cores: number | null): number | null {
  switch (metric) {
    case 'cpu':
      return share(of('busy'), sum(of('idle'), of('busy')));
    case 'memory': {
      const [total, left] = [of('memory_total'), of('memory_left')];
      return share(of('memory_used') ?? (total !== null && left !== null ? total - left : null), total);
    }
    case 'pressure': {
      const load = of('load');
      return load === null || cores === null || cores <= 0 ? null : load / cores;
    }
    case 'network':
      return of('received') === null && of('sent') === null ? null : (of('received') ?? 0) + (of('sent') ?? 0);
  }
}

const sum = (a: number | null, b: number | null): number | null => (a === null || b === null ? null : a + b);

const share = (part: number | null, whole: number | null): number | null =>
  part === null || whole === null || whole <= 0 ? null : Math.max(0, Math.min(1, part / whole));
