/**
 * The binary frame: one scope's values at one time. The only codec for the live socket, the store, targets that are
 * engines themselves, and the tree. The bytes are described in docs/protocol.md; this file is their only reader and
 * writer.
 *
 * A scope's series are numbered per kind in the order they were first seen, and only ever appended. A frame carries
 * values for a subset of them, named by two bitmaps: those that changed since the frame before, or all ("full").
 */

import { GAUGE_WIDTH } from './model/values.ts';

const MAGIC = 0x4656;
const VERSION = 1;
export const FRAME_HEADER_BYTES = 40;
/** A frame that claims more series than this is refused before anything is allocated. */
const MAX_SERIES = 1 << 24;

const FLAG_FULL = 1;
const FLAG_GAP = 2;
const KNOWN_FLAGS = FLAG_FULL | FLAG_GAP;

export interface FrameHeader {
  /** Number of the subscription on a live socket; 0 elsewhere. */
  readonly stream: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** Milliseconds since this scope's previous tick, by the monotonic clock; 0 for the first one. */
  readonly interval: number;
  /** Number of the tick since the engine started; grows by one per tick, wraps at 2^32. */
  readonly sequence: number;
  /** The time before this frame was not observed (suspended machine, stopped engine): do not draw a line over it. */
  readonly gap: boolean;
}

/** The values of a scope: counters[i], and gauges[4 i .. 4 i + 3] as min, max, hits, total. */
export interface Columns {
  readonly counterCount: number;
  readonly gaugeCount: number;
  /** Length at least counterCount. */
  readonly counters: Float64Array;
  /** Length at least 4 × gaugeCount. */
  readonly gauges: Float64Array;
}

export interface Frame extends FrameHeader {
  /** All series are present. */
  readonly full: boolean;
  /** Series known to the sender when it wrote the frame; also the schema's version: it grows with each new series. */
  readonly schemaVersion: number;
  readonly counterCount: number;
  readonly gaugeCount: number;
  /** One bit per series, least significant first; unused bits are 0. */
  readonly counterBits: Uint8Array;
  readonly gaugeBits: Uint8Array;
  /** Values of the counters whose bit is set, in order. */
  readonly counterValues: Float64Array;
  /** Four numbers for each gauge whose bit is set, in order. */
  readonly gaugeValues: Float64Array;
}

/** Bytes that are not a frame. `code` is stable, the message is for people. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

/** Bytes of a bitmap for `count` series. */
export const bitmapBytes = (count: number): number => (count + 7) >>> 3;

export const hasBit = (bits: Uint8Array, index: number): boolean => (bits[index >>> 3]! & (1 << (index & 7))) !== 0;

export function setBit(bits: Uint8Array, index: number): void {
  bits[index >>> 3]! |= 1 << (index & 7);
}

/** Set bits among the first `count`. */
export function countBits(bits: Uint8Array, count: number): number {
  let n = 0;
  for (let i = 0; i < count >>> 3; i++) {
    let b = bits[i]!;
    b -= (b >>> 1) & 0x55;
    b = (b & 0x33) + ((b >>> 2) & 0x33);
    n += (b + (b >>> 4)) & 0x0f;
  }
  for (let i = count & ~7; i < count; i++) if (hasBit(bits, i)) n++;
  return n;
}

const align8 = (n: number): number => (n + 7) & ~7;

/** Size in bytes of a frame that carries this many values. */
export function frameBytes(counterCount: number, gaugeCount: number, counterBits: number, gaugeBits: number): number {
  const bitmaps = align8(FRAME_HEADER_BYTES + bitmapBytes(counterCount) + bitmapBytes(gaugeCount));
  return bitmaps + 8 * (counterBits + GAUGE_WIDTH * gaugeBits);
}

/**
 * Writes a frame. Without bitmaps it is full. Bitmaps must cover the columns' counts (`bitmapBytes`); bits beyond the
 * count are ignored.
 */
export function encodeFrame(
  header: FrameHeader,
  columns: Columns,
  changed: { readonly counters: Uint8Array; readonly gauges: Uint8Array } | null,
): Uint8Array<ArrayBuffer> {
  const { counterCount, gaugeCount, counters, gauges } = columns;
  const nCounters = changed ? countBits(changed.counters, counterCount) : counterCount;
  const nGauges = changed ? countBits(changed.gauges, gaugeCount) : gaugeCount;
  const size = frameBytes(counterCount, gaugeCount, nCounters, nGauges);
  const buffer = new ArrayBuffer(size);
  const view = new DataView(buffer);
  view.setUint16(0, MAGIC, true);
  view.setUint8(2, VERSION);
  view.setUint8(3, (changed ? 0 : FLAG_FULL) | (header.gap ? FLAG_GAP : 0));
  view.setUint32(4, header.stream, true);
  view.setFloat64(8, header.time, true);
  view.setFloat64(16, header.interval, true);
  view.setUint32(24, header.sequence >>> 0, true);
  view.setUint32(28, counterCount + gaugeCount, true);
  view.setUint32(32, counterCount, true);
  view.setUint32(36, gaugeCount, true);

  const bytes = new Uint8Array(buffer);
  const gaugeAt = FRAME_HEADER_BYTES + bitmapBytes(counterCount);
  writeBits(bytes, FRAME_HEADER_BYTES, counterCount, changed?.counters);
  writeBits(bytes, gaugeAt, gaugeCount, changed?.gauges);

  // Every platform Node and browsers run on is little-endian, so typed arrays write the wire's byte order.
  let at = align8(gaugeAt + bitmapBytes(gaugeCount));
  const counterOut = new Float64Array(buffer, at, nCounters);
  at += 8 * nCounters;
  const gaugeOut = new Float64Array(buffer, at, GAUGE_WIDTH * nGauges);
  if (!changed) {
    counterOut.set(counters.subarray(0, counterCount));
    gaugeOut.set(gauges.subarray(0, GAUGE_WIDTH * gaugeCount));
    return bytes;
  }
  let n = 0;
  for (let i = 0; i < counterCount; i++) if (hasBit(changed.counters, i)) counterOut[n++] = counters[i]!;
  n = 0;
  for (let i = 0; i < gaugeCount; i++) {
    if (!hasBit(changed.gauges, i)) continue;
    for (let k = 0; k < GAUGE_WIDTH; k++) gaugeOut[n++] = gauges[GAUGE_WIDTH * i + k]!;
  }
  return bytes;
}

function writeBits(bytes: Uint8Array, at: number, count: number, bits: Uint8Array | undefined): void {
  const length = bitmapBytes(count);
  if (bits) bytes.set(bits.subarray(0, length), at);
  else bytes.fill(0xff, at, at + length);
  const tail = count & 7;
  if (tail !== 0) bytes[at + length - 1]! &= (1 << tail) - 1;
}

/** Reads a frame from bytes that nobody vouches for. Throws {@link FrameError}; never reads past the end. */
export function decodeFrame(input: Uint8Array): Frame {
  if (input.byteLength < FRAME_HEADER_BYTES) throw new FrameError('frame is shorter than its header');
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  if (view.getUint16(0, true) !== MAGIC) throw new FrameError('not a frame');
  const version = view.getUint8(2);
  if (version !== VERSION) throw new FrameError(`frame version ${version} is not known here (only ${VERSION})`);
  const flags = view.getUint8(3);
  if ((flags & ~KNOWN_FLAGS) !== 0) throw new FrameError('frame has unknown flags');
  const counterCount = view.getUint32(32, true);
  const gaugeCount = view.getUint32(36, true);
  if (counterCount > MAX_SERIES || gaugeCount > MAX_SERIES) throw new FrameError('frame claims too many series');
  const schemaVersion = view.getUint32(28, true);
  if (schemaVersion !== counterCount + gaugeCount)
    throw new FrameError('frame schema version does not match its counts');
  const gaugeAt = FRAME_HEADER_BYTES + bitmapBytes(counterCount);
  const valuesAt = align8(gaugeAt + bitmapBytes(gaugeCount));
  if (input.byteLength < valuesAt) throw new FrameError('frame ends inside its bitmaps');
  const counterBits = input.slice(FRAME_HEADER_BYTES, gaugeAt);
  const gaugeBits = input.slice(gaugeAt, gaugeAt + bitmapBytes(gaugeCount));
  if (!tailIsClear(counterBits, counterCount) || !tailIsClear(gaugeBits, gaugeCount)) {
    throw new FrameError('frame sets bits beyond its series');
  }
  const nCounters = countBits(counterBits, counterCount);
  const nGauges = countBits(gaugeBits, gaugeCount);
  if (input.byteLength !== valuesAt + 8 * (nCounters + GAUGE_WIDTH * nGauges)) {
    throw new FrameError('frame length does not match its bitmaps');
  }
  const full = (flags & FLAG_FULL) !== 0;
  if (full && (nCounters !== counterCount || nGauges !== gaugeCount))
    throw new FrameError('full frame leaves out series');
  // Copied: the input may be unaligned, or a buffer that is reused.
  const values = new Float64Array(nCounters + GAUGE_WIDTH * nGauges);
  new Uint8Array(values.buffer).set(input.subarray(valuesAt));
  return {
    stream: view.getUint32(4, true),
    time: view.getFloat64(8, true),
    interval: view.getFloat64(16, true),
    sequence: view.getUint32(24, true),
    gap: (flags & FLAG_GAP) !== 0,
    full,
    schemaVersion,
    counterCount,
    gaugeCount,
    counterBits,
    gaugeBits,
    counterValues: values.subarray(0, nCounters),
    gaugeValues: values.subarray(nCounters),
  };
}

function tailIsClear(bits: Uint8Array, count: number): boolean {
  const tail = count & 7;
  return tail === 0 || (bits[bits.length - 1]! & ~((1 << tail) - 1)) === 0;
}

/**
 * The values of a scope as its frames tell them: apply each frame in order. Series not seen yet are NaN.
 * Arrays grow as series are appended and may be longer than the counts.
 */
export class FrameState implements Columns {
  counterCount = 0;
  gaugeCount = 0;
  counters: Float64Array = new Float64Array(0);
  gauges: Float64Array = new Float64Array(0);
  time = 0;
  sequence = 0;

  apply(frame: Frame): void {
    this.counters = grown(this.counters, frame.counterCount);
    this.gauges = grown(this.gauges, GAUGE_WIDTH * frame.gaugeCount);
    this.counterCount = Math.max(this.counterCount, frame.counterCount);
    this.gaugeCount = Math.max(this.gaugeCount, frame.gaugeCount);
    this.time = frame.time;
    this.sequence = frame.sequence;
    let n = 0;
    for (let i = 0; i < frame.counterCount; i++) {
      if (hasBit(frame.counterBits, i)) this.counters[i] = frame.counterValues[n++]!;
    }
    n = 0;
    for (let i = 0; i < frame.gaugeCount; i++) {
      if (!hasBit(frame.gaugeBits, i)) continue;
      for (let k = 0; k < GAUGE_WIDTH; k++) this.gauges[GAUGE_WIDTH * i + k] = frame.gaugeValues[n++]!;
    }
  }
}

/** At least `length` long; what was there stays, the rest is NaN. */
function grown(array: Float64Array, length: number): Float64Array {
  if (array.length >= length) return array;
  const next = new Float64Array(Math.max(length, 2 * array.length)).fill(NaN);
  next.set(array);
  return next;
}
