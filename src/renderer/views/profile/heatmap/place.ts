/** Where things are on a heatmap, in CSS pixels from the top left of its picture. */

import { columnSpan } from './cells.ts';
import type { Cells } from './cells.ts';
import { fitSpan } from '../../../charts/range.ts';
import type { Span } from '../../../charts/range.ts';

export interface Layout {
  /** Space for the names of rows, and for those of times below. */
  readonly left: number;
  readonly bottom: number;
  /** Size of the cells together. */
  readonly width: number;
  readonly height: number;
  readonly rows: number;
  readonly columns: number;
}

export interface Place {
  /** From the top, and from the left. */
  readonly row: number;
  readonly column: number;
}

/** All rows fit where they can; no row is thinner than a pixel or thicker than a finger. */
const WANTED = 430;
const THICKEST = 30;
const LEFT = 62;
const BOTTOM = 22;

export function layoutOf(width: number, rows: number, columns: number): Layout {
  const row = Math.min(THICKEST, Math.max(1, Math.floor(WANTED / Math.max(1, rows))));
  return { left: LEFT, bottom: BOTTOM, width: Math.max(0, width - LEFT), height: row * rows, rows, columns };
}

/** The cell below a point; null: there is none. */
export function hit({ left, width, height, rows, columns }: Layout, x: number, y: number): Place | null {
  const [inX, inY] = [x - left, y];
  if (width <= 0 || height <= 0 || inX < 0 || inX >= width || inY < 0 || inY >= height) return null;
  return { row: Math.floor((inY / height) * rows), column: Math.floor((inX / width) * columns) };
}

/** Left, top, width and height of a cell. */
export function boxOf({ left, width, height, rows, columns }: Layout, { row, column }: Place): number[] {
  return [left + (column * width) / columns, (row * height) / rows, width / columns, height / rows];
}

/** The column at a point, which may lie beside the cells: then the outermost one. */
export function columnAt({ left, width, columns }: Layout, x: number): number {
  if (width <= 0) return 0;
  return Math.max(0, Math.min(columns - 1, Math.floor(((x - left) / width) * columns)));
}

/** The span of some columns, from one to the other in either direction, within `limits`. */
export function spanOf(cells: Omit<Cells, 'values'>, a: number, b: number, limits: Span): Span {
  const [from] = columnSpan(cells, Math.min(a, b));
  const [, to] = columnSpan(cells, Math.max(a, b));
  return fitSpan({ from, to }, limits);
}

/** The place after a key; null: the key does not move it. */
export function moved({ row, column }: Place, key: string, { rows, columns }: Pick<Layout, 'rows' | 'columns'>) {
  const page = Math.max(1, Math.round(columns / 10));
  const steps: ReadonlyMap<string, Place> = new Map([
    ['ArrowLeft', { row, column: column - 1 }],
    ['ArrowRight', { row, column: column + 1 }],
    ['ArrowUp', { row: row - 1, column }],
    ['ArrowDown', { row: row + 1, column }],
    ['PageUp', { row, column: column - page }],
    ['PageDown', { row, column: column + page }],
    ['Home', { row, column: 0 }],
    ['End', { row, column: columns - 1 }],
  ]);
  const next = steps.get(key);
  if (!next || rows < 1 || columns < 1) return null;
  const within = (value: number, most: number): number => Math.max(0, Math.min(most - 1, value));
  return { row: within(next.row, rows), column: within(next.column, columns) };
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400].map(
  (seconds) => seconds * 1000,
);
/** Pixels that the text of a time needs. */
const APART = 90;

/** Marks of the time axis, ms since the epoch, and how far they are apart. */
export function timeMarks({ from, to }: Span, width: number): { readonly step: number; readonly times: number[] } {
  const most = Math.max(1, Math.floor(width / APART));
  const span = Math.max(1, to - from);
  const step = STEPS.find((one) => span / one <= most) ?? 86_400_000 * Math.ceil(span / most / 86_400_000);
  const times: number[] = [];
  for (let time = Math.ceil(from / step) * step; time <= to; time += step) times.push(time);
  return { step, times };
}

/** Rows that have their name beside them, so that names do not touch. */
export function namedRows(rows: number, height: number): number[] {
  const every = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024].find((one) => (one * height) / rows >= 14) ?? rows;
  return Array.from({ length: Math.ceil(rows / every) }, (_, i) => i * every);
}
