import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Scope } from '../../../../src/engine/live/scope.ts';
import { Mirror } from '../../../../src/engine/targets/mirror.ts';

const HOUR = 3_600_000;

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

/** Another proxy's values, as a test tells them: the number of a counter, or of a gauge where the name begins with g. */
function mirrored(most = 1000): { scope: Scope; mirror: Mirror; tell: (values: Record<string, number>) => void } {
  const scope = new Scope('target/t', 'target');
  const room = (): number => most - scope.livingCount;
  const mirror = new Mirror(scope, { node: 'host', labels: [], keep: () => true, room, began: false });
  const tell = (values: Record<string, number>): void => {
    mirror.begin();
    for (const [name, value] of Object.entries(values)) {
      if (name.startsWith('g')) mirror.gauge(name, '', { min: value, max: value, hits: 1, total: value });
      else mirror.counter(name, '', value);
    }
    mirror.end();
  };
  return { scope, mirror, tell };
}

test('what is not told for an hour after it left is retired, and comes back as what it was', () => {
  const { scope, mirror, tell } = mirrored();
  tell({ c: 1, d: 5, g: 1 });
  for (let round = 0; round < 4; round++) tell({ c: 2 });
  vi.advanceTimersByTime(HOUR - 1);
  tell({ c: 2 });
  expect(scope.livingCount).toBe(3);
  vi.advanceTimersByTime(2);
  mirror.miss();
  expect(scope.livingCount).toBe(3);
  tell({ c: 2 });
  expect([scope.livingCount, scope.seriesCount]).toEqual([1, 3]);
  tell({ c: 2, d: 7, g: 3 });
  scope.settle();
  expect([scope.livingCount, scope.seriesCount]).toEqual([3, 3]);
  expect([...scope.counters.subarray(0, 2), scope.gauge(0).total]).toEqual([2, 7, 3]);
});

test('labels that churn never use up the room for series', () => {
  const { scope, mirror, tell } = mirrored(100);
  for (let hour = 0; hour < 50; hour++) {
    for (let round = 0; round < 5; round++) tell({ c: 1, [`d{pod="${hour}"}`]: 1, [`g{pod="${hour}"}`]: 1 });
    expect(mirror.refused).toEqual({});
    vi.advanceTimersByTime(HOUR + 1);
  }
  expect(scope.livingCount).toBeLessThan(10);
  expect(scope.seriesCount).toBe(101);
});
