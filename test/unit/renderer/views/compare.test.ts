import { describe, expect, test } from 'vitest';
import { align, courseOf, topOf, valueAt } from '../../../../src/renderer/views/profiles/compare/aligned.ts';
import {
  boxesOf,
  distinct,
  furthest,
  measureOf,
  rankChanges,
  ranked,
  runLabels,
  seriesName,
  slowest,
  timeTicks,
} from '../../../../src/renderer/views/profiles/compare/model.ts';
import {
  changeText,
  differenceOf,
  headline,
  leastSentence,
  percent,
  rankSentence,
} from '../../../../src/renderer/views/profiles/compare/words.ts';
import { comparedOf, seriesOf, summaryOf } from './profileFixture.ts';

const BARRIER = 'mpi___time___mpi_barrier';
const SEND = 'mpi___time___mpi_send';
const base = summaryOf('base', { duration: 60_000 });
const slow = summaryOf('slow', { duration: 90_000 });
const fast = summaryOf('fast', { duration: 58_000 });
const barrier = seriesOf(BARRIER, [5, 200, 5.1], [0.01, 0.28, 0.011]);
const send = seriesOf(SEND, [10, 14, 9], [0.02, 0.019, 0.02]);
const compared = comparedOf([base, slow, fast], [barrier, send]);
const seconds = (value: number | null): string => `${value} s`;

describe('what changed most', () => {
  test('by share of the run time only what takes part of it; relative in the engine’s order', () => {
    const hits = seriesOf('mpi___hits___mpi_send', [100, 100, 100]);
    const all = [hits, send, barrier];
    expect(ranked(all, 'share').map(({ key }) => key)).toEqual([BARRIER, SEND]);
    expect(ranked(all, 'relative').map(({ key }) => key)).toEqual([SEND, BARRIER]);
    const sum = seriesOf('total___mpi___time___total', [15, 214, 14.1], [0.03, 0.3, 0.031]);
    expect(ranked([sum, ...all], 'share').map(({ key }) => key)).toEqual([BARRIER, SEND]);
    expect(ranked([sum], 'share')).toEqual([sum]);
  });

  test('in words: how much, and of the run time', () => {
    expect(differenceOf(compared, barrier)).toMatchObject({
      name: 'MPI Barrier time',
      text: '40 × as much: 200 s, 5 s in the baseline',
      share: '28 % of the run time, was 1 %',
      run: { id: 'slow' },
    });
    expect(differenceOf(compared, barrier, 2)).toMatchObject({ text: '2 % more: 5.1 s, 5 s in the baseline' });
  });

  test('what the baseline does not have is no difference', () => {
    expect(differenceOf(compared, seriesOf(BARRIER, [null, 3, 4]))).toBeNull();
    expect(furthest({ values: [1, null, null] }, 0)).toBeNull();
  });

  test.each([
    [10, 10, 'the same'],
    [0, 3, 'none before'],
    [10, 13.8, '38 % more'],
    [10, 31, '3.1 × as much'],
    [10, 4, '60 % less'],
    [-2, 3, '+5 against -2'],
  ])('%d to %d: %s', (before, after, text) => expect(changeText(before, after)).toBe(text));

  test('the first sentences say what a user asks', () => {
    expect(headline(compared, 1, ({ jobid }) => jobid)).toEqual([
      'job-slow took 1:30, 50 % longer than the baseline job-base (1:00).',
      'What changed most of its time: MPI Barrier time, 40 × as much: 200 s, 5 s in the baseline; that is 28 % of the run time, was 1 %.',
    ]);
    expect(headline(compared, 2, ({ jobid }) => jobid)).toEqual([
      'job-fast took 58 s, 3.3 % shorter than the baseline job-base (1:00).',
    ]);
    const unknown = comparedOf([base, summaryOf('x', { duration: null })], []);
    expect(headline(unknown, 1, ({ jobid }) => jobid)).toEqual(['How long job-x took is not known.']);
  });

  test('percentages have a decimal where it says something', () => {
    expect([0, 0.011, 0.05, 0.3, 1.4].map(percent)).toEqual(['0 %', '1.1 %', '5 %', '30 %', '140 %']);
  });
});

describe('runs and their numbers', () => {
  test('the longest of the others is looked at first', () => {
    expect(slowest(compared.runs, 0)).toBe(1);
    expect(slowest(compared.runs, 1)).toBe(0);
    expect(slowest([base], 0)).toBeNull();
  });

  test('a metric that is not there any more is the run time', () => {
    expect(measureOf(compared, 'gone', 0)).toMatchObject({ id: 'duration', values: [60_000, 90_000, 58_000] });
    expect(measureOf(compared, BARRIER, 0)).toMatchObject({ name: 'MPI Barrier time', values: [5, 200, 5.1] });
    expect(measureOf(compared, 'size', 0).format(null)).toBe('–');
  });

  test('the same job id a hundred times: no two runs are called the same', () => {
    const runs = Array.from({ length: 100 }, (_, i) =>
      summaryOf(`r${i}`, { jobid: '42', start_time: 1e12 + (i % 50) * 60_000 }),
    );
    expect(new Set(runLabels(runs, 1e12).values()).size).toBe(100);
    expect(runLabels([base, slow], 1e12).get('base')).toBe('job-base');
  });

  test('labels of a series stand behind its name', () => {
    expect(seriesName({ group: 'CPU', operation: 'cpu', quantity: 'value', labels: { mode: 'user' }, key: 'k' })).toBe(
      'CPU cpu {mode="user"}',
    );
    expect(seriesName({ group: '', operation: '', quantity: 'value', labels: {}, key: 'k' })).toBe('k');
  });

  test('boxes by size, in the order of sizes', () => {
    const runs = [8, 8, 8, 8, 8, 2].map((size, i) => summaryOf(`r${i}`, { size }));
    const boxes = boxesOf(runs, [1, 2, 3, 4, 5, 9], 'size');
    expect(boxes.map(({ name }) => name)).toEqual(['2', '8']);
    expect(boxes[1]).toEqual({ name: '8', count: 5, min: 1, low: 2, median: 3, high: 4, max: 5 });
    expect(boxesOf(runs, [null, 2, null, null, null, null], 'all')).toMatchObject([{ count: 1, median: 2 }]);
  });

  test('values of a description with the runs that have them, most first', () => {
    expect(distinct(['a', 'b', 'b', ''])).toEqual([
      { value: 'b', runs: [1, 2] },
      { value: 'a', runs: [0] },
      { value: '', runs: [3] },
    ]);
  });

  test('marks of a time axis are those of a clock', () => {
    expect(timeTicks(92_000)).toEqual([0, 30_000, 60_000, 90_000, 120_000]);
    expect(timeTicks(0)).toEqual([0, 1]);
    expect(timeTicks(4e12).length).toBeLessThan(8);
  });
});

describe('ranks', () => {
  const source = (values: readonly number[]) => ({
    series: [{ key: BARRIER }],
    ranks: values.map((value, rank) => ({ rank, node: `n${rank}`, values: [value] })),
  });

  test('a rank of one run only is there, without the other value', () => {
    const changes = rankChanges(source([1, 2]), source([1, 2, 3]), BARRIER);
    expect(changes.map(({ before, after }) => [before, after])).toEqual([
      [1, 1],
      [2, 2],
      [null, 3],
    ]);
    expect(rankChanges(source([1]), source([1]), 'other')).toEqual([]);
  });

  test('one that stands out is named; else the average', () => {
    const one = rankChanges(source([1, 1, 1, 1]), source([1, 1, 31, 1]), BARRIER);
    expect(rankSentence(one, seconds)).toBe(
      'Rank 2 on n2 changed most: 31 s, 1 s in the baseline; the others by +0 s on average.',
    );
    const all = rankChanges(source([1, 1, 1, 1]), source([11, 11, 12, 10]), BARRIER);
    expect(rankSentence(all, seconds)).toBe('On the ranks it changed by +10 s on average, most on rank 2 (+11 s).');
    expect(rankSentence(rankChanges(source([1, 1]), source([1, 1]), BARRIER), seconds)).toBe(
      'It is the same on every rank.',
    );
  });

  test('who waits no longer is whom the others wait for', () => {
    const late = rankChanges(source([1, 1, 1, 1]), source([31, 31, 1, 31]), BARRIER);
    expect(leastSentence(late, (value) => `${value.toFixed(1)} s`)).toBe(
      'Rank 2 on n2 waits no longer than before (+0.0 s, the ranks’ mean is +22.5 s): the others wait for it. Look there.',
    );
    const alike = rankChanges(source([1, 1, 1]), source([11, 12, 13]), BARRIER);
    expect(leastSentence(alike, seconds)).toBeNull();
  });
});

describe('timelines', () => {
  const series = (avg: (number | null)[]) => [
    { key: 'k', name: 'k', kind: 'counter' as const, min: [], avg, max: [], last: [] },
  ];

  test('begin at the start of each run, over one axis', () => {
    const one = courseOf('a', 1000, {
      scope: '',
      from: 0,
      to: 1,
      step: 0,
      times: [1000, 2000, 3000],
      series: series([1, 2, 3]),
    });
    const two = courseOf('b', 5000, {
      scope: '',
      from: 0,
      to: 1,
      step: 2000,
      times: [5000, 7000],
      series: series([5, null]),
    });
    expect([one.xs, two.xs]).toEqual([
      [0, 1000, 2000],
      [1000, 3000],
    ]);
    const { xs, ys } = align([one, two]);
    expect(xs).toEqual([0, 1000, 2000, 3000]);
    expect(ys).toEqual([
      [1, 2, 3, undefined],
      [undefined, 5, undefined, null],
    ]);
    expect([valueAt(ys[1]!, 2), valueAt(ys[1]!, 3), valueAt(ys[1]!, 0)]).toEqual([5, null, null]);
    expect(topOf(ys)).toBe(5);
    expect(topOf([[null]])).toBeNull();
  });
});
