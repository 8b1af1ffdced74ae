import { describe, expect, test } from 'vitest';
import { exitWords } from '../../../../src/renderer/views/job/exits.ts';
import { inMpi } from '../../../../src/renderer/views/job/Ranks.tsx';
import type { SeriesValue } from '../../../../src/shared/api/series.ts';
import { describeSeries } from '../../../../src/shared/model/series.ts';

const counters = (values: Readonly<Record<string, number | null>>): SeriesValue[] =>
  Object.entries(values).map(([name, value], index) => ({
    ...describeSeries({ kind: 'counter', index, name, doc: '' }),
    value,
    gauge: null,
    changed: 0,
  }));

const exits = (codes: Readonly<Record<string, number | null>>): string | null =>
  exitWords(
    counters(Object.fromEntries(Object.entries(codes).map(([code, n]) => [`vigie_exit_total{code="${code}"}`, n]))),
  );

describe('how processes ended', () => {
  test.each([
    [{}, null],
    [{ 0: 4 }, null],
    [{ 0: 4, 7: 0, killed: 0, 9: null }, null],
    [{ 0: 1, 7: 2 }, 'exit 7 in 2 processes'],
    [{ 7: 2, killed: 1 }, 'exit 7 in 2 processes; 1 killed'],
    [{ killed: 3 }, '3 killed'],
    [{ 139: 1, 2: 1 }, 'exit 2 in 1 process; exit 139 in 1 process'],
    [
      { 1: 1, 2: 1, 3: 5, 4: 1 },
      'exit 3 in 5 processes; exit 1 in 1 process; exit 2 in 1 process; exit 4 in 1 process',
    ],
    [
      { 1: 1, 2: 1, 3: 5, 4: 2, 5: 1 },
      'exit 3 in 5 processes; exit 4 in 2 processes; exit 1 in 1 process; other exit codes in 2 processes',
    ],
  ])('%j', (codes, words) => {
    expect(exits(codes)).toBe(words);
  });

  test('other series say nothing of it', () => {
    expect(exitWords(counters({ 'exit_total{code="7"}': 1, vigie_exit_total: 1 }))).toBeNull();
  });
});

test('a launcher is no rank of its MPI program', () => {
  const series = counters({ has_started: 3, mpi___hits___mpi_init: 2 });
  const ranks = [
    [0, 0, 1],
    [1, null, 1],
    [2, 1, null],
  ].map(([rank, ...values]) => ({ rank: rank!, node: 'n', values }));
  expect(inMpi({ series, ranks })?.map(({ rank }) => rank)).toEqual([0, 1]);
  expect(inMpi({ series, ranks: ranks.slice(2) })).toBeNull();
  expect(inMpi({ series: counters({ a: 1 }), ranks })).toBeNull();
});
