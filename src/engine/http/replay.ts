/**
 * Sends a subscription the stored frames since a time, before it goes on live: a page that lost its engine for a while
 * continues without a hole. Frames of before this scope opened have other places for their series: for them the page is
 * told of a gap and asks for the history instead.
 */

import { decodeFrame, encodeFrame, FrameState, hasBit, setBit, type Frame } from '../../shared/frame.ts';
import type { EngineContext } from '../context.ts';
import type { Subscription } from '../live/hub.ts';
import type { Scope } from '../live/scope.ts';

/** Most frames sent again; an hour at one per second. */
const MAX_REPLAY = 3600;
/** Frames sent before others get a turn. */
const CHUNK = 100;
/** A reader that has not caught up after so many times goes on live, with a gap. */
const MAX_ROUNDS = 20;

export interface ReplayTarget {
  frame(bytes: Uint8Array): void;
  gap(from: number, to: number): void;
  /** False: nobody wants the rest. */
  active(): boolean;
  /** Resolves when the reader has taken most of what it was sent, or is not active any more. */
  drained(): Promise<void>;
  /** All stored frames are sent, the live ones follow. */
  done(): void;
}

/** Never rejects. Live frames are held from the call until `done`. */
export async function replay(
  engine: EngineContext,
  to: Subscription,
  from: number,
  target: ReplayTarget,
): Promise<void> {
  to.held = true;
  const opened = engine.openedAt(to.scope);
  // `from` itself was seen; the moment of opening was not.
  const cursor: Cursor = { time: Math.max(from, opened - 1), sequence: null };
  if (from < opened - 1) target.gap(from, opened);
  try {
    // Ticks go on meanwhile: what was held back is in the store by then, and is fetched in the next round.
    for (let round = 0; round < MAX_ROUNDS; round++) {
      // The first frame of a scope goes to the store a moment after it was published.
      await new Promise(setImmediate);
      to.missed = false;
      await sendStored(engine, to, cursor, target);
      if (!target.active()) return;
      if (!to.missed) break;
    }
    // Dropped by the store, or more than the rounds could fetch.
    if (isWhole(to) && cursor.time < to.lastTick) target.gap(cursor.time, to.lastTick);
  } catch {
    // The store does not answer, or not with frames. What it has may be asked for later.
    if (!target.active()) return;
    target.gap(cursor.time, engine.now());
  }
  // Without a wait since the last look: no tick can come between.
  to.held = false;
  target.done();
}

/** Has a stored frame for each tick. A target has one for each scrape: nothing is missing between them. */
const isWhole = (to: Subscription): boolean => !to.scope.startsWith('target/');

/** The last frame that was sent, or what the reader has seen before. */
interface Cursor {
  time: number;
  sequence: number | null;
}

/** Sends what is stored after the cursor, and moves it along. */
async function sendStored(
  engine: EngineContext,
  to: Subscription,
  cursor: Cursor,
  target: ReplayTarget,
): Promise<void> {
  const scope = engine.scope(to.scope);
  if (!scope) return;
  while (!to.learn(scope)) {
    await target.drained();
    if (!target.active()) return;
  }
  const stored = await engine.store.frames(to.scope, cursor.time, Number.MAX_SAFE_INTEGER, MAX_REPLAY);
  const state = new FrameState();
  for (const [n, bytes] of stored.frames.entries()) {
    if (!target.active()) break;
    const frame = decodeFrame(bytes);
    state.apply(frame);
    const dropped = isWhole(to) && cursor.sequence !== null && frame.sequence !== (cursor.sequence + 1) >>> 0;
    if (dropped || (n === 0 && stored.truncated)) target.gap(cursor.time, frame.time);
    if (n === stored.frames.length - 1) fill(frame, state, scope);
    target.frame(rewrite(frame, state, to, n === 0));
    cursor.time = frame.time;
    cursor.sequence = frame.sequence;
    if (n % CHUNK === CHUNK - 1) await new Promise(setImmediate);
    await target.drained();
  }
}

/**
 * Detail counters are stored now and then only, and are NaN in between: a hole in a line is better than a spike. With the
 * last frame they get the values of now, because the live ones tell changes only.
 */
function fill(frame: Frame, state: FrameState, scope: Scope): void {
  for (let i = 0; i < frame.counterCount; i++) {
    if (!Number.isNaN(state.counters[i])) continue;
    state.counters[i] = scope.counters[i]!;
    setBit(frame.counterBits, i);
  }
}

/** The same frame for this subscription: its number, and only the series it wants. */
function rewrite(frame: Frame, state: FrameState, to: Subscription, first: boolean): Uint8Array {
  const counters = new Uint8Array(frame.counterBits.length);
  const gauges = new Uint8Array(frame.gaugeBits.length);
  for (let i = 0; i < frame.counterCount; i++) {
    if (hasBit(frame.counterBits, i) && to.wantsPlace('counter', i)) setBit(counters, i);
  }
  for (let i = 0; i < frame.gaugeCount; i++) {
    if (hasBit(frame.gaugeBits, i) && to.wantsPlace('gauge', i)) setBit(gauges, i);
  }
  const { counterCount, gaugeCount } = frame;
  const columns = { counterCount, gaugeCount, counters: state.counters, gauges: state.gauges };
  return encodeFrame({ ...frame, stream: to.id, gap: frame.gap && !first }, columns, { counters, gauges });
}
