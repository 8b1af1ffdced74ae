import { join } from 'node:path';
import { formatMetric } from '../../shared/model/metric.ts';
import { Devices } from './devices.ts';
import type { Device } from './devices.ts';
import { labelValue } from './label.ts';
import { listFolder, openSmallFile, readLine } from './small.ts';
import type { SmallFile } from './small.ts';
import type { Source, SourceWriter } from './source.ts';

/** Control zones: `intel-rapl:0` is a package, `intel-rapl:0:1` a part of it. AMD's are called so too. */
const ZONE = /^intel-rapl(-mmio)?:\d{1,4}(:\d{1,4})?$/;
const MAX_ZONES = 256;
/** More than any package draws. A number that fell and would mean more is a counter made anew, not one that wrapped. */
const MAX_WATTS = 10_000;
const MICRO = 1e-6;

/**
 * Microjoules between two readings of a counter that begins again at 0 behind `range`. Null when it is not known: the
 * counter was made anew.
 */
export function energyBetween(before: number, now: number, range: number, seconds: number): number | null {
  if (now >= before) return now - before;
  const wrapped = range - before + now;
  return range >= before && seconds > 0 && wrapped * MICRO <= MAX_WATTS * seconds ? wrapped : null;
}

class Zone implements Device {
  readonly #file: SmallFile;
  readonly #range: number;
  readonly #label: string;
  #handles: { readonly energy: number; readonly power: number } | null = null;
  #before = -1;
  #total = 0;

  constructor(file: SmallFile, range: number, label: string) {
    this.#file = file;
    this.#range = range;
    this.#label = label;
  }

  sample(out: SourceWriter, seconds: number): boolean {
    const now = this.#file.unsigned();
    if (now < 0) return false;
    this.#handles ??= this.#register(out);
    const { energy, power } = this.#handles;
    if (this.#before < 0) {
      this.#total = now;
    } else {
      const used = energyBetween(this.#before, now, this.#range, seconds);
      if (used !== null) this.#total += used;
      if (used !== null && seconds > 0) out.setGauge(power, (used * MICRO) / seconds);
      else out.clearGauge(power);
    }
    this.#before = now;
    out.setCounter(energy, this.#total * MICRO);
    return true;
  }

  clear(out: SourceWriter): void {
    if (this.#handles !== null) out.clearGauge(this.#handles.power);
  }

  close(): void {
    this.#file.close();
  }

  #register(out: SourceWriter): { energy: number; power: number } {
    const full = (family: string): string => formatMetric(family, [['zone', this.#label]]);
    // A part of a package is in its package's numbers.
    const detail = { detail: this.#label.includes('/') };
    return {
      energy: out.counter(
        full('proxy_rapl_energy_joules_total'),
        'Energy used by this part of the processors, in joules',
        detail,
      ),
      power: out.gauge(
        full('proxy_rapl_power_watts'),
        'Power drawn by this part of the processors in the last interval',
        detail,
      ),
    };
  }
}

/** Zone folders. The same packages are often told twice, by registers and by memory: the registers win. */
function listZones(root: string): string[] {
  const zones = listFolder(root).filter((name) => ZONE.test(name));
  const byRegister = zones.filter((name) => !name.startsWith('intel-rapl-mmio'));
  return byRegister.length > 0 ? byRegister : zones;
}

/** `package-0`, or `package-0/dram` for a part of it. */
function zoneLabel(root: string, zone: string): string {
  const own = (name: string): string => labelValue(Buffer.from(readLine(join(root, name, 'name')) ?? name, 'latin1'));
  const parent = /^([^:]*:\d+):\d+$/.exec(zone)?.[1];
  return parent === undefined ? own(zone) : `${own(parent)}/${own(zone)}`;
}

/**
 * Energy of packages, cores and memory, from /sys/class/powercap. Kernels since 5.10 show it to root only; for everyone
 * else it is absent.
 */
export const rapl: Source = {
  name: 'rapl',
  open(roots) {
    const root = join(roots.sys, 'class', 'powercap');
    const open = (zone: string): Device | null => {
      const file = openSmallFile(join(root, zone, 'energy_uj'));
      if (file === null) return null;
      const range = Number(/^\d{1,19}$/.exec(readLine(join(root, zone, 'max_energy_range_uj')) ?? '')?.[0] ?? 0);
      return new Zone(file, range, zoneLabel(root, zone));
    };
    return new Devices(() => listZones(root), open, MAX_ZONES).orNull();
  },
};
