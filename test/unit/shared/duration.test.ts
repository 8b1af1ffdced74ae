import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Duration, formatDuration, parseDuration } from '../../../src/shared/duration.ts';

describe('parseDuration', () => {
  test.each([
    ['0s', 0],
    ['250ms', 250],
    ['1s', 1000],
    ['1.5m', 90_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
    [' 1s ', 1000],
    ['0.5ms', 0.5],
  ])('%j is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each([
    '',
    '1',
    's',
    '1 s',
    '-1s',
    '+1s',
    '1e3s',
    '1.s',
    '.5s',
    '1S',
    '1ss',
    '1s1s',
    'NaNs',
    '0x1s',
    '١s',
    `${'9'.repeat(400)}d`,
  ])('%j is no duration', (text) => {
    expect(parseDuration(text)).toBeNull();
    expect(Duration.safeParse(text).success).toBe(false);
  });
});

test('what is formatted is read back, and nothing shorter says the same', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.nat(),
        fc.nat(1000).map((s) => s * 1000),
        fc.nat(100).map((d) => d * 86_400_000),
      ),
      (ms) => {
        const text = formatDuration(ms);
        expect(parseDuration(text)).toBe(ms);
        expect(Duration.parse(text)).toBe(ms);
        for (const unit of ['ms', 's', 'm', 'h', 'd']) {
          const size = parseDuration(`1${unit}`)!;
          if (ms % size === 0) expect(text.length).toBeLessThanOrEqual(`${ms / size}${unit}`.length + 1);
        }
      },
    ),
  );
});

test.each([
  [0, '0ms'],
  [1, '1ms'],
  [999, '999ms'],
  [1000, '1s'],
  [1500, '1500ms'],
  [90_000, '90s'],
  [60_000, '1m'],
  [86_400_000, '1d'],
])('%d ms are %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});
