import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { afterOutput, readLines } from '../../../src/main/engine-output.ts';

test('lines come whole however they are cut, the last one without its end too', async () => {
  const stream = new PassThrough();
  const lines: string[] = [];
  const read = readLines(stream, (line) => lines.push(line));
  for (const part of ['fir', 'st\nsec', 'ond\n\nla', 'st']) stream.write(part);
  stream.end();
  await read;
  expect(lines).toEqual(['first', 'second', '', 'last']);
});

test('an endless line is cut', async () => {
  const stream = new PassThrough();
  const lines: string[] = [];
  const read = readLines(stream, (line) => lines.push(line));
  for (let i = 0; i < 100; i++) stream.write('x'.repeat(1000));
  stream.end('\nnext\n');
  await read;
  expect(lines).toEqual(['x'.repeat(4096), 'next']);
});

test('what comes after whoever made the stream has taken the listeners away is read', async () => {
  const stream = new PassThrough();
  const lines: string[] = [];
  const told: string[][] = [];
  const read = readLines(stream, (line) => lines.push(line));
  stream.write('before\n');
  const over = new Promise<void>((resolve) => {
    afterOutput([read], 60_000, () => {
      told.push([...lines]);
      resolve();
    });
  });
  // As Electron does when it has told of the exit.
  stream.removeAllListeners();
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(told).toEqual([]);
  stream.end('after\n');
  await over;
  expect(told).toEqual([['before', 'after']]);
});

test('a stream that fails is over', async () => {
  const stream = new PassThrough();
  const lines: string[] = [];
  const read = readLines(stream, (line) => lines.push(line));
  stream.write('one\ntw');
  await new Promise((resolve) => setImmediate(resolve));
  stream.destroy(new Error('gone'));
  await read;
  expect(lines).toEqual(['one', 'tw']);
});

test('a pipe that somebody else holds open is not waited for', async () => {
  const read = readLines(new PassThrough(), () => undefined);
  await new Promise<void>((resolve) => afterOutput([read], 20, resolve));
});
