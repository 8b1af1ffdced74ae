/**
 * JSON Lines for Extra-P: how metrics grow with the size of a run. Only metrics that each of the runs has, since Extra-P
 * cannot do with holes; several runs of one size are repetitions.
 */

import type { Run } from '../../../shared/api/runs.ts';
import type { ExportJob } from './job.ts';
import { isMeasured } from './measured.ts';
import type { Out } from './out.ts';

const SECOND = 1000;
const WALLTIME = 'walltime';

/** `mpi___time___mpi_send` is the time of a call path; what is built otherwise has no quantity of its own. */
export function extrapName(name: string): { metric: string; callpath: string } {
  const parts = name.split('___');
  const quantity = parts.length >= 3 && /^(hits|time|size)$/.test(parts[1]!) ? parts[1]! : 'various';
  return { metric: quantity, callpath: parts.join('->') };
}

/** Seconds; NaN: one of its ends is not known. */
const walltime = ({ start_time, end_time }: Run): number =>
  start_time > 0 && end_time >= start_time ? (end_time - start_time) / SECOND : NaN;

export async function writeExtrap(job: ExportJob, out: Out): Promise<void> {
  const runs = job.runs.filter(isMeasured).toSorted((a, b) => a.size - b.size);
  const byMetric = new Map<string, Float64Array>();
  const sizes: number[] = [];
  for (const run of runs) {
    const profile = await job.profile(run);
    job.count(1);
    if (!profile || profile.series.length === 0) continue;
    const column = sizes.push(run.size) - 1;
    const put = (name: string, value: number): void => {
      // A column for each run: maps of names for each of hundreds would take ten times as much.
      const values = byMetric.get(name) ?? new Float64Array(runs.length).fill(NaN);
      byMetric.set(name, values);
      values[column] = value;
    };
    put(WALLTIME, walltime(run));
    for (const { key, value } of profile.series) put(key, value ?? NaN);
  }
  for (const [name, all] of byMetric) {
    const values = all.subarray(0, sizes.length);
    if (!values.every(Number.isFinite) || values.every((value) => value === 0)) continue;
    for (const [i, size] of sizes.entries()) {
      out.text(`${JSON.stringify({ params: { size }, ...extrapName(name), value: values[i] })}\n`);
    }
    if (out.full) await out.drained();
  }
}
