import { describe, expect, test } from 'vitest';
import { History } from '../../../../src/renderer/data/history.ts';
import type { RangeResult } from '../../../../src/shared/api/query.ts';

const HOUR = 3_600_000;

/** Points every `step` (`every` for samples) from `from` to `to`. */
function answer(keys: readonly string[], from: number, to: number, step: number, every = step): RangeResult {
  const times: number[] = [];
  for (let time = from; time <= to; time += every) times.push(time);
  const column = times.map(() => 1);
  const series = keys.map((key) => ({
    ...{ key, name: key, kind: 'gauge' as const, min: column, avg: column, max: column, last: column },
  }));
  return { scope: 'node/x', from, to, step, times, series };
}

/** From, to and step of what a range is drawn from. */
const drawn = (history: History, keys: readonly string[], from: number, to: number) =>
  history
    .pieces(keys, from, to)
    .map(({ layer, first, last }) => [layer.times[first], layer.times[last - 1], layer.step]);

describe('answers of several ranges', () => {
  test('while a narrower range is on its way the wider one shows it, with a point on either side', () => {
    const history = new History();
    history.add(answer(['a'], 0, 600 * HOUR, HOUR), 600);
    expect(drawn(history, ['a'], 100.2 * HOUR, 100.4 * HOUR)).toEqual([[99 * HOUR, 101 * HOUR, HOUR]]);
  });

  test('a coarse answer of a narrower range does not take the place of a finer one that is here', () => {
    const history = new History();
    history.add(answer(['a'], 0, 600 * HOUR, HOUR), 600);
    history.add(answer(['a'], 100 * HOUR, 400 * HOUR, 6 * HOUR), 64);
    expect(drawn(history, ['a'], 100 * HOUR, 400 * HOUR).map(([, , step]) => step)).toEqual([HOUR]);
    history.add(answer(['a'], 100 * HOUR, 400 * HOUR, HOUR / 2), 600);
    expect(drawn(history, ['a'], 100 * HOUR, 400 * HOUR).map(([, , step]) => step)).toEqual([HOUR / 2]);
  });

  test('while a wider range is on its way the narrow one stays in it; then the wide one is drawn alone', () => {
    const history = new History();
    history.add(answer(['a'], 100 * HOUR, 101 * HOUR, 0, 6000), 600);
    expect(drawn(history, ['a'], 0, 200 * HOUR)).toEqual([[100 * HOUR, 101 * HOUR, 0]]);
    history.add(answer(['a'], 0, 200 * HOUR, HOUR / 3), 600);
    expect(drawn(history, ['a'], 0, 200 * HOUR)).toEqual([[0, 200 * HOUR, HOUR / 3]]);
    // Back in the narrow range its samples are still here.
    expect(drawn(history, ['a'], 100 * HOUR, 101 * HOUR)).toEqual([[100 * HOUR, 101 * HOUR, 0]]);
  });

  test('beside a range that is here its neighbour is drawn as far as it is known', () => {
    const history = new History();
    history.add(answer(['a'], 0, 100 * HOUR, HOUR / 2), 600);
    history.add(answer(['a'], 50 * HOUR, 150 * HOUR, 2 * HOUR), 64);
    const pieces = drawn(history, ['a'], 50 * HOUR, 150 * HOUR);
    expect(pieces.map(([, , step]) => step)).toEqual([HOUR / 2, 2 * HOUR]);
    expect(pieces[1]![1]).toBe(150 * HOUR);
  });

  test('lines of one chart are drawn from answers that have them all, other lines of the same question join them', () => {
    const history = new History();
    history.add(answer(['a'], 0, 100 * HOUR, HOUR / 4), 600);
    history.add(answer(['a', 'b'], 0, 100 * HOUR, 2 * HOUR), 64);
    expect(drawn(history, ['a', 'b'], 0, 100 * HOUR).map(([, , step]) => step)).toEqual([2 * HOUR]);
    history.add(answer(['b'], 0, 100 * HOUR, HOUR / 4), 600);
    expect(drawn(history, ['a', 'b'], 0, 100 * HOUR).map(([, , step]) => step)).toEqual([HOUR / 4]);
  });

  test('a moving window keeps one answer of each kind, and few ranges are remembered', () => {
    const history = new History();
    for (let i = 0; i < 50; i++) history.add(answer(['a'], i * 1000, HOUR + i * 1000, 6000), 600);
    expect(history.to).toBe(HOUR + 49_000);
    expect(drawn(history, ['a'], 49_000, HOUR + 49_000)).toHaveLength(1);
    expect(drawn(history, ['a'], 0, 1000)).toEqual([]);
    for (let i = 0; i < 50; i++) history.add(answer(['a'], i * HOUR, i * HOUR + 60_000, 0, 1000), 600);
    expect(drawn(history, ['a'], 0, 60_000)).toEqual([]);
    expect(drawn(history, ['a'], 49 * HOUR, 49 * HOUR + 60_000)).toHaveLength(1);
  });

  test('tells what need not be asked for', () => {
    const history = new History();
    history.add(answer(['a', 'b'], 0, 100 * HOUR, HOUR), 600);
    expect(history.has(['a'], { from: 0.2, to: 100 * HOUR - 0.2 }, 600)).toBe(true);
    expect(history.has(['a'], { from: 0, to: 50 * HOUR }, 600)).toBe(false);
    expect(history.has(['c'], { from: 0, to: 100 * HOUR }, 600)).toBe(false);
    history.add(answer(['a'], 20 * HOUR, 30 * HOUR, 0, 60_000), 600);
    expect(history.has(['a'], { from: 25 * HOUR, to: 26 * HOUR }, 600)).toBe(true);
  });
});
