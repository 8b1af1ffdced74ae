/** What a list of nodes shows of each: load, memory, and counters whose rates the reader forms. */

import type { NodeFigures } from '../../../shared/api/nodes.ts';
import { parseMetric } from '../../../shared/model/metric.ts';
import type { Scope } from '../../live/scope.ts';

type Figure = 'load' | 'cores' | 'memory_total' | 'memory_used' | 'memory_left' | 'idle' | 'busy' | 'received' | 'sent';

/** Interfaces whose bytes go over another one too, or never leave the host. */
const NOT_A_CARD = /^(?:lo|ifb|veth|docker|br-|virbr|bond|team|tun|tap|cali|flannel|cni|dummy|kube)/;

const GAUGES: Readonly<Record<string, Figure>> = {
  node_load1: 'load',
  proxy_load1: 'load',
  proxy_cpu_total: 'cores',
  node_memory_MemTotal_bytes: 'memory_total',
  proxy_memory_total_bytes: 'memory_total',
  node_memory_MemAvailable_bytes: 'memory_left',
  proxy_memory_used_bytes: 'memory_used',
};

const COUNTERS: Readonly<Record<string, Figure>> = {
  proxy_network_node_receive_bytes_total: 'received',
  proxy_network_node_transmit_bytes_total: 'sent',
  node_network_receive_bytes_total: 'received',
  node_network_transmit_bytes_total: 'sent',
};

const RESTING = ['idle', 'iowait'];

interface Place {
  readonly figure: Figure;
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
    const figure = GAUGES[scope.table.family('gauge', index)];
    if (figure !== undefined) gauges.push({ figure, index, core: false });
  }
  const counters: Place[] = [];
  for (let index = 0; index < scope.counterCount; index++) {
    const family = scope.table.family('counter', index);
    const cpu = family === 'node_cpu_seconds_total' || family === 'proxy_cpu_seconds_total';
    const figure = COUNTERS[family];
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
  const values = new Map<Figure, number>();
  const add = (figure: Figure, value: number): void => void values.set(figure, (values.get(figure) ?? 0) + value);
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
  const value = (figure: Figure): number | null => values.get(figure) ?? null;
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
