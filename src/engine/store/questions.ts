/**
 * Questions whose answers take long: they are answered in steps, by the reader's thread where there is one, else by the
 * writer's between two writes.
 */

import type { RangeColumns } from './aggregate.ts';
import type { CallMessage, LongMethod, Packed } from './messages.ts';
import { rangeJson } from './range-json.ts';
import type { SqliteReader } from './sqlite-reader.ts';

type Answer = readonly [value: unknown, transfer: ArrayBuffer[]];

export const isLong = (message: CallMessage): message is LongMessage => LONG.has(message.method);

const LONG: ReadonlySet<string> = new Set<LongMethod>([
  'runs',
  'profiles',
  'query',
  'queryJson',
  'merge',
  'matrix',
  'names',
  'frames',
  'snapshot',
]);

export type LongMessage = Extract<CallMessage, { method: LongMethod }>;

/** Yields between steps of a few milliseconds. */
export function* answerLong(read: SqliteReader, message: LongMessage): Generator<void, Answer> {
  switch (message.method) {
    case 'runs':
      return [yield* read.lists.runs(message.argument), []];
    case 'profiles':
      return [yield* read.cards.answer(message.argument), []];
    case 'snapshot':
      return [yield* read.snapshot(message.argument.scope, message.argument.time), []];
    case 'query': {
      const columns = yield* read.query(message.argument);
      if (!columns) return [null, []];
      return [columns, buffersOf(columns)];
    }
    case 'queryJson': {
      const columns = yield* read.query(message.argument);
      if (!columns) return [null, []];
      const json = yield* rangeJson(columns, message.argument.functions);
      return [json, [json.buffer]];
    }
    case 'merge': {
      const merged = yield* read.merge(message.argument);
      return [merged, merged ? buffersOf(merged.columns) : []];
    }
    case 'matrix': {
      const matrix = yield* read.matrix(message.argument);
      const parts = matrix && [matrix.values, matrix.lastTime, matrix.lastTotal];
      return [matrix, parts ? parts.map(({ buffer }) => buffer) : []];
    }
    case 'names':
      return [yield* read.names(message.argument), []];
    case 'frames': {
      const { scope, from, to, limit } = message.argument;
      const packed = pack(yield* read.frames(scope, from, to, limit));
      return [packed, [packed.bytes.buffer]];
    }
  }
}

const buffersOf = ({ times, min, avg, max, last, weight }: RangeColumns): ArrayBuffer[] =>
  [times, min, avg, max, last, weight].map(({ buffer }) => buffer);

function pack({ frames, truncated }: { frames: Uint8Array[]; truncated: boolean }): Packed {
  const bytes = new Uint8Array(frames.reduce((sum, frame) => sum + frame.byteLength, 0));
  let at = 0;
  for (const frame of frames) {
    bytes.set(frame, at);
    at += frame.byteLength;
  }
  return { lengths: frames.map((frame) => frame.byteLength), bytes, truncated };
}
