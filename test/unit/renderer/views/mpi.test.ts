import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import golden from '../../../fixtures/proxy/profiles_get_mpi.json' with { type: 'json' };
import { describeSeries } from '../../../../src/shared/model/series.ts';
import { callCells, rankCells } from '../../../../src/renderer/views/job/mpi/cells.ts';
import {
  balanceOf,
  binRanks,
  leastWaiting,
  ranksOfCall,
  summarize,
} from '../../../../src/renderer/views/job/mpi/model.ts';
import type { MpiSource, RankRow } from '../../../../src/renderer/views/job/mpi/model.ts';
import { orderRows } from '../../../../src/renderer/views/job/mpi/order.ts';
import { keepSamples, rateOf, steadyOrder } from '../../../../src/renderer/views/job/mpi/steady.ts';
import type { Sample } from '../../../../src/renderer/views/job/mpi/steady.ts';
import { percent, sentences } from '../../../../src/renderer/views/job/mpi/words.ts';
import { run } from '../../engine/store/support.ts';

const START = 1_700_000_000_000;

interface RankInput {
  readonly node?: string;
  readonly rank?: number;
  readonly values: Readonly<Record<string, number | null>>;
}

/** A run of so many seconds; its own values are the sums of its ranks', or those given. */
function source(
  ranks: readonly RankInput[],
  { seconds = 10, start = START, totals }: { seconds?: number; start?: number; totals?: Record<string, number> } = {},
): MpiSource {
  const names = [...new Set([...ranks.flatMap(({ values }) => Object.keys(values)), ...Object.keys(totals ?? {})])];
  const series = names.map((name, index) => ({
    ...describeSeries({ kind: 'counter', index, name, doc: '' }),
    value: totals?.[name] ?? ranks.reduce((sum, { values }) => sum + (values[name] ?? 0), 0),
    gauge: null,
    changed: 0,
  }));
  return {
    run: run('r', { start_time: start, ranks: ranks.length }),
    time: START + 1000 * seconds,
    series,
    ranks: ranks.map(({ node = 'n', rank, values }, i) => ({
      rank: rank ?? i,
      node,
      values: names.map((name) => values[name] ?? null),
    })),
  };
}

const words = (from: MpiSource): string[] =>
  sentences(summarize(from)).results.map((sentence) => sentence.map(({ text }) => text).join(''));

/** Ranks by their seconds in Allreduce. */
const waiting = (...times: number[]): MpiSource =>
  source(
    times.map((time) => ({ values: { mpi___time___mpi_allreduce: time, mpi___hits___mpi_allreduce: 10 } })),
    { seconds: 30 },
  );

describe('summary', () => {
  const two = source([
    {
      values: {
        mpi___hits___mpi_send: 10,
        mpi___time___mpi_send: 1,
        mpi___size___mpi_send: 1000,
        mpi___hits___mpi_barrier: 2,
        mpi___time___mpi_barrier: 2,
        mpi___time___mpi_init: 0.5,
        mpi___hits___mpi_init: 1,
      },
    },
    {
      values: {
        mpi___hits___mpi_recv: 10,
        mpi___time___mpi_recv: 3,
        mpi___size___mpi_recv: 1000,
        mpi___hits___mpi_barrier: 2,
        mpi___time___mpi_barrier: 1,
        mpi___time___mpi_init: 0.5,
        mpi___hits___mpi_init: 1,
      },
    },
  ]);

  test('share of the run time, and what it was spent on', () => {
    const summary = summarize(two);
    expect(summary).toMatchObject({
      elapsed: 10,
      rankCount: 2,
      total: { calls: 26, time: 8, bytes: 2000 },
      share: 0.4,
      parts: { waiting: 3, transfer: 4, other: 1 },
      folded: 0,
      covered: 1,
    });
    expect(summary.calls.map(({ name, kind, calls, time, bytes }) => [name, kind, calls, time, bytes])).toEqual([
      ['MPI_Recv', 'transfer', 10, 3, 1000],
      ['MPI_Barrier', 'waiting', 4, 3, null],
      ['MPI_Send', 'transfer', 10, 1, 1000],
      ['MPI_Init', 'other', 2, 1, null],
    ]);
    expect(
      summary.ranks.map(({ rank, time, share, waited, calls, bytes }) => [rank, time, share, waited, calls, bytes]),
    ).toEqual([
      [0, 3.5, 0.35, 3, 13, 1000],
      [1, 4.5, 0.45, 4, 13, 1000],
    ]);
  });

  test('the program’s own totals win: time inside another call counts once', () => {
    const summary = summarize(
      source([
        {
          values: {
            mpi___time___mpi_init: 2,
            mpi___time___mpi_barrier: 1,
            mpi___time___mpi_send: 4,
            total___mpi___time___total: 6,
            total___mpi___time___wait: 0.5,
          },
        },
      ]),
    );
    expect(summary.total.time).toBe(6);
    expect(summary.parts).toEqual({ waiting: 0.5, transfer: 4, other: 1.5 });
  });

  test('one call over the ranks: who never made it has zero', () => {
    expect(
      ranksOfCall(two, 'mpi_send', summarize(two)).map(({ rank, time, calls, bytes, share }) => [
        rank,
        time,
        calls,
        bytes,
        share,
      ]),
    ).toEqual([
      [0, 1, 10, 1000, 0.1],
      [1, 0, 0, null, 0],
    ]);
  });

  test('a client that never called MPI is no rank of it', () => {
    const summary = summarize(
      source([{ values: { mpi___time___mpi_send: 5 } }, { values: { app_steps_total: 7, mpi___time___mpi_send: 0 } }]),
    );
    expect([summary.rankCount, summary.share]).toEqual([1, 0.5]);
  });

  test('folded ranks are in the sums, not in the balance', () => {
    const from = source([
      { values: { mpi___time___mpi_send: 2 } },
      { rank: 1, node: '(folded)', values: { mpi___time___mpi_send: 20 } },
    ]);
    const summary = summarize({ ...from, run: { ...from.run, ranks: 11 } });
    expect(summary).toMatchObject({ rankCount: 11, folded: 10, covered: 1, share: 0.2 });
    expect(summary.ranks.map(({ rank }) => rank)).toEqual([0]);
  });

  test('without a start, without times, without anything', () => {
    expect(summarize(source([{ values: { mpi___time___mpi_send: 2 } }], { start: 0 }))).toMatchObject({
      elapsed: null,
      share: null,
      total: { time: 2 },
    });
    expect(summarize(source([{ values: { mpi___hits___mpi_send: 2 } }]))).toMatchObject({
      share: null,
      parts: null,
      total: { calls: 2, time: null },
    });
    expect(summarize(source([]))).toMatchObject({ rankCount: 0, calls: [], ranks: [], share: null });
  });

  test('the recorded profile of the old proxy: seconds and bytes', () => {
    const totals = Object.fromEntries(
      golden.counters.flatMap(({ name, ctype }) =>
        ctype.Counter === undefined ? [] : [[name, ctype.Counter.value] as const],
      ),
    );
    const from = source([{ values: totals }, { values: {} }], { seconds: 1.375 });
    const summary = summarize(from);
    expect(summary.total).toEqual({ calls: 4012, time: totals['total___mpi___time___total'], bytes: 256_000 });
    expect(summary.calls.slice(0, 2).map(({ name }) => name)).toEqual(['MPI_Init', 'MPI_Finalize']);
    expect(summary.calls.find(({ name }) => name === 'MPI_Send')).toMatchObject({ calls: 2000, bytes: 128_000 });
    expect(summary.calls.reduce((sum, { time }) => sum + time!, 0)).toBeCloseTo(summary.total.time!, 6);
  });
});

describe('who waits least', () => {
  test('the rank that the others wait for', () => {
    expect(leastWaiting(summarize(waiting(10, 11, 0.8, 10)))).toMatchObject({ ranks: [2], waited: 0.8, matters: true });
    expect(words(waiting(10, 11, 0.8, 10))[1]).toBe(
      'Rank 2 spends least time in MPI communication (800 ms of 30 s): the others wait for it.',
    );
  });

  test('several that are as late', () => {
    expect(words(waiting(10, 1, 10, 1.1, 10, 10))[1]).toBe(
      'Ranks 1 and 3 spend least time in MPI communication (1 s of 30 s): the others wait for them.',
    );
    expect(words(waiting(10, 1, 1, 1, 1, 10, 10, 10, 10))[1]).toBe(
      'Rank 1 and 3 others spend least time in MPI communication (1 s of 30 s): the others wait for them.',
    );
  });

  test('nobody, when they are alike or when it is too little to matter', () => {
    for (const from of [waiting(10, 10.1, 9.9, 10), waiting(0.02, 0.001, 0.02)]) {
      expect(leastWaiting(summarize(from))?.matters).toBe(false);
      expect(words(from)[1]).toBe(
        'No rank spends much less time in MPI communication than the others: none holds them up.',
      );
    }
  });

  test('nothing is said of one rank, and where time is not told by call', () => {
    expect(leastWaiting(summarize(waiting(3)))).toBeNull();
    const totals = source([1, 9].map((time) => ({ values: { total___mpi___time___total: time } })));
    expect(leastWaiting(summarize(totals))).toBeNull();
    expect(sentences(summarize(totals)).missing).toEqual(['Only totals over all calls were measured.']);
  });

  test('start and end of MPI are no waiting', () => {
    const from = source([
      { values: { mpi___time___mpi_init: 9, mpi___time___mpi_recv: 1 } },
      { values: { mpi___time___mpi_init: 1, mpi___time___mpi_recv: 5 } },
    ]);
    expect(leastWaiting(summarize(from))).toMatchObject({ ranks: [0], waited: 1, matters: true });
  });
});

describe('words', () => {
  test('the share and the top call', () => {
    expect(words(waiting(11.4))[0]).toBe('MPI took 38 % of the run time; 100 % of that in MPI_Allreduce.');
    expect(words(source([{ values: { mpi___time___mpi_send: 2 } }], { start: 0 }))[0]).toBe(
      'MPI took 2 s; 100 % of that in MPI_Send.',
    );
  });

  test('what is not known is said', () => {
    expect(words(source([{ values: { mpi___hits___mpi_send: 12_345 } }]))[0]).toMatch(
      /^The program made 12.345 MPI calls; their time was not measured\.$/,
    );
    expect(words(source([{ values: { mpi___time___mpi_send: 0 } }]))[0]).toBe('No MPI call has returned yet.');
    const restarted = source([{ values: { mpi___time___mpi_send: 2 } }], { totals: { mpi___time___mpi_send: 8 } });
    expect(sentences(summarize(restarted)).missing[0]).toMatch(/^The ranks’ own values hold 25 % of the run’s time/);
  });

  test('percent', () => {
    expect([0, 1e-6, 0.004, 0.042, 0.0996, 0.38, 1, 1.2, null, NaN].map((share) => percent(share))).toEqual([
      '0 %',
      '< 0.1 %',
      '0.4 %',
      '4.2 %',
      '10 %',
      '38 %',
      '100 %',
      '120 %',
      '–',
      '–',
    ]);
  });
});

const rankRows = (times: readonly (number | null)[]): RankRow[] =>
  times.map((time, rank) => ({ rank, node: 'n', time, waited: time, share: null, calls: null, bytes: null }));

// Seconds, not the last digits of the format: there a mean has no digits to be right in.
const positive = fc.double({ min: 0, max: 1e9, noNaN: true }).map((value) => (value < 1e-300 ? 0 : value));

describe('statistics', () => {
  test('balance', () => {
    expect(balanceOf(rankRows([3, 1, null, 5]), 'time')).toEqual({
      count: 3,
      min: 1,
      minRank: 1,
      max: 5,
      maxRank: 3,
      mean: 3,
      ratio: 5 / 3,
    });
    expect(balanceOf(rankRows([0, 0]), 'time')).toMatchObject({ mean: 0, ratio: null });
    expect(balanceOf(rankRows([null]), 'time')).toBeNull();
  });

  test('min ≤ mean ≤ max, the named ranks have them, and the ratio is between 1 and the number of ranks', () => {
    fc.assert(
      fc.property(fc.array(positive, { minLength: 1, maxLength: 60 }), (times) => {
        const rows = rankRows(times);
        const found = balanceOf(rows, 'time')!;
        expect(found.min).toBe(Math.min(...times));
        expect(found.max).toBe(Math.max(...times));
        expect(times[found.minRank]).toBe(found.min);
        expect(times[found.maxRank]).toBe(found.max);
        expect(found.mean).toBeGreaterThanOrEqual(found.min);
        expect(found.mean).toBeLessThanOrEqual(found.max);
        if (found.ratio !== null) {
          expect(found.ratio).toBeGreaterThanOrEqual(1);
          expect(found.ratio).toBeLessThanOrEqual(times.length * (1 + 1e-9));
        }
      }),
    );
  });

  test('the parts are never negative and add up to the time in MPI', () => {
    const names = ['mpi_send', 'mpi_recv', 'mpi_barrier', 'mpi_init', 'mpi_waitall'];
    const time = fc.double({ min: 0, max: 1e6, noNaN: true });
    const one = fc.record({
      each: fc.tuple(...names.map(() => time)),
      total: fc.option(time),
      wait: fc.option(time),
    });
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 8 }), (ranks) => {
        const summary = summarize(
          source(
            ranks.map(({ each, total, wait }) => ({
              values: {
                ...Object.fromEntries(names.map((name, i) => [`mpi___time___${name}`, each[i]!])),
                total___mpi___time___total: total,
                total___mpi___time___wait: wait,
              },
            })),
          ),
        );
        const { waiting: waits, transfer, other } = summary.parts!;
        expect(Math.min(waits, transfer, other)).toBeGreaterThanOrEqual(0);
        expect(waits + transfer + other).toBeCloseTo(summary.total.time!, 3);
      }),
    );
  });

  test('who waits least has the least, and those named with it are not above the mean', () => {
    fc.assert(
      fc.property(fc.array(positive, { minLength: 2, maxLength: 40 }), (times) => {
        const least = leastWaiting({ ranks: rankRows(times), elapsed: null })!;
        expect(times[least.ranks[0]!]).toBe(Math.min(...times));
        expect(new Set(least.ranks).size).toBe(least.ranks.length);
        for (const rank of least.ranks) expect(times[rank]).toBeLessThanOrEqual(least.mean);
        if (new Set(times).size === 1) expect(least.matters).toBe(false);
      }),
    );
  });

  test('bins hold every rank once and keep the extremes', () => {
    expect(binRanks(rankRows([1, 2, 3, 4, 5]), 'time', 3)).toEqual([
      { label: '0–1', first: 0, last: 1, min: 1, mean: 1.5, max: 2 },
      { label: '2–3', first: 2, last: 3, min: 3, mean: 3.5, max: 4 },
      { label: '4', first: 4, last: 4, min: 5, mean: 5, max: 5 },
    ]);
    fc.assert(
      fc.property(fc.array(positive, { maxLength: 300 }), fc.integer({ min: 1, max: 100 }), (times, most) => {
        const bins = binRanks(rankRows(times), 'time', most);
        expect(bins.length).toBeLessThanOrEqual(most);
        expect(bins.reduce((sum, bin) => sum + bin.last - bin.first + 1, 0)).toBe(times.length);
        expect(Math.max(0, ...bins.map((bin) => bin.max))).toBe(Math.max(0, ...times));
        for (const bin of bins) expect(bin.min <= bin.mean && bin.mean <= bin.max).toBe(true);
      }),
    );
  });
});

describe('an order that holds still', () => {
  const of = (values: Record<string, number>): Map<string, number> => new Map(Object.entries(values));

  test('a little more does not pass, clearly more does', () => {
    expect(steadyOrder([], of({ a: 1, b: 3, c: 2 }))).toEqual(['b', 'c', 'a']);
    expect(steadyOrder(['b', 'c', 'a'], of({ a: 1, b: 100, c: 101 }))).toEqual(['b', 'c', 'a']);
    expect(steadyOrder(['b', 'c', 'a'], of({ a: 1, b: 100, c: 110 }))).toEqual(['c', 'b', 'a']);
    expect(steadyOrder(['a', 'b'], of({ b: 5, n: 9 }))).toEqual(['n', 'b']);
  });

  test('it has every id once, nothing stands far above a larger one beside it, and it is at rest', () => {
    const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g');
    fc.assert(
      fc.property(fc.uniqueArray(id), fc.dictionary(id, positive), (before, values) => {
        const map = of(values);
        const order = steadyOrder(before, map);
        expect(order.toSorted()).toEqual([...map.keys()].toSorted());
        order.slice(1).forEach((one, i) => {
          if (before.length > 0) expect(map.get(one)! <= 1.031 * map.get(order[i]!)!).toBe(true);
          else expect(map.get(one)! <= map.get(order[i]!)!).toBe(true);
        });
        expect(steadyOrder(order, map)).toEqual(order);
      }),
    );
  });

  const rows = [
    { id: 'x', n: 1 },
    { id: 'y', n: 3 },
    { id: 'z', n: 2 },
  ];
  const key = { value: (row: (typeof rows)[number]) => row.n, moving: true };
  const ask = { rows, id: (row: (typeof rows)[number]) => row.id, key };

  test('rows ascend or descend, and stay where they are while somebody points at them', () => {
    expect(orderRows({ ...ask, sort: { id: 'n', descending: false }, before: [], hold: false })).toEqual([
      'x',
      'z',
      'y',
    ]);
    expect(orderRows({ ...ask, sort: { id: 'n', descending: false }, before: ['y', 'z', 'x'], hold: false })).toEqual([
      'x',
      'z',
      'y',
    ]);
    expect(orderRows({ ...ask, sort: { id: 'n', descending: true }, before: ['z', 'gone', 'x'], hold: true })).toEqual([
      'z',
      'x',
      'y',
    ]);
  });

  test('texts and numbers that stand still are in their exact order', () => {
    const names = { value: (row: (typeof rows)[number]) => row.id, moving: false };
    expect(
      orderRows({ ...ask, key: names, sort: { id: 'id', descending: true }, before: ['x', 'y', 'z'], hold: true }),
    ).toEqual(['z', 'y', 'x']);
  });
});

describe('rates', () => {
  const sample = (time: number, a: number): Sample => ({ time, values: new Map([['a', a]]) });

  test('over the last seconds', () => {
    let samples: Sample[] = [];
    expect(rateOf(samples, 'a')).toBeNull();
    for (let second = 0; second <= 20; second++) samples = keepSamples(samples, sample(1000 * second, second ** 2));
    expect(samples.map(({ time }) => time)).toEqual([14_000, 15_000, 16_000, 17_000, 18_000, 19_000, 20_000]);
    expect(rateOf(samples, 'a')).toBe((400 - 196) / 6);
    expect(rateOf(samples, 'unknown')).toBe(0);
  });

  test('the same sample again changes nothing; a clock that was set back starts anew', () => {
    const samples = keepSamples([sample(1000, 1)], sample(2000, 2));
    expect(keepSamples(samples, sample(2000, 2))).toEqual(samples);
    expect(keepSamples(samples, sample(500, 3))).toEqual([sample(500, 3)]);
    expect(rateOf([sample(1000, 5), sample(2000, 1)], 'a')).toBeNull();
  });
});

test('both tables as CSV have their units in the titles', () => {
  const from = waiting(3, 6);
  const summary = summarize(from);
  expect(callCells(summary, [])).toEqual([
    ['call', 'kind', 'time [s]', 'calls', 'calls per second', 'bytes [B]', 'bytes per call [B]'],
    ['MPI_Allreduce', 'transfer', 9, 20, 20 / 30, null, null],
  ]);
  expect(rankCells(summary.ranks, null)).toEqual([
    ['rank', 'node', 'of', 'time [s]', 'share of run time', 'bytes [B]', 'calls', 'communication, all calls [s]'],
    [0, 'n', 'mpi', 3, 0.1, null, 10, 3],
    [1, 'n', 'mpi', 6, 0.2, null, 10, 6],
  ]);
});
