/**
 * JSON: what it is of, the runs with their last values, then values over time. A series may have several entries, each of
 * a time after the one before. Null is a number that JSON has no text for.
 */

import type { ExportJob } from './job.ts';
import type { Out } from './out.ts';

/** Of an array of numbers: NaN and infinite ones become null. */
const textOf = (values: readonly number[]): string => JSON.stringify(values);

export async function writeJson(job: ExportJob, out: Out): Promise<void> {
  const { engine, now, resolution, estimate } = job;
  const head = { ...engine, created: now, resolution, notes: estimate.notes };
  out.text(`{"format":"vigie-export","version":1,"about":${JSON.stringify(head)},"profiles":[`);
  let first = true;
  for (const run of job.runs) {
    const profile = await job.profile(run);
    if (!profile) continue;
    out.text(first ? '\n' : ',\n');
    first = false;
    const { ranks, ...rest } = profile;
    out.text(`${JSON.stringify(rest).slice(0, -1)},"ranks":[`);
    // Thousands of ranks with hundreds of values each: one after another.
    for (const [i, rank] of ranks.entries()) {
      out.text(`${i === 0 ? '' : ','}${JSON.stringify(rank)}`);
      if (out.full) await out.drained();
    }
    out.text(']}');
  }
  out.text('],"samples":[');
  first = true;
  for await (const { scope, times, series, values } of job.pieces()) {
    const { run, rank, node } = scope;
    for (const [i, { key, kind, unit }] of series.entries()) {
      const columns = values(i);
      const { last } = columns;
      const known: number[] = [];
      for (let row = 0; row < times.length; row++) {
        if (!Number.isNaN(columns.value[row]) || (last && !Number.isNaN(last[row]))) known.push(row);
      }
      if (known.length === 0) continue;
      const column = (from: Float64Array): string => textOf(known.map((row) => from[row]!));
      const about = { scope: scope.scope, run: run?.id ?? null, rank, node, metric: key, kind, unit };
      out.text(`${first ? '\n' : ',\n'}${JSON.stringify(about).slice(0, -1)},"times":${column(times)}`);
      first = false;
      out.text(`,"${last ? 'avg' : 'value'}":${column(columns.value)}`);
      if (columns.min) out.text(`,"min":${column(columns.min)}`);
      if (columns.max) out.text(`,"max":${column(columns.max)}`);
      if (last) out.text(`,"last":${column(last)}`);
      out.text('}');
      if (out.full) await out.drained();
    }
  }
  out.text(']}\n');
}
