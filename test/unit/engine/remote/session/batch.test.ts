import { Writable, type Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { batchWrites } from '../../../../../src/engine/remote/session/batch.ts';

test('what is written in one turn goes out as one, in order; what comes later apart', async () => {
  const sent: string[][] = [];
  const stream = new Writable({
    writev(chunks, done) {
      sent.push(chunks.map(({ chunk }) => String(chunk)));
      done();
    },
    write(chunk, _encoding, done) {
      sent.push([String(chunk)]);
      done();
    },
  });
  batchWrites(stream as Duplex);
  for (const text of ['a', 'b', 'c']) stream.write(text);
  await new Promise(setImmediate);
  stream.write('d');
  const finished = new Promise((resolve) => void stream.once('finish', resolve));
  stream.end('e');
  await finished;
  expect(sent.flat().join('')).toBe('abcde');
  expect(sent[0]).toEqual(['a', 'b', 'c']);
});

test('what nobody takes does not pile up without an end', async () => {
  const stream = new Writable({ write: () => undefined });
  const failed = new Promise<Error>((resolve) => void stream.once('error', resolve));
  batchWrites(stream as Duplex, 1000);
  for (let i = 0; i < 100; i++) stream.write(Buffer.alloc(100));
  expect((await failed).message).toBe('it does not read what is sent to it');
  expect(stream.writableLength).toBeLessThan(1300);
});

test('who writes a lot is told when it is on its way, or lost', async () => {
  const taken: (() => void)[] = [];
  const stream = new Writable({ highWaterMark: 10, write: (_chunk, _encoding, done) => void taken.push(done) });
  const drained = batchWrites(stream as Duplex);
  let calls = 0;
  drained(() => calls++);
  expect(calls).toBe(1);
  stream.write('more than ten bytes');
  drained(() => calls++);
  await new Promise(setImmediate);
  expect(calls).toBe(1);
  taken[0]?.();
  await new Promise(setImmediate);
  expect(calls).toBe(2);
  stream.write('more than ten bytes');
  drained(() => calls++);
  stream.destroy();
  await new Promise(setImmediate);
  expect(calls).toBe(3);
  drained(() => calls++);
  expect(calls).toBe(4);
});
