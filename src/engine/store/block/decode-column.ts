/** Reads the columns that encode-column.ts writes, from bytes that nobody vouches for. */

import type { ByteReader } from './bytes.ts';
import {
  CODER,
  CODER_SHIFT,
  divisorOf,
  FLAG_DOUBLE,
  FLAG_RUNS,
  FLAG_TIMES,
  MODE,
  MODE_BITS,
  ORDER_SHIFT,
  TEN_POWERS,
  TWO_MAX,
  TWO_MIN,
  unzigzag,
} from './column-format.ts';
import { predict, readDerivation, readDerived, type BaseColumn } from './derive.ts';
import { BlockError } from './format.ts';
import { readResiduals } from './residuals.ts';

/** Fills rows `from` and on of a column that has all rows; those before are NaN. Throws {@link BlockError}. */
export function readColumn(reader: ByteReader, values: Float64Array, from: number, base: BaseColumn): void {
  const tag = reader.byte();
  const mode = tag & MODE_BITS;
  if (mode === MODE.same || mode === MODE.growth || mode === MODE.quotient) {
    predict(readDerivation(reader, mode), base, values, from);
    readDerived(reader, values, from);
    values.fill(NaN, 0, from);
    return;
  }
  values.fill(NaN, 0, from);
  if (mode === MODE.absent) {
    values.fill(NaN, from);
    return;
  }
  const runs = (tag & FLAG_RUNS) === 0 ? null : readRuns(reader, values.length - from);
  const count = runs ? presentOf(runs) : values.length - from;
  if (count === 0) throw new BlockError('content', 'a column without values is not called absent');
  const dense = values.subarray(from, from + count);
  if (mode === MODE.constant) dense.fill((tag & FLAG_DOUBLE) === 0 ? unzigzag(reader.varint()) : reader.double());
  else if (mode === MODE.integers) readIntegers(reader, tag, dense);
  else if (mode === MODE.xor) readXor(reader, tag, dense);
  else throw new BlockError('content', 'a column is of no known mode');
  if (runs) spread(values, from, count, runs);
}

/** Lengths of runs with and without values, in turn; they make `rows`. */
function readRuns(reader: ByteReader, rows: number): number[] {
  const runs: number[] = [];
  for (let left = rows; left > 0;) {
    const run = reader.varint();
    if (run > left || (run === 0 && runs.length > 0)) throw new BlockError('content', 'a column has other rows');
    runs.push(run);
    left -= run;
  }
  return runs;
}

function presentOf(runs: readonly number[]): number {
  let count = 0;
  for (let i = 0; i < runs.length; i += 2) count += runs[i]!;
  return count;
}

/** Moves the values to their rows, the last ones first: no value is overwritten before it was moved. */
function spread(values: Float64Array, from: number, count: number, runs: readonly number[]): void {
  let end = values.length;
  let left = from + count;
  for (let i = runs.length - 1; i >= 0; i--) {
    const start = end - runs[i]!;
    if (i % 2 === 0) {
      left -= runs[i]!;
      values.copyWithin(start, left, left + runs[i]!);
    } else values.fill(NaN, Math.max(start, left), end);
    end = start;
  }
}

function readIntegers(reader: ByteReader, tag: number, dense: Float64Array): void {
  const power = reader.byte();
  const ten = power & ~FLAG_TIMES;
  const two = reader.byte() + TWO_MIN;
  if (ten >= TEN_POWERS.length || two > TWO_MAX) throw new BlockError('content', 'a column has no known scale');
  const coder = (tag >> CODER_SHIFT) & 3;
  const count = dense.length;
  const first = unzigzag(reader.varint());
  const order = tag >> ORDER_SHIFT;
  if (order === 0) {
    readResiduals(reader, coder, dense, count);
    for (let i = 0; i < count; i++) dense[i]! += first;
  } else if (order === 1) {
    readResiduals(reader, coder, dense.subarray(1), count - 1);
    dense[0] = first;
    for (let i = 1, value = first; i < count; i++) dense[i] = value += unzigzagFast(dense[i]!);
  } else if (order === 2 && count > 1) {
    let difference = unzigzag(reader.varint());
    readResiduals(reader, coder, dense.subarray(2), count - 2);
    dense[0] = first;
    let value = (dense[1] = first + difference);
    for (let i = 2; i < count; i++) {
      difference += unzigzagFast(dense[i]!);
      dense[i] = value += difference;
    }
  } else throw new BlockError('content', 'a column has no known order');
  if (power !== ten) {
    const factor = 1 / TEN_POWERS[ten]!;
    for (let i = 0; i < count; i++) dense[i]! *= factor;
    return;
  }
  const divisor = divisorOf(ten, two);
  if (divisor !== 1) for (let i = 0; i < count; i++) dense[i]! /= divisor;
}

const unzigzagFast = (code: number): number => (code < 2147483648 ? (code >>> 1) ^ -(code & 1) : unzigzag(code));

function readXor(reader: ByteReader, tag: number, dense: Float64Array): void {
  const coder = (tag >> CODER_SHIFT) & 3;
  const first = reader.double();
  const count = dense.length;
  if (coder === CODER.sparse) {
    let at = 0;
    let value = first;
    for (;;) {
      // The row itself, and those that are the same.
      const end = at + 1 + reader.varint();
      if (end > count) throw new BlockError('content', 'a column has more rows than the block');
      dense.fill(value, at, end);
      if (end === count) return;
      value = reader.double();
      at = end;
    }
  }
  if (coder !== CODER.planes) throw new BlockError('content', 'a column is written in no known way');
  dense.fill(0);
  dense[0] = first;
  const bytes = new Uint8Array(dense.buffer, dense.byteOffset, 8 * count);
  const mask = reader.byte();
  for (let plane = 0; plane < 8; plane++) {
    if ((mask & (1 << plane)) === 0) continue;
    const from = reader.take(count - 1);
    for (let i = 1, at = 8 + plane; i < count; i++, at += 8) bytes[at] = from[i - 1]!;
  }
  const halves = new Uint32Array(dense.buffer, dense.byteOffset, 2 * count);
  for (let i = 2; i < 2 * count; i++) halves[i]! ^= halves[i - 2]!;
}
