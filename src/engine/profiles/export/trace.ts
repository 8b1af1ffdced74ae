/**
 * The Trace Event Format that Perfetto and chrome://tracing read: a process for each rank (and run, and node), in it a
 * track of counters for each metric, and each run as a slice. Of a counter its rate per second, of a gauge its value.
 */

import { NUMBER_BYTES, writeAscii, writeNumber } from './numbers.ts';
import type { ExportJob, ExportScope, ExportSeries, Piece } from './job.ts';
import type { Out } from './out.ts';

const MICRO = 1000;
const SECOND = 1000;

/** Last total of each counter, and its time. */
type Before = Map<ExportSeries, { time: number; total: number }>;

export async function writeTrace(job: ExportJob, out: Out): Promise<void> {
  const starts = job.runs.flatMap(({ start_time }) => (start_time > 0 ? [start_time] : []));
  const begin = Math.min(job.estimate.from ?? job.now, ...starts);
  const about = { ...job.engine, begin: new Date(begin).toISOString(), created: new Date(job.now).toISOString() };
  out.text(`{"displayTimeUnit":"ms","otherData":${JSON.stringify(about)},"traceEvents":[`);
  let comma = '';
  const event = (data: Record<string, unknown>): void => {
    out.text(`${comma}\n${JSON.stringify(data)}`);
    comma = ',';
  };
  for (const scope of job.scopes) {
    const pid = scope.number + 1;
    event({ ph: 'M', pid, tid: 0, name: 'process_name', args: { name: processName(scope) } });
    event({ ph: 'M', pid, tid: 0, name: 'process_sort_index', args: { sort_index: pid } });
    const { run } = scope;
    if (run && run.scope === scope.scope) {
      const start = run.start_time || scope.from;
      const dur = Math.max(1, (Math.max(run.end_time, scope.to) - start) * MICRO);
      const { jobid, command, size, nodes, cluster, partition, id } = run;
      const args = { jobid, command, size, nodes: nodes.join(','), cluster, partition, run: id };
      const name = command === '' ? jobid : command;
      event({ ph: 'X', pid, tid: 0, name, cat: 'run', ts: (start - begin) * MICRO, dur, args });
    }
    if (out.full) await out.drained();
  }
  const encoder = new TextEncoder();
  let before: Before = new Map();
  let last: ExportScope | null = null;
  for await (const piece of job.pieces()) {
    if (piece.scope !== last) before = new Map();
    last = piece.scope;
    for (const [i, series] of piece.series.entries()) {
      const name = series.kind === 'counter' ? `${series.key} (per s)` : series.key;
      // Never the first event: its process was named before.
      const head = `,\n{"ph":"C","pid":${piece.scope.number + 1},"tid":0,"name":${JSON.stringify(name)},"ts":`;
      writeEvents(out, encoder.encode(head), piece, i, begin, before);
      if (out.full) await out.drained();
    }
  }
  out.text('\n]}\n');
}

function processName({ scope, run, rank, node }: ExportScope): string {
  if (!run) return scope;
  const on = node === '' ? '' : ` on ${node}`;
  if (rank !== null) return `${run.jobid} rank ${rank}${on}`;
  return run.scope === scope ? `${run.jobid} (all ranks)` : `${run.jobid} node ${node}`;
}

function writeEvents(out: Out, head: Uint8Array, piece: Piece, i: number, begin: number, before: Before): void {
  const series = piece.series[i]!;
  const { value, last } = piece.values(i);
  const isTotal = series.kind === 'counter' && last === null;
  const state = before.get(series) ?? { time: NaN, total: NaN };
  for (let row = 0; row < value.length; row++) {
    const [time, now] = [piece.times[row]!, value[row]!];
    // Neither NaN nor infinite: JSON has no text for these.
    if (!Number.isFinite(now)) continue;
    let shown = now;
    if (isTotal) {
      const grown = now < state.total ? now : now - state.total;
      shown = (grown / (time - state.time)) * SECOND;
      state.time = time;
      state.total = now;
      if (!Number.isFinite(shown)) continue;
    }
    const into = out.reserve(head.length + 2 * NUMBER_BYTES + 32);
    into.set(head, out.at);
    let at = writeNumber(into, out.at + head.length, Math.round((time - begin) * MICRO));
    at = writeAscii(into, at, ',"args":{"value":');
    at = writeNumber(into, at, shown);
    out.at = writeAscii(into, at, '}}');
  }
  if (isTotal) before.set(series, state);
}
