import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { describe, expect, test } from 'vitest';
import { PieceStream } from '../../../../../src/engine/profiles/export/piece-stream.ts';
import { PIECE, SharedPieces } from '../../../../../src/engine/profiles/export/shared-pieces.ts';

const PIECES = 50;
const LENGTH = 1000;

/** Two pieces at a time, and their memory is used again as soon as it is free; what was free too early is overwritten. */
function source() {
  const pieces = new SharedPieces();
  let room = 2;
  const told = { taken: false, stopped: 0, most: 0 };
  let next = 0;
  const stream = new PieceStream(
    ({ bytes, memory }) => {
      bytes.fill(255);
      pieces.release(memory!);
      room++;
      fill();
    },
    () => void told.stopped++,
  );
  function fill(): void {
    while (next < PIECES && room > 0) {
      room--;
      stream.add(pieces.share(new Uint8Array(LENGTH).fill(next)));
      next++;
      if (next === PIECES) stream.whole(() => (told.taken = true));
    }
  }
  return { stream, told, fill };
}

const isWhole = (bytes: Uint8Array): boolean =>
  bytes.length === PIECES * LENGTH && bytes.every((byte, i) => byte === Math.floor(i / LENGTH));

describe('pieces whose memory is used again', () => {
  test.each([false, true])('reach a slow target as they were; it ends: %s', async (end) => {
    const { stream, told, fill } = source();
    const got: Buffer[] = [];
    let waiting = 0;
    const target = new Writable({
      highWaterMark: 1,
      write(chunk: Buffer, _encoding, done) {
        // Looked at only when it is due, as a socket does.
        waiting++;
        setImmediate(() => {
          got.push(Buffer.from(chunk));
          waiting--;
          done();
        });
      },
    });
    stream.pipe(target, { end });
    fill();
    await finished(stream, { readable: true, writable: false });
    expect(told.taken).toBe(true);
    expect(waiting).toBe(0);
    if (end) await finished(target);
    expect(target.writableEnded).toBe(end);
    expect(isWhole(Buffer.concat(got))).toBe(true);
    expect(stream.destroyed).toBe(true);
    expect(told.stopped).toBe(1);
  });

  test('are copied for anybody else who reads', async () => {
    const { stream, told, fill } = source();
    fill();
    const got: Buffer[] = [];
    for await (const piece of stream) {
      got.push(piece as Buffer);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(isWhole(Buffer.concat(got))).toBe(true);
    expect(told.taken).toBe(true);
  });

  test('are not taken back from a target that was destroyed', async () => {
    const { stream, told, fill } = source();
    const target = new Writable({ write: (_chunk, _encoding, done) => void setImmediate(done, new Error('gone')) });
    target.on('error', () => stream.destroy());
    stream.pipe(target);
    fill();
    await finished(stream).catch(() => undefined);
    expect(told).toMatchObject({ taken: false, stopped: 1 });
  });
});

describe('memory of pieces', () => {
  test('is seen by both threads, and used again only when it was given back', () => {
    const pieces = new SharedPieces();
    const own = new Uint8Array(LENGTH).fill(1);
    const first = pieces.share(own);
    own.fill(2);
    const second = pieces.share(own);
    expect(first.bytes.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect([first.bytes[0], second.bytes[0], first.memory === second.memory]).toEqual([1, 2, false]);
    pieces.release(first.memory!);
    const third = pieces.share(own.fill(3));
    expect(third.memory).toBe(first.memory);
    expect([second.bytes[0], third.bytes[0], third.bytes.length]).toEqual([2, 3, LENGTH]);
  });

  test('is limited: what does not fit is for the message to copy', () => {
    const pieces = new SharedPieces();
    const own = new Uint8Array(PIECE);
    const all = Array.from({ length: 20 }, () => pieces.share(own));
    const shared = all.filter(({ memory }) => memory !== null);
    expect(new Set(shared.map(({ memory }) => memory)).size).toBe(shared.length);
    expect(shared.length * PIECE).toBeLessThan(4 * 1024 * 1024);
    for (const { bytes, memory } of all) expect(bytes === own).toBe(memory === null);
    expect(pieces.share(new Uint8Array(PIECE + 1)).memory).toBe(null);
  });
});
