import { describe, expect, test } from 'vitest';
import { forecast, unwise, wrongSetting } from '../../../../src/renderer/views/settings/forecast.ts';
import type { RetentionState } from '../../../../src/shared/api/store.ts';

const DAY = 86_400_000;
const NOW = 1000 * DAY;
const MIB = 2 ** 20;
const draft = { raw: '14d', minute: '180d', hour: '1095d', size: '4GiB' };

/** A store that began `days` ago and adds 100, 10 and 1 MiB a day to its tiers. */
function state(days: number): RetentionState {
  const tier = (name: 'raw' | 'minute' | 'hour', perDay: number) => ({
    ...{ tier: name, blocks: 1, bytes: days * perDay * MIB, from: NOW - days * DAY },
    ...{ bytes_per_day: perDay * MIB, expected: null },
  });
  const tiers = [tier('raw', 100), tier('minute', 10), tier('hour', 1)];
  return { now: draft, configured: draft, bytes: 111 * days * MIB + 5 * MIB, free: 0, tiers };
}

describe('what is kept will cost', () => {
  test('each tier grows until it is as old as it may become; the rest stays', () => {
    const { tiers, total, perDay, limitIn } = forecast(state(2), draft, NOW);
    expect(tiers).toEqual([1400 * MIB, 1800 * MIB, 1095 * MIB]);
    expect(total).toBe((1400 + 1800 + 1095 + 5) * MIB);
    expect(perDay).toBe(111 * MIB);
    // 1332 MiB more until the raw samples are full after 12 days, then 11 a day: 4 GiB are reached long after that.
    expect(limitIn).toBeGreaterThan(180);
    expect(forecast(state(2), { ...draft, size: 'off' }, NOW).limitIn).toBeNull();
    expect(forecast(state(2), { ...draft, size: '8GiB' }, NOW).limitIn).toBeNull();
  });

  test('the limit is reached when what is left is filled at that rate', () => {
    expect(forecast(state(2), { ...draft, size: '1337MiB' }, NOW).limitIn).toBeCloseTo((1337 - 227) / 111, 6);
    expect(forecast(state(2), { ...draft, size: '100MiB' }, NOW).limitIn).toBe(0);
  });

  test('nothing is said before a rate is known, or of what is no age', () => {
    const young = state(2);
    const unknown = { ...young, tiers: young.tiers.map((tier) => ({ ...tier, bytes_per_day: null })) };
    expect(forecast(unknown, draft, NOW)).toEqual({
      tiers: [null, null, null],
      total: null,
      perDay: null,
      limitIn: null,
    });
    expect(forecast(young, { ...draft, raw: 'soon' }, NOW).total).toBeNull();
  });
});

describe('settings', () => {
  test.each([
    ['raw', '14d', true],
    ['raw', ' 36h ', true],
    ['raw', '30m', false],
    ['raw', '14', false],
    ['hour', '1095d', true],
    ['size', '4GiB', true],
    ['size', 'off', true],
    ['size', '1MiB', false],
    ['size', '4 gigabytes', false],
  ] as const)('%s %j', (name, text, right) => {
    expect(wrongSetting(name, text) === null).toBe(right);
  });

  test('coarser tiers that are removed first are of no use', () => {
    expect(unwise(draft)).toBeNull();
    expect(unwise({ ...draft, minute: '7d' })).toContain('1 min');
    expect(unwise({ ...draft, hour: '30d' })).toContain('1 h');
  });
});
