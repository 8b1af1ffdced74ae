import { expect, test } from 'vitest';
import type { SeriesValue } from '../../../../src/shared/api/series.ts';
import { describeSeries } from '../../../../src/shared/model/series.ts';
import { ioWaitsOf, ioWaitsOfRanks } from '../../../../src/shared/profiles/io-waits.ts';

const series = (values: Readonly<Record<string, number | null>>): SeriesValue[] =>
  Object.entries(values).map(([name, value], index) => ({
    ...describeSeries({ kind: 'counter', index, name, doc: '' }),
    ...{ value, gauge: null, changed: 0 },
  }));

const measured = series({
  'io_wait_calls_total{call="select"}': 5,
  'io_wait_seconds_total{call="select"}': 0.5,
  'io_wait_calls_total{call="epoll_wait"}': 40,
  'io_wait_seconds_total{call="epoll_wait"}': 6,
  'io_wait_calls_total{call="poll"}': 0,
  'io_wait_seconds_total{call="poll"}': 0,
  io___hits___read: 1000,
  io___time___read: 100,
  total___io___time___total: 100,
});

test('calls that were made, the longest first, and their sums without any I/O', () => {
  expect(ioWaitsOf(measured)).toEqual({
    calls: 45,
    time: 6.5,
    top: [
      { call: 'epoll_wait', calls: 40, time: 6 },
      { call: 'select', calls: 5, time: 0.5 },
    ],
  });
});

test('of equal times the one with more calls comes first, then by name', () => {
  const names = ioWaitsOf(
    series({
      'io_wait_calls_total{call="select"}': 1,
      'io_wait_calls_total{call="poll"}': 1,
      'io_wait_calls_total{call="ppoll"}': 2,
    }),
  );
  expect(names?.top.map(({ call }) => call)).toEqual(['ppoll', 'poll', 'select']);
  expect(names?.time).toBeNull();
});

test.each([
  ['no such series', { io___hits___read: 5 }],
  ['series without a value', { 'io_wait_calls_total{call="poll"}': null }],
  ['no call made', { 'io_wait_calls_total{call="poll"}': 0, 'io_wait_seconds_total{call="poll"}': 0 }],
  ['a family that has lost its label', { io_wait_calls_total: 7 }],
])('%s: nothing waited', (_what, values) => {
  expect(ioWaitsOf(series(values))).toBeNull();
});

test('ranks that waited, each with its own numbers; folded ones are none', () => {
  const of = (rank: number, values: (number | null)[], node = `n${rank}`) => ({ rank, node, values });
  const ranks = [
    of(0, [1, 0.1, 2, 0.05, 0, 0, 9, 9, 9]),
    of(1, [null, null, 38, 5.95, 0, 0, 9, 9, 9]),
    of(2, [0, 0, 0, 0, 0, 0, 9, 9, 9]),
    of(3, [4, null, null, null, null, null, null, null, null]),
    of(4, [100, 100, 100, 100, 0, 0, 0, 0, 0], '(folded)'),
  ];
  expect(ioWaitsOfRanks(measured, ranks)).toEqual([
    { rank: 1, node: 'n1', calls: 38, time: 5.95, most: 'epoll_wait' },
    { rank: 0, node: 'n0', calls: 3, time: 0.1 + 0.05, most: 'select' },
    { rank: 3, node: 'n3', calls: 4, time: null, most: null },
  ]);
});
