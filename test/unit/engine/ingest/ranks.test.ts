/** Which clients are one rank of a run. */

import { expect, test } from 'vitest';
import type { LiveRun } from '../../../../src/engine/live/runs.ts';
import { harness, jobDesc, type Connection } from './harness.ts';

const launch = (n: number): string => `${n}`.repeat(16).slice(0, 16) + '-1-1';

type Who = { rank?: number; launch?: string };

function opened() {
  const engine = harness();
  const join = (who: Who): Connection => {
    const connection = engine.connect();
    connection.push(`${JSON.stringify({ JobDesc: { ...jobDesc({ jobid: 'j' }), ...who } })}\0`);
    return connection;
  };
  const run = (): LiveRun => engine.runs.live.get('j')!;
  const rows = () =>
    [...run().rankList()]
      .map((rank) => [rank.rank, rank.counters.slice(0, rank.counterCount).reduce((a, b) => a + b, 0)] as const)
      .toSorted(([a], [b]) => a - b);
  return { engine, join, run, rows };
}

test('processes with one MPI rank are one rank, with its number', () => {
  const { engine, join, run, rows } = opened();
  const first = join({ rank: 3 }).counter('x').add('x', 1);
  const second = join({ rank: 3 }).counter('y').counter('x').add('x', 10).add('y', 100);
  join({ rank: 1 }).counter('x').add('x', 1000);
  expect(rows()).toEqual([
    [1, 1000],
    [3, 111],
  ]);
  expect([run().ranks, run().clients, engine.budget.rankValues]).toEqual([2, 2, 3]);
  first.client.close();
  expect([run().clients, run().state]).toEqual([2, 'running']);
  second.client.close();
  expect([run().clients, engine.budget.rankValues]).toEqual([1, 3]);
  expect(rows()).toEqual([
    [1, 1000],
    [3, 111],
  ]);
  expect([...run().scope.counters.slice(0, 2)]).toEqual([1011, 100]);
});

test('processes of one launch are one rank, also one after the other', () => {
  const { engine, join, run, rows } = opened();
  join({ launch: launch(2) }).counter('x');
  for (let i = 0; i < 500; i++) {
    const child = join({ launch: launch(1) })
      .counter('x')
      .gauge('g');
    child.add('x', 2).set('g', i);
    child.client.close();
  }
  expect(rows()).toEqual([
    [0, 0],
    [1, 1000],
  ]);
  run().scope.settle();
  // The last one's: nobody has it any more.
  expect(run().scope.gauge(0)).toEqual({ min: 499, max: 499, hits: 1, total: 499 });
  expect([run().ranks, run().endedValues, engine.budget.rankValues]).toEqual([2, 2, 3]);
  const back = join({ launch: launch(1) });
  run().scope.settle();
  expect(run().scope.gauge(0).total).toBe(499);
  back.gauge('g').set('g', 7);
  run().scope.settle();
  expect([run().scope.gauge(0).total, run().endedValues]).toEqual([7, 0]);
});

test('children without a rank of their own count to the rank of their launch', () => {
  const { join, rows } = opened();
  join({ rank: 5, launch: launch(1) })
    .counter('x')
    .add('x', 1);
  join({ launch: launch(1) })
    .counter('x')
    .add('x', 10);
  expect(rows()).toEqual([[5, 11]]);
});

test('ranks within one launch are ranks of their own', () => {
  const { join, rows } = opened();
  join({ launch: launch(1) })
    .counter('x')
    .add('x', 1);
  for (const rank of [0, 1])
    join({ rank, launch: launch(1) })
      .counter('x')
      .add('x', 10 + rank);
  join({ launch: launch(1) })
    .counter('x')
    .add('x', 100);
  expect(rows()).toEqual([
    [0, 10],
    [1, 11],
    [2, 101],
  ]);
});

test.each([
  ['before all ranks', [{ launch: launch(1) }, { rank: 0 }, { rank: 1 }]],
  ['between them', [{ rank: 1 }, { launch: launch(1) }, { rank: 0 }]],
  ['after them', [{ rank: 1 }, { rank: 0 }, { launch: launch(1) }]],
  ['without an identity', [{}, { rank: 1 }, { rank: 0 }]],
])('a client that says no rank takes none from those that do: %s', (_, whos) => {
  const { join, rows } = opened();
  for (const who of whos) {
    const said = 'rank' in who ? who.rank : undefined;
    join(who)
      .counter('x')
      .add('x', said ?? 100);
  }
  expect(rows()).toEqual([
    [0, 0],
    [1, 1],
    [2, 100],
  ]);
});

test('its number is above the size of the job, as far as that can be said', () => {
  for (const [size, number] of [
    [64, 64],
    [3.5, 4],
    [1e300, 2 ** 31],
  ] as const) {
    const engine = harness();
    for (const who of [{ launch: launch(1) }, { rank: 0 }]) {
      const desc = { ...jobDesc({ jobid: 'j', size }), ...who };
      engine.connect().push(`${JSON.stringify({ JobDesc: desc })}\0`);
    }
    expect([...engine.run('j').rankList()].map(({ rank }) => rank)).toEqual([number, 0]);
  }
});

test('ranks that say more than the size still keep their numbers, and no two ranks have one', () => {
  const { join, rows } = opened();
  const whos = [{}, { launch: launch(1) }, { rank: 1 }, { rank: 5 }, {}, { rank: 3 }, { rank: 2 }, { rank: 7 }];
  for (const who of whos) {
    join(who)
      .counter('x')
      .add('x', 'rank' in who ? who.rank : 100);
  }
  const said = rows().filter(([, sum]) => sum < 100);
  expect(said.map(([rank]) => rank)).toEqual([1, 2, 3, 5, 7]);
  for (const [rank, sum] of said) expect(sum).toBe(rank);
  expect(new Set(rows().map(([rank]) => rank)).size).toBe(whos.length);
});

test('clients without an identity are ranks by arrival; no number is given twice', () => {
  const { join, rows } = opened();
  for (const who of [{ rank: 1 }, {}, {}, { rank: 0 }, {}, { rank: 4 }, {}]) join(who).counter('x').add('x', 1);
  expect(rows().map(([rank]) => rank)).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

test.each([{ rank: -1 }, { rank: 1.5 }, { rank: '1' }, { rank: 2 ** 31 }, { launch: 'x' }, { launch: 7 }])(
  'what is no identity is none: %j',
  (who) => {
    const { engine, join, run } = opened();
    for (let i = 0; i < 2; i++)
      join(who as Who)
        .counter('x')
        .add('x', 1);
    expect([run().ranks, [...engine.stats.rejected]]).toEqual([2, []]);
  },
);
