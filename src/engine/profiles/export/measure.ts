/**
 * How large a file will be: a little of it is written, and what that takes tells the rest. How long numbers are as text,
 * and how well they pack, differs a hundredfold from program to program: no table of sizes would do.
 */

import type { ExportFormat } from '../../../shared/api/exports.ts';
import { FORMATS, type WriteExport } from './formats.ts';
import type { ExportJob, ExportScope, Piece } from './job.ts';
import { isMeasured } from './measured.ts';
import { Out } from './out.ts';
import { ROWS } from './parquet.ts';
import { WIDTH } from './plan.ts';
import { MOST_RUNS } from './report.ts';

/** Scopes and runs that are looked at. */
const SCOPES = 4;
const RUNS = 3;
/** Values of each scope that are written. */
const CELLS = 20_000;
/** A run in the table of a report, and nowhere else. */
const TABLE_ROW = 400;

/** Bytes, about. Throws what reading throws. `samples`: values of all of it. */
export async function measureBytes(job: ExportJob, format: ExportFormat, samples: number): Promise<number> {
  const write = await FORMATS[format]();
  // Only these formats have more in them for each run than a line.
  const byRun = format === 'json' || format === 'extrap' || format === 'html';
  const meant = format === 'extrap' ? job.runs.filter(isMeasured) : job.runs;
  const runs = byRun ? spread(meant, RUNS) : job.runs;
  const scopes = weighty(job);
  // It asks each of them for its series: of thousands, that would take longer than anybody waits for an estimate.
  const few: ExportJob = {
    ...job,
    runs,
    scopes: format === 'openmetrics' ? scopes : job.scopes,
    count: () => undefined,
  };
  const head = await sizeOf(write, { ...few, pieces: noPieces });
  const shown = format === 'html' ? Math.min(MOST_RUNS, meant.length) : meant.length;
  const fixed = byRun && runs.length > 0 ? (head / runs.length) * shown + (meant.length - shown) * TABLE_ROW : head;
  if (scopes.length === 0) return Math.round(fixed);
  const rows = (scope: ExportScope): number => Math.min(CELLS, job.rows(scope));
  const some = piecesOf(job, scopes, Infinity);
  const size = await sizeOf(write, { ...few, rows, pieces: some.pieces });
  if (some.count.cells === 0) return Math.round(fixed);
  if (format !== 'parquet') return Math.round(fixed + ((size - head) / some.count.cells) * samples);
  // What each group has besides its values: nearly all that there is of one whose series have a row each.
  const single = piecesOf(job, scopes, 1);
  const base = await sizeOf(write, { ...few, rows, pieces: single.pieces });
  const perCell = (size - base) / Math.max(1, some.count.cells - single.count.cells);
  return Math.round(fixed + (base - head) * Math.ceil(samples / ROWS) + perCell * samples);
}

/** Some pieces of each scope; with a number of rows one piece that has no more. `count`: of the values that were read so far. */
function piecesOf(
  job: ExportJob,
  scopes: readonly ExportScope[],
  rows: number,
): { readonly pieces: ExportJob['pieces']; readonly count: { cells: number } } {
  const count = { cells: 0 };
  async function* pieces(
    these: readonly ExportScope[] = scopes,
    wanted?: Parameters<ExportJob['pieces']>[1],
  ): AsyncGenerator<Piece> {
    for (const scope of these) {
      // From its middle: at its beginning numbers are shorter.
      let left = CELLS;
      const middle = { ...scope, from: Math.floor((scope.from + scope.to) / 2) };
      for await (const piece of job.pieces([middle], wanted)) {
        const some = cut(piece, rows);
        // Of buckets a piece has whole hours, however little of these there is.
        const first = scope.from - WIDTH[job.resolution];
        const within = some.times.reduce((sum, time) => (time > first && time <= scope.to ? sum + 1 : sum), 0);
        const cells = within * some.series.length;
        count.cells += cells;
        left -= cells;
        yield some;
        if (left <= 0 || rows < Infinity) break;
      }
    }
  }
  return { pieces, count };
}

async function* noPieces(): AsyncGenerator<Piece> {}

/** Writes it to nowhere. */
async function sizeOf(write: WriteExport, job: ExportJob): Promise<number> {
  let size = 0;
  const out = new Out((piece) => void (size += piece.length), Infinity);
  await write(job, out);
  out.flush();
  return size;
}

/** As many as that at most, from all over the list. */
function spread<T>(all: readonly T[], most: number): readonly T[] {
  if (all.length <= most) return all;
  return Array.from({ length: most }, (_, i) => all[Math.round((i * (all.length - 1)) / (most - 1))]!);
}

/** From all over the list, and likelier those that there is more of: one of a run, not of its many ranks. */
function weighty(job: ExportJob): readonly ExportScope[] {
  const { scopes } = job;
  if (scopes.length <= SCOPES) return scopes;
  const all = scopes.reduce((sum, scope) => sum + job.rows(scope), 0);
  const found = new Set<ExportScope>();
  let before = 0;
  let next = 0.5;
  for (const scope of scopes) {
    before += job.rows(scope);
    if (before < (next * all) / SCOPES) continue;
    found.add(scope);
    while (before >= (next * all) / SCOPES && next < SCOPES) next++;
  }
  return [...found].slice(0, SCOPES);
}

/** The first rows, and of too many series some: those that are not read cost nothing. */
function cut(piece: Piece, rows: number): Piece {
  const times = piece.times.subarray(0, Math.min(rows, piece.times.length));
  const part = (column: Float64Array): Float64Array => column.subarray(0, times.length);
  const step = Math.max(1, Math.ceil((times.length * piece.series.length) / CELLS));
  return {
    ...{ scope: piece.scope, times, series: piece.series.filter((_, i) => i % step === 0) },
    values: (series) => {
      const { value, min, max, last } = piece.values(series * step);
      return { value: part(value), min: min && part(min), max: max && part(max), last: last && part(last) };
    },
  };
}
