/** The frame codec: any bytes are refused, or are a frame that is the same one when it is written and read again. */

import { isDeepStrictEqual } from 'node:util';
import { decodeFrame, encodeFrame, FrameError, FrameState, hasBit, setBit } from '../../src/shared/frame.ts';
import { GAUGE_WIDTH } from '../../src/shared/model/values.ts';
import type { FuzzTarget } from './target.ts';

/** Text of bytes that stand for themselves. */
const bytesOf = (...values: readonly number[]): string => String.fromCharCode(...values);

function frameWith(counters: number, gauges: number): string {
  const bits = (count: number): Uint8Array => {
    const all = new Uint8Array((count + 7) >>> 3);
    for (let i = 0; i < count; i += 2) setBit(all, i);
    return all;
  };
  const columns = {
    counterCount: counters,
    gaugeCount: gauges,
    counters: Float64Array.from({ length: counters }, (_, i) => i + 0.5),
    gauges: Float64Array.from({ length: GAUGE_WIDTH * gauges }, (_, i) => i),
  };
  const header = { stream: 1, time: 1e12, interval: 1000, sequence: 3, gap: false };
  const bytes = encodeFrame(header, columns, { counters: bits(counters), gauges: bits(gauges) });
  return Buffer.from(bytes).toString('latin1');
}

export const frame: FuzzTarget = {
  name: 'frame',
  words: [
    bytesOf(0x56, 0x46, 1, 0),
    bytesOf(0x56, 0x46, 1, 1),
    bytesOf(0x56, 0x46, 1, 2),
    bytesOf(0, 0, 0, 0),
    bytesOf(0, 0, 0, 0, 0, 0, 0, 0),
    bytesOf(1, 0, 0, 0),
    bytesOf(9, 0, 0, 0),
    '\u007f\u007f\u007f\u007f',
    frameWith(0, 0),
    frameWith(1, 0),
    frameWith(0, 1),
    frameWith(9, 3),
  ],
  check(input) {
    // Words are text; these bytes are what they stand for.
    const bytes = Uint8Array.from(Buffer.from(input).toString('utf8'), (c) => c.charCodeAt(0) & 0xff);
    return check(bytes);
  },
};

function check(input: Uint8Array): string {
  let read;
  try {
    read = decodeFrame(input);
  } catch (error) {
    if (error instanceof FrameError) return error.message.replaceAll(/\d+/g, 'n');
    throw error;
  }
  const state = new FrameState();
  state.apply(read);
  const header = {
    stream: read.stream,
    time: read.time,
    interval: read.interval,
    sequence: read.sequence,
    gap: read.gap,
  };
  const again = encodeFrame(header, state, { counters: read.counterBits, gauges: read.gaugeBits });
  const reread = decodeFrame(again);
  // One that has all its series is written as a full one, whatever it called itself.
  if (!isDeepStrictEqual(reread, { ...read, full: reread.full })) throw new Error('it is another frame when written');
  let set = 0;
  for (let i = 0; i < read.counterCount; i++) if (hasBit(read.counterBits, i)) set++;
  return `frame ${Math.min(2, set)} ${read.full} ${read.gap}`;
}
