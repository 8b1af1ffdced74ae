import { join } from 'node:path';
import { formatMetric } from '../../shared/model/metric.ts';
import { Cursor } from './cursor.ts';
import { labelValue } from './label.ts';
import { openTickFile } from './read.ts';
import type { TickFile } from './read.ts';
import type { Source, SourceInstance, SourceWriter } from './source.ts';

const NEWLINE = 0x0a;
const COLON = 0x3a;

/** Columns of /proc/net/dev that are used: bytes, packets and errors received, then sent. */
const COLUMNS = [0, 1, 2, 8, 9, 10] as const;
const WIDTH = COLUMNS.length;
const COLUMNS_READ = 11;

/**
 * Most interfaces followed while the engine runs. Containers make and drop interfaces with ever new names, and a series
 * once made stays; beyond this many, new names are not followed.
 */
const MAX_INTERFACES = 1024;

export interface NetDev {
  count: number;
  /** Where the name of each interface stands in the bytes that were parsed: from, and behind its end. */
  nameFrom: Int32Array;
  nameTo: Int32Array;
  /** Kernel's totals of each interface, in the order of COLUMNS, WIDTH apiece. */
  totals: Float64Array;
}

export function emptyNetDev(): NetDev {
  return { count: 0, nameFrom: new Int32Array(16), nameTo: new Int32Array(16), totals: new Float64Array(16 * WIDTH) };
}

/** The interfaces of /proc/net/dev; lines cut off or malformed are left out. Writes over `into`. Never throws. */
export function parseNetDev(bytes: Uint8Array, into: NetDev = emptyNetDev()): NetDev {
  const cursor = new Cursor(bytes);
  into.count = 0;
  while (cursor.at < bytes.length && into.count < MAX_INTERFACES) {
    cursor.skipBlanks();
    const from = cursor.at;
    const to = nameEnd(bytes, from);
    let good = to > from;
    if (good) {
      if (into.count === into.nameFrom.length) grow(into);
      cursor.at = to + 1;
      good = readTotals(cursor, into.totals, into.count * WIDTH);
    }
    // The header's lines have no colon, and end here too.
    if (!cursor.nextLine()) break;
    if (!good) continue;
    into.nameFrom[into.count] = from;
    into.nameTo[into.count] = to;
    into.count++;
  }
  return into;
}

/** The first colon in the line: a name cannot hold one. -1 when there is none. */
function nameEnd(bytes: Uint8Array, from: number): number {
  for (let at = from; at < bytes.length && bytes[at] !== NEWLINE; at++) if (bytes[at] === COLON) return at;
  return -1;
}

function readTotals(cursor: Cursor, totals: Float64Array, offset: number): boolean {
  let used = 0;
  for (let column = 0; column < COLUMNS_READ; column++) {
    const value = cursor.unsigned();
    if (value < 0) return false;
    if (column === COLUMNS[used]) totals[offset + used++] = value;
  }
  return true;
}

function grow(dev: NetDev): void {
  const size = dev.nameFrom.length * 2;
  const from = new Int32Array(size);
  from.set(dev.nameFrom);
  dev.nameFrom = from;
  const to = new Int32Array(size);
  to.set(dev.nameTo);
  dev.nameTo = to;
  const totals = new Float64Array(size * WIDTH);
  totals.set(dev.totals);
  dev.totals = totals;
}

/** Series of an interface: counters in the order of COLUMNS, and which of these also have a rate. */
const COUNTERS: readonly (readonly [name: string, doc: string])[] = [
  ['proxy_network_receive_bytes_total', 'Bytes that came in over this interface'],
  ['proxy_network_receive_packets_total', 'Packets that came in over this interface'],
  ['proxy_network_receive_packets_error_total', 'Packets that came in damaged or could not be taken'],
  ['proxy_network_transmit_bytes_total', 'Bytes that went out over this interface'],
  ['proxy_network_transmit_packets_total', 'Packets that went out over this interface'],
  ['proxy_network_transmit_packets_error_total', 'Packets that could not be sent'],
];
const RATES: readonly (readonly [column: number, name: string, doc: string])[] = [
  [0, 'proxy_network_receive_bandwidth_bytes', 'Bytes per second that came in during the last interval'],
  [1, 'proxy_network_receive_packet_rate', 'Packets per second that came in during the last interval'],
  [3, 'proxy_network_transmit_bandwidth_bytes', 'Bytes per second that went out during the last interval'],
  [4, 'proxy_network_transmit_packet_rate', 'Packets per second that went out during the last interval'],
];

interface Interface {
  /** The name's bytes as the kernel has it. */
  readonly name: Uint8Array;
  readonly counters: readonly number[];
  readonly gauges: readonly number[];
  readonly before: Float64Array;
  /** The tick last seen at; 0 for never. */
  seen: number;
}

class NetworkInstance implements SourceInstance {
  readonly #file: TickFile;
  readonly #dev = emptyNetDev();
  readonly #known = new Map<string, Interface>();
  // In the order of the file at the tick before: the order rarely changes, so a name is compared once, as bytes.
  #order: (Interface | null)[] = [];
  // Begins above `seen` of a new interface by two, so that a new one is not one seen at the tick before.
  #tick = 1;

  constructor(file: TickFile) {
    this.#file = file;
  }

  sample(out: SourceWriter, seconds: number): void {
    const bytes = this.#file.read();
    const dev = parseNetDev(bytes, this.#dev);
    const tick = ++this.#tick;
    for (let i = 0; i < dev.count; i++) {
      const device = this.#find(out, bytes, dev.nameFrom[i]!, dev.nameTo[i]!, i);
      if (device === null || device.seen === tick) continue;
      emit(out, device, dev.totals, i * WIDTH, device.seen === tick - 1 ? seconds : 0);
      device.seen = tick;
    }
    for (const device of this.#known.values()) {
      if (device.seen === tick - 1) for (const gauge of device.gauges) out.clearGauge(gauge);
    }
  }

  close(): void {
    this.#file.close();
  }

  #find(out: SourceWriter, bytes: Uint8Array, from: number, to: number, place: number): Interface | null {
    const expected = this.#order[place];
    if (expected && sameBytes(expected.name, bytes, from, to)) return expected;
    const name = bytes.slice(from, to);
    const text = labelValue(name);
    let device = this.#known.get(text) ?? null;
    if (device === null && this.#known.size < MAX_INTERFACES) {
      device = register(out, name, text);
      this.#known.set(text, device);
    }
    this.#order[place] = device;
    return device;
  }
}

function sameBytes(name: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from !== name.length) return false;
  for (let i = 0; i < name.length; i++) if (bytes[from + i] !== name[i]) return false;
  return true;
}

function register(out: SourceWriter, name: Uint8Array, text: string): Interface {
  const full = (family: string): string => formatMetric(family, [['interface', text]]);
  return {
    name,
    counters: COUNTERS.map(([family, doc]) => out.counter(full(family), doc)),
    gauges: RATES.map(([, family, doc]) => out.gauge(full(family), doc)),
    before: new Float64Array(WIDTH),
    seen: 0,
  };
}

/** `seconds` 0: there is nothing yet to compare with. */
function emit(out: SourceWriter, device: Interface, totals: Float64Array, offset: number, seconds: number): void {
  const { before, counters, gauges } = device;
  if (seconds > 0) {
    for (let i = 0; i < RATES.length; i++) {
      const column = RATES[i]![0];
      const grown = totals[offset + column]! - before[column]!;
      // A smaller total is an interface made anew under its old name: how much it grew is not known.
      if (grown >= 0) out.setGauge(gauges[i]!, grown / seconds);
      else out.clearGauge(gauges[i]!);
    }
  }
  for (let column = 0; column < WIDTH; column++) {
    const total = totals[offset + column]!;
    before[column] = total;
    out.setCounter(counters[column]!, total);
  }
}

/** Totals and rates of each network interface, from /proc/net/dev of the engine's own network namespace. */
export const network: Source = {
  name: 'network',
  open(roots) {
    const file = openTickFile(join(roots.proc, 'net', 'dev'));
    return file === null ? null : new NetworkInstance(file);
  },
};
