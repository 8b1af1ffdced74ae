import { expect, test } from 'vitest';
import { nodeFigures } from '../../../../src/engine/http/api/node-figures.ts';
import { Scope } from '../../../../src/engine/live/scope.ts';
import { sourceWriter } from '../../../../src/engine/live/node.ts';

function scopeWith(gauges: Readonly<Record<string, number>>, counters: Readonly<Record<string, number>>): Scope {
  const scope = new Scope('target/a', 'target');
  const out = sourceWriter(scope, 'h');
  for (const [name, value] of Object.entries(gauges)) out.setGauge(out.gauge(name, ''), value);
  for (const [name, value] of Object.entries(counters)) out.setCounter(out.counter(name, ''), value);
  scope.settle();
  scope.stamp(5000);
  return scope;
}

test('a node exporter: cores and cards are added up, what goes over others is not, added labels do not matter', () => {
  const scope = scopeWith(
    {
      'node_load1{rack="r1"}': 3.5,
      'node_memory_MemTotal_bytes{rack="r1"}': 100,
      'node_memory_MemAvailable_bytes{rack="r1"}': 30,
    },
    {
      'node_cpu_seconds_total{cpu="0",mode="idle",rack="r1"}': 10,
      'node_cpu_seconds_total{cpu="0",mode="iowait",rack="r1"}': 1,
      'node_cpu_seconds_total{cpu="0",mode="user",rack="r1"}': 4,
      'node_cpu_seconds_total{cpu="1",mode="idle",rack="r1"}': 20,
      'node_cpu_seconds_total{cpu="1",mode="system",rack="r1"}': 6,
      'node_network_receive_bytes_total{device="eth0",rack="r1"}': 500,
      'node_network_receive_bytes_total{device="ib0",rack="r1"}': 70,
      'node_network_receive_bytes_total{device="lo",rack="r1"}': 9000,
      'node_network_transmit_bytes_total{device="veth12",rack="r1"}': 9000,
      'go_gc_cycles_total{rack="r1"}': 3,
    },
  );
  expect(nodeFigures(scope)).toEqual({
    load: 3.5,
    cores: 2,
    memory_total: 100,
    memory_used: 70,
    cpu_idle: 31,
    cpu_busy: 10,
    received: 570,
    sent: null,
    time: 5000,
  });
});

test('an engine’s own node, and a scope that is no node', () => {
  const own = scopeWith(
    { proxy_load1: 1, proxy_cpu_total: 8, proxy_memory_total_bytes: 10, proxy_memory_used_bytes: 4 },
    {
      'proxy_cpu_seconds_total{mode="idle"}': 5,
      'proxy_cpu_seconds_total{mode="user"}': 2,
      proxy_network_node_transmit_bytes_total: 7,
    },
  );
  expect(nodeFigures(own)).toMatchObject({ load: 1, cores: 8, memory_used: 4, cpu_idle: 5, cpu_busy: 2, sent: 7 });
  const none = Object.values(nodeFigures(scopeWith({ up: 1 }, { requests_total: 2 })));
  expect(none.every((value) => value === null)).toBe(true);
});

test('series that come later are found', () => {
  const scope = scopeWith({}, {});
  expect(nodeFigures(scope).load).toBeNull();
  const out = sourceWriter(scope, 'h');
  out.setGauge(out.gauge('node_load1', ''), 2);
  scope.settle();
  expect(nodeFigures(scope).load).toBe(2);
});
