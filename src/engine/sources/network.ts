import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { formatMetric } from '../../shared/model/metric.ts';
import { Cursor } from './cursor.ts';
import { Known } from './known.ts';
import { openTickFile } from './read.ts';
import type { TickFile } from './read.ts';
import type { Source, SourceInstance, SourceWriter } from './source.ts';
import { Totals } from './totals.ts';

const NEWLINE = 0x0a;
const COLON = 0x3a;

/** Columns of /proc/net/dev that are used: bytes, packets, errors and drops received, then sent. */
const COLUMNS = [0, 1, 2, 3, 8, 9, 10, 11] as const;
const WIDTH = COLUMNS.length;
const COLUMNS_READ = 12;

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
  ['proxy_network_receive_drop_total', 'Packets that came in over this interface and were dropped'],
  ['proxy_network_transmit_bytes_total', 'Bytes that went out over this interface'],
  ['proxy_network_transmit_packets_total', 'Packets that went out over this interface'],
  ['proxy_network_transmit_packets_error_total', 'Packets that could not be sent'],
  ['proxy_network_transmit_drop_total', 'Packets that were to go out over this interface and were dropped'],
];
const RATES: readonly (readonly [column: number, name: string, doc: string])[] = [
  [0, 'proxy_network_receive_bandwidth_bytes', 'Bytes per second that came in during the last interval'],
  [1, 'proxy_network_receive_packet_rate', 'Packets per second that came in during the last interval'],
  [4, 'proxy_network_transmit_bandwidth_bytes', 'Bytes per second that went out during the last interval'],
  [5, 'proxy_network_transmit_packet_rate', 'Packets per second that went out during the last interval'],
];

/** Sums over the node's network cards. Bridges, bonds and tunnels pass on what the cards count already. */
const TOTALS: readonly (readonly [column: number, name: string, doc: string])[] = [
  [0, 'proxy_network_node_receive_bytes_total', 'Bytes that came into this node over its network cards'],
  [1, 'proxy_network_node_receive_packets_total', 'Packets that came into this node over its network cards'],
  [4, 'proxy_network_node_transmit_bytes_total', 'Bytes that this node sent over its network cards'],
  [5, 'proxy_network_node_transmit_packets_total', 'Packets that this node sent over its network cards'],
];

/** Above `seen` of a new interface by two, so that a new one is not one seen at the tick before. */
const FIRST_TICK = 2;

interface Interface {
  readonly name: string;
  readonly hardware: boolean;
  handles: Handles | null;
  readonly before: Float64Array;
  /** The tick last seen at; 0 for never. */
  seen: number;
}

interface Handles {
  readonly counters: readonly number[];
  readonly gauges: readonly number[];
}

class NetworkInstance implements SourceInstance {
  readonly #file: TickFile;
  readonly #classes: string;
  readonly #dev = emptyNetDev();
  readonly #known = new Known<Interface>(MAX_INTERFACES, (text) => this.#make(text));
  readonly #totals = new Totals(TOTALS.map(([, name, doc]) => [name, doc]));
  /** Some interface is a card. In a container none is: there all but the loopback count. */
  #anyHardware = false;
  #tick = FIRST_TICK - 1;

  constructor(file: TickFile, classes: string) {
    this.#file = file;
    this.#classes = classes;
  }

  sample(out: SourceWriter, seconds: number): void {
    const bytes = this.#file.read();
    const dev = parseNetDev(bytes, this.#dev);
    const tick = ++this.#tick;
    // All names first: whether there are cards decides who counts.
    if (tick === FIRST_TICK) {
      for (let i = 0; i < dev.count; i++) this.#known.find(bytes, dev.nameFrom[i]!, dev.nameTo[i]!, i);
    }
    for (let i = 0; i < dev.count; i++) {
      const device = this.#known.find(bytes, dev.nameFrom[i]!, dev.nameTo[i]!, i);
      if (device === null || device.seen === tick) continue;
      const before = device.seen === tick - 1;
      // Those that are there at first bring their totals since boot.
      if ((before || tick === FIRST_TICK) && this.#counts(device)) this.#grow(device, dev.totals, i * WIDTH);
      emit(out, device, dev.totals, i * WIDTH, before ? seconds : 0);
      device.seen = tick;
    }
    this.#totals.emit(out);
    for (const { seen, handles } of this.#known.items()) {
      if (seen === tick - 1) for (const gauge of handles?.gauges ?? []) out.clearGauge(gauge);
    }
  }

  close(): void {
    this.#file.close();
  }

  #make(name: string): Interface {
    // Only what hardware is behind has a device; no name of an interface can lead out of the folder, but a file's text can.
    const hardware = !name.includes('/') && existsSync(join(this.#classes, name, 'device'));
    this.#anyHardware ||= hardware;
    return { name, hardware, handles: null, before: new Float64Array(WIDTH), seen: 0 };
  }

  #counts(device: Interface): boolean {
    return this.#anyHardware ? device.hardware : device.name !== 'lo';
  }

  #grow(device: Interface, totals: Float64Array, offset: number): void {
    for (let i = 0; i < TOTALS.length; i++) {
      const column = TOTALS[i]![0];
      this.#totals.grow(i, totals[offset + column]! - device.before[column]!);
    }
  }
}

function register(out: SourceWriter, name: string): Handles {
  const full = (family: string): string => formatMetric(family, [['interface', name]]);
  const detail = { detail: true };
  return {
    counters: COUNTERS.map(([family, doc]) => out.counter(full(family), doc, detail)),
    gauges: RATES.map(([, family, doc]) => out.gauge(full(family), doc, detail)),
  };
}

/** `seconds` 0: there is nothing yet to compare with. */
function emit(out: SourceWriter, device: Interface, totals: Float64Array, offset: number, seconds: number): void {
  device.handles ??= register(out, device.name);
  const { before } = device;
  const { counters, gauges } = device.handles;
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

/** Totals and rates of each network interface and of the node, from /proc/net/dev of the engine's own network namespace. */
export const network: Source = {
  name: 'network',
  open(roots) {
    const file = openTickFile(join(roots.proc, 'net', 'dev'));
    return file === null ? null : new NetworkInstance(file, join(roots.sys, 'class', 'net'));
  },
};
