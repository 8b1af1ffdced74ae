import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { RECORDS } from '../../../src/cli/client-formats.ts';
import { ReadingRecord } from '../../../src/cli/client-record.ts';
import { temporaryFolder } from '../../support/tmp.ts';

const value = (n: number) => ({ name: 'a', ts: n, value: n });

test('a file is whole at any time, and what was in it before is gone', () => {
  const file = path.join(temporaryFolder(), 'log.json');
  writeFileSync(file, 'x'.repeat(1000));
  const read = (): unknown => JSON.parse(readFileSync(file, 'utf8'));
  const into = new ReadingRecord(RECORDS.json, file);
  expect(read()).toEqual([]);
  into.add([value(1)]);
  expect(read()).toEqual([[value(1)]]);
  into.add([]);
  into.add([value(2), value(3)]);
  expect(read()).toEqual([[value(1)], [value(2), value(3)]]);
  into.end();
  expect(read()).toEqual([[value(1)], [value(2), value(3)]]);
});

test('through a pipe it is whole at the end', async () => {
  const folder = temporaryFolder();
  const pipe = path.join(folder, 'pipe');
  execFileSync('sh', ['-c', 'mkfifo "$1"', 'sh', pipe]);
  const reader = spawn('cat', [pipe], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  reader.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const into = new ReadingRecord(RECORDS.json, pipe);
  into.add([value(1)]);
  into.end();
  await once(reader, 'close');
  expect(JSON.parse(text)).toEqual([[value(1)]]);
});

// Only where there is such a device.
test.runIf(existsSync('/dev/full'))('what cannot be written is said', () => {
  expect(() => new ReadingRecord(RECORDS.json, '/dev/full')).toThrow('ENOSPC');
});

test('what cannot be opened is said', () => {
  expect(() => new ReadingRecord(RECORDS.json, path.join(temporaryFolder(), 'no', 'log.json'))).toThrow('ENOENT');
});
