/**
 * The open end of the history: one row per tick and part. A part is a handful of scopes that are written, and later
 * sealed, together: a row for each scope and tick would touch a page of an index each time.
 *
 * A row's bytes: number of frames (u32), for each the scope's row and its length (u32 each), then the frames, as they
 * are on the wire; little endian.
 */

import type Database from 'better-sqlite3';

export interface TailFrame {
  readonly scope: number;
  readonly bytes: Uint8Array;
}

export function packTail(frames: readonly TailFrame[]): Buffer {
  const head = 4 + 8 * frames.length;
  const out = Buffer.allocUnsafe(frames.reduce((sum, { bytes }) => sum + bytes.byteLength, head));
  out.writeUInt32LE(frames.length, 0);
  let at = head;
  frames.forEach(({ scope, bytes }, i) => {
    out.writeUInt32LE(scope, 4 + 8 * i);
    out.writeUInt32LE(bytes.byteLength, 8 + 8 * i);
    out.set(bytes, at);
    at += bytes.byteLength;
  });
  return out;
}

/** The frames of a row. What is damaged is left out; so it is in {@link PartFrames}. */
export function* unpackTail(row: Uint8Array): Generator<TailFrame, void> {
  if (row.byteLength < 4) return;
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength);
  const count = view.getUint32(0, true);
  let at = 4 + 8 * count;
  if (at > row.byteLength) return;
  for (let i = 0; i < count; i++) {
    const length = view.getUint32(8 + 8 * i, true);
    if (at + length > row.byteLength) return;
    yield { scope: view.getUint32(4 + 8 * i, true), bytes: row.subarray(at, at + length) };
    at += length;
  }
}

/** The frame of one scope in a row, or null. */
function frameOf(row: Uint8Array, scope: number): Uint8Array | null {
  if (row.byteLength < 4) return null;
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength);
  const count = view.getUint32(0, true);
  let at = 4 + 8 * count;
  if (at > row.byteLength) return null;
  for (let i = 0; i < count; i++) {
    const length = view.getUint32(8 + 8 * i, true);
    if (view.getUint32(4 + 8 * i, true) === scope)
      return at + length <= row.byteLength ? row.subarray(at, at + length) : null;
    at += length;
  }
  return null;
}

/** A view of each of tens of thousands of frames would be a burden. */
const TIME = new Float64Array(1);
const TIME_BYTES = new Uint8Array(TIME.buffer);

/** A frame by its time, which stands at a fixed place in it. NaN for bytes that are none. */
export function frameTime(bytes: Uint8Array): number {
  if (bytes.byteLength < 16) return NaN;
  for (let i = 0; i < 8; i++) TIME_BYTES[i] = bytes[8 + i]!;
  return TIME[0]!;
}

export interface TimedFrame {
  readonly time: number;
  readonly bytes: Uint8Array;
}

/**
 * Frames in the order of time out of frames in the order of writing: where a clock was set back, what was ahead has to
 * go.
 */
export class InOrder {
  readonly frames: TimedFrame[] = [];

  add(bytes: Uint8Array): void {
    const time = frameTime(bytes);
    if (Number.isNaN(time)) {
      // Not a frame: whoever replays these must know that something is missing here.
      this.frames.push({ time: this.frames.at(-1)?.time ?? -Infinity, bytes });
      return;
    }
    while (this.frames.length > 0 && this.frames.at(-1)!.time >= time) this.frames.pop();
    this.frames.push({ time, bytes });
  }
}

/** Frames of the scopes of a part by where they lie: an object for each of tens of thousands would be a burden. */
export class PartFrames {
  readonly #rows: Uint8Array[] = [];
  /** Of each frame the number of its row, where it begins there, and where it ends. */
  readonly #places = new Map<number, number[]>();

  /** In the order of writing. `only`: of these scopes, as copies, so that those of others need not be held. */
  add(row: Uint8Array, only: ReadonlySet<number> | null): void {
    if (row.byteLength < 4) return;
    const view = new DataView(row.buffer, row.byteOffset, row.byteLength);
    const count = view.getUint32(0, true);
    let at = 4 + 8 * count;
    if (at > row.byteLength) return;
    if (only === null) this.#rows.push(row);
    for (let i = 0; i < count; i++) {
      const scope = view.getUint32(4 + 8 * i, true);
      const end = at + view.getUint32(8 + 8 * i, true);
      if (end > row.byteLength) return;
      if (only === null) this.#place(scope, at, end);
      else if (only.has(scope)) {
        this.#rows.push(row.slice(at, end));
        this.#place(scope, 0, end - at);
      }
      at = end;
    }
  }

  #place(scope: number, at: number, end: number): void {
    const places = this.#places.get(scope);
    if (places) places.push(this.#rows.length - 1, at, end);
    else this.#places.set(scope, [this.#rows.length - 1, at, end]);
  }

  /** Those that have a frame. */
  get scopes(): number[] {
    return [...this.#places.keys()];
  }

  /** In the order of time. */
  of(scope: number): TimedFrame[] {
    const order = new InOrder();
    const places = this.#places.get(scope) ?? [];
    for (let i = 0; i < places.length; i += 3) {
      order.add(this.#rows[places[i]!]!.subarray(places[i + 1], places[i + 2]));
    }
    return order.frames;
  }
}

/** A step ends after this many bytes, about a millisecond. */
const STEP_BYTES = 1024 * 1024;

export class TailReader {
  readonly #rows;

  constructor(db: Database.Database) {
    this.#rows = db.prepare('SELECT id, bytes FROM tail WHERE part = ? AND id > ? AND id <= ? ORDER BY id');
  }

  /** Rows of a part up to an id, in steps: an open statement would keep others from writing. */
  *rows(part: number, upTo: number): Generator<Uint8Array[], void> {
    for (let after = 0; ;) {
      const step: Uint8Array[] = [];
      let bytes = 0;
      for (const each of this.#rows.iterate(part, after, upTo)) {
        const row = each as { id: number; bytes: Uint8Array };
        step.push(row.bytes);
        bytes += row.bytes.byteLength;
        after = row.id;
        if (bytes >= STEP_BYTES) break;
      }
      if (step.length > 0) yield step;
      if (bytes < STEP_BYTES) return;
    }
  }

  /** Frames of a scope in a part, in the order of time; yields between steps. */
  *frames(part: number, scope: number): Generator<void, TimedFrame[]> {
    const order = new InOrder();
    for (const step of this.rows(part, Number.MAX_SAFE_INTEGER)) {
      for (const row of step) {
        const bytes = frameOf(row, scope);
        // Copied, so that the other scopes' frames need not be held.
        if (bytes) order.add(bytes.slice());
      }
      yield;
    }
    return order.frames;
  }

  /** Frames of all scopes of a part, or of these only. */
  *all(
    part: number,
    upTo = Number.MAX_SAFE_INTEGER,
    only: ReadonlySet<number> | null = null,
  ): Generator<void, PartFrames> {
    const frames = new PartFrames();
    for (const step of this.rows(part, upTo)) {
      for (const row of step) frames.add(row, only);
      yield;
    }
    return frames;
  }
}
