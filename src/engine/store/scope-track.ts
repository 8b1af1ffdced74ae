/**
 * The present values of a scope beside its stored frames. Frames are differences: a full one now and then bounds how
 * many must be replayed for any time, and one is needed after a loss, because the loss took differences with it.
 */

import { encodeFrame, frameBytes, FrameState } from '../../shared/frame.ts';

export interface TrackedFrame {
  readonly time: number;
  readonly full: boolean;
  readonly bytes: Uint8Array;
  /** The clock was set back: what is stored of this scope at this time and later has to go. */
  readonly setBack: boolean;
}

export class ScopeTrack {
  readonly #state = new FrameState();
  /** Most frames from one full one to the next. */
  readonly #fullEvery: number;
  #needsFull = true;
  #frames = 0;
  #bytes = 0;

  constructor(fullEvery: number) {
    this.#fullEvery = fullEvery;
  }

  /** The frame written before did not reach the store. */
  lost(): void {
    this.#needsFull = true;
  }

  /** What to store for a frame. Throws FrameError on bytes that are not one. */
  take(bytes: Uint8Array): TrackedFrame {
    const state = this.#state;
    const before = state.time;
    const frame = state.applyBytes(bytes);
    const setBack = before > 0 && frame.time <= before;
    const { counterCount, gaugeCount } = state;
    const fullBytes = frameBytes(counterCount, gaugeCount, counterCount, gaugeCount);
    // Many changes per frame: full frames then cost little and save much replaying.
    const due = this.#frames >= this.#fullEvery || this.#bytes >= 16 * fullBytes;
    const full = frame.full || this.#needsFull || due || setBack;
    this.#needsFull = false;
    this.#frames = full ? 1 : this.#frames + 1;
    this.#bytes = full ? 0 : this.#bytes + bytes.byteLength;
    if (!full || (frame.full && !setBack)) return { time: frame.time, full, bytes, setBack };
    const header = { ...frame, stream: 0, gap: frame.gap || setBack };
    return { time: frame.time, full, bytes: encodeFrame(header, state, null), setBack };
  }
}
