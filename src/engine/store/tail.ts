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

/** The frames of a row. What is damaged is left out. */
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

/** A frame by its time, which stands at a fixed place in it. NaN for bytes that are none. */
export function frameTime(bytes: Uint8Array): number {
  if (bytes.byteLength < 16) return NaN;
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getFloat64(8, true);
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

  /** Frames of all scopes of a part. */
  *all(part: number, upTo = Number.MAX_SAFE_INTEGER): Generator<void, Map<number, TimedFrame[]>> {
    const orders = new Map<number, InOrder>();
    for (const step of this.rows(part, upTo)) {
      for (const row of step) {
        for (const { scope, bytes } of unpackTail(row)) {
          let order = orders.get(scope);
          if (!order) orders.set(scope, (order = new InOrder()));
          order.add(bytes);
        }
      }
      yield;
    }
    return new Map(Array.from(orders, ([scope, { frames }]) => [scope, frames]));
  }
}
