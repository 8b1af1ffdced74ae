import { join } from 'node:path';
import { formatMetric } from '../../shared/model/metric.ts';
import { Cursor } from './cursor.ts';
import { Known } from './known.ts';
import { openTickFile } from './read.ts';
import type { TickFile } from './read.ts';
import type { Source, SourceInstance, SourceWriter } from './source.ts';
import { Totals } from './totals.ts';

const NEWLINE = 0x0a;
const SPACE = 0x20;

/** Columns of /proc/diskstats behind the name that are read. Kernels before 4.18 and 5.5 have fewer; -1 then. */
const WIDTH = 17;
/** Partitions of kernels before 2.6.25 have four: they are left out. */
const FEWEST_COLUMNS = 11;
const READS = 0;
const READ_SECTORS = 2;
const READ_MS = 3;
const WRITES = 4;
const WRITTEN_SECTORS = 6;
const WRITE_MS = 7;
const IO_NOW = 8;
const IO_MS = 9;
/** Sectors of this file are of 512 bytes, whatever the disk's own are. */
const SECTOR = 512;
const MS = 1 / 1000;

const MAX_DISKS = 512;
/** Partitions count in their disk, and memory and loop devices are none. */
const NO_DISK = /^(?:z?ram\d+|loop\d+|fd\d+|sr\d+|(?:h|s|v|xv)d[a-z]+\d+|nvme\d+n\d+p\d+|mmcblk\d+(?:p|boot|rpmb).*)$/;
/** Made of other disks, which count already. */
const MADE_OF_OTHERS = /^(?:dm-|md|drbd|bcache)/;

export interface Diskstats {
  count: number;
  /** Where the name of each disk stands in the bytes that were parsed: from, and behind its end. */
  nameFrom: Int32Array;
  nameTo: Int32Array;
  /** Columns of each disk, WIDTH apiece; -1 for those that the line does not have. */
  columns: Float64Array;
}

export function emptyDiskstats(): Diskstats {
  return {
    ...{ count: 0, nameFrom: new Int32Array(16), nameTo: new Int32Array(16) },
    columns: new Float64Array(16 * WIDTH),
  };
}

/** The lines of /proc/diskstats, partitions too; those cut off or malformed are left out. Writes over `into`. Never throws. */
export function parseDiskstats(bytes: Uint8Array, into: Diskstats = emptyDiskstats()): Diskstats {
  const cursor = new Cursor(bytes);
  into.count = 0;
  while (cursor.at < bytes.length && into.count < 4 * MAX_DISKS) {
    const numbered = cursor.unsigned() >= 0 && cursor.unsigned() >= 0;
    cursor.skipBlanks();
    const from = cursor.at;
    while (cursor.at < bytes.length && bytes[cursor.at] !== SPACE && bytes[cursor.at] !== NEWLINE) cursor.at++;
    const to = cursor.at;
    if (into.count === into.nameFrom.length) grow(into);
    const good = numbered && to > from && readColumns(cursor, into.columns, into.count * WIDTH);
    if (!cursor.nextLine()) break;
    if (!good) continue;
    into.nameFrom[into.count] = from;
    into.nameTo[into.count] = to;
    into.count++;
  }
  return into;
}

function readColumns(cursor: Cursor, columns: Float64Array, offset: number): boolean {
  let column = 0;
  for (; column < WIDTH; column++) {
    cursor.skipBlanks();
    if (cursor.atNewline()) break;
    const value = cursor.unsigned();
    if (value < 0) return false;
    columns[offset + column] = value;
  }
  columns.fill(-1, offset + column, offset + WIDTH);
  return column >= FEWEST_COLUMNS;
}

function grow(stats: Diskstats): void {
  const from = new Int32Array(stats.nameFrom.length * 2);
  from.set(stats.nameFrom);
  stats.nameFrom = from;
  const to = new Int32Array(stats.nameTo.length * 2);
  to.set(stats.nameTo);
  stats.nameTo = to;
  const columns = new Float64Array(stats.columns.length * 2);
  columns.set(stats.columns);
  stats.columns = columns;
}

const COUNTERS: readonly (readonly [column: number, scale: number, name: string, doc: string])[] = [
  [READS, 1, 'proxy_disk_reads_completed_total', 'Reads that this disk has finished'],
  [READ_SECTORS, SECTOR, 'proxy_disk_read_bytes_total', 'Bytes read from this disk'],
  [READ_MS, MS, 'proxy_disk_read_time_seconds_total', 'Time that reads of this disk took, all added up'],
  [WRITES, 1, 'proxy_disk_writes_completed_total', 'Writes that this disk has finished'],
  [WRITTEN_SECTORS, SECTOR, 'proxy_disk_written_bytes_total', 'Bytes written to this disk'],
  [WRITE_MS, MS, 'proxy_disk_write_time_seconds_total', 'Time that writes to this disk took, all added up'],
  [IO_MS, MS, 'proxy_disk_io_time_seconds_total', 'Time in which this disk had something to do'],
  [10, MS, 'proxy_disk_io_time_weighted_seconds_total', 'Time that all requests to this disk waited, all added up'],
  [15, 1, 'proxy_disk_flush_requests_total', 'Flushes that this disk has finished'],
  [16, MS, 'proxy_disk_flush_requests_time_seconds_total', 'Time that flushes of this disk took, all added up'],
];

/** Sums over all disks of the node. */
const TOTALS: readonly (readonly [column: number, scale: number, name: string, doc: string])[] = [
  [READS, 1, 'proxy_disk_node_reads_completed_total', 'Reads that the disks of this node have finished'],
  [READ_SECTORS, SECTOR, 'proxy_disk_node_read_bytes_total', 'Bytes read from the disks of this node'],
  [WRITES, 1, 'proxy_disk_node_writes_completed_total', 'Writes that the disks of this node have finished'],
  [WRITTEN_SECTORS, SECTOR, 'proxy_disk_node_written_bytes_total', 'Bytes written to the disks of this node'],
];

/** Above `seen` of a new disk by two, so that a new one is not one seen at the tick before. */
const FIRST_TICK = 2;

interface Disk {
  readonly name: string;
  readonly inTotal: boolean;
  handles: Handles | null;
  readonly before: Float64Array;
  /** The tick last seen at; 0 for never. */
  seen: number;
}

interface Handles {
  /** In the order of COUNTERS; -1: the kernel does not tell it. */
  readonly counters: readonly number[];
  readonly now: number;
  readonly busy: number;
  readonly readLatency: number;
  readonly writeLatency: number;
}

class DisksInstance implements SourceInstance {
  readonly #file: TickFile;
  readonly #stats = emptyDiskstats();
  readonly #known = new Known<Disk>(4 * MAX_DISKS, (text) => this.#make(text));
  #disks = 0;
  #tick = FIRST_TICK - 1;
  readonly #totals = new Totals(TOTALS.map(([, , name, doc]) => [name, doc]));

  constructor(file: TickFile) {
    this.#file = file;
  }

  sample(out: SourceWriter, seconds: number): void {
    const bytes = this.#file.read();
    const stats = parseDiskstats(bytes, this.#stats);
    const tick = ++this.#tick;
    let any = false;
    for (let i = 0; i < stats.count; i++) {
      const disk = this.#known.find(bytes, stats.nameFrom[i]!, stats.nameTo[i]!, i);
      if (disk === null || disk.seen === tick) continue;
      any ||= disk.inTotal;
      // Those that are there at first bring their totals since boot.
      if (disk.inTotal && (disk.seen === tick - 1 || tick === FIRST_TICK)) this.#grow(disk, stats.columns, i * WIDTH);
      emit(out, disk, stats.columns, i * WIDTH, disk.seen === tick - 1 ? seconds : 0);
      disk.seen = tick;
    }
    for (const disk of this.#known.items()) {
      if (disk.seen === tick - 1 && disk.handles !== null) clearGauges(out, disk.handles);
    }
    if (any) this.#totals.emit(out);
  }

  close(): void {
    this.#file.close();
  }

  #make(name: string): Disk | null {
    if (NO_DISK.test(name) || this.#disks >= MAX_DISKS) return null;
    this.#disks++;
    const inTotal = !MADE_OF_OTHERS.test(name);
    return { name, inTotal, handles: null, before: new Float64Array(WIDTH), seen: 0 };
  }

  #grow(disk: Disk, columns: Float64Array, offset: number): void {
    for (let i = 0; i < TOTALS.length; i++) {
      const [column, scale] = TOTALS[i]!;
      this.#totals.grow(i, (columns[offset + column]! - disk.before[column]!) * scale);
    }
  }
}

function register(out: SourceWriter, name: string, columns: Float64Array, offset: number): Handles {
  const full = (family: string): string => formatMetric(family, [['device', name]]);
  const detail = { detail: true };
  const gauge = (family: string, doc: string): number => out.gauge(full(family), doc, detail);
  return {
    counters: COUNTERS.map(([column, , family, doc]) =>
      columns[offset + column]! < 0 ? -1 : out.counter(full(family), doc, detail),
    ),
    now: gauge('proxy_disk_io_now', 'Requests that this disk works on'),
    busy: gauge('proxy_disk_busy_percent', 'Share of the last interval in which this disk had something to do'),
    readLatency: gauge(
      'proxy_disk_read_latency_seconds',
      'What a read of this disk took on average in the last interval',
    ),
    writeLatency: gauge(
      'proxy_disk_write_latency_seconds',
      'What a write to this disk took on average in the last interval',
    ),
  };
}

/** `seconds` 0: there is nothing yet to compare with. */
function emit(out: SourceWriter, disk: Disk, columns: Float64Array, offset: number, seconds: number): void {
  disk.handles ??= register(out, disk.name, columns, offset);
  const { handles, before } = disk;
  for (let i = 0; i < COUNTERS.length; i++) {
    const value = columns[offset + COUNTERS[i]![0]]!;
    if (handles.counters[i]! >= 0 && value >= 0) out.setCounter(handles.counters[i]!, value * COUNTERS[i]![1]);
  }
  out.setGauge(handles.now, columns[offset + IO_NOW]!);
  if (seconds > 0) {
    const grown = (column: number): number => columns[offset + column]! - before[column]!;
    const busy = grown(IO_MS);
    // A smaller total is a disk made anew under its old name.
    if (busy >= 0) out.setGauge(handles.busy, Math.min(100, (100 * busy * MS) / seconds));
    else out.clearGauge(handles.busy);
    latency(out, handles.readLatency, grown(READ_MS), grown(READS));
    latency(out, handles.writeLatency, grown(WRITE_MS), grown(WRITES));
  }
  for (let column = 0; column < WIDTH; column++) before[column] = columns[offset + column]!;
}

/** Without a request there is no latency, which is not a latency of nothing. */
function latency(out: SourceWriter, handle: number, ms: number, requests: number): void {
  if (requests > 0 && ms >= 0) out.setGauge(handle, (ms * MS) / requests);
  else out.clearGauge(handle);
}

function clearGauges(out: SourceWriter, handles: Handles): void {
  for (const gauge of [handles.now, handles.busy, handles.readLatency, handles.writeLatency]) out.clearGauge(gauge);
}

/** Reads, writes, and how long they take, of each disk and of all, from /proc/diskstats. */
export const disks: Source = {
  name: 'disks',
  open(roots) {
    const file = openTickFile(join(roots.proc, 'diskstats'));
    return file === null ? null : new DisksInstance(file);
  },
};
