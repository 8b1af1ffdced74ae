import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NUMBER_BYTES, writeAscii, writeNumber } from '../../../../../src/engine/profiles/export/numbers.ts';

function text(value: number): string {
  const into = new Uint8Array(NUMBER_BYTES + 8).fill(0xff);
  const end = writeNumber(into, 4, value);
  expect(end - 4).toBeLessThanOrEqual(NUMBER_BYTES);
  return new TextDecoder().decode(into.subarray(4, end));
}

describe('a number as text', () => {
  test.each([
    ...[0, 1, 9, 10, 99, 100, 999_999_999, 1_000_000_000, 1_000_000_001, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 1e15 - 1, 1e15],
    ...[0.5, 0.1, 0.000001, 123.456789, 0.0000001, 1e-320, 1.7976931348623157e308, 1e21, 1 / 3, -0, -1, -0.25, -2e-7],
    ...[1_800_000_000.123, 99_999_999.999999, 4_503_599_627.370497, 2 ** 53, 2 ** 53 + 2],
  ])('%d is read back as it was', (value) => {
    expect(Number(text(value))).toBe(value === 0 ? 0 : value);
  });

  test('any finite number is read back as it was, and is not longer than JavaScript has it', () => {
    const any = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.maxSafeInteger(),
      fc.integer().map((n) => n / 1000),
      fc.integer({ min: 0, max: 2 ** 40 }).map((n) => n / 1e6),
    );
    fc.assert(
      fc.property(any, (value) => {
        const written = text(value);
        expect(Number(written)).toBe(value === 0 ? 0 : value);
        expect(written.length).toBeLessThanOrEqual(Math.max(String(value).length, Math.abs(value) < 1e-5 ? 9 : 0));
      }),
      { numRuns: 3000 },
    );
  });

  test('ASCII is written where it is told to', () => {
    const into = new Uint8Array(8);
    expect(writeAscii(into, 2, 'Inf')).toBe(5);
    expect([...into]).toEqual([0, 0, 0x49, 0x6e, 0x66, 0, 0, 0]);
  });
});
