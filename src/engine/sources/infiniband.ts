import { join } from 'node:path';
import { formatMetric } from '../../shared/model/metric.ts';
import type { Label } from '../../shared/model/metric.ts';
import { Devices, Every } from './devices.ts';
import type { Device } from './devices.ts';
import { labelValue } from './label.ts';
import { listFolder, openSmallFile, readLine } from './small.ts';
import type { SmallFile } from './small.ts';
import type { Source, SourceWriter } from './source.ts';

const MAX_PORTS = 128;
/** Most counters of the hardware that are followed of one port; adapters have 20 to 50. */
const MAX_HARDWARE = 64;
/** Seconds between two readings of errors and of the hardware's counters, for which some drivers ask the firmware. */
const SLOW = 10;
/** Ports count data in words of four bytes. */
const WORD = 4;

/** What went over the port, read at every tick; the data also as a rate. */
const TRAFFIC: readonly (readonly [
  file: string,
  scale: number,
  family: string,
  doc: string,
  rate: string,
  rateDoc: string,
])[] = [
  [
    'port_rcv_data',
    WORD,
    'proxy_infiniband_receive_bytes_total',
    'Bytes that came in over this port',
    'proxy_infiniband_receive_bandwidth_bytes',
    'Bytes per second that came in over this port during the last interval',
  ],
  [
    'port_xmit_data',
    WORD,
    'proxy_infiniband_transmit_bytes_total',
    'Bytes that went out over this port',
    'proxy_infiniband_transmit_bandwidth_bytes',
    'Bytes per second that went out over this port during the last interval',
  ],
  ['port_rcv_packets', 1, 'proxy_infiniband_receive_packets_total', 'Packets that came in over this port', '', ''],
  ['port_xmit_packets', 1, 'proxy_infiniband_transmit_packets_total', 'Packets that went out over this port', '', ''],
];

/** What went wrong on the port. */
const ERRORS = [
  'excessive_buffer_overrun_errors',
  'link_downed',
  'link_error_recovery',
  'local_link_integrity_errors',
  'port_rcv_constraint_errors',
  'port_rcv_errors',
  'port_rcv_remote_physical_errors',
  'port_rcv_switch_relay_errors',
  'port_xmit_constraint_errors',
  'port_xmit_discards',
  'symbol_error',
  'VL15_dropped',
] as const;
const ERROR_DOC = 'Errors of this port by kind';
const WAIT_DOC = 'Ticks of the port in which data waited and could not be sent';
const HARDWARE_DOC = 'Counters of the adapter for this port, as its driver names them';

/** Bytes per second out of `100 Gb/sec (4X EDR)`; null when it is no rate. */
export function parseRate(text: string): number | null {
  const gigabits = /^(\d{1,6}(?:\.\d{1,3})?) Gb\/sec/.exec(text)?.[1];
  return gigabits === undefined ? null : (Number(gigabits) * 1e9) / 8;
}

/** Whether the port carries data: `4: ACTIVE`. Null when it is no state. */
export function parseState(text: string): boolean | null {
  const state = /^(\d): [A-Z_]+$/.exec(text)?.[1];
  return state === undefined ? null : state === '4';
}

interface Counter {
  readonly file: SmallFile;
  readonly scale: number;
  readonly name: string;
  readonly doc: string;
  readonly detail: boolean;
  readonly rate: { readonly name: string; readonly doc: string } | null;
  handle: number;
  rateHandle: number;
  before: number;
}

class Port implements Device {
  readonly #path: string;
  readonly #labels: readonly Label[];
  readonly #traffic: Counter[];
  readonly #slow: Counter[];
  readonly #every = new Every(SLOW);
  #up = -1;
  #speed = -1;

  constructor(path: string, labels: readonly Label[]) {
    this.#path = path;
    this.#labels = labels;
    this.#traffic = TRAFFIC.flatMap(([file, scale, family, doc, rate, rateDoc]) =>
      this.#counter(join('counters', file), family, doc, {
        scale,
        rate: rate === '' ? null : { name: formatMetric(rate, labels), doc: rateDoc },
      }),
    );
    this.#slow = [
      ...ERRORS.flatMap((error) =>
        this.#counter(join('counters', error), 'proxy_infiniband_errors_total', ERROR_DOC, { error }),
      ),
      ...this.#counter(join('counters', 'port_xmit_wait'), 'proxy_infiniband_transmit_wait_total', WAIT_DOC, {}),
      ...listFolder(join(path, 'hw_counters'))
        // How long the driver keeps what it read, in ms: a setting among the counters.
        .filter((file) => file !== 'lifespan')
        .slice(0, MAX_HARDWARE)
        .flatMap((file) =>
          this.#counter(join('hw_counters', file), 'proxy_infiniband_hardware_total', HARDWARE_DOC, {
            counter: labelValue(Buffer.from(file)),
          }),
        ),
    ];
  }

  get empty(): boolean {
    return this.#traffic.length + this.#slow.length === 0;
  }

  sample(out: SourceWriter, seconds: number): boolean {
    let answered = this.#traffic.length === 0;
    for (const counter of this.#traffic) answered = this.#read(out, counter, seconds) || answered;
    if (!answered) return false;
    if (this.#every.due(seconds)) {
      for (const counter of this.#slow) this.#read(out, counter, 0);
      this.#link(out);
    }
    return true;
  }

  clear(out: SourceWriter): void {
    for (const { rateHandle } of this.#traffic) if (rateHandle >= 0) out.clearGauge(rateHandle);
    for (const handle of [this.#up, this.#speed]) if (handle >= 0) out.clearGauge(handle);
  }

  close(): void {
    for (const { file } of [...this.#traffic, ...this.#slow]) file.close();
  }

  #counter(
    file: string,
    family: string,
    doc: string,
    { scale = 1, rate = null, ...labels }: { scale?: number; rate?: Counter['rate']; error?: string; counter?: string },
  ): Counter[] {
    const opened = openSmallFile(join(this.#path, file));
    if (opened === null) return [];
    const own = Object.entries(labels);
    const name = formatMetric(family, [...this.#labels, ...own]);
    return [{ file: opened, scale, name, doc, detail: own.length > 0, rate, handle: -1, rateHandle: -1, before: -1 }];
  }

  /** False when the file has no number: the port is gone, or the adapter does not keep this one. */
  #read(out: SourceWriter, counter: Counter, seconds: number): boolean {
    const raw = counter.file.unsigned();
    if (raw < 0) {
      if (counter.rateHandle >= 0) out.clearGauge(counter.rateHandle);
      counter.before = -1;
      return false;
    }
    const total = raw * counter.scale;
    if (counter.handle < 0) counter.handle = out.counter(counter.name, counter.doc, { detail: counter.detail });
    out.setCounter(counter.handle, total);
    if (counter.rate !== null && counter.before >= 0 && seconds > 0) {
      if (counter.rateHandle < 0) counter.rateHandle = out.gauge(counter.rate.name, counter.rate.doc);
      const grown = total - counter.before;
      // A smaller total is a counter that somebody reset: how much it grew is not known.
      if (grown >= 0) out.setGauge(counter.rateHandle, grown / seconds);
      else out.clearGauge(counter.rateHandle);
    }
    counter.before = total;
    return true;
  }

  #link(out: SourceWriter): void {
    const up = parseState(readLine(join(this.#path, 'state')) ?? '');
    const speed = parseRate(readLine(join(this.#path, 'rate')) ?? '');
    if (up !== null) {
      if (this.#up < 0) {
        this.#up = out.gauge(
          formatMetric('proxy_infiniband_link_up', this.#labels),
          'Whether this port carries data: 1 or 0',
        );
      }
      out.setGauge(this.#up, up ? 1 : 0);
    }
    if (speed !== null) {
      if (this.#speed < 0) {
        this.#speed = out.gauge(
          formatMetric('proxy_infiniband_link_bandwidth_bytes', this.#labels),
          'Bytes per second that this port can carry in each direction',
        );
      }
      out.setGauge(this.#speed, speed);
    }
  }
}

/** Traffic, errors and hardware counters of each port of InfiniBand, RoCE and Omni-Path, from /sys/class/infiniband. */
export const infiniband: Source = {
  name: 'infiniband',
  open(roots) {
    const root = join(roots.sys, 'class', 'infiniband');
    const list = (): string[] =>
      listFolder(root).flatMap((device) =>
        listFolder(join(root, device, 'ports'))
          .filter((port) => /^\d{1,3}$/.test(port))
          .map((port) => `${device}/${port}`),
      );
    const open = (name: string): Device | null => {
      const slash = name.lastIndexOf('/');
      const device = name.slice(0, slash);
      const number = name.slice(slash + 1);
      const port = new Port(join(root, device, 'ports', number), [
        ['device', labelValue(Buffer.from(device))],
        ['port', number],
      ]);
      return port.empty ? null : port;
    };
    return new Devices(list, open, MAX_PORTS).orNull();
  },
};
