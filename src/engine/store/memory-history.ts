/**
 * The frames of one scope in memory, as changes only: a frame in which nothing changed takes about eight bytes, however
 * many series the scope has. A whole set of values is kept where the history begins, and again where replaying the
 * changes since the last one would take longer than reading it.
 *
 * A record: flags (u8) · time (varint, ms since the record before; f64 in a chunk's first or when it is no such number) ·
 * interval (varint, µs) · sequence and counts (u32 each, unless the sequence is the next one and the counts are the same)
 * · number of changed counters and gauges (varint each) · places of the changed ones (varint each: how many are left out
 * since the one before; none in a whole record) · their values (f64, four for a gauge).
 */

import { bitmapBytes, encodeFrame, hasBit, setBit, type Columns, type Frame } from '../../shared/frame.ts';
import { GAUGE_WIDTH } from '../../shared/model/values.ts';

const WHOLE = 1;
const GAP = 2;
/** Sequence and counts follow. */
const COUNTS = 4;
/** The time is an f64. */
const TIME = 8;

/** Frames per chunk. */
const CHUNK_FRAMES = 256;
/** What a chunk takes beside its bytes. */
const CHUNK_OVERHEAD = 400;
/** Changes may take this many times what whole values would, until these are written again. */
const REPLAY_FACTOR = 2;
/** Most bytes of a record's fixed parts. */
const HEAD_BYTES = 64;

/** The values of a scope at one of its frames. */
class State implements Columns {
  counterCount = 0;
  gaugeCount = 0;
  counters = new Float64Array(0);
  gauges = new Float64Array(0);
  time = 0;
  interval = 0;
  sequence = 0;
  gap = false;
  /** What the frame changed. */
  counterBits = new Uint8Array(0);
  gaugeBits = new Uint8Array(0);

  /** Room for so many series; those not seen yet are NaN. Nothing counts as changed. */
  begin(counterCount: number, gaugeCount: number): void {
    this.counters = grown(this.counters, counterCount);
    this.gauges = grown(this.gauges, GAUGE_WIDTH * gaugeCount);
    this.counterCount = Math.max(this.counterCount, counterCount);
    this.gaugeCount = Math.max(this.gaugeCount, gaugeCount);
    const [c, g] = [bitmapBytes(this.counterCount), bitmapBytes(this.gaugeCount)];
    if (this.counterBits.length < c) this.counterBits = new Uint8Array(c);
    else this.counterBits.fill(0);
    if (this.gaugeBits.length < g) this.gaugeBits = new Uint8Array(g);
    else this.gaugeBits.fill(0);
  }

  copy(): State {
    const to = new State();
    Object.assign(to, this);
    to.counters = this.counters.slice(0, this.counterCount);
    to.gauges = this.gauges.slice(0, GAUGE_WIDTH * this.gaugeCount);
    to.counterBits = this.counterBits.slice();
    to.gaugeBits = this.gaugeBits.slice();
    return to;
  }

  get bytes(): number {
    return 8 * (this.counterCount + GAUGE_WIDTH * this.gaugeCount);
  }
}

export type ReplayedFrame = Readonly<State>;

/** Exactly so long: what it is for grows seldom, and there may be a thousand of them. */
function grown(array: Float64Array<ArrayBuffer>, length: number): Float64Array<ArrayBuffer> {
  if (array.length >= length) return array;
  const next = new Float64Array(length).fill(NaN);
  next.set(array);
  return next;
}

const same = (a: number, b: number): boolean => a === b || (a !== a && b !== b);

export interface Chunk {
  readonly history: MemoryHistory;
  /** Of its first and last frame. */
  readonly first: number;
  last: number;
  frames: number;
  buffer: Buffer;
  used: number;
  /** Begins with whole values. */
  readonly whole: boolean;
}

const sizeOf = (chunk: Chunk): number => CHUNK_OVERHEAD + chunk.buffer.length;

export class MemoryHistory {
  readonly chunks: Chunk[] = [];
  /** Values before the first chunk, where that does not begin with whole ones. */
  #base: State | null = null;
  /** Values at the last frame. */
  readonly #now = new State();
  /** Bytes of changes since whole values were written. */
  #sinceWhole = Infinity;
  readonly #maxChunk: { readonly bytes: number; readonly age: number };

  constructor(maxChunk: { readonly bytes: number; readonly age: number }) {
    this.#maxChunk = maxChunk;
  }

  /** Bytes held, the present values left out. */
  get bytes(): number {
    return this.chunks.reduce((sum, chunk) => sum + sizeOf(chunk), this.#base?.bytes ?? 0);
  }

  /** Keeps a frame. `begun`: the chunk that this began, if any; `grown`: bytes taken more. */
  take(frame: Frame): { readonly begun: Chunk | null; readonly removed: readonly Chunk[]; readonly grown: number } {
    const now = this.#now;
    const setBack = now.time > 0 && frame.time <= now.time;
    const before = { time: now.time, sequence: now.sequence, counters: now.counterCount, gauges: now.gaugeCount };
    this.#apply(frame);
    let grownBy = 0;
    let removed: Chunk[] = [];
    if (setBack) {
      now.gap = true;
      ({ removed, grown: grownBy } = this.#forgetFrom(frame.time));
      this.#sinceWhole = Infinity;
    }
    let chunk = this.chunks.at(-1);
    let begun: Chunk | null = null;
    if (!chunk || setBack || this.#isFull(chunk, frame.time)) {
      if (chunk) grownBy += trim(chunk);
      const whole = this.#sinceWhole >= Math.max(1, REPLAY_FACTOR * now.bytes) || this.chunks.length === 0;
      chunk = { ...{ history: this, first: frame.time, last: frame.time, frames: 0 }, buffer: NONE, used: 0, whole };
      this.chunks.push(chunk);
      begun = chunk;
      if (whole) {
        this.#sinceWhole = 0;
        // Nobody goes on from what was before.
        if (this.chunks.length === 1) {
          grownBy -= this.#base?.bytes ?? 0;
          this.#base = null;
        }
      }
      grownBy += CHUNK_OVERHEAD;
    }
    const size = chunk.buffer.length;
    const from = chunk.used;
    write(chunk, now, chunk.frames === 0 ? null : before);
    if (!(chunk.whole && chunk.frames === 0)) this.#sinceWhole += chunk.used - from;
    chunk.frames++;
    chunk.last = frame.time;
    return { begun, removed, grown: grownBy + chunk.buffer.length - size };
  }

  #isFull(chunk: Chunk, now: number): boolean {
    const { bytes, age } = this.#maxChunk;
    return chunk.frames >= CHUNK_FRAMES || chunk.used > bytes || now - chunk.first > age;
  }

  /** Brings the present values up to date; marks what is not what it was. */
  #apply(frame: Frame): void {
    const now = this.#now;
    const [counters, gauges] = [now.counterCount, now.gaugeCount];
    now.begin(frame.counterCount, frame.gaugeCount);
    let n = 0;
    for (let i = 0; i < frame.counterCount; i++) {
      if (!hasBit(frame.counterBits, i)) continue;
      const value = frame.counterValues[n++]!;
      if (i < counters && same(now.counters[i]!, value)) continue;
      now.counters[i] = value;
      setBit(now.counterBits, i);
    }
    n = 0;
    for (let i = 0; i < frame.gaugeCount; i++) {
      if (!hasBit(frame.gaugeBits, i)) continue;
      for (let k = 0; k < GAUGE_WIDTH; k++) {
        const value = frame.gaugeValues[n++]!;
        if (i < gauges && same(now.gauges[GAUGE_WIDTH * i + k]!, value)) continue;
        now.gauges[GAUGE_WIDTH * i + k] = value;
        setBit(now.gaugeBits, i);
      }
    }
    now.time = frame.time;
    // Kept to the microsecond.
    now.interval = Math.round(frame.interval * 1000) / 1000;
    now.sequence = frame.sequence;
    now.gap = frame.gap;
  }

  /** Takes frames of this time and later out. */
  #forgetFrom(time: number): { removed: Chunk[]; grown: number } {
    const removed: Chunk[] = [];
    let grownBy = 0;
    while (this.chunks.length > 0 && this.chunks.at(-1)!.last >= time) {
      const chunk = this.chunks.pop()!;
      grownBy -= sizeOf(chunk);
      if (chunk.first >= time) {
        removed.push(chunk);
        continue;
      }
      let [frames, used, last] = [0, 0, chunk.first];
      for (const { state, end } of read(chunk, new State())) {
        if (state.time >= time) break;
        [frames, used, last] = [frames + 1, end, state.time];
      }
      Object.assign(chunk, { frames, used, last });
      trim(chunk);
      grownBy += sizeOf(chunk);
      this.chunks.push(chunk);
      break;
    }
    return { removed, grown: grownBy };
  }

  /** Takes the oldest chunk out. Returns the bytes taken less. */
  evict(): number {
    const before = this.bytes;
    const oldest = this.chunks.shift()!;
    if (this.chunks.length === 0) {
      this.#base = null;
      this.#sinceWhole = Infinity;
    } else if (this.chunks[0]!.whole) this.#base = null;
    else {
      const base = this.#base ?? new State();
      for (const { state } of read(oldest, base)) void state;
      this.#base = base;
    }
    return before - this.bytes;
  }

  /**
   * Frames in order up to a time, from before the last one that is earlier than `from`: what stands before is needed to
   * know the values. A state is good until the next one is asked for.
   */
  *between(from: number, to: number): Generator<ReplayedFrame, void> {
    let first = 0;
    for (let i = 1; i < this.chunks.length && this.chunks[i]!.first < from; i++) if (this.chunks[i]!.whole) first = i;
    let state = first === 0 && this.#base ? this.#base.copy() : new State();
    for (const chunk of this.chunks.slice(first)) {
      if (chunk.whole) state = new State();
      for (const record of read(chunk, state, to)) yield record.state;
    }
  }
}

/** A frame again. Full: with all values. */
export function frameOf(state: ReplayedFrame, full: boolean): Uint8Array<ArrayBuffer> {
  const { time, interval, sequence, gap } = state;
  const bits = full ? null : { counters: state.counterBits, gauges: state.gaugeBits };
  return encodeFrame({ stream: 0, time, interval, sequence, gap }, state, bits);
}

const NONE = Buffer.alloc(0);

/** Gives room back that nothing will be written to. Returns the bytes taken more: none, or fewer. */
function trim(chunk: Chunk): number {
  const size = chunk.buffer.length;
  if (size === chunk.used) return 0;
  const exact = Buffer.allocUnsafeSlow(chunk.used);
  chunk.buffer.copy(exact, 0, 0, chunk.used);
  chunk.buffer = exact;
  return exact.length - size;
}

interface Before {
  readonly time: number;
  readonly sequence: number;
  readonly counters: number;
  readonly gauges: number;
}

/** Appends the present values, or what of them changed. `before`: of the record before in this chunk. */
function write(chunk: Chunk, now: State, before: Before | null): void {
  const whole = chunk.whole && before === null;
  const nCounters = whole ? now.counterCount : count(now.counterBits);
  const nGauges = whole ? now.gaugeCount : count(now.gaugeBits);
  const place = whole ? 0 : 5;
  const most = HEAD_BYTES + (place + 8) * nCounters + (place + 8 * GAUGE_WIDTH) * nGauges;
  let out = chunk.buffer;
  if (chunk.used + most > out.length) {
    out = Buffer.allocUnsafeSlow(chunk.used + most + (chunk.used >>> 1));
    chunk.buffer.copy(out, 0, 0, chunk.used);
    chunk.buffer = out;
  }
  const elapsed = before === null ? NaN : now.time - before.time;
  const varTime = Number.isInteger(elapsed) && elapsed >= 0 && elapsed < 2 ** 31;
  const micros = Math.min(2 ** 48, Math.max(0, Math.round(now.interval * 1000)));
  const counts =
    before === null ||
    now.sequence !== (before.sequence + 1) >>> 0 ||
    now.counterCount !== before.counters ||
    now.gaugeCount !== before.gauges;
  let at = chunk.used;
  out[at++] = (whole ? WHOLE : 0) | (now.gap ? GAP : 0) | (counts ? COUNTS : 0) | (varTime ? 0 : TIME);
  at = varTime ? writeVarint(out, at, elapsed) : out.writeDoubleLE(now.time, at);
  at = writeVarint(out, at, micros);
  if (counts) {
    at = out.writeUInt32LE(now.sequence, at);
    at = out.writeUInt32LE(now.counterCount, at);
    at = out.writeUInt32LE(now.gaugeCount, at);
  }
  at = writeVarint(out, at, nCounters);
  at = writeVarint(out, at, nGauges);
  const places = (bits: Uint8Array, all: number): void => {
    let last = -1;
    for (let i = 0; i < all; i++) {
      if ((i & 7) === 0 && bits[i >>> 3] === 0) {
        i += 7;
        continue;
      }
      if (!hasBit(bits, i)) continue;
      at = writeVarint(out, at, i - last - 1);
      last = i;
    }
  };
  if (!whole) {
    places(now.counterBits, now.counterCount);
    places(now.gaugeBits, now.gaugeCount);
  }
  for (let i = 0; i < now.counterCount; i++) {
    if (whole || hasBit(now.counterBits, i)) at = out.writeDoubleLE(now.counters[i]!, at);
  }
  for (let i = 0; i < now.gaugeCount; i++) {
    if (!whole && !hasBit(now.gaugeBits, i)) continue;
    for (let k = 0; k < GAUGE_WIDTH; k++) at = out.writeDoubleLE(now.gauges[GAUGE_WIDTH * i + k]!, at);
  }
  chunk.used = at;
}

/** Applies a chunk's records up to a time to a state, one after the other, and tells where each ends. */
function* read(
  chunk: Chunk,
  state: State,
  to = Infinity,
): Generator<{ readonly state: State; readonly end: number }, void> {
  const bytes = chunk.buffer;
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  let [counterCount, gaugeCount] = [0, 0];
  for (let n = 0; n < chunk.frames; n++) {
    const flags = bytes[at++]!;
    let time: number;
    if ((flags & TIME) === 0) time = state.time + varint();
    else {
      time = bytes.readDoubleLE(at);
      at += 8;
    }
    if (time > to) return;
    const interval = varint() / 1000;
    let sequence = (state.sequence + 1) >>> 0;
    if ((flags & COUNTS) !== 0) {
      sequence = bytes.readUInt32LE(at);
      counterCount = bytes.readUInt32LE(at + 4);
      gaugeCount = bytes.readUInt32LE(at + 8);
      at += 12;
    }
    state.begin(counterCount, gaugeCount);
    Object.assign(state, { time, interval, sequence, gap: (flags & GAP) !== 0 });
    const [nCounters, nGauges] = [varint(), varint()];
    const whole = (flags & WHOLE) !== 0;
    const mark = (bits: Uint8Array, changed: number): void => {
      let place = -1;
      for (let i = 0; i < changed; i++) {
        place += 1 + (whole ? 0 : varint());
        setBit(bits, place);
      }
    };
    mark(state.counterBits, nCounters);
    mark(state.gaugeBits, nGauges);
    for (let i = 0; i < counterCount; i++) {
      if (!hasBit(state.counterBits, i)) continue;
      state.counters[i] = bytes.readDoubleLE(at);
      at += 8;
    }
    for (let i = 0; i < gaugeCount; i++) {
      if (!hasBit(state.gaugeBits, i)) continue;
      for (let k = 0; k < GAUGE_WIDTH; k++, at += 8) state.gauges[GAUGE_WIDTH * i + k] = bytes.readDoubleLE(at);
    }
    yield { state, end: at };
  }
}

function count(bits: Uint8Array): number {
  let n = 0;
  for (let byte of bits) for (; byte !== 0; byte &= byte - 1) n++;
  return n;
}

function writeVarint(out: Buffer, at: number, value: number): number {
  let rest = value;
  while (rest >= 128) {
    out[at++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  out[at++] = rest;
  return at;
}
