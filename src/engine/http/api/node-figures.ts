/** What a list of nodes shows of each: load, memory, and counters whose rates the reader forms. */

import type { NodeFigures } from '../../../shared/api/nodes.ts';
import { parseMetric } from '../../../shared/model/metric.ts';
import {
  CPU_FAMILIES,
  NODE_COUNTERS,
  NODE_GAUGES,
  NOT_A_CARD,
  RESTING,
  type NodeFigure,
} from '../../../shared/model/node-metrics.ts';
import type { Scope } from '../../live/scope.ts';

interface Place {
  readonly figure: NodeFigure;
  readonly index: number;
  /** Also a core of its own. */
  readonly core: boolean;
}

interface Places {
  readonly series: number;
  readonly gauges: readonly Place[];
  readonly counters: readonly Place[];
}

function placesOf(scope: Scope): Places {
  const gauges: Place[] = [];
  for (let index = 0; index < scope.gaugeCount; index++) {
    const figure = NODE_GAUGES[scope.table.family('gauge', index)];
    if (figure !== undefined) gauges.push({ figure, index, core: false });
  }
  const counters: Place[] = [];
  for (let index = 0; index < scope.counterCount; index++) {
    const family = scope.table.family('counter', index);
    const cpu = CPU_FAMILIES.includes(family);
    const figure = NODE_COUNTERS[family];
    if (!cpu && figure === undefined) continue;
    const labels = new Map(parseMetric(scope.table.key('counter', index)).labels);
    if (cpu) {
      const mode = labels.get('mode') ?? '';
      counters.push({
        figure: RESTING.includes(mode) ? 'idle' : 'busy',
        index,
        core: mode === 'idle' && labels.has('cpu'),
      });
    } else if (!NOT_A_CARD.test(labels.get('device') ?? '')) counters.push({ figure: figure!, index, core: false });
  }
  return { series: scope.seriesCount, gauges, counters };
}

/** Where a scope's figures stand; looked for again when it has got series. */
const known = new WeakMap<Scope, Places>();

export function nodeFigures(scope: Scope): NodeFigures {
  let places = known.get(scope);
  if (places?.series !== scope.seriesCount) {
    places = placesOf(scope);
    known.set(scope, places);
  }
  const values = new Map<NodeFigure, number>();
  const add = (figure: NodeFigure, value: number): void => void values.set(figure, (values.get(figure) ?? 0) + value);
  let time = 0;
  let cores = 0;
  for (const { figure, index } of places.gauges) {
    const { hits, total } = scope.gauge(index);
    if (hits > 0) add(figure, total / hits);
  }
  for (const { figure, index, core } of places.counters) {
    add(figure, scope.counters[index]!);
    time = Math.max(time, scope.counterChanged[index]!);
    if (core) cores++;
  }
  const value = (figure: NodeFigure): number | null => values.get(figure) ?? null;
  const [all, left, idle, busy] = [value('memory_total'), value('memory_left'), value('idle'), value('busy')];
  return {
    load: value('load'),
    cores: value('cores') ?? (cores > 0 ? cores : null),
    memory_total: all,
    memory_used: value('memory_used') ?? (all !== null && left !== null ? all - left : null),
    cpu_idle: idle,
    cpu_busy: busy,
    received: value('received'),
    sent: value('sent'),
    time: time > 0 ? time : null,
  };
}
