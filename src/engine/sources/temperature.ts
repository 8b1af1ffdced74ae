import { closeSync, openSync, read, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { formatMetric } from '../../shared/model/metric.ts';
import { Background } from './background.ts';
import { labelValue } from './label.ts';
import { listFolder, readLine } from './small.ts';
import type { Source, SourceInstance, SourceWriter } from './source.ts';

/** Seconds between two rounds over the sensors. */
const EVERY = 10;
/** A temperature older than this many seconds is no longer told. */
const KEEP = 60;
const MAX_SENSORS = 512;
/** Colder and hotter is no node: sensors without a probe answer so, degrees Celsius. */
const COLDEST = 0;
const HOTTEST = 250;

const INPUT = /^temp(\d{1,3})_input$/;
const ZONE = /^thermal_zone\d{1,3}$/;
const NUMBER = /^(\d{1,7})\n?$/;

export interface Sensor {
  readonly path: string;
  /** What it measures, as other tools call it: `coretemp Package id 0`. */
  readonly component: string;
  /** Which of several equal devices: `platform_coretemp_0`. */
  readonly chip: string;
  /** Degrees Celsius at which the device stops; null when it does not say. */
  readonly critical: number | null;
}

/** Degrees out of a file of thousandths; null when it holds no such number, or one that is no temperature. */
export function parseMillidegrees(text: string): number | null {
  const found = NUMBER.exec(text);
  const degrees = found === null ? NaN : Number(found[1]) / 1000;
  return degrees >= COLDEST && degrees <= HOTTEST ? degrees : null;
}

/** All sensors of /sys/class/hwmon, and the thermal zones that these do not show already. Never throws. */
export function listSensors(sys: string): Sensor[] {
  const sensors: Sensor[] = [];
  const chips = new Set<string>();
  const monitors = join(sys, 'class', 'hwmon');
  for (const monitor of listFolder(monitors)) {
    const folder = join(monitors, monitor);
    const name = text(readLine(join(folder, 'name'))) ?? monitor;
    chips.add(name);
    for (const file of listFolder(folder)) {
      const number = INPUT.exec(file)?.[1];
      if (number === undefined) continue;
      const label = text(readLine(join(folder, `temp${number}_label`))) ?? `temp${number}`;
      const critical = parseMillidegrees(readLine(join(folder, `temp${number}_crit`)) ?? '');
      sensors.push({ path: join(folder, file), component: `${name} ${label}`, chip: chipOf(folder, name), critical });
    }
  }
  const zones = join(sys, 'class', 'thermal');
  for (const zone of listFolder(zones).filter((each) => ZONE.test(each))) {
    const type = text(readLine(join(zones, zone, 'type'))) ?? zone;
    // The kernel shows most zones as monitors too, under the same name; this one is coretemp's.
    if (chips.has(type.replaceAll('-', '_')) || (type === 'x86_pkg_temp' && chips.has('coretemp'))) continue;
    sensors.push({ path: join(zones, zone, 'temp'), component: type, chip: zone, critical: null });
  }
  return sensors.slice(0, MAX_SENSORS);
}

const text = (line: string | null): string | null =>
  line === null ? null : labelValue(Buffer.from(line, 'latin1')) || null;

/** The bus and the place of the device behind a monitor; these outlive a restart, the monitor's number does not. */
function chipOf(folder: string, name: string): string {
  try {
    const device = basename(readlinkSync(join(folder, 'device')));
    const bus = basename(readlinkSync(join(folder, 'device', 'subsystem')));
    return labelValue(Buffer.from(`${bus}_${device}`.replace(/[^\w]+/g, '_').toLowerCase()));
  } catch {
    return name;
  }
}

interface Open {
  readonly sensor: Sensor;
  readonly fd: number;
  readonly bytes: Uint8Array;
  /** Null: it does not answer, or with no temperature. */
  degrees: number | null;
  handle: number;
}

class TemperatureInstance implements SourceInstance {
  readonly #open: readonly Open[];
  readonly #work = new Background(() => this.#look(), { every: EVERY, keep: KEEP });
  #rounds = 0;
  #told = 0;
  #closed = false;
  #reading = false;

  constructor(open: readonly Open[]) {
    this.#open = open;
  }

  sample(out: SourceWriter): void {
    const done = this.#work.poll();
    if (done === null || done.value === this.#told) return;
    this.#told = done.value;
    for (const one of this.#open) emit(out, one);
  }

  settled(): Promise<void> {
    return this.#work.settled();
  }

  close(): void {
    this.#closed = true;
    this.#work.close();
    // A number that is given back while a thread reads it might be another file's by then.
    if (!this.#reading) this.#closeFiles();
  }

  #closeFiles(): void {
    for (const { fd } of this.#open) closeSync(fd);
  }

  /** One round, one sensor after another: those of disks and boards take milliseconds to answer, on one thread at most. */
  async #look(): Promise<number> {
    this.#reading = true;
    for (const one of this.#open) {
      one.degrees = await readDegrees(one);
      if (this.#closed) break;
    }
    this.#reading = false;
    if (this.#closed) this.#closeFiles();
    return ++this.#rounds;
  }
}

function readDegrees({ fd, bytes }: Open): Promise<number | null> {
  return new Promise((resolve) => {
    read(fd, bytes, 0, bytes.length, 0, (error, length) => {
      resolve(error ? null : parseMillidegrees(Buffer.from(bytes.subarray(0, length)).toString('latin1')));
    });
  });
}

function emit(out: SourceWriter, one: Open): void {
  const { component, chip, critical } = one.sensor;
  if (one.degrees === null) {
    if (one.handle >= 0) out.clearGauge(one.handle);
    return;
  }
  const labels = [
    ['component', component],
    ['chip', chip],
  ] as const;
  if (one.handle < 0) {
    one.handle = out.gauge(
      formatMetric('proxy_component_temperature_celsius', labels),
      'Temperature of this part of the node',
      {
        detail: true,
      },
    );
  }
  out.setGauge(one.handle, one.degrees);
  if (critical === null) return;
  const name = formatMetric('proxy_component_temperature_critical_celsius', labels);
  out.setGauge(out.gauge(name, 'Temperature at which this part of the node stops', { detail: true }), critical);
}

function openSensor(sensor: Sensor): Open[] {
  try {
    const fd = openSync(sensor.path, 'r');
    return [{ sensor, fd, bytes: new Uint8Array(32), degrees: null, handle: -1 }];
  } catch {
    return [];
  }
}

/** Temperatures of processors, disks and boards, from /sys/class/hwmon and /sys/class/thermal. */
export const temperature: Source = {
  name: 'temperature',
  open(roots) {
    const open = listSensors(roots.sys).flatMap(openSensor);
    return open.length > 0 ? new TemperatureInstance(open) : null;
  },
};
