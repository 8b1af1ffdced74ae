/** Heatmap and analysis over HTTP: of runs in a store, and of one that is pushed. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { aboutOf } from '../../../src/engine/store/profiles/card.ts';
import { atOnce } from '../../../src/engine/store/sqlite-reader.ts';
import { Heatmap, ProfileAnalysis } from '../../../src/shared/api/profile-analysis.ts';
import type { Profile } from '../../../src/shared/api/profiles.ts';
import type { Run } from '../../../src/shared/api/runs.ts';
import { Problem } from '../../../src/shared/errors.ts';
import { describeSeries } from '../../../src/shared/model/series.ts';
import { openInside } from '../../support/small-store.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { run, T0, Teller, tick } from '../../unit/engine/store/support.ts';
import { ask, startHere, withToken, type Answer, type Here } from '../http/here.ts';

const BARRIER = 'mpi___time___mpi_barrier';
const TOTAL = 'total___mpi___time___total';
const [RANKS, SECONDS] = [4, 60];
/** Seconds in the barrier, per second: nobody waits in the first half; in the second all do, but the last rank. */
const waits = (rank: number, second: number): number => (second <= 30 ? 0 : rank === RANKS - 1 ? 0.1 : 0.8);

const get = (here: Here, path: string): Promise<Answer> => ask(here, `/api/v1${path}`, { headers: withToken(here) });
const heatmap = async (here: Here, id: string, query = `series=${BARRIER}`): Promise<Heatmap> =>
  Heatmap.parse((await get(here, `/profiles/${id}/heatmap?${query}`)).json());
const analysis = async (here: Here, id: string): Promise<ProfileAnalysis> =>
  ProfileAnalysis.parse((await get(here, `/profiles/${id}/analysis`)).json());

function rowsOf({ values, columns, ranks }: Heatmap): number[][] {
  const bytes = Buffer.from(values, 'base64');
  expect(bytes.length).toBe(4 * columns * ranks.length);
  return ranks.map((_, row) =>
    Array.from({ length: columns }, (__, column) => bytes.readFloatLE(4 * (row * columns + column))),
  );
}

function profileOf(of: Run, waited: readonly number[]): Profile {
  const sum = waited.reduce((a, b) => a + b, 0);
  const series = [BARRIER, TOTAL].map((name, index) => ({
    ...describeSeries({ kind: 'counter' as const, index, name, doc: '' }),
    ...{ value: sum, gauge: null, changed: of.end_time },
  }));
  return { run: of, series, ranks: waited.map((one, rank) => ({ rank, node: `n${rank >> 1}`, values: [one, one] })) };
}

/** A run with history, five others of its command without, one with one rank, one without anything. */
function fill(data: string): void {
  mkdirSync(data, { mode: 0o700 });
  const { db, store } = openInside(data);
  db.pragma('synchronous = OFF');
  const put = (profile: Profile): void =>
    store.putProfile(profile.run, Buffer.from(JSON.stringify(profile)), aboutOf(profile));
  const about = { command: '/opt/solve --in a', size: RANKS, ranks: RANKS, start_time: T0 };
  const slow = run('slow', { ...about, end_time: T0 + SECONDS * 1000 });
  const all = new Teller('run/slow');
  const ranks = Array.from({ length: RANKS }, (_, rank) => new Teller(`rank/slow/${rank}`));
  const waited = ranks.map(() => 0);
  for (let second = 1; second <= SECONDS; second++) {
    const time = T0 + 1000 * second;
    for (let rank = 0; rank < RANKS; rank++) waited[rank]! += waits(rank, second);
    const sum = waited.reduce((a, b) => a + b, 0);
    const told = second % 10 > 0 ? [] : ranks.map((one, rank) => one.at(time, { [BARRIER]: waited[rank]! }));
    store.writeTick(store.prepare(tick(time, all.at(time, { [BARRIER]: sum, [TOTAL]: sum }), ...told)));
    if (second === 40) atOnce(store.sealing.seal(Infinity));
  }
  put(profileOf(slow, waited));
  for (const i of [1, 2, 3, 4, 5]) {
    const start = T0 - i * 1e6;
    put(profileOf(run(`o${i}`, { ...about, start_time: start, end_time: start + 40_000 + i }), [1, 1, 1, 1]));
  }
  put(profileOf(run('one', { ...about, size: 1, ranks: 1, end_time: T0 + 9000 }), [1]));
  put({
    run: run('bare', { ...about, state: 'interrupted', command: '', end_time: T0 + 9000 }),
    series: [],
    ranks: [],
  });
  store.close();
}

async function withRuns(): Promise<Here> {
  const folder = temporaryFolder();
  const data = join(folder, 'data');
  fill(data);
  return startHere({ data, retention: { raw: '20000d', minute: '20000d', hour: '20000d' } }, folder);
}

test('a heatmap of ranks in order, with hosts, of all of the run and of parts', async () => {
  const here = await withRuns();
  const map = await heatmap(here, 'slow', `series=${BARRIER}&columns=6`);
  expect(map).toMatchObject({
    ...{ key: BARRIER, kind: 'counter', from: T0, to: T0 + SECONDS * 1000, step: 10_000, columns: 6, reason: null },
    ...{ ranks: [0, 1, 2, 3], nodes: ['n0', 'n0', 'n1', 'n1'] },
  });
  const rows = rowsOf(map);
  for (const rank of [0, 1, 2, 3]) {
    const high = rank === 3 ? 0.1 : 0.8;
    expect(rows[rank]).toEqual([0, 0, 0, ...[1, 2, 3].map((): unknown => expect.closeTo(high, 5))]);
  }
  expect([map.min, map.max]).toEqual([0, expect.closeTo(0.8, 5)]);
  const half = await heatmap(here, 'slow', `series=${BARRIER}&columns=2&from=${T0 + 20_000}&to=${T0 + 40_000}`);
  expect(rowsOf(half)[0]).toEqual([0, expect.closeTo(0.8, 5)]);
});

test('where there is no heatmap words say why; what is no run or no question is refused', async () => {
  const here = await withRuns();
  expect(await heatmap(here, 'one')).toMatchObject({
    ranks: [],
    values: '',
    reason: expect.stringContaining('one rank'),
  });
  expect(await heatmap(here, 'o1')).toMatchObject({ ranks: [], reason: expect.stringContaining('no history') });
  expect(await heatmap(here, 'slow', 'series=nothing')).toMatchObject({
    reason: expect.stringContaining('no such series'),
  });
  for (const [path, code] of [
    [`gone/heatmap?series=${BARRIER}`, 'run_not_found'],
    ['gone/analysis', 'run_not_found'],
    ['slow/heatmap', 'bad_request'],
    [`slow/heatmap?series=${BARRIER}&columns=2001`, 'bad_request'],
    [`slow/heatmap?series=${BARRIER}&from=${T0 + 1e7}`, 'bad_request'],
  ]) {
    expect(Problem.parse((await get(here, `/profiles/${path}`)).json()).code, path).toBe(code);
  }
});

test('which call and which rank made a run slow, and when', async () => {
  const here = await withRuns();
  const { headline, imbalance, phases, footprint } = await analysis(here, 'slow');
  expect(footprint).toMatchObject({ group: 'solve --in a', compared: 5 });
  const axes = Object.fromEntries(footprint.axes.map((axis) => [axis.id, axis]));
  expect(axes['time']).toMatchObject({
    value: 60,
    usual: expect.closeTo(40.003),
    verdict: 'bad',
    words: '50 % more than usual',
  });
  // 75 s of 240; usually 4 of 160.
  expect(axes['mpi']).toMatchObject({
    ...{ value: expect.closeTo(0.3125), usual: expect.closeTo(0.025), verdict: 'bad' },
    words: '29 points more than usual: 31 % in MPI_Barrier; rank 3 waits least: look there',
  });
  expect(axes['io']).toMatchObject({ value: null, verdict: 'unknown' });
  expect(headline).toBe('Run time 50 % more than usual: 31 % in MPI_Barrier; rank 3 waits least: look there.');
  expect(imbalance[0]).toMatchObject({ name: 'MPI_Barrier, time', min_rank: 3, ranks: 4, lost: expect.closeTo(21) });
  expect(phases.map(({ from, to, words }) => [from - T0, to - T0, words])).toEqual([
    [0, 31_000, 'outside of MPI'],
    [31_000, 60_000, 'mostly in MPI_Barrier'],
  ]);
});

test('of a run without numbers, of one that nothing compares with, and of one in the trash there is what there is', async () => {
  const here = await withRuns();
  const bare = await analysis(here, 'bare');
  expect(bare).toMatchObject({ imbalance: [], phases: [], footprint: { group: '', compared: 0 } });
  expect(bare.headline).toContain('The engine stopped before the run ended');
  const one = await analysis(here, 'one');
  expect(one.footprint.compared).toBe(0);
  expect(one.footprint.axes.every(({ verdict, words }) => verdict === 'unknown' && words !== '')).toBe(true);
  const headers = withToken(here);
  expect((await ask(here, '/api/v1/profiles/o1', { method: 'DELETE', headers })).status).toBe(200);
  expect((await analysis(here, 'slow')).footprint.compared).toBe(4);
});

test.each(['memory', 'sqlite'])('ranks that are pushed, in the %s store', async (kind) => {
  const folder = temporaryFolder();
  // Ten seconds pass in a hundred milliseconds: ranks are kept every ten seconds.
  const [wall, since] = [Date.now(), performance.now()];
  const elapsed = (): number => 100 * (performance.now() - since);
  const clock = { now: () => wall + elapsed(), monotonic: elapsed };
  const here = await startHere(kind === 'memory' ? {} : { data: join(folder, 'data') }, folder, clock);
  const pushers: Awaited<ReturnType<Here['pusher']>>[] = [];
  for (const rank of [0, 1]) {
    const pusher = await here.pusher();
    pusher.job({ jobid: 'j', command: 'solve', size: 2 });
    pusher.describeCounter(BARRIER);
    pushers.push(pusher);
    await eventually(async () => (await here.client.runs({ state: 'live' })).runs[0]?.ranks === rank + 1);
  }
  const [{ id }] = (await here.client.runs({ state: 'live' })).runs as [Run];
  // So long that the first and the last sample, whose time is not known so well, weigh little on a busy machine, too.
  const until = elapsed() + 400_000;
  const seen = await eventually(async () => {
    for (const [rank, pusher] of pushers.entries()) pusher.increase(BARRIER, 1 + rank);
    const map = await heatmap(here, id);
    return map.ranks.length === 2 && map.columns > 30 && (map.min ?? 0) < (map.max ?? 0) && elapsed() > until && map;
  });
  expect(seen).toMatchObject({ ranks: [0, 1], reason: null });
  expect((await analysis(here, id)).run).toBe(id);
  for (const pusher of pushers) await pusher.close();
  await eventually(async () => (await here.client.runs({ state: 'live' })).runs.length === 0);
  const ended = await eventually(async () => {
    const answer = await get(here, `/profiles/${id}`);
    return answer.status === 200 && (answer.json() as Profile);
  });
  const map = await heatmap(here, id);
  // All that a rank has counted is in its row.
  for (const [rank, row] of rowsOf(map).entries()) {
    const known = row.filter((value) => !Number.isNaN(value));
    const sum = known.reduce((a, b) => a + b, 0) * (map.step / 1000);
    const total = ended.ranks[rank]!.values[0]!;
    expect(sum).toBeGreaterThan(0.9 * total);
    expect(sum).toBeLessThan(1.1 * total);
  }
  expect((await analysis(here, id)).footprint).toMatchObject({ group: 'solve', compared: 0 });
});
