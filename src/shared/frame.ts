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

/** What is left to know of a frame whose values were applied. */
export interface AppliedFrame extends FrameHeader {
  /** All series were present. */
  readonly full: boolean;
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
export const countBits = (bits: Uint8Array, count: number): number => countBitsAt(bits, 0, count);

/** Of a bitmap that begins at a byte. */
function countBitsAt(bytes: Uint8Array, at: number, count: number): number {
  let n = 0;
  for (let i = at; i < at + (count >>> 3); i++) {
    let b = bytes[i]!;
    b -= (b >>> 1) & 0x55;
    b = (b & 0x33) + ((b >>> 2) & 0x33);
    n += (b + (b >>> 4)) & 0x0f;
  }
  for (let i = 8 * at + (count & ~7); i < 8 * at + count; i++) if (hasBit(bytes, i)) n++;
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

/** Where the parts of a frame are in its bytes, which are as long as these say. */
interface Layout {
  readonly view: DataView;
  readonly header: FrameHeader;
  readonly full: boolean;
  readonly counterCount: number;
  readonly gaugeCount: number;
  readonly gaugeAt: number;
  readonly valuesAt: number;
}

/** Looks at bytes that nobody vouches for. Throws {@link FrameError}; never reads past the end. */
function readLayout(input: Uint8Array): Layout {
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
  if (view.getUint32(28, true) !== counterCount + gaugeCount)
    throw new FrameError('frame schema version does not match its counts');
  const gaugeAt = FRAME_HEADER_BYTES + bitmapBytes(counterCount);
  const valuesAt = align8(gaugeAt + bitmapBytes(gaugeCount));
  if (input.byteLength < valuesAt) throw new FrameError('frame ends inside its bitmaps');
  if (!tailIsClear(input, FRAME_HEADER_BYTES, counterCount) || !tailIsClear(input, gaugeAt, gaugeCount)) {
    throw new FrameError('frame sets bits beyond its series');
  }
  const nCounters = countBitsAt(input, FRAME_HEADER_BYTES, counterCount);
  const nGauges = countBitsAt(input, gaugeAt, gaugeCount);
  if (input.byteLength !== valuesAt + 8 * (nCounters + GAUGE_WIDTH * nGauges)) {
    throw new FrameError('frame length does not match its bitmaps');
  }
  const full = (flags & FLAG_FULL) !== 0;
  if (full && (nCounters !== counterCount || nGauges !== gaugeCount))
    throw new FrameError('full frame leaves out series');
  const header = {
    stream: view.getUint32(4, true),
    time: view.getFloat64(8, true),
    interval: view.getFloat64(16, true),
    sequence: view.getUint32(24, true),
    gap: (flags & FLAG_GAP) !== 0,
  };
  return { view, header, full, counterCount, gaugeCount, gaugeAt, valuesAt };
}

/** What bytes say of themselves, if they are a frame. */
export const saysFull = (bytes: Uint8Array): boolean => bytes.byteLength > 3 && (bytes[3]! & FLAG_FULL) !== 0;

/** Reads a frame from bytes that nobody vouches for. Throws {@link FrameError}; never reads past the end. */
export function decodeFrame(input: Uint8Array): Frame {
  const { header, full, counterCount, gaugeCount, gaugeAt, valuesAt } = readLayout(input);
  const counterBits = input.slice(FRAME_HEADER_BYTES, gaugeAt);
  // Copied: the input may be unaligned, or a buffer that is reused.
  const values = new Float64Array((input.byteLength - valuesAt) / 8);
  new Uint8Array(values.buffer).set(input.subarray(valuesAt));
  const nCounters = countBits(counterBits, counterCount);
  return {
    ...header,
    full,
    schemaVersion: counterCount + gaugeCount,
    counterCount,
    gaugeCount,
    counterBits,
    gaugeBits: input.slice(gaugeAt, gaugeAt + bitmapBytes(gaugeCount)),
    counterValues: values.subarray(0, nCounters),
    gaugeValues: values.subarray(nCounters),
  };
}

/** Of a bitmap that begins at a byte. */
function tailIsClear(bytes: Uint8Array, at: number, count: number): boolean {
  const tail = count & 7;
  return tail === 0 || (bytes[at + bitmapBytes(count) - 1]! & ~((1 << tail) - 1)) === 0;
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

  /**
   * Reads a frame and applies it, without a copy of its values in between. Throws {@link FrameError}, and then nothing
   * has changed.
   */
  applyBytes(input: Uint8Array): AppliedFrame {
    const { view, header, full, counterCount, gaugeCount, gaugeAt, valuesAt } = readLayout(input);
    this.#grow(header, counterCount, gaugeCount);
    let at = valuesAt;
    const { counters, gauges } = this;
    for (let byte = FRAME_HEADER_BYTES; byte < gaugeAt; byte++) {
      for (let bits = input[byte]!, i = 8 * (byte - FRAME_HEADER_BYTES); bits !== 0; bits >>>= 1, i++) {
        if ((bits & 1) === 0) continue;
        counters[i] = view.getFloat64(at, true);
        at += 8;
      }
    }
    for (let byte = gaugeAt; byte < gaugeAt + bitmapBytes(gaugeCount); byte++) {
      for (let bits = input[byte]!, i = 8 * (byte - gaugeAt); bits !== 0; bits >>>= 1, i++) {
        if ((bits & 1) === 0) continue;
        for (let k = GAUGE_WIDTH * i; k < GAUGE_WIDTH * (i + 1); k++, at += 8) gauges[k] = view.getFloat64(at, true);
      }
    }
    return { ...header, full };
  }

  #grow({ time, sequence }: FrameHeader, counterCount: number, gaugeCount: number): void {
    this.counters = grown(this.counters, counterCount);
    this.gauges = grown(this.gauges, GAUGE_WIDTH * gaugeCount);
    this.counterCount = Math.max(this.counterCount, counterCount);
    this.gaugeCount = Math.max(this.gaugeCount, gaugeCount);
    this.time = time;
    this.sequence = sequence;
  }

  apply(frame: Frame): void {
    this.#grow(frame, frame.counterCount, frame.gaugeCount);
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
