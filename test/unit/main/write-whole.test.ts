import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { writeWhole } from '../../../src/main/write-whole.ts';
import { temporaryFolder } from '../../support/tmp.ts';

/** Of what is written at once, in UTF-16 units. */
const PART = 4 * 1024 * 1024;

test('writes what it was given, over what was there, and leaves nothing else', async () => {
  const folder = temporaryFolder();
  const file = path.join(folder, 'export.csv');
  for (const text of ['time,value\r\n', '', 'again']) {
    expect(await writeWhole(file, text)).toEqual({ saved: true, name: 'export.csv' });
    expect(readFileSync(file, 'utf8')).toBe(text);
  }
  expect(readdirSync(folder)).toEqual(['export.csv']);
});

test('any text, any name', async () => {
  const folder = temporaryFolder();
  const name = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 60 })
    .map((text) => `x${text.replace(/[/\0]/g, '')}`);
  await fc.assert(
    fc.asyncProperty(name, fc.string({ unit: 'binary' }), async (base, text) => {
      const file = path.join(folder, base);
      expect(await writeWhole(file, text)).toEqual({ saved: true, name: base });
      expect(readFileSync(file, 'utf8')).toBe(text);
    }),
    { numRuns: 50 },
  );
});

test.each([-2, -1, 0, 1])('a character of two halves is not torn where a part ends (%i)', async (shift) => {
  const file = path.join(temporaryFolder(), 'large');
  const text = `${'a'.repeat(PART + shift)}😀${'b'.repeat(PART)}😀`;
  expect(await writeWhole(file, text)).toMatchObject({ saved: true });
  expect(readFileSync(file, 'utf8') === text).toBe(true);
});

test('a name that is as long as names can be', async () => {
  const folder = temporaryFolder();
  const name = 'n'.repeat(255);
  expect(await writeWhole(path.join(folder, name), 'x')).toEqual({ saved: true, name });
  expect(readdirSync(folder)).toEqual([name]);
});

test('a folder that is not there, and one that is a file', async () => {
  const folder = temporaryFolder();
  writeFileSync(path.join(folder, 'file'), '');
  for (const place of ['gone', 'file']) {
    const outcome = await writeWhole(path.join(folder, place, 'export.csv'), 'x');
    expect(outcome).toEqual({ saved: false, reason: expect.stringContaining(place) });
  }
  expect(readdirSync(folder)).toEqual(['file']);
});

test('a folder in its place stays, with what is in it', async () => {
  const folder = temporaryFolder();
  const place = path.join(folder, 'export.csv');
  mkdirSync(place);
  writeFileSync(path.join(place, 'precious'), '');
  expect(await writeWhole(place, 'x')).toMatchObject({ saved: false });
  expect(readdirSync(folder)).toEqual(['export.csv']);
  expect(readdirSync(place)).toEqual(['precious']);
});

test('two at the same time: one of both, whole', async () => {
  const folder = temporaryFolder();
  const file = path.join(folder, 'export.csv');
  const texts = ['a'.repeat(PART), 'b'.repeat(PART)];
  await Promise.all(texts.map((text) => writeWhole(file, text)));
  expect(texts.includes(readFileSync(file, 'utf8'))).toBe(true);
  expect(readdirSync(folder)).toEqual(['export.csv']);
});
