/** The numbers of a heatmap, taken out of what the engine sent only when their count is what its header says. */

import type { Heatmap } from '../../../../shared/api/profile-analysis.ts';
import { MAX_COLUMNS } from '../../../../shared/api/profile-analysis.ts';

/** More rows than this are no map that anybody can look at. */
export const MAX_ROWS = 8192;

export interface Cells {
  readonly ranks: readonly number[];
  /** Host of each row; '': not known. */
  readonly nodes: readonly string[];
  readonly columns: number;
  /** ms since the epoch. */
  readonly from: number;
  readonly to: number;
  /** Width of a column, ms. */
  readonly step: number;
  /** Row after row; NaN: no sample. */
  readonly values: Float32Array;
}

/** @throws {Error} In words, when sizes do not fit each other. */
export function readCells(map: Heatmap): Cells {
  const { ranks, columns, from, to, step } = map;
  if (ranks.length > MAX_ROWS || columns > MAX_COLUMNS) throw new Error('The engine sent more than can be drawn.');
  const whole = Number.isFinite(from) && Number.isFinite(to) && Number.isFinite(step);
  if (!whole || to < from) throw new Error('The engine sent a map of no span of time.');
  const values = readFloats(map.values, ranks.length * columns);
  const nodes = ranks.map((_, row) => map.nodes[row] ?? '');
  return { ranks, nodes, columns, from, to, step, values };
}

/** 32-bit floats, little-endian, out of base64. @throws {Error} When they are not exactly `count`. */
export function readFloats(base64: string, count: number): Float32Array {
  const bytes = count * 4;
  // Before anything is decoded: a length tells it.
  if (base64.length !== 4 * Math.ceil(bytes / 3)) throw wrongSize;
  let text: string;
  try {
    text = atob(base64);
  } catch {
    throw wrongSize;
  }
  if (text.length !== bytes) throw wrongSize;
  const raw = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i++) raw[i] = text.charCodeAt(i);
  if (isLittleEndian) return new Float32Array(raw.buffer);
  const view = new DataView(raw.buffer);
  return Float32Array.from({ length: count }, (_, i) => view.getFloat32(4 * i, true));
}

const wrongSize = new Error('The engine sent another number of values than its ranks and columns need.');
const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Start and end of a column, ms since the epoch; the last one ends with the map. */
export function columnSpan({ from, to, step, columns }: Omit<Cells, 'values'>, column: number): [number, number] {
  const start = from + column * step;
  return [start, column === columns - 1 ? Math.max(to, start) : start + step];
}

export const cellAt = ({ columns, values }: Pick<Cells, 'columns' | 'values'>, row: number, column: number): number =>
  values[row * columns + column] ?? NaN;

/** What a row has over the columns that have a value; null: none has. */
export interface RowSum {
  readonly min: number;
  readonly mean: number;
  readonly max: number;
  readonly filled: number;
}

export function sumRow({ columns, values }: Pick<Cells, 'columns' | 'values'>, row: number): RowSum | null {
  let [min, max, sum, filled] = [Infinity, -Infinity, 0, 0];
  for (let i = row * columns; i < (row + 1) * columns; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) continue;
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
    filled++;
  }
  return filled === 0 ? null : { min, max, mean: sum / filled, filled };
}

export type RowOrder = 'rank' | 'node' | 'total';
export const ROW_ORDERS: readonly RowOrder[] = ['rank', 'node', 'total'];

/** Rows from top to bottom: by rank, by node and rank, or the largest mean first. */
export function orderRows(cells: Cells, order: RowOrder, sums: readonly (RowSum | null)[]): number[] {
  const rows = cells.ranks.map((_, row) => row);
  const rank = (a: number, b: number): number => cells.ranks[a]! - cells.ranks[b]!;
  if (order === 'node') {
    const name = new Intl.Collator('en', { numeric: true });
    return rows.sort((a, b) => name.compare(cells.nodes[a]!, cells.nodes[b]!) || rank(a, b));
  }
  if (order === 'rank') return rows.sort(rank);
  const mean = (row: number): number => sums[row]?.mean ?? -Infinity;
  // Two rows without a value are equal: infinity less infinity is no number.
  return rows.sort((a, b) => (mean(a) === mean(b) ? rank(a, b) : mean(b) - mean(a)));
}
