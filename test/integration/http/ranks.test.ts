import { describe, expect, test } from 'vitest';
import { Problem } from '../../../src/shared/errors.ts';
import { RankTable } from '../../../src/shared/api/ranks.ts';
import { eventually } from '../../support/wait.ts';
import { ask, startHere, withToken, type Here } from './here.ts';

const read = async (here: Here, path: string) => ask(here, `/api/v1${path}`, { headers: withToken(here) });

const table = async (here: Here, id: string, query = ''): Promise<RankTable> =>
  RankTable.parse((await read(here, `/runs/${id}/ranks${query}`)).json());

/** `VALUES of KEYS` by rank. */
function byRank({ series, ranks }: RankTable): Record<number, Record<string, number | null>> {
  return Object.fromEntries(
    ranks.map(({ rank, values }) => [rank, Object.fromEntries(series.map(({ key }, i) => [key, values[i]!]))]),
  );
}

const MPI = {
  0: { mpi___hits___mpi_send: 1, mpi___time___mpi_send: 0.5 },
  1: { mpi___hits___mpi_send: 2, mpi___time___mpi_send: 0.25 },
};

/** Two ranks with MPI, a counter of their own, one that stays 0, and a gauge on the second only. */
async function twoRanks(here: Here) {
  const pushers = [];
  for (const rank of [0, 1] as const) {
    const pusher = await here.pusher();
    pusher.job({ jobid: 'j', size: 2 });
    for (const [name, by] of Object.entries({ ...MPI[rank], steps_total: 10 + rank, idle_total: 0 })) {
      pusher.describeCounter(name);
      pusher.increase(name, by);
    }
    pushers.push(pusher);
    // A rank's number is its place in the order of arrival.
    await eventually(async () => (await here.client.runs({ state: 'live' })).runs[0]?.ranks === rank + 1);
  }
  pushers[1]!.describeGauge('residual_ratio');
  pushers[1]!.set('residual_ratio', 0.5);
  const run = await eventually(async () => {
    const [one] = (await here.client.runs({ state: 'live' })).runs;
    return one?.series === 5 && (await table(here, one.id)).series.length === 4 && one;
  });
  return { pushers, run };
}

describe('the ranks of a run', () => {
  test('while it lives and when it has ended: the same, by group and quantity', async () => {
    const here = await startHere();
    const { pushers, run } = await twoRanks(here);
    const whole = {
      0: { ...MPI[0], steps_total: 10, residual_ratio: null },
      1: { ...MPI[1], steps_total: 11, residual_ratio: 0.5 },
    };
    const check = async (): Promise<RankTable> => {
      const all = await table(here, run.id);
      expect(byRank(all)).toEqual(whole);
      expect(Object.fromEntries(all.series.map(({ key, value }) => [key, value]))).toEqual({
        mpi___hits___mpi_send: 3,
        mpi___time___mpi_send: 0.75,
        steps_total: 21,
        residual_ratio: 0.5,
      });
      expect(all.ranks.every(({ node }) => node !== '')).toBe(true);
      expect(byRank(await table(here, run.id, '?group=MPI'))).toEqual(MPI);
      expect(byRank(await table(here, run.id, '?group=MPI&quantity=time'))).toEqual({
        0: { mpi___time___mpi_send: 0.5 },
        1: { mpi___time___mpi_send: 0.25 },
      });
      expect(byRank(await table(here, run.id, '?group=MPI&quantity=time&quantity=calls'))).toEqual(MPI);
      expect(await table(here, run.id, '?group=nothing')).toMatchObject({
        series: [],
        ranks: [{ values: [] }, { values: [] }],
      });
      return all;
    };
    const live = await check();
    expect(live.run.state).toBe('running');
    expect(live.time).toBeGreaterThanOrEqual(live.run.start_time);

    await Promise.all(pushers.map((pusher) => pusher.close()));
    await eventually(async () => (await here.client.runs({ state: 'ended' })).runs.length === 1);
    const ended = await eventually(async () => (await read(here, `/runs/${run.id}/ranks`)).status === 200 && check());
    expect(ended.run.state).toBe('finished');
    expect(ended.time).toBe(ended.run.end_time);
  });

  test('of no run, and of parameters that are none', async () => {
    const here = await startHere();
    const none = await read(here, '/runs/nothing/ranks');
    expect([none.status, Problem.parse(none.json()).code]).toEqual([404, 'run_not_found']);
    const twice = await read(here, '/runs/nothing/ranks?group=a&group=b');
    expect([twice.status, Problem.parse(twice.json()).code]).toEqual([400, 'bad_request']);
    const many = await read(here, `/runs/nothing/ranks?${'quantity=a&'.repeat(33)}`);
    expect([many.status, Problem.parse(many.json()).code]).toEqual([400, 'bad_request']);
  });
});
