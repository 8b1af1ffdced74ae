import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatSize, parseSize, Size } from '../../../src/shared/size.ts';

test.each([
  ['0', 0],
  ['4096', 4096],
  ['12B', 12],
  ['64KiB', 65_536],
  ['1.5MiB', 1_572_864],
  ['2 GiB', 2 ** 31],
])('%s is a size', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test.each(['', 'x', '-1', '1KB', '1k', 'MiB', '1e3', '99999999999999GiB', '1 MiB extra'])('%s is none', (text) => {
  expect(parseSize(text)).toBeNull();
  expect(Size.safeParse(text).success).toBe(false);
});

test('what is written is read', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 31 - 1), (bytes) => {
      expect(parseSize(formatSize(bytes))).toBe(bytes);
    }),
  );
  expect(formatSize(2 ** 31)).toBe('2GiB');
  expect(Size.parse(1024)).toBe(1024);
});
