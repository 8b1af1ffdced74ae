/** What a heatmap says in words, and its numbers as cells of a file. */

import type { SeriesValue } from '../../../../shared/api/series.ts';
import type { CsvCell } from '../../../format/csv.ts';
import { formatClock, formatElapsed } from '../../../format/time.ts';
import { formatValue } from '../../../format/units.ts';
import { cellAt, columnSpan } from './cells.ts';
import type { Cells, RowSum } from './cells.ts';

/** Series to choose from: those of time first, the largest first, then the others as they are. */
export function seriesByTime(series: readonly SeriesValue[]): SeriesValue[] {
  const isTime = (one: SeriesValue): boolean => one.kind === 'counter' && one.unit === 's';
  return [...series].sort(
    (a, b) => Number(isTime(b)) - Number(isTime(a)) || (isTime(a) && isTime(b) ? (b.value ?? 0) - (a.value ?? 0) : 0),
  );
}

/** A value of a cell: of a counter, what it grew by per second. */
export const cellText = (value: number, { kind, unit }: Pick<SeriesValue, 'kind' | 'unit'>): string =>
  Number.isFinite(value) ? formatValue(value, unit, kind === 'counter') : 'no sample';

/** `rank 12 on node03`. */
export const rankText = ({ ranks, nodes }: Pick<Cells, 'ranks' | 'nodes'>, row: number): string =>
  `rank ${ranks[row] ?? '?'}${nodes[row] ? ` on ${nodes[row].slice(0, 200)}` : ''}`;

/** `14:03:10 – 14:03:20, 0:40 after the start`. `start` of the run, ms; 0: not known. */
export function timeText(cells: Omit<Cells, 'values'>, column: number, start: number): string {
  const [from, to] = columnSpan(cells, column);
  const since = start > 0 ? `, ${formatElapsed(Math.max(0, from - start))} after the start` : '';
  return `${formatClock(from)} – ${formatClock(to)}${since}`;
}

/** All of the map in a sentence or two. */
export function summaryText(
  cells: Cells,
  sums: readonly (RowSum | null)[],
  name: string,
  series: Pick<SeriesValue, 'kind' | 'unit'>,
): string {
  const known = sums.flatMap((sum, row) => (sum ? [{ sum, row }] : []));
  const what = `${name} of ${cells.ranks.length} ranks over ${formatElapsed(cells.to - cells.from)}`;
  const [first] = known;
  if (!first) return `${what}: no sample.`;
  const least = known.reduce((a, b) => (b.sum.mean < a.sum.mean ? b : a), first);
  const most = known.reduce((a, b) => (b.sum.mean > a.sum.mean ? b : a), first);
  const at = ({ row, sum }: typeof first): string => `${rankText(cells, row)} (${cellText(sum.mean, series)})`;
  if (least.sum.mean === most.sum.mean) return `${what}: ${cellText(most.sum.mean, series)} on all of them.`;
  return `${what}: on average most on ${at(most)}, least on ${at(least)}.`;
}

/** A line for each rank, a column for each span of time. */
export function* mapCells(cells: Cells, rows: readonly number[], series: SeriesValue): Generator<CsvCell[]> {
  const unit = `${series.unit}${series.kind === 'counter' ? '/s' : ''}`;
  const columns = Array.from({ length: cells.columns }, (_, column) => column);
  const times = columns.map((column) => new Date(columnSpan(cells, column)[0]).toISOString());
  yield [`rank (${series.name} in ${unit})`, 'node', ...times];
  for (const row of rows) {
    yield [cells.ranks[row]!, cells.nodes[row]!, ...columns.map((column) => cellAt(cells, row, column))];
  }
}
