import { join } from 'node:path';
import { formatMetric } from '../../shared/model/metric.ts';
import type { Label } from '../../shared/model/metric.ts';
import { parseCpuinfo } from './cpuinfo.ts';
import { Cursor, ascii } from './cursor.ts';
import { KernelActivity } from './kernel.ts';
import { openTickFile, readOnce } from './read.ts';
import type { TickFile } from './read.ts';
import type { Source, SourceInstance, SourceWriter } from './source.ts';

/** Columns of /proc/stat, in its order. The guest columns after them are already inside user and nice. */
export const MODES = ['user', 'nice', 'system', 'idle', 'iowait', 'irq', 'softirq', 'steal'] as const;
const WIDTH = MODES.length;
const IDLE = 3;
const IOWAIT = 4;
const STEAL = 7;
/** The oldest kernels have user, nice, system and idle only. */
const FEWEST_COLUMNS = 4;

/** What /proc/stat counts in: USER_HZ, which is 100 on every architecture with Node, whatever the kernel's own HZ. */
const TICKS_PER_SECOND = 100;
/** More cores than any kernel is built for. A larger number is not a core. */
const MAX_CORES = 8192;
/**
 * Idle and iowait are estimates that the kernel sometimes corrects downwards a little. A counter that falls is a
 * restart to everyone who reads it, so up to this many seconds the higher value is kept.
 */
const CORRECTION_SECONDS = 3;

const CPU = ascii('cpu');

export interface CpuStat {
  /** Ticks by mode of all cores together, offline ones included; null when the line is missing. */
  total: Float64Array | null;
  /** Cores online, and how many of the arrays' places are filled. */
  count: number;
  /** Number of each core: offline ones leave gaps. */
  ids: Int32Array;
  /** Ticks of each core, WIDTH columns apiece. */
  ticks: Float64Array;
  /** Where the cpu lines end in the bytes that were parsed. */
  end: number;
}

export function emptyStat(): CpuStat {
  return { total: null, count: 0, ids: new Int32Array(8), ticks: new Float64Array(8 * WIDTH), end: 0 };
}

/** Up to WIDTH numbers into `into` from `offset`, absent ones 0. False when the line is not whole or not of numbers. */
function readTicks(cursor: Cursor, into: Float64Array, offset: number): boolean {
  let columns = 0;
  for (; columns < WIDTH; columns++) {
    cursor.skipBlanks();
    if (cursor.atNewline()) break;
    const value = cursor.unsigned();
    if (value < 0) {
      cursor.nextLine();
      return false;
    }
    into[offset + columns] = value;
  }
  into.fill(0, offset + columns, offset + WIDTH);
  return cursor.nextLine() && columns >= FEWEST_COLUMNS;
}

/** The cpu lines of /proc/stat; lines that are cut off or malformed are left out. Writes over `into`. Never throws. */
export function parseStat(bytes: Uint8Array, into: CpuStat = emptyStat()): CpuStat {
  const cursor = new Cursor(bytes);
  let total: Float64Array | null = null;
  into.count = 0;
  // They stand first; the long lines of interrupts behind them are not looked at.
  while (cursor.skip(CPU)) {
    if (bytes[cursor.at] === 0x20) {
      const sums: Float64Array = total ?? into.total ?? new Float64Array(WIDTH);
      if (readTicks(cursor, sums, 0)) total = sums;
      else total = null;
      continue;
    }
    const id = cursor.unsigned();
    if (id < 0 || id >= MAX_CORES || into.count >= MAX_CORES) {
      if (!cursor.nextLine()) break;
      continue;
    }
    if (into.count === into.ids.length) grow(into);
    if (!readTicks(cursor, into.ticks, into.count * WIDTH)) continue;
    into.ids[into.count++] = id;
  }
  into.total = total;
  into.end = cursor.at;
  return into;
}

function grow(stat: CpuStat): void {
  const ids = new Int32Array(stat.ids.length * 2);
  ids.set(stat.ids);
  stat.ids = ids;
  const ticks = new Float64Array(stat.ticks.length * 2);
  ticks.set(stat.ticks);
  stat.ticks = ticks;
}

/**
 * Share of the time between two readings that was spent working, 0 to 100; -1 when no tick passed. Time stolen by the
 * hypervisor is part of the interval but is not use. Ticks that went backwards count as none.
 */
export function usagePercent(now: Float64Array, nowAt: number, before: Float64Array, beforeAt: number): number {
  let all = 0;
  let unused = 0;
  for (let mode = 0; mode < WIDTH; mode++) {
    const passed = now[nowAt + mode]! - before[beforeAt + mode]!;
    if (passed <= 0) continue;
    all += passed;
    if (mode === IDLE || mode === IOWAIT || mode === STEAL) unused += passed;
  }
  return all > 0 ? (100 * (all - unused)) / all : -1;
}

interface Handles {
  readonly count: number;
  readonly mean: number;
  readonly seconds: readonly number[];
}

class CpuInstance implements SourceInstance {
  readonly #file: TickFile;
  readonly #cpuinfoPath: string;
  readonly #stat = emptyStat();
  #handles: Handles | null = null;
  #tick = 0;
  #totalBefore: Float64Array | null = null;
  readonly #seconds = new Float64Array(WIDTH);
  readonly #activity = new KernelActivity();
  // By core number: the gauge's handle (-1 before the first), the tick last seen at, and the ticks read then.
  #gauge = new Int32Array(0);
  #seen = new Float64Array(0);
  #before = new Float64Array(0);
  // WIDTH apiece: the handles of a core's counters, and the seconds they stand at.
  #counters = new Int32Array(0);
  #coreSeconds = new Float64Array(0);

  constructor(file: TickFile, cpuinfoPath: string) {
    this.#file = file;
    this.#cpuinfoPath = cpuinfoPath;
  }

  sample(out: SourceWriter, seconds: number): void {
    const bytes = this.#file.read();
    const stat = parseStat(bytes, this.#stat);
    if (stat.total === null) throw new Error('stat has no line of all CPUs');
    this.#emitTotal(out, stat.total, stat.count, seconds);
    this.#emitCores(out, stat, seconds);
    this.#activity.emit(out, bytes, stat.end);
  }

  close(): void {
    this.#file.close();
  }

  #emitTotal(out: SourceWriter, total: Float64Array, count: number, seconds: number): void {
    this.#handles ??= register(out);
    const { mean, seconds: counters } = this.#handles;
    out.setGauge(this.#handles.count, count);
    for (let mode = 0; mode < WIDTH; mode++) {
      emitSeconds(out, counters[mode]!, this.#seconds, mode, total[mode]!);
    }
    if (this.#totalBefore === null) {
      this.#totalBefore = total.slice();
      return;
    }
    const percent = usagePercent(total, 0, this.#totalBefore, 0);
    if (seconds > 0 && percent >= 0) out.setGauge(mean, percent);
    this.#totalBefore.set(total);
  }

  #emitCores(out: SourceWriter, stat: CpuStat, seconds: number): void {
    const tick = ++this.#tick;
    this.#registerCores(out, stat);
    const gauges = this.#gauge;
    const seen = this.#seen;
    for (let i = 0; i < stat.count; i++) {
      const id = stat.ids[i]!;
      if (seen[id] === tick) continue;
      if (seen[id] === tick - 1 && seconds > 0) {
        const percent = usagePercent(stat.ticks, i * WIDTH, this.#before, id * WIDTH);
        if (percent >= 0) out.setGauge(gauges[id]!, percent);
      }
      seen[id] = tick;
      for (let mode = 0; mode < WIDTH; mode++) {
        const at = id * WIDTH + mode;
        const ticks = stat.ticks[i * WIDTH + mode]!;
        this.#before[at] = ticks;
        emitSeconds(out, this.#counters[at]!, this.#coreSeconds, at, ticks);
      }
    }
    // Gone offline since the tick before.
    for (let id = 0; id < seen.length; id++) {
      if (seen[id] === tick - 1 && gauges[id]! >= 0) out.clearGauge(gauges[id]!);
    }
  }

  #registerCores(out: SourceWriter, stat: CpuStat): void {
    let models: ReturnType<typeof parseCpuinfo> | null = null;
    for (let i = 0; i < stat.count; i++) {
      const id = stat.ids[i]!;
      if (id >= this.#gauge.length) this.#growTo(id + 1);
      if (this.#gauge[id]! >= 0) continue;
      // Read when a core is new only: this file makes the kernel ask every core for its frequency.
      models ??= parseCpuinfo(readOnce(this.#cpuinfoPath) ?? new Uint8Array(0));
      const labels: Label[] = [['name', `cpu${id}`]];
      const { vendor = null, model = null } = models.get(id) ?? {};
      if (vendor !== null) labels.push(['vendor', vendor]);
      if (model !== null) labels.push(['model', model]);
      // No proxy_cpu_frequency_ghz beside it: under that name the Rust proxy gives MHz, so no value would be right.
      this.#gauge[id] = out.gauge(
        formatMetric('proxy_cpu_usage_percent', labels),
        'Share of the last interval that this core spent working',
        { detail: true },
      );
      for (let mode = 0; mode < WIDTH; mode++) {
        this.#counters[id * WIDTH + mode] = out.counter(
          formatMetric('proxy_cpu_core_seconds_total', [
            ['cpu', String(id)],
            ['mode', MODES[mode]!],
          ]),
          'CPU time of this core since boot by mode, in seconds',
          { detail: true },
        );
      }
    }
  }

  #growTo(cores: number): void {
    const size = Math.max(cores, this.#gauge.length * 2);
    const gauge = new Int32Array(size).fill(-1);
    gauge.set(this.#gauge);
    this.#gauge = gauge;
    // -1: no tick has this number, so a core never seen is not one that just went away.
    const seen = new Float64Array(size).fill(-1);
    seen.set(this.#seen);
    this.#seen = seen;
    const before = new Float64Array(size * WIDTH);
    before.set(this.#before);
    this.#before = before;
    const counters = new Int32Array(size * WIDTH);
    counters.set(this.#counters);
    this.#counters = counters;
    const coreSeconds = new Float64Array(size * WIDTH);
    coreSeconds.set(this.#coreSeconds);
    this.#coreSeconds = coreSeconds;
  }
}

/** Sets a counter that stands at `before[at]` seconds, unless the kernel corrected it downwards a little. */
function emitSeconds(out: SourceWriter, handle: number, before: Float64Array, at: number, ticks: number): void {
  const now = ticks / TICKS_PER_SECOND;
  const fell = before[at]! - now;
  if (fell > 0 && fell <= CORRECTION_SECONDS) return;
  before[at] = now;
  out.setCounter(handle, now);
}

function register(out: SourceWriter): Handles {
  return {
    count: out.gauge('proxy_cpu_total', 'Number of CPUs that are online'),
    mean: out.gauge(
      'proxy_cpu_load_average_percent',
      'Share of the last interval that the CPUs spent working, on average',
    ),
    seconds: MODES.map((mode) =>
      out.counter(
        formatMetric('proxy_cpu_seconds_total', [['mode', mode]]),
        'CPU time of all cores since boot by mode, in seconds',
      ),
    ),
  };
}

/** Use of each core and of all, CPU time by mode, and what the kernel is busy with, from /proc/stat. */
export const cpu: Source = {
  name: 'cpu',
  open(roots) {
    const file = openTickFile(join(roots.proc, 'stat'));
    return file === null ? null : new CpuInstance(file, join(roots.proc, 'cpuinfo'));
  },
};
