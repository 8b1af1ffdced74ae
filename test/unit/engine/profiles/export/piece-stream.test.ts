import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { describe, expect, test } from 'vitest';
import { PieceStream } from '../../../../../src/engine/profiles/export/piece-stream.ts';

const PIECES = 50;
const LENGTH = 1000;

/** Two buffers that are used in turn, as soon as they are free; what was free too early is overwritten. */
function source() {
  const free: Uint8Array<ArrayBuffer>[] = [new Uint8Array(LENGTH), new Uint8Array(LENGTH)];
  const told = { taken: false, stopped: 0, most: 0 };
  let next = 0;
  const stream = new PieceStream(
    (piece) => {
      free.push(piece.fill(255));
      fill();
    },
    () => void told.stopped++,
  );
  function fill(): void {
    while (next < PIECES) {
      const piece = free.shift();
      if (!piece) return;
      stream.add(piece.fill(next));
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
