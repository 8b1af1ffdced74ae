import { describe, expect, test } from 'vitest';
import { healthProblems, Lateness } from '../../../src/engine/health.ts';

describe('lateness of ticks', () => {
  test('is added up over a minute and then forgotten', () => {
    const lateness = new Lateness();
    lateness.add(1000, 700);
    lateness.add(30_000, 2000);
    expect(lateness.total(30_000)).toBe(2700);
    expect(lateness.total(61_000)).toBe(2000);
    expect(lateness.total(90_000)).toBe(0);
  });

  test('of one long stop counts as much as of many short ones', () => {
    const stopped = new Lateness();
    stopped.add(0, 6000);
    const slow = new Lateness();
    for (let i = 0; i < 10; i++) slow.add(1000 * i, 600);
    const now = 9000;
    expect(healthProblems({ error: null }, stopped.total(now))).toEqual(['ticks']);
    expect(healthProblems({ error: null }, slow.total(now))).toEqual(['ticks']);
  });
});

test('a busy moment is no problem, a store that cannot write is one', () => {
  expect(healthProblems({ error: null }, 1500)).toEqual([]);
  expect(healthProblems({ error: 'the disk is full' }, 0)).toEqual(['store']);
  expect(healthProblems({ error: 'the disk is full' }, 10_000)).toEqual(['store', 'ticks']);
});
