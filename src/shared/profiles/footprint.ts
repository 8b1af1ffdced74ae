/** The few numbers of a run that are held against other runs of its command. */

import type { Profile } from '../api/profiles.ts';
import { FOLDED, summarize, type MpiSummary } from './mpi-summary.ts';

/** Null: not measured, or not known. Shares are of all processes' run time; those of MPI and I/O 0 to 1. */
export interface RunFigures {
  /** Seconds. */
  readonly duration: number | null;
  readonly mpi: number | null;
  readonly io: number | null;
  /** Largest / mean − 1 of the ranks' time outside of MPI; where there is no MPI, of their CPU time. */
  readonly imbalance: number | null;
  /** Of one core for each process. */
  readonly cpu: number | null;
  /** Most bytes. */
  readonly memory: number | null;
}

const IO_TOTAL = 'total___io___time___total';
const IO_CALL = /^io___time___/;
/** As the client libraries of Prometheus and exporters name them, of one process or rank each; the engine itself, too. */
export const CPU_SECONDS = 'process_cpu_seconds_total';
const CPU_PERCENT = 'proxy_cpu_load_average_percent';
export const RESIDENT_BYTES = 'process_resident_memory_bytes';
const MEMORY: readonly string[] = [RESIDENT_BYTES, 'proxy_memory_used_bytes'];

/** Seconds; null: start or end is not known. */
export function elapsedOf({ run }: Pick<Profile, 'run'>): number | null {
  return run.start_time > 0 && run.end_time > run.start_time ? (run.end_time - run.start_time) / 1000 : null;
}

/** Of the profile's MPI; null: it has none. */
export function mpiOf({ run, series, ranks }: Profile): MpiSummary | null {
  const summary = summarize({ run, time: run.end_time, series, ranks });
  return summary.total.time === null && summary.total.calls === null ? null : summary;
}

/** Processes that the run's sums are of; 0: not known. */
export const processesOf = ({ run }: Pick<Profile, 'run'>): number => (run.ranks > 0 ? run.ranks : run.size);

export function figuresOf(profile: Profile, summary: MpiSummary | null = mpiOf(profile)): RunFigures {
  const elapsed = elapsedOf(profile);
  const processes = processesOf(profile);
  const all = elapsed === null || processes === 0 ? null : elapsed * processes;
  const share = (seconds: number | null): number | null => (seconds === null || all === null ? null : seconds / all);
  // Threads and children of a process wait at the same time: their sum can be more than all of it.
  const part = (value: number | null): number | null => (value === null ? null : Math.min(1, value));
  const percent = gaugeOf(profile, CPU_PERCENT);
  const memory = MEMORY.map((family) => gaugeOf(profile, family)).find((found) => found !== null) ?? null;
  return {
    duration: elapsed,
    // Ranks that never called MPI are none of it, where ranks are told.
    mpi: part(summary?.share ?? share(summary?.total.time ?? null)),
    io: part(
      share(sumOf(profile, (family) => family === IO_TOTAL) ?? sumOf(profile, (family) => IO_CALL.test(family))),
    ),
    imbalance: elapsed === null ? null : imbalanceOf(profile, elapsed, summary),
    cpu: share(sumOf(profile, (family) => family === CPU_SECONDS)) ?? (percent === null ? null : percent.mean / 100),
    memory: memory?.max ?? null,
  };
}

function sumOf({ series }: Profile, isMeant: (family: string) => boolean): number | null {
  let sum: number | null = null;
  for (const { family, kind, value } of series) {
    if (kind === 'counter' && value !== null && isMeant(family)) sum = (sum ?? 0) + value;
  }
  return sum;
}

function gaugeOf({ series }: Profile, family: string): { mean: number; max: number } | null {
  const found = series.find((one) => one.kind === 'gauge' && one.family === family);
  if (!found || found.value === null) return null;
  return { mean: found.value, max: found.gauge?.max ?? found.value };
}

function imbalanceOf(profile: Profile, elapsed: number, summary: MpiSummary | null): number | null {
  const times = summary?.ranks.flatMap(({ time }) => (time === null ? [] : [Math.max(0, elapsed - time)])) ?? [];
  if (times.length >= 2) return unevenness(times);
  const place = profile.series.findIndex(({ family, kind }) => kind === 'counter' && family === CPU_SECONDS);
  if (place < 0) return null;
  const used = profile.ranks.flatMap(({ node, values }) => {
    const value = node === FOLDED ? null : values[place];
    return value === null || value === undefined ? [] : [value];
  });
  return used.length >= 2 ? unevenness(used) : null;
}

/** Largest / mean − 1; null: the mean is 0. */
export function unevenness(values: readonly number[]): number | null {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (!(mean > 0)) return null;
  const max = values.reduce((a, b) => Math.max(a, b));
  // Rounding must not make equal ones uneven.
  return Math.max(0, max / mean - 1);
}
