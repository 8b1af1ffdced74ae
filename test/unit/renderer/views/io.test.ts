import { expect, test } from 'vitest';
import type { Run } from '../../../../src/shared/api/runs.ts';
import type { SeriesValue } from '../../../../src/shared/api/series.ts';
import { describeSeries } from '../../../../src/shared/model/series.ts';
import { summarizeIo } from '../../../../src/renderer/views/job/io/model.ts';
import { ioSentences, sizeName, waitSentence } from '../../../../src/renderer/views/job/io/words.ts';

const run = { start_time: 1_000_000, end_time: 1_010_000, ranks: 2, jobid: 'j', scope: 'run/1' } as Run;

const series = (values: Readonly<Record<string, number | null>>): SeriesValue[] =>
  Object.entries(values).map(([name, value], index) => ({
    ...describeSeries({ kind: 'counter', index, name, doc: '' }),
    ...{ value, gauge: null, changed: 0 },
  }));

const measured = series({
  total___io___hits___total: 3100,
  total___io___time___total: 5,
  total___io___size___read: 4096,
  total___io___size___write: 1_048_576,
  io___hits___read: 3000,
  io___time___read: 4,
  io___size___read: 4096,
  io___hits___open: 100,
  io___time___open: 1,
  io___hits___stat: 0,
  total___mpi___time___total: 8,
  'io_mount_calls_total{mount="/scratch",type="lustre",kind="read"}': 3000,
  'io_mount_seconds_total{mount="/scratch",type="lustre",kind="read"}': 3.5,
  'io_mount_bytes_total{mount="/scratch",type="lustre",kind="read"}': 4096,
  'io_mount_calls_total{mount="/home",type="nfs4",kind="metadata"}': 100,
  'io_mount_seconds_total{mount="/home",type="nfs4",kind="metadata"}': 1.5,
  'io_mount_calls_total{mount="socket",type="",kind="read"}': 0,
  'io_sizes_total{kind="read",below="512"}': 2900,
  'io_sizes_total{kind="write",below="inf"}': 10,
  'io_sizes_total{kind="read",below="65536"}': 100,
});

test('layers, mounts, sizes and shares of a run’s time', () => {
  const summary = summarizeIo(run, 1_010_000, measured);
  expect([...summary.layers.keys()]).toEqual(['io']);
  const io = summary.layers.get('io')!;
  expect(io).toMatchObject({ calls: 3100, time: 5, read: 4096, write: 1_048_576 });
  expect(io.top.map(({ call }) => call)).toEqual(['read', 'open']);
  expect(io.readKey).toBe('total___io___size___read');
  expect(summary.mounts.map(({ mount, time }) => [mount, time])).toEqual([
    ['/scratch', 3.5],
    ['/home', 1.5],
  ]);
  expect(summary.sizes).toEqual([
    { from: 0, below: 512, reads: 2900, writes: 0 },
    { from: 512, below: 65_536, reads: 100, writes: 0 },
    { from: 65_536, below: Infinity, reads: 0, writes: 10 },
  ]);
  expect(summary.metadata).toEqual({ calls: 100, time: 1.5, bytes: null });
  // Two ranks for ten seconds.
  expect(summary.shares).toEqual({ io: 5, mpi: 8, other: 7, whole: 20 });
});

test('more I/O than time, with several threads in it, is all of the time', () => {
  const summary = summarizeIo(run, 1_010_000, series({ total___io___time___total: 30 }));
  expect(summary.shares).toEqual({ io: 30, mpi: null, other: 0, whole: 30 });
});

test('system calls alone: no share, since waiting is a call, too', () => {
  const values = { total___strace___time___total: 5, strace___hits___read: 2, strace___time___read: 5 };
  const summary = summarizeIo(run, 1_010_000, series(values));
  expect(summary.shares).toBeNull();
  expect(summary.metadata).toBeNull();
  expect(ioSentences({ ...summary })).toEqual(['0 calls; – read and – written.']);
});

test('nothing measured', () => {
  const summary = summarizeIo(run, 1_010_000, series({ mpi___hits___mpi_send: 1, io___hits___read: null }));
  expect([summary.layers.size, summary.mounts, summary.sizes]).toEqual([0, [], []]);
  expect(ioSentences(summary)).toEqual([]);
});

test('in words: share, where and in what, and what is worth a look', () => {
  expect(ioSentences(summarizeIo(run, 1_010_000, measured))).toEqual([
    'I/O took 25 % of the run time, MPI 40 %; 4 KiB read and 1 MiB written.',
    '70 % of it on /scratch (lustre), 80 % in read.',
    '96 % of the calls that move data move less than 4 KiB: larger buffers would need fewer calls.',
  ]);
});

test('waiting is beside I/O and in none of its numbers', () => {
  const waits = { 'io_wait_calls_total{call="poll"}': 40, 'io_wait_seconds_total{call="poll"}': 12 };
  const summary = summarizeIo(run, 1_010_000, [...measured, ...series(waits)]);
  const { waits: found, ...others } = summary;
  const { waits: none, ...before } = summarizeIo(run, 1_010_000, measured);
  expect(others).toEqual(before);
  expect(none).toBeNull();
  expect(found).toEqual({ calls: 40, time: 12, top: [{ call: 'poll', calls: 40, time: 12 }] });
});

const poll = (calls: number | null, time: number | null) => ({ call: 'poll', calls, time });
test.each([
  ['of one call', { calls: 40, time: 12, top: [poll(40, 12)] }, '12 s in 40 calls, 60 % of the run time.'],
  [
    'of several',
    { calls: 1, time: 10, top: [poll(1, 9), { call: 'select', calls: null, time: 1 }] },
    '10 s in 1 call, 50 % of the run time; 90 % of that in poll.',
  ],
  ['of many threads', { calls: 4, time: 30, top: [poll(4, 30)] }, '30 s in 4 calls, all threads added up.'],
  ['without time', { calls: 4, time: null, top: [poll(4, null)] }, '4 calls; their time was not measured.'],
  ['without calls', { calls: null, time: 1, top: [poll(null, 1)] }, '1 s, 5 % of the run time.'],
])('waiting %s in words', (_what, waits, text) => {
  expect(waitSentence(waits, { elapsed: 10, ranks: 2 })).toBe(text);
});

test.each([
  [{ from: 0, below: 512 }, 'below 512 B'],
  [{ from: 4096, below: 65_536 }, '4 KiB to 64 KiB'],
  [{ from: 16_777_216, below: Infinity }, '16 MiB and more'],
])('%j is %s', (one, text) => {
  expect(sizeName(one)).toBe(text);
});
