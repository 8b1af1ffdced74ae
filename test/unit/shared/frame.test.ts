import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bitmapBytes,
  countBits,
  decodeFrame,
  encodeFrame,
  FRAME_HEADER_BYTES,
  FrameError,
  FrameState,
  frameBytes,
  hasBit,
  setBit,
  type Columns,
  type FrameHeader,
} from '../../../src/shared/frame.ts';
import { GAUGE_WIDTH } from '../../../src/shared/model/values.ts';

/** Any double; NaN, infinities and -0 often. */
const double = fc.oneof(fc.double(), fc.constantFrom(NaN, Infinity, -Infinity, -0, 0, Number.MIN_VALUE));
const uint32 = fc.nat(0xffff_ffff);

const headers: fc.Arbitrary<FrameHeader> = fc.record({
  stream: uint32,
  time: fc.double({ noNaN: true }),
  interval: fc.double({ noNaN: true }),
  sequence: uint32,
  gap: fc.boolean(),
});

interface Input {
  readonly header: FrameHeader;
  readonly columns: Columns;
  readonly changed: { readonly counters: Uint8Array; readonly gauges: Uint8Array } | null;
}

/** Columns and bitmaps longer than they need be, as growing arrays are; bits beyond the counts are noise. */
const inputs: fc.Arbitrary<Input> = fc
  .tuple(fc.nat(40), fc.nat(12), fc.nat(5))
  .chain(([counterCount, gaugeCount, spare]) => {
    const exactly = (length: number): fc.ArrayConstraints => ({ minLength: length, maxLength: length });
    const bits = (count: number): fc.Arbitrary<Uint8Array> => fc.uint8Array(exactly(bitmapBytes(count) + spare));
    return fc.record({
      header: headers,
      columns: fc.record({
        counterCount: fc.constant(counterCount),
        gaugeCount: fc.constant(gaugeCount),
        counters: fc.array(double, exactly(counterCount + spare)).map((n) => Float64Array.from(n)),
        gauges: fc.array(double, exactly(GAUGE_WIDTH * gaugeCount + spare)).map((n) => Float64Array.from(n)),
      }),
      changed: fc.option(fc.record({ counters: bits(counterCount), gauges: bits(gaugeCount) })),
    });
  });

/** Which of the first `count` bits are set. */
const setOf = (bits: Uint8Array, count: number): number[] =>
  Array.from({ length: count }, (_, i) => i).filter((i) => hasBit(bits, i));
const all = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe('encode and decode', () => {
  test('are inverse, for full and partial frames', () => {
    fc.assert(
      fc.property(inputs, ({ header, columns, changed }) => {
        const { counterCount, gaugeCount, counters, gauges } = columns;
        const bytes = encodeFrame(header, columns, changed);
        const frame = decodeFrame(bytes);
        const counterPlaces = changed ? setOf(changed.counters, counterCount) : all(counterCount);
        const gaugePlaces = changed ? setOf(changed.gauges, gaugeCount) : all(gaugeCount);
        expect(frame).toMatchObject({ ...header, full: changed === null, counterCount, gaugeCount });
        expect(frame.schemaVersion).toBe(counterCount + gaugeCount);
        expect(setOf(frame.counterBits, counterCount)).toEqual(counterPlaces);
        expect(setOf(frame.gaugeBits, gaugeCount)).toEqual(gaugePlaces);
        expect([...frame.counterValues]).toEqual(counterPlaces.map((i) => counters[i]));
        expect([...frame.gaugeValues]).toEqual(
          gaugePlaces.flatMap((i) => [...gauges.subarray(GAUGE_WIDTH * i, GAUGE_WIDTH * (i + 1))]),
        );
        expect(bytes.byteLength).toBe(frameBytes(counterCount, gaugeCount, counterPlaces.length, gaugePlaces.length));
      }),
    );
  });

  test('give the same bytes again', () => {
    fc.assert(
      fc.property(inputs, ({ header, columns, changed }) => {
        const bytes = encodeFrame(header, columns, changed);
        const frame = decodeFrame(bytes);
        const state = new FrameState();
        state.apply(frame);
        const again = encodeFrame(
          frame,
          state,
          frame.full ? null : { counters: frame.counterBits, gauges: frame.gaugeBits },
        );
        expect(Buffer.from(again).equals(Buffer.from(bytes))).toBe(true);
      }),
    );
  });

  test('a frame is read wherever it stands in a buffer, and keeps nothing of it', () => {
    fc.assert(
      fc.property(inputs, fc.nat(9), ({ header, columns, changed }, offset) => {
        const bytes = encodeFrame(header, columns, changed);
        const buffer = new Uint8Array(offset + bytes.length + 3).fill(0xaa);
        buffer.set(bytes, offset);
        const frame = decodeFrame(buffer.subarray(offset, offset + bytes.length));
        const before = decodeFrame(bytes);
        buffer.fill(0);
        expect(frame).toEqual(before);
      }),
    );
  });
});

describe('bytes that are no frame', () => {
  /** What a decoder may do with any bytes: refuse them with its own error, or give a frame that they spell completely. */
  function readsOrRefuses(bytes: Uint8Array): void {
    let frame;
    try {
      frame = decodeFrame(bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(FrameError);
      return;
    }
    const { counterCount, gaugeCount, counterBits, gaugeBits, counterValues, gaugeValues } = frame;
    expect(counterValues).toHaveLength(countBits(counterBits, counterCount));
    expect(gaugeValues).toHaveLength(GAUGE_WIDTH * countBits(gaugeBits, gaugeCount));
    expect(bytes).toHaveLength(
      frameBytes(counterCount, gaugeCount, counterValues.length, gaugeValues.length / GAUGE_WIDTH),
    );
  }

  const edit = fc.tuple(fc.nat(400), fc.nat(255));

  test('random bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), readsOrRefuses));
  });

  test('random bytes after a good beginning', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        if (bytes.length >= 4) bytes.set([0x56, 0x46, 1, bytes[3]! & 3]);
        readsOrRefuses(bytes);
      }),
    );
  });

  test('frames with bytes changed', () => {
    fc.assert(
      fc.property(inputs, fc.array(edit, { minLength: 1, maxLength: 4 }), ({ header, columns, changed }, edits) => {
        const bytes = encodeFrame(header, columns, changed);
        for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
        readsOrRefuses(bytes);
      }),
      { numRuns: 500 },
    );
  });

  test('frames cut short or followed by more are refused', () => {
    fc.assert(
      fc.property(
        inputs,
        fc.double({ min: 0, max: 1, maxExcluded: true }),
        fc.integer({ min: 1, max: 9 }),
        ({ header, columns, changed }, part, more) => {
          const bytes = encodeFrame(header, columns, changed);
          expect(() => decodeFrame(bytes.subarray(0, Math.floor(part * bytes.length)))).toThrow(FrameError);
          expect(() => decodeFrame(Buffer.concat([bytes, Buffer.alloc(more)]))).toThrow(FrameError);
          // What stands behind the view in its buffer is not looked at.
          const roomy = Buffer.concat([bytes, Buffer.alloc(64, 0xff)]);
          expect(() => decodeFrame(roomy.subarray(0, bytes.length - 1))).toThrow(FrameError);
        },
      ),
    );
  });

  test('a huge count is refused before anything is allocated', () => {
    const bytes = new Uint8Array(FRAME_HEADER_BYTES);
    const view = new DataView(bytes.buffer);
    bytes.set([0x56, 0x46, 1, 0]);
    for (const count of [0xffff_ffff, (1 << 24) + 1]) {
      view.setUint32(28, count, true);
      view.setUint32(32, count, true);
      expect(() => decodeFrame(bytes)).toThrow(/too many series/);
    }
  });

  test.each([
    ['another magic', 0, 0, /not a frame/],
    ['a later version', 2, 2, /version 2/],
    ['a flag of later', 3, 0x80, /unknown flags/],
    ['another schema version', 28, 9, /schema version/],
    ['bits beyond the series', FRAME_HEADER_BYTES, 0xff, /beyond its series/],
  ])('%s', (_, at, value, message) => {
    const bytes = encodeFrame(
      { stream: 1, time: 1, interval: 1, sequence: 1, gap: false },
      { counterCount: 3, gaugeCount: 0, counters: new Float64Array(3), gauges: new Float64Array(0) },
      { counters: new Uint8Array([1]), gauges: new Uint8Array(0) },
    );
    bytes[at] = value;
    expect(() => decodeFrame(bytes)).toThrow(message);
  });

  test('a full frame that leaves series out', () => {
    const bytes = encodeFrame(
      { stream: 1, time: 1, interval: 1, sequence: 1, gap: false },
      { counterCount: 3, gaugeCount: 0, counters: new Float64Array(3), gauges: new Float64Array(0) },
      { counters: new Uint8Array([1]), gauges: new Uint8Array(0) },
    );
    bytes[3]! |= 1;
    expect(() => decodeFrame(bytes)).toThrow(/leaves out series/);
  });
});

describe('FrameState', () => {
  test('a stream of deltas gives the columns, however series are appended between', () => {
    const step = fc.record({
      counters: fc.nat(9),
      gauges: fc.nat(3),
      writes: fc.array(fc.tuple(fc.boolean(), fc.nat(1000), double), { maxLength: 12 }),
      full: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
        let columns: Columns = {
          counterCount: 0,
          gaugeCount: 0,
          counters: new Float64Array(0),
          gauges: new Float64Array(0),
        };
        const state = new FrameState();
        steps.forEach(({ counters, gauges, writes, full }, sequence) => {
          const counterCount = columns.counterCount + counters;
          const gaugeCount = columns.gaugeCount + gauges;
          const changed = {
            counters: new Uint8Array(bitmapBytes(counterCount)),
            gauges: new Uint8Array(bitmapBytes(gaugeCount)),
          };
          const next = {
            counterCount,
            gaugeCount,
            counters: new Float64Array(counterCount),
            gauges: new Float64Array(GAUGE_WIDTH * gaugeCount),
          };
          next.counters.set(columns.counters);
          next.gauges.set(columns.gauges);
          // A series is in the first frame that knows it.
          for (let i = columns.counterCount; i < counterCount; i++) setBit(changed.counters, i);
          for (let i = columns.gaugeCount; i < gaugeCount; i++) setBit(changed.gauges, i);
          for (const [gauge, place, value] of writes) {
            const count = gauge ? gaugeCount : counterCount;
            if (count === 0) continue;
            const index = place % count;
            if (gauge) next.gauges.fill(value, GAUGE_WIDTH * index, GAUGE_WIDTH * (index + 1));
            else next.counters[index] = value;
            setBit(gauge ? changed.gauges : changed.counters, index);
          }
          columns = next;
          const bytes = encodeFrame(
            { stream: 0, time: sequence, interval: 1, sequence, gap: false },
            columns,
            full ? null : changed,
          );
          state.apply(decodeFrame(bytes));
          expect(state).toMatchObject({ counterCount, gaugeCount, sequence, time: sequence });
          expect([...state.counters.subarray(0, counterCount)]).toEqual([...columns.counters]);
          expect([...state.gauges.subarray(0, GAUGE_WIDTH * gaugeCount)]).toEqual([...columns.gauges]);
        });
      }),
    );
  });

  test('a series that no frame has told of yet is NaN, and counts never shrink', () => {
    const state = new FrameState();
    const columns = {
      counterCount: 9,
      gaugeCount: 2,
      counters: new Float64Array(9).fill(7),
      gauges: new Float64Array(8).fill(7),
    };
    const header = { stream: 0, time: 1, interval: 1, sequence: 1, gap: false };
    state.apply(
      decodeFrame(encodeFrame(header, columns, { counters: new Uint8Array([0, 1]), gauges: new Uint8Array([2]) })),
    );
    expect([...state.counters.subarray(0, 9)]).toEqual([...Array<number>(8).fill(NaN), 7]);
    expect([...state.gauges.subarray(0, 8)]).toEqual([NaN, NaN, NaN, NaN, 7, 7, 7, 7]);
    const small = { ...columns, counterCount: 1, gaugeCount: 0 };
    state.apply(decodeFrame(encodeFrame(header, small, null)));
    expect(state).toMatchObject({ counterCount: 9, gaugeCount: 2 });
    expect(state.counters[0]).toBe(7);
    expect(state.counters[8]).toBe(7);
  });
});

test('bytes that are applied at once give what decoding and applying does; bytes that are no frame change nothing', () => {
  const seen = (state: FrameState): unknown => [
    ...[state.counterCount, state.gaugeCount, state.time, state.sequence],
    ...[[...state.counters.subarray(0, state.counterCount)], [...state.gauges.subarray(0, 4 * state.gaugeCount)]],
  ];
  fc.assert(
    fc.property(fc.array(inputs, { maxLength: 6 }), fc.nat(7), (stream, offset) => {
      const [decoded, applied] = [new FrameState(), new FrameState()];
      for (const { header, columns, changed } of stream) {
        const bytes = encodeFrame(header, columns, changed);
        decoded.apply(decodeFrame(bytes));
        // Not aligned, as out of the middle of a buffer.
        const moved = new Uint8Array(bytes.length + offset);
        moved.set(bytes, offset);
        expect(applied.applyBytes(moved.subarray(offset))).toEqual({ ...header, full: changed === null });
        expect(seen(applied)).toEqual(seen(decoded));
        expect(() => applied.applyBytes(bytes.subarray(0, -1))).toThrow(FrameError);
        expect(seen(applied)).toEqual(seen(decoded));
      }
    }),
  );
});

test('bits are counted up to the count only', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 12 }), fc.nat(96), (bits, n) => {
      const count = Math.min(n, 8 * bits.length);
      expect(countBits(bits, count)).toBe(setOf(bits, count).length);
    }),
  );
});
