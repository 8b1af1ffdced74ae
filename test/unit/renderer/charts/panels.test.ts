import { describe, expect, test } from 'vitest';
import {
  chooseLines,
  groupPanels,
  lineLabel,
  MOST_LINES,
  seriesLabel,
} from '../../../../src/renderer/charts/panels.ts';
import type { PanelSpec } from '../../../../src/renderer/charts/panels.ts';
import { matchesSearch, sortSeries } from '../../../../src/renderer/charts/table.ts';
import { describeSeries } from '../../../../src/shared/model/series.ts';
import type { Kind } from '../../../../src/shared/model/values.ts';

const make = (kind: Kind, ...names: string[]) =>
  names.map((name, index) => describeSeries({ kind, index, name, doc: '' }));
const shape = (names: ReturnType<typeof make>) =>
  groupPanels('run/x', names).map((g) => [
    g.name,
    g.panels.map((p) => `${p.title}: ${p.series.map((s) => lineLabel(s, p)).join(' | ')}`),
  ]);

describe('series in panels', () => {
  test('operations of one interface share a panel per quantity', () => {
    const names = ['send', 'recv'].flatMap((c) => [`mpi___hits___mpi_${c}`, `mpi___time___mpi_${c}`]);
    expect(shape(make('counter', ...names))).toEqual([['MPI', ['Calls: Send | Recv', 'Time: Send | Recv']]]);
  });

  test('versions are no lines; what the kernel tells of processes is the program’s', () => {
    const gauges = [
      'vigie_io_build_info{version="0.1.0"}',
      'node_exporter_build_info',
      'process_resident_memory_bytes',
    ];
    expect(shape(make('gauge', ...gauges))).toEqual([['Program', ['Memory · bytes: memory']]]);
    expect(shape(make('counter', 'process_cpu_seconds_total'))).toEqual([['Program', ['CPU · time: CPU']]]);
  });

  test('labelled series have a panel per operation and are called by the labels in which they differ', () => {
    const names = ['lo', 'eth0'].flatMap((i) => [
      `proxy_network_receive_bytes_total{interface="${i}"}`,
      `proxy_network_transmit_bytes_total{interface="${i}"}`,
    ]);
    expect(shape(make('counter', ...names))).toEqual([
      ['Network', ['Receive · bytes: lo | eth0', 'Transmit · bytes: lo | eth0']],
    ]);
    const cores = [0, 1].map((core) => `proxy_cpu_usage_percent{core="${core}",mode="busy"}`);
    expect(shape(make('gauge', ...cores))).toEqual([['CPU', ['Use of each core: 0 | 1']]]);
  });

  test('several labels stand side by side without their names, but for numbers beside numbers', () => {
    const steps = ['{job="17",step="0"}', '{job="17",step="1"}', '{job="18",step="0"}'];
    const cards = ['{gpu="card1",sensor="edge"}', '{gpu="card2",sensor="mem"}', '{gpu="card2",sensor=""}'];
    const lines = (family: string, labels: string[]) => shape(make('gauge', ...labels.map((text) => family + text)));
    expect(lines('proxy_slurm_step_memory_used_bytes', steps)).toEqual([
      ['Slurm steps', ['Memory used · bytes: job 17 · step 0 | job 17 · step 1 | job 18 · step 0']],
    ]);
    expect(lines('proxy_gpu_temperature_celsius', cards)).toEqual([
      ['GPU', ['Temperature: card1 · edge | card2 · mem | card2 · sensor']],
    ]);
  });

  test('what all series of a target have in common tells nothing; what an exporter says of itself comes last', () => {
    const names = ['node_load1{rack="r1"}', 'node_load5{rack="r1"}', 'go_goroutines{rack="r1"}'];
    const cores = [0, 1].map((cpu) => `node_cpu_frequency_hertz{cpu="${cpu}",rack="r1"}`);
    const groups = groupPanels('target/a', make('gauge', ...names, ...cores));
    expect(groups.map((g) => [g.name, g.panels.map((p) => p.series.map((s) => lineLabel(s, p)))])).toEqual([
      ['CPU', [['0', '1']]],
      ['Load', [['load1', 'load5']]],
      ['Exporter', [['go goroutines']]],
    ]);
  });

  test('amounts of memory are called as their group, and percent stands apart', () => {
    const names = ['total_bytes', 'used_bytes', 'used_percent', 'swap_used_percent'].map((n) => `proxy_memory_${n}`);
    expect(shape(make('gauge', ...names))).toEqual([
      ['Memory', ['Memory: total | used', 'Memory · percent: used | swap used']],
    ]);
  });

  test('gauges of traffic say that they are rates', () => {
    const names = ['bandwidth_bytes', 'packet_rate'].map((n) => `proxy_network_receive_${n}{interface="lo"}`);
    expect(shape(make('gauge', ...names))).toEqual([
      ['Network', ['Receive · bandwidth: lo', 'Receive · packet rate: lo']],
    ]);
  });

  test('a program’s own numbers have no common scale', () => {
    expect(shape(make('counter', 'steps', 'particles'))).toEqual([
      ['Program', ['Steps: steps', 'Particles: particles']],
    ]);
  });

  test('counters and gauges, and different units, never share an axis', () => {
    const series = [...make('counter', 'mpi___size___a'), ...make('gauge', 'mpi___size___b', 'mpi___time___b')];
    expect(groupPanels('run/x', series)[0]!.panels).toHaveLength(3);
  });

  test('a panel’s id does not depend on what else there is; its scope does', () => {
    const id = (scope: string, names: string[]) => groupPanels(scope, make('counter', ...names))[0]!.panels[0]!.id;
    expect(id('run/x', ['mpi___hits___a'])).toBe(id('run/x', ['mpi___hits___a', 'mpi___hits___b', 'mpi___time___a']));
    expect(id('run/x', ['mpi___hits___a'])).not.toBe(id('node/h', ['mpi___hits___a']));
  });

  test('the program comes first, then the rest as one looks for it', () => {
    const names = ['proxy_network_x_total', 'zzz___hits___a', 'mpi___hits___a', 'proxy_cpu_seconds_total', 'steps'];
    expect(groupPanels('n', make('counter', ...names)).map((g) => g.name)).toEqual([
      'Program',
      'MPI',
      'CPU',
      'Network',
      'Zzz',
    ]);
  });

  test('what a node has beside them stands by its weight; the engine’s own numbers come after the unknown', () => {
    const names = ['vigie_x', 'zzz___hits___a', 'proxy_uptime_seconds', 'proxy_slurm_job_x', 'proxy_slurm_jobs'];
    names.push(
      'proxy_infiniband_x',
      'proxy_gpu_power_watts',
      'proxy_scrape_total',
      'proxy_pressure_cpu_waiting_percent',
    );
    expect(groupPanels('n', make('gauge', ...names)).map((g) => g.name)).toEqual([
      'Pressure',
      'GPU',
      'InfiniBand',
      'Slurm jobs',
      'Slurm',
      'Uptime',
      'Zzz',
      'Scrape',
      'Engine',
    ]);
  });

  test('the whole comes before its parts, and a date is not a line', () => {
    const counters = make(
      'counter',
      'proxy_network_receive_bytes_total{interface="eth0"}',
      'proxy_network_node_receive_bytes_total',
      'proxy_cpu_core_seconds_total{cpu="0",mode="user"}',
      'proxy_cpu_seconds_total{mode="user"}',
    );
    const gauges = make('gauge', 'proxy_cpu_total', 'proxy_cpu_load_average_percent', 'proxy_boot_time_seconds');
    expect(shape([...counters, ...gauges])).toEqual([
      [
        'CPU',
        [
          'Use of all cores: Use of all cores',
          'CPU · time: user',
          'Time of each core · time: 0 · user',
          'CPU · count: cpu',
        ],
      ],
      ['Network', ['Receive, whole node · bytes: receive, whole node', 'Receive · bytes: eth0']],
    ]);
  });

  test('hostile names are text like any other', () => {
    const series = make('gauge', '<script>alert(1)</script>', '__proto__', 'constructor');
    const panels = groupPanels('run/x', series).flatMap((g) => g.panels);
    expect(panels.flatMap((p) => p.series)).toHaveLength(3);
  });
});

describe('lines of a panel', () => {
  const names = Array.from({ length: 9 }, (_, i) => `mpi___hits___call${i}`);
  const panel = groupPanels('run/x', make('counter', ...names))[0]!.panels[0] as PanelSpec;
  const rate = (key: string): number => Number(key.slice(-1));

  test('those that move most, in the panel’s order; idle ones only on request', () => {
    const activity = (s: { key: string }) => ({ idle: rate(s.key) < 2, size: rate(s.key) });
    const shown = chooseLines(panel, activity, false);
    expect(shown.lines.map((s) => rate(s.key))).toEqual([3, 4, 5, 6, 7, 8]);
    expect(shown).toMatchObject({ left: 1, idle: 2 });
    const all = chooseLines(panel, activity, true);
    expect(all.lines).toHaveLength(MOST_LINES);
    expect(all).toMatchObject({ left: 3, idle: 2 });
  });

  test('nothing moves, nothing is drawn; on request the idle ones are', () => {
    const idle = () => ({ idle: true, size: 0 });
    expect(chooseLines(panel, idle, false)).toEqual({ lines: [], left: 0, idle: 9 });
    expect(chooseLines(panel, idle, true).lines).toHaveLength(MOST_LINES);
  });
});

describe('a node of 256 cores', () => {
  const modes = ['user', 'nice', 'system', 'idle', 'iowait', 'irq', 'softirq', 'steal'];
  const names = Array.from({ length: 256 }, (_, cpu) =>
    modes.map((mode) => `proxy_cpu_core_seconds_total{cpu="${cpu}",mode="${mode}"}`),
  ).flat();
  const panels = groupPanels('node/h', make('counter', ...names)).flatMap((g) => g.panels);

  test('is one panel of few lines, of those cores that work', () => {
    expect(panels).toHaveLength(1);
    const size = (s: { labels: Readonly<Record<string, string>> }): number =>
      s.labels['mode'] === 'idle' ? 1 : s.labels['mode'] === 'user' ? Number(s.labels['cpu']) / 1000 : 0;
    const { lines, left, idle } = chooseLines(panels[0]!, (s) => ({ idle: size(s) === 0, size: size(s) }), false);
    const busiest = [250, 251, 252, 253, 254, 255].map((cpu) => `${cpu} · user`);
    expect(lines.map((s) => lineLabel(s, panels[0]!))).toEqual(busiest);
    expect([left, idle]).toEqual([255 + 256 - MOST_LINES, 6 * 256 + 1]);
  });
});

describe('the series table', () => {
  const [a, b, c] = make(
    'counter',
    'mpi___hits___mpi_send',
    'mpi___hits___mpi_recv',
    'proxy_net_x_total{interface="eth0"}',
  );
  const row = (series: NonNullable<typeof a>, last: number | null, place = 0) => ({
    ...{ id: series.key, scope: 's', place, scopeLabel: 'job', series, label: seriesLabel(series) },
    ...{ min: last, avg: last, max: last, last },
  });

  test('search looks at what people and programs call a series, and at its labels', () => {
    expect(matchesSearch(a!, 'job', 'mpi send')).toBe(true);
    expect(matchesSearch(a!, 'job', 'MPI___hits')).toBe(true);
    expect(matchesSearch(c!, 'host7', 'host7 eth0')).toBe(true);
    expect(matchesSearch(b!, 'job', 'send')).toBe(false);
  });

  test('by default the job’s own series come first, each scope by name', () => {
    const rows = [row(a!, 1, 1), row(c!, 1), row(b!, 1, 1), row(a!, 1)];
    const order = sortSeries(rows, 'scope', false).map((r) => [r.place, r.series]);
    expect(order).toEqual([
      [0, a],
      [0, c],
      [1, b],
      [1, a],
    ]);
    expect(sortSeries(rows, 'scope', true).map((r) => r.place)).toEqual([1, 1, 0, 0]);
  });

  test('rows without a value stand last, up and down', () => {
    const rows = [row(a!, null), row(b!, 5), row(c!, 1)];
    const order = (descending: boolean) => sortSeries(rows, 'last', descending).map((r) => r.last);
    expect(order(false)).toEqual([1, 5, null]);
    expect(order(true)).toEqual([5, 1, null]);
    expect(sortSeries(rows, 'nonsense', false)).toHaveLength(3);
  });
});
