/** Blocks: any bytes are refused, or are a block that gives the same values when it is written and read again. */

import { checksumOf } from '../../src/engine/store/block/checksum.ts';
import { AT, HEADER_BYTES } from '../../src/engine/store/block/format.ts';
import { Block, BlockError, encodeBlock, type BlockShape } from '../../src/engine/store/block/index.ts';
import type { FuzzTarget } from './target.ts';

/** Values that are read of one input: a few bytes may stand for thousands of millions. */
const MAX_VALUES = 200_000;

/** Bytes as text that stands for them. */
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

/** A block of some rows of some series, as small ones are: so short that no part of it is compressed. */
function blockOf(shape: BlockShape, rows: number, value: (row: number, column: number) => number): string {
  const perRow = shape.tier === 0 ? rows : 0;
  const column = (place: number, part: number): Float64Array =>
    Float64Array.from({ length: rows }, (_, row) => value(row, 8 * place + part));
  const bytes = encodeBlock({ scope: 1, epoch: 1 }, shape, {
    times: Float64Array.from({ length: rows }, (_, row) => 1000 * row),
    intervals: new Float64Array(perRow).fill(1000),
    sequences: new Uint32Array(perRow).fill(1),
    gaps: new Uint8Array(perRow),
    counterCounts: Uint32Array.from({ length: rows }, (_, row) => (row === 0 ? 0 : 1)),
    gaugeCounts: new Uint32Array(rows).fill(1),
    counter: column,
    gauge: column,
  });
  return textOf(bytes);
}

const RAW: BlockShape = { tier: 0, counterParts: 1, gaugeParts: 4 };
const MINUTE: BlockShape = { tier: 1, counterParts: 5, gaugeParts: 5 };

export const block: FuzzTarget = {
  name: 'block',
  words: [
    ...['\u0000', '\u0001', '\u007f', '\u0080', '\u00ff', '\u00ff\u00ff\u00ff\u00ff', '\u0000\u0000\u00f0\u003f'],
    blockOf(RAW, 3, () => 1),
    blockOf(RAW, 5, (row, column) => row * row + column / 4),
    blockOf(RAW, 4, (row) => (row % 2 === 0 ? NaN : 1 / 3)),
    blockOf(RAW, 9, (row) => (row < 8 ? Math.PI : Math.E)),
    blockOf(RAW, 20, (row) => (row === 7 ? 5 : 4)),
    blockOf(MINUTE, 3, (row, column) => [4, 4, 8, 2, 8 * (row + 1)][column % 8]!),
  ],
  check(input) {
    // Words are text; these bytes are what they stand for.
    const bytes = Uint8Array.from(Buffer.from(input).toString('utf8'), (c) => c.charCodeAt(0) & 0xff);
    return check(bytes);
  },
};

function check(bytes: Uint8Array): string {
  // Else nothing would get past the length and the checksum.
  if (bytes.length >= HEADER_BYTES) {
    const view = new DataView(bytes.buffer);
    view.setUint32(AT.length, bytes.length, true);
    view.setUint32(AT.checksum, checksumOf(bytes), true);
  }
  try {
    const read = Block.open(bytes);
    const { counterParts, gaugeParts } = read.shape;
    if (read.rows * (read.counters * counterParts + read.gauges * gaugeParts) > MAX_VALUES) return 'large';
    const values = [...valuesOf(read)];
    const again = Block.open(encodeBlock(read.identity, read.shape, read));
    for (const [i, column] of [...valuesOf(again)].entries()) {
      if (column.some((value, row) => !Object.is(value, values[i]![row]))) {
        throw new Error('it is another block when written');
      }
    }
    const known = values.map((column) => column.some((value) => !Number.isNaN(value)));
    return `block ${read.shape.tier} ${Math.min(3, read.rows)} ${known.filter(Boolean).length > 1} ${known.includes(false)}`;
  } catch (error) {
    if (error instanceof BlockError) return `${error.code}: ${error.message.replaceAll(/\d+/g, 'n')}`;
    throw error;
  }
}

function* valuesOf(read: Block): Generator<Float64Array> {
  yield read.times;
  yield read.intervals;
  for (const column of [read.sequences, read.gaps, read.counterCounts, read.gaugeCounts])
    yield Float64Array.from(column);
  const { counterParts, gaugeParts } = read.shape;
  for (let i = 0; i < read.counters * counterParts; i++)
    yield read.counter(Math.floor(i / counterParts), i % counterParts);
  for (let i = 0; i < read.gauges * gaugeParts; i++) yield read.gauge(Math.floor(i / gaugeParts), i % gaugeParts);
}
