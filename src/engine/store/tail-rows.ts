/** Single series out of frames, without making all the values at each of their times. */

import { bitmapBytes, countBits, FRAME_HEADER_BYTES, hasBit } from '../../shared/frame.ts';
import { GAUGE_WIDTH } from '../../shared/model/values.ts';
import type { ColumnRows } from './aggregate.ts';
import type { TimedFrame } from './tail.ts';

interface Head {
  readonly view: DataView;
  readonly counters: number;
  readonly gauges: number;
  readonly counterBits: Uint8Array;
  readonly gaugeBits: Uint8Array;
  /** Where the values of the counters, and of the gauges, begin. */
  readonly countersAt: number;
  readonly gaugesAt: number;
}

export class TailRows implements ColumnRows {
  readonly times: Float64Array;
  readonly gaps: Uint8Array;
  readonly counterCounts: Uint32Array;
  readonly gaugeCounts: Uint32Array;
  readonly #heads: Head[];

  private constructor(frames: readonly TimedFrame[], heads: Head[]) {
    this.#heads = heads;
    this.times = Float64Array.from(frames, ({ time }) => time);
    this.gaps = Uint8Array.from(frames, ({ bytes }) => (bytes[3]! >>> 1) & 1);
    this.counterCounts = new Uint32Array(heads.length);
    this.gaugeCounts = new Uint32Array(heads.length);
    let [counters, gauges] = [0, 0];
    for (const [i, head] of heads.entries()) {
      this.counterCounts[i] = counters = Math.max(counters, head.counters);
      this.gaugeCounts[i] = gauges = Math.max(gauges, head.gauges);
    }
  }

  /** Null: some of them are damaged, and have to be looked at with care. */
  static of(frames: readonly TimedFrame[]): TailRows | null {
    const heads: Head[] = [];
    for (const { bytes } of frames) {
      const head = headOf(bytes);
      if (!head) return null;
      heads.push(head);
    }
    return new TailRows(frames, heads);
  }

  counter(place: number): Float64Array {
    return this.#column((head, before) => {
      if (place >= head.counters || !hasBit(head.counterBits, place)) return before;
      return head.view.getFloat64(head.countersAt + 8 * countBits(head.counterBits, place), true);
    });
  }

  gauge(place: number, part: number): Float64Array {
    return this.#column((head, before) => {
      if (place >= head.gauges || !hasBit(head.gaugeBits, place)) return before;
      const at = GAUGE_WIDTH * countBits(head.gaugeBits, place) + part;
      return head.view.getFloat64(head.gaugesAt + 8 * at, true);
    });
  }

  #column(next: (head: Head, before: number) => number): Float64Array {
    const out = new Float64Array(this.#heads.length);
    let value = NaN;
    for (const [i, head] of this.#heads.entries()) out[i] = value = next(head, value);
    return out;
  }
}

/** Null for bytes that are not a frame. */
function headOf(bytes: Uint8Array): Head | null {
  if (bytes.byteLength < FRAME_HEADER_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [counters, gauges] = [view.getUint32(32, true), view.getUint32(36, true)];
  const gaugeBitsAt = FRAME_HEADER_BYTES + bitmapBytes(counters);
  const bitsEnd = gaugeBitsAt + bitmapBytes(gauges);
  const countersAt = (bitsEnd + 7) & ~7;
  if (countersAt > bytes.byteLength) return null;
  const counterBits = bytes.subarray(FRAME_HEADER_BYTES, gaugeBitsAt);
  const gaugeBits = bytes.subarray(gaugeBitsAt, bitsEnd);
  const gaugesAt = countersAt + 8 * countBits(counterBits, counters);
  if (gaugesAt + 8 * GAUGE_WIDTH * countBits(gaugeBits, gauges) !== bytes.byteLength) return null;
  // All else that makes a frame one is looked at where it is written.
  if (view.getUint16(0, true) !== 0x4656) return null;
  return { view, counters, gauges, counterBits, gaugeBits, countersAt, gaugesAt };
}
