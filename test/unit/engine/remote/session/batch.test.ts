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
