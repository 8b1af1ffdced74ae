/** The columns that every row has: times, series known, and in raw blocks intervals, numbers of ticks and gaps. */

import type { ByteReader } from './bytes.ts';
import { readColumn } from './decode-column.ts';
import type { ColumnEncoder } from './encode-column.ts';
import { BlockError, type RowColumns } from './format.ts';

export function writeRows(encoder: ColumnEncoder, rows: RowColumns, raw: boolean): void {
  const { times, intervals, sequences, gaps, counterCounts, gaugeCounts } = rows;
  const values = new Float64Array(times.length);
  for (const column of [times, counterCounts, gaugeCounts, ...(raw ? [intervals, sequences, gaps] : [])]) {
    values.set(column);
    encoder.write(values, 0);
  }
}

export function readRows(from: ByteReader, n: number, raw: boolean): RowColumns {
  const column = (): Float64Array => {
    const values = new Float64Array(n);
    readColumn(from, values, 0, () => wrong('a column of its rows follows from another'));
    return values;
  };
  const times = column();
  for (let i = 0; i < n; i++) {
    if (!Number.isFinite(times[i]) || (i > 0 && times[i]! <= times[i - 1]!)) wrong('its times do not grow');
  }
  const counterCounts = Uint32Array.from(column());
  const gaugeCounts = Uint32Array.from(column());
  for (let i = 1; i < n; i++) {
    if (counterCounts[i]! < counterCounts[i - 1]! || gaugeCounts[i]! < gaugeCounts[i - 1]!) wrong('series disappear');
  }
  const intervals = raw ? column() : new Float64Array(0);
  const sequences = raw ? Uint32Array.from(column()) : new Uint32Array(0);
  const gaps = raw ? Uint8Array.from(column()) : new Uint8Array(0);
  return { times, intervals, sequences, gaps, counterCounts, gaugeCounts };
}

function wrong(what: string): never {
  throw new BlockError('content', `the block contradicts itself: ${what}`);
}
