import { describe, expect, test } from 'vitest';
import { NODE_METRICS } from '../../../../src/renderer/views/nodes/nodes.ts';
import { familiesFor, pastOf } from '../../../../src/renderer/views/nodes/past.ts';
import type { RangeResult } from '../../../../src/shared/api/query.ts';

type Columns = Readonly<Record<string, readonly (number | null)[]>>;

function result(series: Columns, points = 2): RangeResult {
  return {
    ...{ scope: 'node/a', from: 0, to: points * 1000, step: 1000 },
    times: Array.from({ length: points }, (_, i) => i * 1000),
    series: Object.entries(series).map(([key, avg]) => {
      const column = [...avg];
      const kind = key.includes('_total{') ? 'counter' : 'gauge';
      return { key, name: key, kind, min: column, avg: column, max: column, last: column };
    }),
  };
}

describe('the course of a node out of its history', () => {
  test('CPU: the share of its seconds in which it does something, over all cores', () => {
    const series = {
      'node_cpu_seconds_total{cpu="0",mode="idle"}': [0.5, null],
      'node_cpu_seconds_total{cpu="1",mode="idle"}': [0.4, null],
      'node_cpu_seconds_total{cpu="0",mode="iowait"}': [0.1, null],
      'node_cpu_seconds_total{cpu="0",mode="user"}': [1, null],
    };
    // Of the second moment nothing is known: no point, and not a zero.
    expect(pastOf('cpu', result(series), 2)).toEqual([0.5]);
  });

  test('memory: what is used, or what is not left', () => {
    const own = { proxy_memory_total_bytes: [8, 8], proxy_memory_used_bytes: [2, 4] };
    expect(pastOf('memory', result(own), null)).toEqual([0.25, 0.5]);
    const exporter = { node_memory_MemTotal_bytes: [8, 8], node_memory_MemAvailable_bytes: [2, null] };
    expect(pastOf('memory', result(exporter), null)).toEqual([0.75]);
  });

  test('load per core; nothing while the cores are not known', () => {
    expect(pastOf('pressure', result({ node_load1: [3, 1] }), 2)).toEqual([1.5, 0.5]);
    expect(pastOf('pressure', result({ node_load1: [3, 1] }), null)).toEqual([]);
  });

  test('network: both directions of the cards only', () => {
    const series = {
      'node_network_receive_bytes_total{device="eth0"}': [10, 20],
      'node_network_transmit_bytes_total{device="eth0"}': [1, null],
      'node_network_receive_bytes_total{device="lo"}': [500, 500],
    };
    expect(pastOf('network', result(series), null)).toEqual([11, 20]);
  });

  test('each chart asks for families of node exporters and of the engine’s own sources', () => {
    for (const metric of NODE_METRICS) {
      const families = familiesFor(metric);
      expect([metric, families.some((one) => one.startsWith('node_'))]).toEqual([metric, true]);
      expect([metric, families.some((one) => one.startsWith('proxy_'))]).toEqual([metric, true]);
    }
  });
});
