/** One series of many scopes over time: the same out of memory, the tail and blocks. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Matrix, MatrixQuery } from '../../../src/engine/store/matrix.ts';
import { openMemoryStore } from '../../../src/engine/store/memory.ts';
import { atOnce } from '../../../src/engine/store/sqlite-reader.ts';
import type { Tick } from '../../../src/engine/store/store.ts';
import { openInside } from '../../support/small-store.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { gauge, T0, Teller, tick } from '../../unit/engine/store/support.ts';

const at = (second: number): number => T0 + 1000 * second;

/** Totals of the third rank: nothing from 20 to 30 s, a restart before 40 s, unobserved from 40 to 50 s. */
const THIRD = [30, 60, 60, 5, 50, 60];

/** Three ranks every ten seconds for a minute, another run's rank, and the run itself. */
function ticks(): Tick[] {
  const [run, other] = [new Teller('run/r'), new Teller('rank/rr/0')];
  const ranks = [0, 1, 2].map((rank) => new Teller(`rank/r/${rank}`));
  return [10, 20, 30, 40, 50, 60].map((second, i) => {
    const time = at(second);
    const told = ranks.map((rank, r) =>
      r < 2
        ? rank.at(time, { work: (r + 1) * second, level: gauge(10 * r + i) })
        : rank.at(time, { other: 1, work: THIRD[i]! }, second === 50),
    );
    return tick(time, run.at(time, { work: 9 * second }), other.at(time, { work: 99 }), ...told);
  });
}

const query: MatrixQuery = { below: 'rank/r/', series: 'work', from: T0, to: at(60), columns: 6, since: T0 };

/** Rows by scope. */
function rows(matrix: Matrix | null): Record<string, number[]> {
  if (!matrix) return {};
  const columns = matrix.values.length / matrix.scopes.length;
  return Object.fromEntries(
    matrix.scopes.map((scope, i) => [scope, Array.from(matrix.values.subarray(i * columns, (i + 1) * columns))]),
  );
}

type Ask = (query: MatrixQuery) => Promise<Matrix | null>;

async function inMemory(given = ticks()): Promise<Ask> {
  const { store } = openMemoryStore();
  for (const each of given) store.append(each);
  await store.flush();
  return (asked) => store.matrix(asked);
}

const onDisk =
  (sealedAfter: readonly number[]) =>
  async (given?: Tick[]): Promise<Ask> => {
    const data = join(temporaryFolder(), 'data');
    mkdirSync(data, { mode: 0o700 });
    const { store } = openInside(data);
    for (const [i, each] of (given ?? ticks()).entries()) {
      store.writeTick(store.prepare(each));
      if (sealedAfter.includes(i)) atOnce(store.sealing.seal(Infinity));
    }
    return async (asked) => atOnce(store.read.matrix(asked));
  };

const stores: [string, (given?: Tick[]) => Promise<Ask>][] = [
  ['memory', inMemory],
  ['the tail', onDisk([])],
  ['blocks', onDisk([5])],
  ['several blocks', onDisk([0, 2, 5])],
  ['blocks and the tail', onDisk([1, 3])],
];

test.each(stores)('out of %s: rates, restarts, gaps, gauges, parts of the time', async (_, open) => {
  const ask = await open();
  const whole = await ask(query);
  expect(whole?.kind).toBe('counter');
  expect(rows(whole)).toEqual({
    'rank/r/0': [1, 1, 1, 1, 1, 1],
    'rank/r/1': [2, 2, 2, 2, 2, 2],
    'rank/r/2': [3, 3, 0, 0.5, NaN, 1],
  });
  expect(Object.fromEntries(whole!.scopes.map((scope, i) => [scope, whole!.lastTotal[i]]))).toEqual({
    'rank/r/0': 60,
    'rank/r/1': 120,
    'rank/r/2': 60,
  });
  expect([...whole!.lastTime]).toEqual([at(60), at(60), at(60)]);
  // Twice as narrow: a sample tells of the time since the one before it.
  expect(rows(await ask({ ...query, columns: 12 }))['rank/r/2']).toEqual([3, 3, 3, 3, 0, 0, 0.5, 0.5, NaN, NaN, 1, 1]);
  // Two samples in a column: by the time that each tells of.
  expect(rows(await ask({ ...query, columns: 3 }))['rank/r/2']).toEqual([3, 0.25, 1]);
  // From the middle on, what was before is what the first rate counts from.
  expect(rows(await ask({ ...query, from: at(30), columns: 3 }))['rank/r/2']).toEqual([0.5, NaN, 1]);
  expect(rows(await ask({ ...query, from: at(15), to: at(35), columns: 2 }))['rank/r/2']).toEqual([1.5, 0.25]);
  const levels = await ask({ ...query, series: 'level' });
  expect(levels?.kind).toBe('gauge');
  expect(rows(levels)['rank/r/1']!.slice(1)).toEqual([11, 12, 13, 14, 15]);
  expect(Object.keys(rows(levels))).toEqual(['rank/r/0', 'rank/r/1']);
  expect(await ask({ ...query, series: 'nothing' })).toBeNull();
  expect(await ask({ ...query, below: 'rank/x/' })).toBeNull();
});

test.each(stores)('out of %s: an interval of milliseconds has no rate of its own', async (_, open) => {
  const rank = new Teller('rank/r/0');
  // 10 in ten seconds, then as much in 5 ms, and once more within the next 5.
  const told = [at(10), at(20), at(30), at(30) + 5, at(30) + 10];
  const ask = await open(told.map((time, i) => tick(time, rank.at(time, { work: 10 * (i + 1) }))));
  const matrix = await ask({ ...query, to: at(30) + 10, columns: 3001 });
  const cells = rows(matrix)['rank/r/0']!;
  expect(cells[500]).toBeCloseTo(1, 5);
  expect(cells[1500]).toBeCloseTo(1, 5);
  expect(Math.max(...cells)).toBeCloseTo(3, 1);
  // Each has the mean up to it.
  expect(cells.at(-1)).toBeCloseTo((2 + 3) / 2, 1);
  // Nothing is lost: a column lasts 10 ms.
  expect(cells.reduce((sum, rate) => sum + rate / 100, 0)).toBeCloseTo(50, 1);
  expect([matrix!.lastTotal[0], matrix!.lastLength[0], matrix!.lastGrown[0]]).toEqual([
    ...[50, expect.closeTo(10_010, 6)],
    expect.closeTo(30, 6),
  ]);
});
