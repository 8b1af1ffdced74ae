import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { footprintAxes, verdictOf, worse } from '../../../../../src/engine/profiles/analysis/footprint.ts';
import { heatmapOf, matrixQuery } from '../../../../../src/engine/profiles/analysis/heatmap.ts';
import { imbalances } from '../../../../../src/engine/profiles/analysis/imbalance.ts';
import { againstUsual, headlineOf } from '../../../../../src/engine/profiles/analysis/words.ts';
import type { Matrix } from '../../../../../src/engine/store/matrix.ts';
import type { Profile } from '../../../../../src/shared/api/profiles.ts';
import { describeSeries } from '../../../../../src/shared/model/series.ts';
import { figuresOf, type RunFigures } from '../../../../../src/shared/profiles/footprint.ts';
import { run, T0 } from '../../store/support.ts';

const NAMES = [
  'mpi___time___mpi_barrier',
  'mpi___time___mpi_send',
  'mpi___hits___mpi_send',
  'total___io___time___total',
];

/** `ranks`: values of each, of {@link NAMES} in their order; 100 s long. */
function profileOf(ranks: readonly (readonly (number | null)[])[], names = NAMES): Profile {
  const series = names.map((name, index) => ({
    ...describeSeries({ kind: 'counter' as const, index, name, doc: '' }),
    ...{ value: ranks.reduce((sum, values) => sum + (values[index] ?? 0), 0), gauge: null, changed: 0 },
  }));
  return {
    run: run('r', { size: ranks.length, ranks: ranks.length, end_time: T0 + 100_000 }),
    series,
    ranks: ranks.map((values, rank) => ({ rank, node: `n${rank >> 1}`, values: [...values] })),
  };
}

/** Three ranks wait 40 s in a barrier for the last one, which waits 8 s. */
const WAITING = profileOf([
  [40, 2, 10, 1],
  [40, 2, 10, 1],
  [40, 2, 10, 1],
  [8, 2, 10, 1],
]);

describe('imbalance', () => {
  test('most lost time first, then what is no time', () => {
    const found = imbalances(WAITING);
    expect(found.map(({ name, lost }) => [name, lost])).toEqual([
      // (40 − 32) × 4.
      ['MPI_Barrier, time', 32],
      ['MPI_Send, time', 0],
      [expect.any(String), 0],
      ['MPI_Send, calls', null],
    ]);
    expect(found[0]).toMatchObject({ min: 8, mean: 32, max: 40, min_rank: 3, max_rank: 0, imbalance: 0.25, ranks: 4 });
  });

  test('a sum of calls that are told is left out', () => {
    const names = ['mpi___time___mpi_send', 'total___mpi___time___total'];
    const found = imbalances(
      profileOf(
        [
          [40, 41],
          [20, 21],
        ],
        names,
      ),
    );
    expect(found.map(({ name }) => name)).toEqual(['MPI_Send, time']);
  });

  test('one rank, folded ranks, no values and short times have none', () => {
    expect(imbalances(profileOf([[40, 2, 10, 1]]))).toEqual([]);
    const folded = { rank: 9, node: '(folded)', values: [4000, 0, 0, 0] };
    expect(imbalances({ ...WAITING, ranks: [...WAITING.ranks, folded] })[0]).toMatchObject({ max: 40, ranks: 4 });
    expect(
      imbalances(
        profileOf([
          [0.5, null, 0, 0],
          [0.1, null, 0, 0],
        ]),
      ),
    ).toEqual([]);
  });

  test('whatever the values: mean between least and most, nothing below 0', () => {
    const value = fc.option(fc.double({ min: 0, max: 1e12, noNaN: true }));
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value), { maxLength: 20 }), (ranks) => {
        for (const each of imbalances(profileOf(ranks, ['a_total', 'b_seconds_total']))) {
          expect(each.mean).toBeGreaterThanOrEqual(each.min);
          expect(each.mean).toBeLessThanOrEqual(each.max);
          expect(each.imbalance).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });
});

describe('footprint', () => {
  const usual: RunFigures = { duration: 80, mpi: 0.1, io: 0.01, imbalance: 0, cpu: null, memory: null };
  const axis = (others: readonly RunFigures[], id: string, of = WAITING) =>
    footprintAxes(of, others).find((each) => each.id === id)!;

  test('figures: shares of the ranks’ time, imbalance of what is outside of MPI', () => {
    // 136 s of 400 in MPI, 4 in I/O; outside of MPI 58, 58, 58 and 90 s.
    expect(figuresOf(WAITING)).toEqual({
      ...{ duration: 100, mpi: expect.closeTo(0.34), io: 0.01 },
      ...{ imbalance: expect.closeTo(90 / 66 - 1), cpu: null, memory: null },
    });
  });

  test('threads that wait at once do not make it more than all of the time', () => {
    expect(figuresOf(profileOf([[600, null, 1, 580]]))).toMatchObject({ mpi: 1, io: 1 });
  });

  test('against what is usual, in words with call and rank', () => {
    const others = [70, 80, 90, 60].map((duration) => ({ ...usual, duration }));
    expect(axis(others, 'time')).toMatchObject({
      ...{ value: 100, usual: 75, best: 60, verdict: 'bad', words: '33 % more than usual' },
    });
    expect(axis(others, 'mpi')).toMatchObject({
      verdict: 'bad',
      words: '24 points more than usual: 32 % in MPI_Barrier; rank 3 waits least: look there',
    });
    expect(axis(others, 'io')).toMatchObject({ verdict: 'good', words: 'as usual' });
    expect(axis(others, 'cpu')).toMatchObject({ value: null, verdict: 'unknown', words: 'CPU time was not measured' });
    const axes = footprintAxes(WAITING, others);
    expect(headlineOf(axes, [], { where: '32 % in MPI_Barrier', interrupted: false })).toBe(
      'Run time 33 % more than usual: 32 % in MPI_Barrier.',
    );
  });

  test('with fewer than three others nothing is said of what is usual', () => {
    expect(axis([usual, usual], 'time')).toMatchObject({
      verdict: 'unknown',
      words: 'too few other runs to compare with (2)',
    });
    expect(axis([], 'time')).toMatchObject({
      usual: null,
      best: null,
      words: 'no other run of the command to compare with',
    });
    expect(axis([], 'mpi').words).toBe('32 % in MPI_Barrier; rank 3 waits least: look there');
    const axes = footprintAxes(profileOf([[null, null, null, null]], NAMES), []);
    expect(headlineOf(axes, [], { where: '', interrupted: true })).toBe(
      'The engine stopped before the run ended; until then nothing was measured that says more than the run time.',
    );
  });

  test('where start or end are not known, shares are not either', () => {
    const unknown = { ...WAITING, run: { ...WAITING.run, start_time: 0 } };
    expect(figuresOf(unknown)).toMatchObject({ duration: null, mpi: null, io: null, imbalance: null });
    expect(axis([usual, usual, usual], 'time', unknown)).toMatchObject({ verdict: 'unknown' });
  });

  test('verdicts', () => {
    expect([0.05, 0.051, 0.2, 0.21, -3].map(verdictOf)).toEqual(['good', 'watch', 'watch', 'bad', 'good']);
    expect(worse(0.02, 0.01, { unit: 'ratio', better: 'less' })).toBeCloseTo(0.2);
    expect(worse(0.5, 1, { unit: 'ratio', better: 'more' })).toBe(0.5);
    expect(worse(1, 0, { unit: 's', better: 'less' })).toBe(Infinity);
    expect(againstUsual(90, 100, false)).toBe('10 % less than usual');
    expect(againstUsual(0.3, 0.36, true)).toBe('6 points less than usual');
  });
});

describe('heatmap', () => {
  const key = NAMES[0]!;
  const all = { series: key, columns: 4 };
  const floats = (values: string): number[] => {
    const bytes = Buffer.from(values, 'base64');
    return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
  };

  test('rows by rank, the end of a counter from its final value', () => {
    const query = matrixQuery(WAITING, all, key, 0)!;
    expect(query).toMatchObject({ below: 'rank/r/', from: T0, to: T0 + 100_000, columns: 4, since: T0 });
    const matrix: Matrix = {
      kind: 'counter',
      scopes: ['rank/r/10', 'rank/r/3'],
      values: Float32Array.of(5, 5, 5, 5, 0.5, 0.5, NaN, NaN),
      lastTime: Float64Array.of(T0 + 100_000, T0 + 50_000),
      lastTotal: Float64Array.of(1, 3),
      lastLength: Float64Array.of(10_000, 10_000),
      lastGrown: Float64Array.of(0, 1),
    };
    const map = heatmapOf(WAITING, query, matrix);
    expect(map).toMatchObject({ ranks: [3, 10], nodes: ['n1', ''], columns: 4, step: 25_000, reason: null });
    // (8 − 3) in the last 50 s.
    expect(floats(map.values)).toEqual([0.5, 0.5, expect.closeTo(0.1), expect.closeTo(0.1), 5, 5, 5, 5]);
    expect([map.min, map.max]).toEqual([expect.closeTo(0.1), 5]);
  });

  test('a run that ended milliseconds after a sample: they have no rate of their own', () => {
    const query = matrixQuery(WAITING, all, key, 0)!;
    const last = (length: number): Matrix => ({
      ...{ kind: 'counter', scopes: ['rank/r/3'], values: Float32Array.of(0.5, 0.5, 0.5, NaN) },
      ...{ lastTime: Float64Array.of(T0 + 99_996), lastTotal: Float64Array.of(7) },
      ...{ lastLength: Float64Array.of(length), lastGrown: Float64Array.of(5) },
    });
    // 5 in ten seconds and 1 in 4 ms.
    expect(heatmapOf(WAITING, query, last(10_000)).max).toBeCloseTo(6 / 10.004, 6);
    expect(heatmapOf(WAITING, query, last(NaN)).max).toBeCloseTo(250, 3);
  });

  test('why there is nothing', () => {
    const reason = (over: Partial<Profile['run']>, of = key): string | null => {
      const profile = { ...WAITING, run: { ...WAITING.run, ...over } };
      return heatmapOf(profile, matrixQuery(profile, all, of, 0)!, null).reason;
    };
    expect(reason({ ranks: 1 })).toContain('one rank');
    expect(reason({ ranks: 513 })).toContain('513 ranks');
    expect(reason({}, 'nothing')).toContain('no such series');
    expect(reason({})).toContain('no history of its ranks');
  });

  test('a part of the run, and no narrower than a second', () => {
    expect(matrixQuery(WAITING, { ...all, columns: 2000 }, key, 0)!.columns).toBe(100);
    expect(matrixQuery(WAITING, { ...all, from: T0 + 90_000, to: T0 + 1e9 }, key, 0)).toMatchObject({
      ...{ from: T0 + 90_000, to: T0 + 100_000 },
    });
    expect(matrixQuery(WAITING, { ...all, from: T0 + 1e9 }, key, 0)).toBeNull();
    const live = { ...WAITING, run: { ...WAITING.run, end_time: 0 } };
    expect(matrixQuery(live, all, key, T0 + 7000)!.to).toBe(T0 + 7000);
  });
});
