/** A made-up cluster: what nodes tell once a minute, with quiet and busy ones, random walks, bursts and constants. */

import { bitmapBytes, setBit } from '../../src/shared/frame.ts';
import type { SeriesDef } from '../../src/shared/model/series.ts';
import { GAUGE_WIDTH, type Kind } from '../../src/shared/model/values.ts';
import { random } from '../support/random.ts';
import type { Source, Step, Told } from './told.ts';

export interface FleetOptions {
  readonly nodes: number;
  readonly ticks: number;
  /** ms between ticks. */
  readonly interval: number;
  readonly begin: number;
}

const COUNTERS = [
  'node_cpu_seconds_total{mode="user"}',
  'node_cpu_seconds_total{mode="system"}',
  'node_cpu_seconds_total{mode="idle"}',
  'node_network_receive_bytes_total{device="eth0"}',
  'node_network_transmit_bytes_total{device="eth0"}',
  'node_infiniband_port_data_received_bytes_total{device="mlx5_0"}',
  'node_disk_read_bytes_total{device="nvme0n1"}',
  'node_disk_written_bytes_total{device="nvme0n1"}',
] as const;
const GAUGES = [
  'node_load1',
  'node_memory_used_bytes',
  'node_memory_cached_bytes',
  'node_memory_total_bytes',
  'node_filesystem_free_bytes{mountpoint="/tmp"}',
  'node_power_watts',
  'node_cpu_temperature_celsius',
  'node_cpu_frequency_hertz',
  'node_flops_per_second',
  'node_memory_bandwidth_bytes_per_second',
  'gpu_utilization_ratio{gpu="0"}',
  'gpu_memory_used_bytes{gpu="0"}',
] as const;
/** Of all its nodes. */
export const SERIES_PER_NODE = COUNTERS.length + GAUGES.length;
export const SUMMED = COUNTERS[3];

const PAGE = 4096;
const GIB = 2 ** 30;

const SERIES: readonly SeriesDef[] = (
  [
    ['counter', COUNTERS],
    ['gauge', GAUGES],
  ] as const
).flatMap(([kind, names]: readonly [Kind, readonly string[]]) =>
  names.map((name, index) => ({ kind, index, name, doc: `about ${name.split('{', 1)[0]}` })),
);

export const nodeName = (node: number): string => `target/n${String(node).padStart(4, '0')}`;

export function fleetSource({ nodes, ticks, interval, begin }: FleetOptions): Source {
  return function* (): Generator<Step, void> {
    const tellers = Array.from({ length: nodes }, (_, i) => new NodeTeller(i));
    for (let number = 0; number < ticks; number++) {
      const told = tellers.map((teller) => teller.next(interval / 1000));
      yield { time: begin + number * interval, number, told };
    }
  };
}

class NodeTeller {
  readonly #scope: string;
  readonly #random: ReturnType<typeof random>;
  readonly #isIdle: boolean;
  readonly #counters = new Float64Array(COUNTERS.length);
  readonly #gauges = new Float64Array(GAUGE_WIDTH * GAUGES.length);
  /** Hundredths of a CPU second: totals are what a kernel counts in. */
  readonly #jiffies = [0, 0, 0];
  readonly #walk = {
    load: 0,
    pages: 0,
    cached: 0,
    temperature: 0,
    free: 0,
    flops: 0,
    bandwidth: 0,
    gpu: 0,
    gpuPages: 0,
  };
  readonly #counterBits = new Uint8Array(bitmapBytes(COUNTERS.length));
  readonly #gaugeBits = new Uint8Array(bitmapBytes(GAUGES.length));
  #changed = 0;
  #isBusy = false;
  #begun = false;

  constructor(node: number) {
    this.#scope = nodeName(node);
    this.#random = random(node + 1);
    this.#isIdle = node % 3 === 2;
    const { int } = this.#random;
    Object.assign(this.#walk, {
      pages: int(2e5, 4e6),
      cached: int(1e5, 1e6),
      temperature: int(38, 52),
      free: int(1e7, 2e8),
    });
    for (let i = 0; i < 3; i++) this.#jiffies[i] = int(0, 1e9);
    for (let i = 3; i < COUNTERS.length; i++) this.#counters[i] = int(0, 2 ** 31) * int(1, 1000);
  }

  next(seconds: number): Told {
    this.#counterBits.fill(0);
    this.#gaugeBits.fill(0);
    this.#changed = 0;
    const { chance } = this.#random;
    // Jobs come and go every few hours.
    if (!this.#isIdle && chance(1 / 180)) this.#isBusy = !this.#isBusy;
    if (!this.#begun) this.#isBusy = !this.#isIdle;
    this.#count(seconds);
    this.#observe();
    const full = !this.#begun;
    this.#begun = true;
    const { length } = COUNTERS;
    const columns = { counterCount: length, gaugeCount: GAUGES.length, counters: this.#counters, gauges: this.#gauges };
    const bits = full ? null : { counters: this.#counterBits, gauges: this.#gaugeBits };
    const interval = full ? 0 : seconds * 1000;
    const samples = SERIES_PER_NODE;
    const changed = full ? samples : this.#changed;
    const added = full ? SERIES : [];
    return { scope: this.#scope, jobid: null, added, columns, bits, samples, changed, interval, last: false };
  }

  #count(seconds: number): void {
    const { int, chance } = this.#random;
    const cores = 64;
    const total = cores * seconds * 100;
    const user = this.#isBusy ? Math.round((total * int(930, 990)) / 1000) : int(0, 60);
    const system = this.#isBusy ? int(200, 4000) : int(20, 90);
    [user, system, Math.max(0, total - user - system)].forEach((more, i) => {
      this.#jiffies[i]! += more;
      this.#setCounter(i, this.#jiffies[i]! / 100);
    });
    const traffic = this.#isBusy ? int(2e5, 9e6) : int(2e3, 2e4);
    this.#setCounter(3, this.#counters[3]! + traffic);
    this.#setCounter(4, this.#counters[4]! + Math.round(traffic / int(2, 9)));
    if (this.#isBusy) this.#setCounter(5, this.#counters[5]! + PAGE * int(1e5, 6e6));
    if (this.#isBusy && chance(0.03)) this.#setCounter(6, this.#counters[6]! + 512 * int(1e3, 4e6));
    if (chance(this.#isBusy ? 0.1 : 0.3))
      this.#setCounter(7, this.#counters[7]! + PAGE * (this.#isBusy ? int(1e3, 1e6) : int(1, 40)));
  }

  #observe(): void {
    const { int, chance } = this.#random;
    const walk = this.#walk;
    const busy = this.#isBusy;
    const towards = (now: number, goal: number): number => now + (goal - now) / 4;
    walk.load = Math.max(0, towards(walk.load, busy ? 64 : 0.05) + int(-30, 30) / 100);
    if (busy) walk.pages = Math.max(1e5, walk.pages + int(-4000, 4200));
    else if (chance(0.5)) walk.pages = Math.max(1e5, walk.pages + int(-20, 20));
    if (chance(busy ? 0.4 : 0.05)) walk.cached += int(-300, 320);
    if (chance(0.05)) walk.free = Math.max(0, walk.free + int(-20_000, 19_000));
    if (chance(0.3)) walk.temperature = Math.round(towards(walk.temperature, busy ? 71 : 41)) + int(-1, 1);
    walk.flops = busy ? 1.1e12 * (1 + int(-1e9, 1e9) / 2e10) : 0;
    walk.bandwidth = busy ? 2.3e11 * (1 + int(-1e9, 1e9) / 1.7e10) : int(0, 9) * 1e5;
    walk.gpu = busy ? Math.min(100, Math.max(0, walk.gpu + int(-9, 11))) : 0;
    walk.gpuPages = busy ? Math.max(1000, walk.gpuPages + int(-50, 60)) : 0;
    this.#setGauge(0, Math.round(100 * walk.load) / 100);
    this.#setGauge(1, PAGE * walk.pages);
    this.#setGauge(2, PAGE * walk.cached);
    this.#setGauge(3, 256 * GIB);
    this.#setGauge(4, PAGE * walk.free);
    this.#setGauge(5, busy ? int(480, 620) : int(118, 124));
    this.#setGauge(6, walk.temperature);
    this.#setGauge(7, busy ? 1e6 * int(2450, 2650) : 8e8);
    this.#setGauge(8, walk.flops);
    this.#setGauge(9, walk.bandwidth);
    this.#setGauge(10, walk.gpu / 100);
    this.#setGauge(11, 65_536 * walk.gpuPages);
  }

  #setCounter(place: number, value: number): void {
    if (this.#counters[place] === value) return;
    this.#counters[place] = value;
    setBit(this.#counterBits, place);
    this.#changed++;
  }

  #setGauge(place: number, value: number): void {
    const at = GAUGE_WIDTH * place;
    if (this.#begun && this.#gauges[at] === value) return;
    this.#gauges.set([value, value, 1, value], at);
    setBit(this.#gaugeBits, place);
    this.#changed++;
  }
}
