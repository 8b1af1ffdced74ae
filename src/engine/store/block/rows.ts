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

/** The rows of a block, and the bytes they were read from. Nothing else of the block is held by them. */
export interface ReadRows extends RowColumns {
  readonly bytes: Uint8Array;
}

/** `like`: rows of another block, which are taken where these bytes are the same. */
export function readRows(from: ByteReader, n: number, raw: boolean, like: ReadRows | null): ReadRows {
  if (like && like.times.length === n && like.intervals.length === (raw ? n : 0) && isNext(from, like.bytes)) {
    from.at += like.bytes.length;
    return like;
  }
  const start = from.at;
  const column = (): Float64Array => {
    const values = new Float64Array(n);
    readColumn(from, values, 0, () => wrong('a column of its rows follows from another'));
    return values;
  };
  const times = column();
  for (let i = 0; i < n; i++) {
    if (!Number.isFinite(times[i]) || (i > 0 && times[i]! <= times[i - 1]!)) wrong('its times do not grow');
  }
  // Not `from`, which takes them one by one through an iterator.
  const counterCounts = new Uint32Array(column());
  const gaugeCounts = new Uint32Array(column());
  for (let i = 1; i < n; i++) {
    if (counterCounts[i]! < counterCounts[i - 1]! || gaugeCounts[i]! < gaugeCounts[i - 1]!) wrong('series disappear');
  }
  const intervals = raw ? column() : new Float64Array(0);
  const sequences = raw ? new Uint32Array(column()) : new Uint32Array(0);
  const gaps = raw ? new Uint8Array(column()) : new Uint8Array(0);
  return { times, intervals, sequences, gaps, counterCounts, gaugeCounts, bytes: from.bytes.slice(start, from.at) };
}

function isNext({ bytes, at, end }: ByteReader, wanted: Uint8Array): boolean {
  if (wanted.length > end - at) return false;
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}

function wrong(what: string): never {
  throw new BlockError('content', `the block contradicts itself: ${what}`);
}
