/**
 * Columns that follow from others of the same series: the min and max of a gauge that was observed once are its total, a
 * counter's increase is what its last total grew by, and the rates of a bucket with one sample are its increase over its
 * elapsed time. Rows that do not follow are written as runs.
 */

import type { ByteReader, ByteWriter } from './bytes.ts';
import { MODE } from './column-format.ts';
import { BlockError } from './format.ts';

/** A column that follows: in which way, and from which parts. They come after it, so that none follows from itself. */
export interface Derivation {
  readonly mode: typeof MODE.same | typeof MODE.growth | typeof MODE.quotient;
  readonly bases: readonly number[];
}

/** A part of the same series. */
export type BaseColumn = (part: number) => Float64Array;

/** What the column would be if it followed, in rows `from` and on. */
export function predict({ mode, bases }: Derivation, base: BaseColumn, into: Float64Array, from: number): void {
  const column = base(bases[0]!);
  if (mode === MODE.same) {
    into.set(column);
    return;
  }
  if (mode === MODE.quotient) {
    const divisor = base(bases[1]!);
    for (let i = from; i < into.length; i++) into[i] = column[i]! / divisor[i]!;
    return;
  }
  let before = NaN;
  for (let i = from; i < into.length; i++) {
    const value = column[i]!;
    into[i] = value - before;
    if (!Number.isNaN(value)) before = value;
  }
}

/** Which column it follows, as {@link writeDerived} wrote it after the mode. */
export function readDerivation(reader: ByteReader, mode: Derivation['mode']): Derivation {
  const first = reader.byte();
  return { mode, bases: mode === MODE.quotient ? [first, reader.byte()] : [first] };
}

/** Writes how rows `from` and on differ from what is predicted; false, and nothing written, when that is much. */
export function writeDerived(
  out: ByteWriter,
  { mode, bases }: Derivation,
  values: Float64Array,
  predicted: Float64Array,
  from: number,
): boolean {
  const start = out.length;
  const rows = values.length;
  const allowed = 1 + ((rows - from) >> 5);
  out.byte(mode);
  for (const base of bases) out.byte(base);
  let runs = 0;
  let at = from;
  for (let row = from; row < rows; row++) {
    const value = values[row]!;
    if (Object.is(value, predicted[row])) continue;
    if (++runs > allowed) {
      out.length = start;
      return false;
    }
    let end = row + 1;
    while (end < rows && Object.is(values[end], value) && !Object.is(value, predicted[end])) end++;
    out.varint(row - at);
    out.varint(end - row);
    out.double(value);
    at = end;
    row = end - 1;
  }
  return true;
}

/** Puts the runs into what was predicted. */
export function readDerived(from: ByteReader, values: Float64Array, first: number): void {
  let at = first;
  while (from.at < from.end) {
    at += from.varint();
    const end = at + from.varint();
    if (end > values.length) throw new BlockError('content', 'a column has more rows than the block');
    values.fill(from.double(), at, end);
    at = end;
  }
}
