/**
 * CPU time and memory of the processes that have shared tables, as the kernel tells them: series of their ranks beside
 * those that the processes count themselves.
 *
 * CPU time adds up. It is counted once for each process, whatever tables it makes one after the other (exec), and goes on
 * after a restart from what was counted before. Memory of a rank is the sum over its processes that live. Where a program
 * gives these series itself, nothing is added to them.
 */

import { statSync } from 'node:fs';
import { cpus, totalmem, uptime } from 'node:os';
import { CPU_SECONDS, RESIDENT_BYTES } from '../../shared/profiles/footprint.ts';
import type { Contributor } from '../live/contributor.ts';
import type { Client } from './client.ts';
import { readStat } from './process-stat.ts';
import type { IngestStats } from './stats.ts';

const DOCS = {
  [CPU_SECONDS]: 'User and system CPU time of the processes, in seconds, as the kernel counts it',
  [RESIDENT_BYTES]: 'Bytes of memory that the processes have, as the kernel counts it',
};

/** Looked at in one tick; when there are more, by turns. */
export const MOST_AT_ONCE = 200;
/** However often the engine ticks, ms. */
const LOOK_AFTER = 900;
/** What was counted of a process is kept for so long after its table has ended: its next one may be on its way. ms. */
const KEPT_FOR = 60_000;
const MOST_KEPT = 4096;
/** Nothing observed, as a gauge has it. */
const NOTHING = [Infinity, -Infinity, 0, 0] as const;

export interface ProcessId {
  readonly pid: number | string;
  /** Clock ticks after boot. */
  readonly startTime: bigint | string;
}

/** What a process said of itself when it left. */
export interface LastWords {
  readonly cpuSeconds: number;
  /** Most bytes that it had in memory; 0: not known. */
  readonly peakBytes: number;
}

/** What an engine that starts again must know: seconds. */
export interface UsageMark {
  /** Given to the run by way of this table. */
  readonly given: number;
  /** All that the run has of the process. */
  readonly counted: number;
}

/** What a table's values count as. */
export interface Counting {
  readonly client: Client;
  readonly sink: {
    /** Families of the program's own. */
    readonly owns: ReadonlySet<string>;
    /** Something was taken since its values were last stored. */
    changed: boolean;
  };
}

interface Process extends ProcessId {
  readonly key: string;
  /** Of one run. The last one's client counts. */
  readonly tables: Measured[];
  /** CPU seconds that the run has; null: it begins with the next look. */
  seconds: number | null;
  residentBytes: number;
}

interface Extremes {
  min: number;
  max: number;
  now: number;
}

/** A table whose process is looked at. */
export class Measured {
  /** Changes its client when the program says its rank. */
  readonly table: Counting;
  readonly process: Process;
  /** CPU seconds that its client has counted. */
  given = 0;

  constructor(table: Counting, process: Process) {
    this.table = table;
    this.process = process;
  }

  get mark(): UsageMark | undefined {
    const { seconds } = this.process;
    return seconds === null ? undefined : { given: this.given, counted: seconds };
  }
}

export class ProcessUsage {
  readonly #stats: IngestStats;
  readonly #read: typeof readStat;
  /** By run and process; those that wait longest for a look come first. */
  readonly #processes = new Map<string, Process>();
  /** Without a table now: what was counted, and until when that is kept, ms. */
  readonly #kept = new Map<string, { readonly seconds: number | null; readonly until: number }>();
  readonly #memory = new WeakMap<Contributor, Extremes>();
  /** Ranks whose series are this class's. */
  readonly #given = { [CPU_SECONDS]: new WeakSet<Contributor>(), [RESIDENT_BYTES]: new WeakSet<Contributor>() };
  /** Ranks that may not have one. */
  readonly #refused = { [CPU_SECONDS]: new WeakSet<Contributor>(), [RESIDENT_BYTES]: new WeakSet<Contributor>() };
  /** Asked once, since that takes a while. `booted`: s since the epoch. */
  #machine: { readonly booted: number; readonly cores: number; readonly bytes: number } | null = null;
  #next = -Infinity;

  constructor(stats: IngestStats, read: typeof readStat = readStat) {
    this.#stats = stats;
    this.#read = read;
  }

  /**
   * A table of this process has been announced; null: it counts into no run.
   * @param since `start`: all of its CPU time counts; `now`: what it uses from here on; else what an earlier engine had.
   */
  add(table: Counting, { pid, startTime }: ProcessId, since: 'start' | 'now' | UsageMark): Measured | null {
    const { run } = table.client;
    if (run === null) return null;
    const key = `${run.id} ${pid}-${startTime}`;
    const kept = this.#kept.get(key);
    const known = this.#processes.get(key);
    const process = known ?? {
      pid,
      startTime,
      key,
      tables: [],
      seconds: since === 'start' ? 0 : null,
      residentBytes: 0,
    };
    const measured = new Measured(table, process);
    process.tables.push(measured);
    this.#kept.delete(key);
    this.#processes.set(key, process);
    if (!known && kept) process.seconds = kept.seconds;
    if (typeof since === 'object') {
      measured.given = since.given;
      process.seconds = Math.max(process.seconds ?? 0, since.counted);
      if (since.given > 0) this.#resume(table, since.given);
    }
    // What comes from now on is told from what was.
    if (process.seconds === null) this.#look(process);
    return measured;
  }

  /** Once per tick. `now`: on the monotonic clock, ms. */
  sample(now = performance.now()): void {
    if (this.#processes.size === 0 || now < this.#next) return;
    this.#next = now + LOOK_AFTER;
    const turns = this.#processes.size > MOST_AT_ONCE;
    let looked = 0;
    for (const [key, process] of this.#processes) {
      if (looked++ === MOST_AT_ONCE) break;
      this.#look(process);
      if (!turns) continue;
      this.#processes.delete(key);
      this.#processes.set(key, process);
    }
    this.#sumMemory();
  }

  /** The process may be about to end. */
  look({ process }: Measured): void {
    this.#look(process);
  }

  /** Its table is read no more. */
  end(measured: Measured, last: LastWords | null, now = performance.now()): void {
    const { process } = measured;
    this.#look(process);
    if (last) {
      // No process says more than the machine has.
      this.#machine ??= { booted: Date.now() / 1000 - uptime(), cores: cpus().length, bytes: totalmem() };
      if (last.cpuSeconds <= (Date.now() / 1000 - this.#machine.booted) * this.#machine.cores)
        this.#count(process, last.cpuSeconds);
      if (last.peakBytes <= this.#machine.bytes) this.#notePeak(measured, last.peakBytes);
    }
    const at = process.tables.indexOf(measured);
    if (at >= 0) process.tables.splice(at, 1);
    if (process.tables.length > 0) return;
    this.#processes.delete(process.key);
    this.#kept.set(process.key, { seconds: process.seconds, until: now + KEPT_FOR });
    for (const [key, { until }] of this.#kept) {
      if (until > now && this.#kept.size <= MOST_KEPT) break;
      this.#kept.delete(key);
    }
  }

  /** The table is about to count as `next`, which then has all that it counted. */
  move({ table: { client }, given, process }: Measured, next: Counting): void {
    const cpu = client.described(CPU_SECONDS);
    if (given > 0 && cpu >= 0) client.giveUp(cpu, given);
    if (given > 0) this.#resume(next, given);
    const memory = client.described(RESIDENT_BYTES);
    const { rank } = client;
    if (rank === null || memory < 0 || !this.#given[RESIDENT_BYTES].has(rank)) return;
    // Others may be that rank still, of which nobody would say what they have.
    const sum = this.#sums().get(rank)?.bytes ?? 0;
    if (sum > process.residentBytes) return;
    client.gauge(memory, ...NOTHING);
    this.#memory.delete(rank);
  }

  clear(): void {
    this.#processes.clear();
    this.#kept.clear();
  }

  #look(process: Process): void {
    const stat = this.#read(process.pid, process.startTime);
    process.residentBytes = stat === null || stat.ended ? 0 : stat.residentBytes;
    if (stat) this.#count(process, stat.cpuSeconds);
  }

  #count(process: Process, seconds: number): void {
    const before = process.seconds;
    if (before !== null && seconds <= before) return;
    process.seconds = seconds;
    const measured = process.tables.at(-1);
    if (
      before === null ||
      measured === undefined ||
      process.tables.some(({ table }) => table.sink.owns.has(CPU_SECONDS))
    )
      return;
    const handle = this.#handle(measured.table.client, CPU_SECONDS, 'counter');
    if (handle < 0 || measured.table.client.counter(handle, seconds - before) !== null) return;
    measured.given += seconds - before;
    // What is stored of each of them says how far the process is: any may be the first that comes back.
    for (const { table } of process.tables) table.sink.changed = true;
  }

  /** The rank has what the table gave before. */
  #resume({ client, sink }: Counting, given: number): void {
    const handle = sink.owns.has(CPU_SECONDS) ? -1 : this.#handle(client, CPU_SECONDS, 'counter');
    if (handle >= 0) client.resume(handle, given);
  }

  /** -1: the program's own, or refused. */
  #handle(client: Client, name: typeof CPU_SECONDS | typeof RESIDENT_BYTES, kind: 'counter' | 'gauge'): number {
    const { rank } = client;
    if (rank === null || this.#refused[name].has(rank)) return -1;
    const given = this.#given[name];
    if (given.has(rank)) {
      const described = client.described(name);
      if (described >= 0) return described;
    } else if (isThere(rank, name)) return -1;
    const refused = client.message({ type: 'desc', name, doc: DOCS[name], kind });
    if (refused) {
      this.#stats.reject(refused);
      this.#refused[name].add(rank);
      return -1;
    }
    given.add(rank);
    return client.described(name);
  }

  /** Of the processes that live, by rank; not of ranks where a program says it. */
  #sums(): Map<Contributor, { bytes: number; client: Client }> {
    const sums = new Map<Contributor, { bytes: number; client: Client }>();
    const owned: Contributor[] = [];
    for (const { tables, residentBytes } of this.#processes.values()) {
      for (const { table } of tables) {
        if (table.sink.owns.has(RESIDENT_BYTES) && table.client.rank !== null) owned.push(table.client.rank);
      }
      const client = tables.at(-1)?.table.client;
      const rank = client?.rank ?? null;
      if (client === undefined || rank === null || residentBytes === 0) continue;
      const sum = sums.get(rank);
      if (sum) sum.bytes += residentBytes;
      else sums.set(rank, { bytes: residentBytes, client });
    }
    for (const rank of owned) sums.delete(rank);
    return sums;
  }

  #sumMemory(): void {
    for (const [rank, { bytes, client }] of this.#sums()) {
      if (this.#memory.get(rank)?.now !== bytes || !hasGauge(rank)) this.#remember(client, rank, bytes, bytes);
    }
  }

  /** It may have had more for a moment than any look has seen. */
  #notePeak({ table: { client, sink } }: Measured, bytes: number): void {
    const { rank } = client;
    if (bytes === 0 || rank === null || sink.owns.has(RESIDENT_BYTES)) return;
    const known = this.#memory.get(rank);
    if (known === undefined || bytes > known.max) this.#remember(client, rank, known?.now ?? bytes, bytes);
  }

  #remember(client: Client, rank: Contributor, now: number, most: number): void {
    const handle = this.#handle(client, RESIDENT_BYTES, 'gauge');
    if (handle < 0) return;
    const known = this.#memory.get(rank);
    const next = { min: Math.min(known?.min ?? now, now), max: Math.max(known?.max ?? most, most), now };
    this.#memory.set(rank, next);
    client.gauge(handle, next.min, next.max, 1, now);
  }
}

/** Somebody has given this series to the rank. */
function isThere(rank: Contributor, name: string): boolean {
  const place = rank.scope.find(name);
  if (place === null) return false;
  return (place.kind === 'counter' ? rank.counterOf(place.index) : rank.gaugeOf(place.index)) !== null;
}

/** A rank that has ended and come back has lost its gauges. */
function hasGauge(rank: Contributor): boolean {
  const place = rank.scope.find(RESIDENT_BYTES);
  return place?.kind === 'gauge' && (rank.gaugeOf(place.index)?.gauge.hits ?? 0) > 0;
}

/** Whether the process is this engine's user's. */
export function isOwn({ pid }: ProcessId): boolean {
  try {
    return statSync(`/proc/${pid}`).uid === process.getuid?.();
  } catch {
    return false;
  }
}

/** The family, when this is a name of a series that a process without one of its own is given. */
export function usageFamily(name: string): string | null {
  return [CPU_SECONDS, RESIDENT_BYTES].find((family) => name === family || name.startsWith(`${family}{`)) ?? null;
}
