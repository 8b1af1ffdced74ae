import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchLoop } from '../../../src/engine/loop.ts';

let clock = 0;

beforeEach(() => {
  clock = 0;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Time goes on, and its timers come when they should. */
function pass(ms: number): void {
  for (let i = 0; i < ms; i++) {
    clock++;
    vi.advanceTimersByTime(1);
  }
}

test('nothing is known before the first look', () => {
  const watch = watchLoop(() => clock);
  expect(watch.take()).toBeNull();
  pass(100);
  expect(watch.take()).toBeNull();
  watch.close();
  expect(vi.getTimerCount()).toBe(0);
});

test('a loop that keeps up is late by nothing', () => {
  const watch = watchLoop(() => clock);
  pass(2000);
  expect(watch.take()).toMatchObject({ mean: 0, max: 0 });
  watch.close();
});

test('what stops the loop is seen once, by whoever looks first', () => {
  const watch = watchLoop(() => clock);
  pass(1000);
  // 900 ms in which no timer comes.
  clock += 900;
  pass(1000);
  const figures = watch.take();
  expect(figures?.max).toBeCloseTo(0.9, 2);
  expect(figures?.mean).toBeGreaterThan(0.05);
  expect(figures?.mean).toBeLessThan(0.3);
  pass(1000);
  expect(watch.take()).toMatchObject({ mean: 0, max: 0 });

  clock += 900;
  // The figures are taken before the timer comes.
  expect(watch.take()?.max).toBeCloseTo(0.65, 2);
  watch.close();
});
