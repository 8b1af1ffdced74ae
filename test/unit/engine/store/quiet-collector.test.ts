import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { QuietCollector } from '../../../../src/engine/store/quiet-collector.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const burst = (collector: QuietCollector, count: number): void => {
  for (let i = 0; i < count; i++) collector.note();
};

test('garbage of a burst is collected once, when it is over', () => {
  const collect = vi.fn<() => void>();
  const collector = new QuietCollector(collect);
  for (let i = 0; i < 10; i++) {
    burst(collector, 100);
    vi.advanceTimersByTime(500);
  }
  expect(collect).not.toHaveBeenCalled();
  vi.advanceTimersByTime(60_000);
  expect(collect).toHaveBeenCalledTimes(1);
  burst(collector, 100);
  vi.advanceTimersByTime(60_000);
  expect(collect).toHaveBeenCalledTimes(2);
});

test('a job now and then is no burst', () => {
  const collect = vi.fn<() => void>();
  const collector = new QuietCollector(collect);
  for (let i = 0; i < 300; i++) {
    collector.note();
    vi.advanceTimersByTime(5000);
  }
  expect(collect).not.toHaveBeenCalled();
});

test('nothing is collected once it is closed', () => {
  const collect = vi.fn<() => void>();
  const collector = new QuietCollector(collect);
  burst(collector, 1000);
  collector.close();
  vi.advanceTimersByTime(60_000);
  expect(collect).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});
