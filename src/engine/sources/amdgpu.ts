import { join } from 'node:path';
import { Devices, Every } from './devices.ts';
import type { Device } from './devices.ts';
import { GpuGauges } from './gpu.ts';
import type { GpuValue } from './gpu.ts';
import { labelValue } from './label.ts';
import { listFolder, openSmallFile, readLine } from './small.ts';
import type { SmallFile } from './small.ts';
import type { Source, SourceWriter } from './source.ts';

const AMD = '0x1002';
const CARD = /^card\d{1,4}$/;
const MAX_CARDS = 64;
/** Seconds between two readings of temperatures and clocks: each is a question to the firmware of the card. */
const SLOW = 10;

interface Reading {
  readonly file: SmallFile;
  readonly value: GpuValue;
  /** From the file's unit to that of the series. */
  readonly scale: number;
  /** A larger number is no number of this thing. */
  readonly max: number;
  readonly sensor: string;
  readonly slow: boolean;
}

/** Files of the driver itself: percent and bytes. */
const DEVICE_FILES: readonly (readonly [file: string, value: GpuValue, max: number])[] = [
  ['gpu_busy_percent', 'usage', 100],
  ['mem_busy_percent', 'memoryBusy', 100],
  ['mem_info_vram_used', 'memoryUsed', 1e15],
  ['mem_info_vram_total', 'memoryTotal', 1e15],
];
/** Files of its hardware monitor: microwatts, hertz. The newer name of power comes first; the average is the same. */
const POWER_FILES = ['power1_input', 'power1_average'] as const;
const CLOCK_FILES: readonly (readonly [file: string, value: GpuValue])[] = [
  ['freq1_input', 'clock'],
  ['freq2_input', 'memoryClock'],
];
const MAX_TEMPERATURES = 8;

class Card implements Device {
  readonly #readings: readonly Reading[];
  readonly #gauges: GpuGauges;
  readonly #slow = new Every(SLOW);

  constructor(readings: readonly Reading[], gauges: GpuGauges) {
    this.#readings = readings;
    this.#gauges = gauges;
  }

  sample(out: SourceWriter, seconds: number): boolean {
    const due = this.#slow.due(seconds);
    let known = false;
    for (const { file, value, scale, max, sensor, slow } of this.#readings) {
      if (slow && !due) continue;
      // A card that sleeps to save power refuses some of its files: those values leave, the others stay.
      const number = file.unsigned();
      const good = number >= 0 && number * scale <= max;
      known ||= good;
      this.#gauges.set(out, value, good ? number * scale : null, sensor);
    }
    return known;
  }

  clear(out: SourceWriter): void {
    this.#gauges.clear(out);
  }

  close(): void {
    for (const { file } of this.#readings) file.close();
  }
}

function openReadings(device: string): Reading[] {
  const readings: Reading[] = [];
  const add = (path: string, value: GpuValue, scale: number, max: number, sensor = ''): boolean => {
    const file = openSmallFile(path);
    const slow = value === 'temperature' || value === 'clock' || value === 'memoryClock';
    if (file !== null) readings.push({ file, value, scale, max, sensor, slow });
    return file !== null;
  };
  for (const [file, value, max] of DEVICE_FILES) add(join(device, file), value, 1, max);
  // Without any of these it is a card of an older driver, or only a connector for a screen.
  if (readings.length === 0) return readings;
  const monitor = listFolder(join(device, 'hwmon')).find((name) => /^hwmon\d{1,4}$/.test(name));
  if (monitor === undefined) return readings;
  const at = (name: string): string => join(device, 'hwmon', monitor, name);
  for (const name of POWER_FILES) if (add(at(name), 'power', 1e-6, 1e5)) break;
  for (const [name, value] of CLOCK_FILES) add(at(name), value, 1, 1e12);
  for (let i = 1; i <= MAX_TEMPERATURES; i++) {
    // edge, junction, mem
    const sensor = labelValue(Buffer.from(readLine(at(`temp${i}_label`)) ?? `temp${i}`, 'latin1'));
    add(at(`temp${i}_input`), 'temperature', 1e-3, 1000, sensor);
  }
  return readings;
}

/** Use, memory, power, clocks and temperatures of AMD's GPUs, from /sys/class/drm as the amdgpu driver tells them. */
export const amdgpu: Source = {
  name: 'amdgpu',
  open(roots) {
    const root = join(roots.sys, 'class', 'drm');
    const list = (): string[] => listFolder(root).filter((name) => CARD.test(name));
    const open = (card: string): Device | null => {
      const device = join(root, card, 'device');
      if (readLine(join(device, 'vendor'))?.toLowerCase() !== AMD) return null;
      const readings = openReadings(device);
      if (readings.length === 0) return null;
      const product = readLine(join(device, 'product_name'));
      const model = product === null ? null : labelValue(Buffer.from(product, 'latin1')) || null;
      return new Card(readings, new GpuGauges(card, 'amd', model));
    };
    return new Devices(list, open, MAX_CARDS).orNull();
  },
};
