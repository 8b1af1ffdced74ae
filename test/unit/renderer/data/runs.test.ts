import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { elapsedOf, extendTrails, mergeLive, mergePage, selectRuns } from '../../../../src/renderer/data/runs.ts';
import type { RunQuery, RunRow } from '../../../../src/renderer/data/runs.ts';
import type { Run } from '../../../../src/shared/api/runs.ts';

const run = (id: string, change: Partial<Run> = {}): Run => ({
  ...{ id, scope: `run/${id}`, jobid: `job ${id}`, command: '', size: 1, nodelist: '', partition: '', cluster: '' },
  ...{ run_dir: '', start_time: 1000, end_time: 0, state: 'running', nodes: ['n1'], ranks: 1, clients: 1, series: 1 },
  headline: null,
  ...change,
});
const live = (id: string, rate: number | null, change: Partial<Run> = {}) => ({ ...run(id, change), rate });
const none: ReadonlyMap<string, RunRow> = new Map();

describe('merging the list of runs', () => {
  test('pages add runs; a page that is older than a live message does not bring a run back to life', () => {
    let rows = mergePage(none, [run('a'), run('b')]);
    ({ rows } = mergeLive(rows, [live('a', null, { state: 'finished', end_time: 5000 })], false));
    rows = mergePage(rows, [run('a'), run('c')]);
    expect([...rows.keys()]).toEqual(['a', 'b', 'c']);
    expect(rows.get('a')!.run).toMatchObject({ state: 'finished', end_time: 5000 });
  });

  test('a page ends a run whose end nobody told', () => {
    const rows = mergePage(mergeLive(none, [live('a', 3)], true).rows, [
      run('a', { state: 'interrupted', end_time: 9 }),
    ]);
    expect(rows.get('a')).toMatchObject({ run: { state: 'interrupted' }, rate: null });
  });

  test('the complete list tells which live runs are gone', () => {
    const known = mergePage(none, [run('a'), run('b'), run('old', { state: 'finished' })]);
    const { rows, lost } = mergeLive(known, [live('b', 1), live('c', 2)], true);
    expect(lost).toEqual(['a']);
    expect([...rows.keys()].sort()).toEqual(['a', 'b', 'c', 'old']);
    expect(mergeLive(known, [], false).lost).toEqual([]);
  });

  test('a run that did not change stays the same object, so that its views need not look again', () => {
    const first = mergeLive(none, [live('a', 1)], true).rows;
    const second = mergeLive(first, [live('a', 2)], false).rows;
    expect(second.get('a')!.run).toBe(first.get('a')!.run);
    expect(second.get('a')!.rate).toBe(2);
    expect(mergeLive(second, [live('a', 2, { clients: 2 })], false).rows.get('a')!.run.clients).toBe(2);
  });

  test('trails grow once per period for live runs only, also when their rate stays', () => {
    let rows: ReadonlyMap<string, RunRow> = mergeLive(none, [live('a', 5), live('b', null)], true).rows;
    rows = mergePage(rows, [run('c', { state: 'finished' })]);
    for (let i = 0; i < 100; i++) rows = extendTrails(rows);
    expect(rows.get('a')!.trail).toEqual(new Array(48).fill(5));
    expect(rows.get('b')!.trail).toEqual([]);
    expect(extendTrails(mergePage(none, [run('c', { state: 'finished' })]))).toHaveProperty('size', 1);
  });
});

describe('choosing and ordering rows', () => {
  const base: RunQuery = { search: '', state: 'all', sort: 'start', descending: true };
  const rowsOf = (...runs: Run[]): RunRow[] => runs.map((one) => ({ run: one, rate: null, trail: [] }));
  const ids = (rows: RunRow[]): string[] => rows.map((row) => row.run.id);

  test('every word must be somewhere in what names the job', () => {
    const rows = rowsOf(
      run('1', { jobid: 'Ocean-7', command: './solver big', nodes: ['n3'] }),
      run('2', { jobid: 'ocean-8', command: './other', cluster: 'Toy' }),
    );
    expect(ids(selectRuns(rows, { ...base, search: 'ocean' }, 0))).toHaveLength(2);
    expect(ids(selectRuns(rows, { ...base, search: 'OCEAN solver' }, 0))).toEqual(['1']);
    expect(ids(selectRuns(rows, { ...base, search: 'toy' }, 0))).toEqual(['2']);
    expect(ids(selectRuns(rows, { ...base, search: 'n3 ' }, 0))).toEqual(['1']);
    expect(ids(selectRuns(rows, { ...base, search: '.*' }, 0))).toEqual([]);
  });

  test('filters by state', () => {
    const rows = rowsOf(
      run('r'),
      run('e', { state: 'ending' }),
      run('f', { state: 'finished' }),
      run('i', { state: 'interrupted' }),
    );
    expect(ids(selectRuns(rows, { ...base, state: 'live' }, 0)).sort()).toEqual(['e', 'r']);
    expect(ids(selectRuns(rows, { ...base, state: 'ended' }, 0)).sort()).toEqual(['f', 'i']);
  });

  test('job ids are ordered as people count', () => {
    const rows = rowsOf(run('a', { jobid: 'job-10' }), run('b', { jobid: 'job-9' }));
    expect(ids(selectRuns(rows, { ...base, sort: 'jobid', descending: false }, 0))).toEqual(['b', 'a']);
  });

  test('the order is total: it does not depend on the order of arrival', () => {
    const some = fc.array(
      fc.record({
        id: fc.string({ minLength: 1, maxLength: 4 }),
        start: fc.integer({ min: 0, max: 3 }),
        size: fc.integer({ min: 0, max: 2 }),
      }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(
        some,
        fc.constantFrom('start', 'size', 'elapsed', 'state', 'rate' as const),
        fc.boolean(),
        (list, sort, descending) => {
          const unique = [...new Map(list.map((r) => [r.id, r])).values()];
          const rows = rowsOf(...unique.map((r) => run(r.id, { start_time: r.start, size: r.size })));
          const query = { ...base, sort: sort as RunQuery['sort'], descending };
          expect(ids(selectRuns([...rows].reverse(), query, 10))).toEqual(ids(selectRuns(rows, query, 10)));
        },
      ),
    );
  });

  test('elapsed runs on while the run lives', () => {
    expect(elapsedOf(run('a', { start_time: 1000 }), 5000)).toBe(4000);
    expect(elapsedOf(run('a', { start_time: 1000, end_time: 3000, state: 'finished' }), 5000)).toBe(2000);
    expect(elapsedOf(run('a', { start_time: 0 }), 5000)).toBeNaN();
  });
});
