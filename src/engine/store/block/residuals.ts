/** How the differences of a column are written: whole numbers from 0 to 2^53 - 1. */

import type { ByteReader, ByteWriter } from './bytes.ts';
import { CODER } from './column-format.ts';
import { BlockError } from './format.ts';

/** Writes `count` numbers in the way that takes the fewest bytes after zstd, by a rule of thumb; returns the way. */
export function writeResiduals(out: ByteWriter, numbers: Float64Array, count: number): number {
  let zeros = 0;
  let bytes = 0;
  let largest = 0;
  for (let i = 0; i < count; i++) {
    const number = numbers[i]!;
    if (number === 0) zeros++;
    else if (number > largest) largest = number;
    bytes += varintBytes(number);
  }
  // Zeros in a row are short after zstd in any case: what is left out must be most of it.
  if (6 * (count - zeros) < count) return writeSparse(out, numbers, count);
  // Long numbers are mostly noise: bytes of the same weight beside each other pack better than the ends of varints.
  if (bytes > 2.5 * count) return writePlanes(out, numbers, count, largest);
  for (let i = 0; i < count; i++) out.varint(numbers[i]!);
  return CODER.varint;
}

export function readResiduals(from: ByteReader, coder: number, numbers: Float64Array, count: number): void {
  if (coder === CODER.varint) from.varints(numbers, count);
  else if (coder === CODER.sparse) readSparse(from, numbers, count);
  else if (coder === CODER.planes) readPlanes(from, numbers, count);
  else throw new BlockError('content', 'a column is written in no known way');
}

const varintBytes = (number: number): number =>
  number < 128 ? 1 : number < 4294967296 ? ((38 - Math.clz32(number)) / 7) | 0 : 6;

function writeSparse(out: ByteWriter, numbers: Float64Array, count: number): number {
  let zeros = 0;
  for (let i = 0; i < count; i++) {
    const number = numbers[i]!;
    if (number === 0) {
      zeros++;
      continue;
    }
    out.varint(zeros);
    out.varint(number);
    zeros = 0;
  }
  out.varint(zeros);
  return CODER.sparse;
}

function readSparse(from: ByteReader, numbers: Float64Array, count: number): void {
  numbers.fill(0, 0, count);
  for (let at = from.varint(); at !== count; at += 1 + from.varint()) {
    if (at > count) throw new BlockError('content', 'a column has more differences than rows');
    numbers[at] = from.varint();
  }
}

function writePlanes(out: ByteWriter, numbers: Float64Array, count: number, largest: number): number {
  let planes = 0;
  for (let limit = 1; limit <= largest; limit *= 256) planes++;
  out.byte(planes);
  out.reserve(planes * count);
  const { bytes } = out;
  const start = out.length;
  for (let i = 0; i < count; i++) {
    const number = numbers[i]!;
    let at = start + i;
    let low = number % 4294967296;
    const high = (number - low) / 4294967296;
    for (let plane = 0; plane < planes && plane < 4; plane++, at += count, low >>>= 8) bytes[at] = low;
    low = high;
    for (let plane = 4; plane < planes; plane++, at += count, low >>>= 8) bytes[at] = low;
  }
  out.length += planes * count;
  return CODER.planes;
}

function readPlanes(from: ByteReader, numbers: Float64Array, count: number): void {
  const planes = from.byte();
  if (planes > 7) throw new BlockError('content', 'the numbers of a column are too long');
  const bytes = from.take(planes * count);
  numbers.fill(0, 0, count);
  let at = 0;
  for (let plane = 0, weight = 1; plane < planes; plane++, weight *= 256) {
    for (let i = 0; i < count; i++) numbers[i]! += bytes[at++]! * weight;
  }
}
