import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keptText, resolutionText, shortLength } from '../../../../src/renderer/charts/resolution.ts';
import { parseWhen, writeWhen } from '../../../../src/renderer/charts/when.ts';
import type { Layer } from '../../../../src/renderer/data/history.ts';

const NOW = new Date(2026, 10, 21, 12, 30, 15).getTime();
const at = (year: number, month: number, day: number, ...clock: [h?: number, m?: number, s?: number, ms?: number]) =>
  new Date(year, month, day, ...[0, 0, 0, 0].map((none, i) => clock[i] ?? none)).getTime();

describe('a time as people write it', () => {
  test.each([
    ['2026-11-20 08:15', at(2026, 10, 20, 8, 15)],
    ['2026-11-20T08:15:30', at(2026, 10, 20, 8, 15, 30)],
    ['2026-11-20 08:15:30.25', at(2026, 10, 20, 8, 15, 30, 250)],
    ['2026-1-2', at(2026, 0, 2)],
    ['08:15', at(2026, 10, 21, 8, 15)],
    ['now', NOW],
    ['-2h', NOW - 7_200_000],
    ['now-30m', NOW - 1_800_000],
    ['now - 7d', NOW - 604_800_000],
    ['2026-11-20T08:15:30Z', Date.UTC(2026, 10, 20, 8, 15, 30)],
    ['2026-11-20T08:15:30+01:00', Date.UTC(2026, 10, 20, 7, 15, 30)],
  ])('%s', (text, expected) => {
    expect(parseWhen(text, NOW)).toBe(expected);
    expect(parseWhen(`  ${text} `, NOW)).toBe(expected);
  });

  test.each([
    '',
    'yesterday',
    '2026-13-01',
    '2026-02-30',
    '2026-11-20 25:00',
    '2026-11-20 08:75',
    '-2',
    '-h',
    '1e9',
    '12',
  ])('not %j', (text) => expect(parseWhen(text, NOW)).toBeNull());

  test('what is written is read again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 86_400_000, max: 4_000_000_000_000 }), (ms) => {
        // An hour that clocks show twice a year is one of two.
        const read = parseWhen(writeWhen(ms), NOW);
        expect(Math.abs(read! - ms) % 3_600_000).toBe(0);
      }),
    );
  });
});

describe('what points stand for', () => {
  const layer = (step: number, width: number, points = 600): Layer => ({
    ...{ from: NOW - 20 * 86_400_000, to: NOW - 20 * 86_400_000 + width, step, points },
    ...{ times: [], series: new Map(), note: null },
  });
  const ages = { samples: '14d', minutes: '180d' };

  test('in words', () => {
    expect([60_000, 7_200_000, 90_000, 250, 86_400_000].map(shortLength)).toEqual([
      '1 min',
      '2 h',
      '90 s',
      '250 ms',
      '1 d',
    ]);
    expect(resolutionText(60_000)).toBe('1 min buckets, min–max band');
    expect(resolutionText(0)).toBe('every stored sample');
  });

  test('says that samples are gone only where there was room for finer buckets', () => {
    expect(keptText(layer(60_000, 3_600_000), ages, NOW)).toBe('raw samples are kept for 14 d: shown in 1 min buckets');
    // A day in minutes is more than there is room for; so are ten hours in half minutes.
    expect(keptText(layer(60_000, 36_000_000), ages, NOW)).toBeNull();
    expect(keptText(layer(0, 3_600_000), ages, NOW)).toBeNull();
    expect(keptText(layer(600_000, 3_600_000), ages, NOW)).toBeNull();
    expect(keptText(layer(3_600_000, 86_400_000), ages, NOW + 200 * 86_400_000)).toBe(
      '1 min buckets are kept for 180 d: shown in 1 h buckets',
    );
    expect(keptText(layer(3_600_000, 86_400_000), ages, NOW)).toBe(
      '1 min buckets of this time are no longer kept: shown in 1 h buckets',
    );
  });
});
