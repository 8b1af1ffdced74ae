import { formatMetric } from '../../shared/model/metric.ts';
import type { Label } from '../../shared/model/metric.ts';
import type { SourceWriter } from './source.ts';

/** What is told of a GPU, whoever made it: one set of families, so that views need not know the maker. */
const FAMILIES = {
  usage: ['proxy_gpu_usage_percent', 'Share of the last interval in which this GPU worked at all'],
  memoryBusy: [
    'proxy_gpu_memory_busy_percent',
    'Share of the last interval in which the memory of this GPU was at work',
  ],
  memoryUsed: ['proxy_gpu_memory_used_bytes', 'Memory of this GPU in use'],
  memoryTotal: ['proxy_gpu_memory_total_bytes', 'Memory of this GPU'],
  temperature: ['proxy_gpu_temperature_celsius', 'Temperature of this GPU'],
  power: ['proxy_gpu_power_watts', 'Power that this GPU draws'],
  clock: ['proxy_gpu_clock_hertz', 'Clock of the processors of this GPU'],
  memoryClock: ['proxy_gpu_memory_clock_hertz', 'Clock of the memory of this GPU'],
} as const;

export type GpuValue = keyof typeof FAMILIES;

/** What the store keeps every ten seconds only. */
const DETAIL: ReadonlySet<GpuValue> = new Set(['memoryBusy', 'temperature', 'clock', 'memoryClock']);

/** The gauges of one GPU. A value becomes a series when it is first known: makers and models tell different ones. */
export class GpuGauges {
  readonly #labels: readonly Label[];
  readonly #handles = new Map<string, number>();

  /** `gpu`: what its own tools call it. `model` null when it is not told. */
  constructor(gpu: string, vendor: 'nvidia' | 'amd', model: string | null) {
    this.#labels = [['gpu', gpu], ['vendor', vendor], ...(model === null ? [] : [['model', model] as const])];
  }

  /** `value` null: not known now, the value leaves. `sensor` tells several temperatures apart. */
  set(out: SourceWriter, which: GpuValue, value: number | null, sensor = ''): void {
    const key = which + sensor;
    let handle = this.#handles.get(key);
    if (value === null) {
      if (handle !== undefined) out.clearGauge(handle);
      return;
    }
    if (handle === undefined) {
      const [family, doc] = FAMILIES[which];
      const labels: readonly Label[] = sensor === '' ? this.#labels : [...this.#labels, ['sensor', sensor]];
      handle = out.gauge(formatMetric(family, labels), doc, { detail: DETAIL.has(which) });
      this.#handles.set(key, handle);
    }
    out.setGauge(handle, value);
  }

  clear(out: SourceWriter): void {
    for (const handle of this.#handles.values()) out.clearGauge(handle);
  }
}
