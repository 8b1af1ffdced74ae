/** Single samples of the past: the values at a time, and frames as they were told. */

import type { Columns } from '../../shared/frame.ts';
import { frameBytes } from '../../shared/frame.ts';
import type { ScopeId } from '../../shared/model/scope.ts';
import type { Block } from './block/index.ts';
import { blockFrames, blockSnapshot, bucketSnapshot } from './block-frames.ts';
import { MOMENT, type BlockInfo, type BlockTable } from './block-table.ts';
import type { Schemas } from './names.ts';
import { TIER_WIDTH } from './range-plan.ts';
import { Replay } from './replay.ts';
import { firstRow } from './rows.ts';
import type { Segment, Segments } from './segments.ts';
import type { Snapshot } from './store.ts';
import type { TimedFrame } from './tail.ts';

/** Most bytes of frames in one answer. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

export interface FramesAnswer {
  readonly frames: Uint8Array[];
  readonly truncated: boolean;
}

/** A stretch of frames of an answer. */
type Stretch =
  | { readonly block: Block; readonly info: BlockInfo; readonly start: number; readonly end: number }
  | { readonly single: { readonly from: number; readonly to: number } }
  | { readonly tail: readonly TimedFrame[]; readonly from: number; readonly to: number };

export class FramesReader {
  readonly #segments: Segments;
  readonly #schemas: Schemas;
  readonly #blocks: BlockTable;

  constructor(segments: Segments, schemas: Schemas, blocks: BlockTable) {
    this.#segments = segments;
    this.#schemas = schemas;
    this.#blocks = blocks;
  }

  *snapshot(scope: ScopeId, at: number): Generator<void, Snapshot | null> {
    for (const segment of this.#segments.of(scope)) {
      const time = Math.min(at, segment.until - 2 * MOMENT);
      const schema = this.#schemas.of(segment.id);
      const tail = yield* this.#segments.tail(segment);
      if (tail.some((frame) => frame.time > segment.sealed && frame.time <= time)) {
        const replay = new Replay();
        for (const frame of tail) if (frame.time <= time) replay.apply(frame.bytes);
        return replay.snapshot(schema);
      }
      const single = this.#segments.newest(segment, time);
      if (single !== null) {
        const replay = new Replay();
        for (const frame of this.#segments.scan(segment, this.#segments.start(segment, single), single)) {
          if (frame) replay.apply(frame.bytes);
          else yield;
        }
        return replay.snapshot(schema);
      }
      const sealed = this.#sealed(segment, time, schema);
      if (sealed) return sealed;
    }
    return null;
  }

  #sealed(segment: Segment, time: number, schema: Snapshot['series']): Snapshot | null {
    // A bucket may begin before the first sample in it: they are asked only where samples are no longer kept.
    const begin = Math.min(
      this.#blocks.oldest(segment.id, 0)?.first ?? Infinity,
      this.#segments.oldest(segment) ?? Infinity,
    );
    for (const tier of [0, 1, 2] as const) {
      let info = this.#blocks.newest(segment.id, tier, time);
      for (; info; info = this.#blocks.newest(segment.id, tier, info.first - MOMENT)) {
        const block = this.#blocks.read(info);
        if (!block) continue;
        const row = firstRow(block.times, Math.min(time, info.last) + MOMENT) - 1;
        if (row < 0) continue;
        try {
          if (tier === 0) return blockSnapshot(block, row, schema);
          if (block.times[row]! + TIER_WIDTH[tier] > begin) continue;
          const end = block.times[row]! + TIER_WIDTH[tier] - 1;
          return bucketSnapshot(block, row, Math.min(end, info.last, time), schema);
        } catch (error) {
          this.#blocks.damaged(info, error);
        }
      }
    }
    return null;
  }

  /** See Store.frames. Only of the newest start of the engine in the range: older frames are numbered otherwise. */
  *frames(scope: ScopeId, from: number, to: number, limit: number): Generator<void, FramesAnswer> {
    const segments = this.#segments.of(scope);
    for (const [i, segment] of segments.entries()) {
      const end = Math.min(to, segment.until - 2 * MOMENT);
      const tail = yield* this.#segments.tail(segment);
      const newest = this.#newest(segment, tail, end);
      if (newest === -Infinity) continue;
      if (newest <= from) break;
      const { stretches, truncated } = this.#choose(segment, tail, from, end, limit);
      const frames = yield* this.#framesOf(segment, stretches);
      const isOlder = (older: Segment): boolean => this.#newest(older, [], Math.min(to, older.until - MOMENT)) > from;
      return { frames, truncated: truncated || segments.slice(i + 1).some(isOlder) };
    }
    return { frames: [], truncated: false };
  }

  #newest(segment: Segment, tail: readonly TimedFrame[], to: number): number {
    const open = tail.findLast(({ time }) => time <= to && time > segment.sealed)?.time ?? -Infinity;
    const single = this.#segments.newest(segment, to) ?? -Infinity;
    const info = this.#blocks.newest(segment.id, 0, to);
    return Math.max(open, single, info ? Math.min(info.last, to) : -Infinity);
  }

  /** The newest frames, as many as the limits allow; the stretches in order. */
  #choose(
    segment: Segment,
    tail: readonly TimedFrame[],
    from: number,
    to: number,
    limit: number,
  ): { stretches: Stretch[]; truncated: boolean } {
    const stretches: Stretch[] = [];
    let [room, bytes] = [limit, MAX_ANSWER_BYTES];
    const open = tail.filter(({ time }) => time > Math.max(from, segment.sealed) && time <= to);
    const fits = open.findLastIndex((frame) => room-- <= 0 || (bytes -= frame.bytes.byteLength) < 0);
    const chosen = open.slice(fits + 1);
    room = limit - chosen.length;
    if (chosen.length > 0) stretches.unshift({ tail, from: chosen[0]!.time, to });
    if (fits >= 0) return { stretches, truncated: true };
    let first: number | null = null;
    for (const { time, size } of this.#segments.sizes(segment, from, to, room + 1)) {
      bytes -= size;
      if (room-- <= 0 || bytes < 0) {
        if (first !== null) stretches.unshift({ single: { from: first, to } });
        return { stretches, truncated: true };
      }
      first = time;
    }
    if (first !== null) stretches.unshift({ single: { from: first, to } });
    for (let info = this.#blocks.newest(segment.id, 0, to); info && info.last > from;) {
      const block = this.#blocks.read(info);
      if (block) {
        const start = firstRow(block.times, from + MOMENT);
        const end = firstRow(block.times, Math.min(to, info.last) + MOMENT);
        const [counters, gauges] = [block.counterCounts.at(-1)!, block.gaugeCounts.at(-1)!];
        const fit = Math.min(room, Math.floor(Math.max(0, bytes) / frameBytes(counters, gauges, counters, gauges)));
        if (end > start && fit > 0) stretches.unshift({ block, info, start: Math.max(start, end - fit), end });
        if (end - start > fit) return { stretches, truncated: true };
        room -= end - start;
        bytes -= (end - start) * frameBytes(counters, gauges, counters, gauges);
      }
      info = this.#blocks.newest(segment.id, 0, info.first - MOMENT);
    }
    return { stretches, truncated: false };
  }

  *#framesOf(segment: Segment, stretches: readonly Stretch[]): Generator<void, Uint8Array[]> {
    const frames: Uint8Array[] = [];
    let values: Columns | null = null;
    for (const stretch of stretches) {
      if ('block' in stretch) {
        const { block, info, start, end } = stretch;
        try {
          const made = blockFrames(block, start, end, values);
          frames.push(...made.frames);
          ({ values } = made);
        } catch (error) {
          this.#blocks.damaged(info, error);
          // What follows is told by differences to what could not be read.
          values = null;
        }
        yield;
        continue;
      }
      const replay = new Replay();
      const take = ({ time, bytes }: TimedFrame, first: number): void => {
        const frame = replay.apply(bytes);
        if (!frame || time < first) return;
        frames.push(frames.length === 0 ? replay.full(frame) : bytes);
      };
      if ('tail' in stretch) {
        for (const frame of stretch.tail) if (frame.time <= stretch.to) take(frame, stretch.from);
      } else {
        const { from, to } = stretch.single;
        for (const frame of this.#segments.scan(segment, this.#segments.start(segment, from), to)) {
          if (frame) take(frame, from);
          else yield;
        }
      }
    }
    return frames;
  }
}
