/** Draws a heatmap: its cells once, a pixel each, then as large as there is room. */

import type { Ink } from '../../../charts/colours.ts';
import { formatTick } from '../../../format/time.ts';
import type { Cells, RowOrder } from './cells.ts';
import { namedRows, timeMarks } from './place.ts';
import type { Layout } from './place.ts';
import { paintCells } from './scale.ts';
import type { Limits } from './scale.ts';

/** Pixels from a name to the next. */
const APART = 13;
const FONT = '11px system-ui, sans-serif';

/** Null: there is nothing, or this browser draws nothing. */
export function pictureOf(cells: Cells, rows: readonly number[], limits: Limits): HTMLCanvasElement | null {
  const { columns, values } = cells;
  if (rows.length === 0 || columns === 0) return null;
  const canvas = document.createElement('canvas');
  canvas.width = columns;
  canvas.height = rows.length;
  const pixels = paintCells({ values, columns, rows, limits });
  canvas.getContext('2d')?.putImageData(new ImageData(pixels, columns, rows.length), 0, 0);
  return canvas;
}

interface Drawn {
  readonly picture: HTMLCanvasElement;
  readonly cells: Cells;
  readonly rows: readonly number[];
  readonly order: RowOrder;
  readonly layout: Layout;
  /** Place of the row that is pointed out, from the top; −1: none. */
  readonly markedAt: number;
  readonly ink: Ink;
}

export function drawMap(canvas: HTMLCanvasElement, drawn: Drawn): void {
  const { picture, layout, ink } = drawn;
  const { left, bottom, width, height } = layout;
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round((left + width) * ratio);
  canvas.height = Math.round((height + bottom) * ratio);
  const context = canvas.getContext('2d');
  if (!context) return;
  context.scale(ratio, ratio);
  // Cells are sharp where each has a pixel; where several share one, none of them is left out.
  context.imageSmoothingEnabled = picture.width > width * ratio || picture.height > height * ratio;
  context.drawImage(picture, left, 0, width, height);
  context.font = FONT;
  context.fillStyle = ink.text;
  context.strokeStyle = ink.text;
  drawTimes(context, drawn);
  drawRows(context, drawn);
}

function drawTimes(context: CanvasRenderingContext2D, { cells, layout }: Drawn): void {
  const { left, width, height } = layout;
  const { step, times } = timeMarks(cells, width);
  const span = Math.max(1, cells.to - cells.from);
  context.textBaseline = 'top';
  for (const time of times) {
    const x = left + ((time - cells.from) / span) * width;
    const text = formatTick(time, step);
    const half = context.measureText(text).width / 2;
    context.fillRect(Math.round(x), height, 1, 4);
    context.fillText(text, Math.min(left + width - 2 * half, Math.max(left, x - half)), height + 7);
  }
}

function drawRows(context: CanvasRenderingContext2D, { cells, rows, order, layout, markedAt }: Drawn): void {
  const { left, width, height } = layout;
  const each = height / rows.length;
  const middle = (at: number): number => (at + 0.5) * each;
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  const write = (text: string, y: number): void =>
    context.fillText(shortened(text), left - 9, Math.min(height - 6, Math.max(6, y)), left - 11);
  // The row that is pointed out has its name, whichever others have to make room for it.
  const isFree = (y: number): boolean => markedAt < 0 || Math.abs(y - middle(markedAt)) >= APART;
  if (order === 'node') {
    let last = -Infinity;
    for (let at = 0; at < rows.length; at++) {
      const node = cells.nodes[rows[at]!] ?? '';
      if (at > 0 && node === cells.nodes[rows[at - 1]!]) continue;
      if (at > 0) context.fillRect(left - 8, Math.round(at * each), width + 8, 1);
      if (middle(at) - last < APART || !isFree(middle(at))) continue;
      last = middle(at);
      write(node, last);
    }
  } else {
    for (const at of namedRows(rows.length, height)) {
      if (isFree(middle(at))) write(String(cells.ranks[rows[at]!] ?? ''), middle(at));
    }
  }
  if (markedAt >= 0) {
    const [y, tall] = [Math.floor(markedAt * each), Math.max(3, Math.ceil(each))];
    write(`rank ${cells.ranks[rows[markedAt]!] ?? ''}`, middle(markedAt));
    context.lineWidth = 1.5;
    context.strokeRect(left - 1, y - 0.5, width + 1, tall + 1);
    context.beginPath();
    context.moveTo(left - 1, y + tall / 2);
    context.lineTo(left - 7, y + tall / 2 - 4);
    context.lineTo(left - 7, y + tall / 2 + 4);
    context.fill();
  }
  context.textAlign = 'left';
}

const shortened = (text: string): string => (text.length > 9 ? `${text.slice(0, 8)}…` : text);
