import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  changePoints,
  MOST_PHASES,
  phaseSeries,
  phasesOf,
  type Windows,
} from '../../../../../src/engine/profiles/analysis/phases.ts';
import type { SeriesValue } from '../../../../../src/shared/api/series.ts';
import { describeSeries } from '../../../../../src/shared/model/series.ts';

const series = (name: string, value = 1): SeriesValue => ({
  ...describeSeries({ kind: 'counter', index: 0, name, doc: '' }),
  ...{ value, gauge: null, changed: 0 },
});

const BARRIER = series('mpi___time___mpi_barrier');
const SEND = series('mpi___time___mpi_send');
const READ = series('io___size___read');

/** `rates`: of each series, one number a window. */
const windows = (all: readonly SeriesValue[], rates: readonly (readonly number[])[], processes = 1): Windows => ({
  ...{ from: 1000, step: 1000, count: rates[0]!.length, processes },
  series: all,
  rates: Float64Array.from(rates.flat()),
});
const times = (value: number, count: number): number[] => Array.from({ length: count }, () => value);

describe('phases', () => {
  test('where the time goes elsewhere a new one begins', () => {
    const rates = [
      [...times(0, 10), ...times(3.2, 20), ...times(0.4, 10)],
      [...times(0.8, 10), ...times(0, 20), ...times(3.6, 10)],
    ];
    const phases = phasesOf(windows([BARRIER, SEND], rates, 4), 41_000);
    expect(phases.map(({ from, to, words }) => [from, to, words])).toEqual([
      [1000, 11_000, '20 % in MPI_Send'],
      [11_000, 31_000, 'mostly in MPI_Barrier'],
      [31_000, 41_000, 'mostly in MPI_Send'],
    ]);
    expect(phases[1]!.top).toEqual([
      { key: BARRIER.key, name: 'MPI_Barrier, time', unit: 's', rate: expect.closeTo(3.2) },
    ]);
    expect(phases[2]!.top[0]).toMatchObject({ key: SEND.key, rate: expect.closeTo(3.6) });
  });

  test('what moves is told with its rate, and nothing is quiet', () => {
    const rate = 1.5 * 2 ** 30;
    const phases = phasesOf(windows([READ], [[...times(0, 10), ...times(rate, 10)]]), 21_000);
    expect(phases.map(({ words }) => words)).toEqual(['quiet', 'reads 1.5 GiB/s']);
  });

  test('little in I/O and nothing else that is timed: the time goes elsewhere', () => {
    const [phase] = phasesOf(windows([series('io___time___read')], [times(0.05, 20)]), 21_000);
    expect(phase!.words).toBe('mostly outside of I/O');
  });

  test('windows without samples are as the one before', () => {
    const rates = [[...times(0.9, 5), NaN, NaN, NaN, ...times(0.9, 5)]];
    expect(phasesOf(windows([BARRIER], rates), 14_000)).toHaveLength(1);
  });

  test('one odd window is no phase', () => {
    const vectors = [...times(0.1, 50), 1, ...times(0.1, 50)].map((value) => Float64Array.of(value));
    expect(changePoints(vectors)).toEqual([0]);
  });

  test('nothing measured, nothing told', () => {
    expect(phasesOf(windows([BARRIER], [[]]), 1000)).toEqual([]);
    expect(phasesOf({ ...windows([BARRIER], [[1]]), series: [] }, 2000)).toEqual([]);
    expect(changePoints([])).toEqual([]);
  });

  test('single calls before sums over all, times before counts; exit codes and versions say nothing', () => {
    const all = [
      ...['total___mpi___time___total', 'mpi___time___mpi_send', 'mpi___hits___mpi_send', 'io___size___read'],
      ...['vigie_exit_total{code="0"}', 'app_build_info', 'total___io___time___total'],
    ].map((name) => series(name));
    expect(phaseSeries(all).map(({ key }) => key)).toEqual([
      'mpi___time___mpi_send',
      'total___io___time___total',
      'io___size___read',
    ]);
    const cpu = 'process_cpu_seconds_total';
    expect(phaseSeries([series('io___time___read'), series(cpu)]).map(({ key }) => key)).toEqual(['io___time___read']);
    expect(phaseSeries([series('steps_total', 3), series(cpu, 2)]).map(({ key }) => key)).toEqual(['steps_total', cpu]);
    const mount = 'io_mount_seconds_total{mount="/scratch",type="lustre",kind="read"}';
    const sizes = 'io_sizes_total{kind="read",below="512"}';
    const io = [mount, 'io___time___read', sizes, 'io___hits___read'].map((name) => series(name));
    expect(phaseSeries(io).map(({ family }) => family)).toEqual(['io___time___read']);
    expect(phaseSeries([series(mount)]).map(({ family }) => family)).toEqual(['io_mount_seconds_total']);
    expect(phaseSeries([series('steps_total'), series('idle_total', 0)]).map(({ key }) => key)).toEqual([
      'steps_total',
    ]);
  });

  test('whatever the rates: in order, without holes, few, from the first window to the end', () => {
    const rate = fc.oneof(fc.constant(0), fc.constant(NaN), fc.double({ min: 0, max: 8, noNaN: true }));
    const shape = fc.record({ count: fc.integer({ min: 1, max: 60 }), of: fc.integer({ min: 1, max: 3 }) });
    const any = shape.chain(({ count, of }) =>
      fc.array(fc.array(rate, { minLength: count, maxLength: count }), { minLength: of, maxLength: of }),
    );
    fc.assert(
      fc.property(any, (rates) => {
        const of = windows([BARRIER, SEND, READ].slice(0, rates.length), rates, 8);
        const phases = phasesOf(of, 1000 + 1000 * of.count);
        expect(phases.length).toBeGreaterThan(0);
        expect(phases.length).toBeLessThanOrEqual(MOST_PHASES);
        expect(phases[0]!.from).toBe(1000);
        expect(phases.at(-1)!.to).toBe(1000 + 1000 * of.count);
        for (const [i, phase] of phases.entries()) {
          expect(phase.to).toBeGreaterThan(phase.from);
          if (i > 0) expect(phase.from).toBe(phases[i - 1]!.to);
          expect(phase.words).not.toBe('');
        }
      }),
    );
  });
});
