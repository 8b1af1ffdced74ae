/** Runs of a solver over some weeks, put into a store before an engine opens it; one of them was slowed by one rank. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Store } from '../../src/engine/store/store.ts';
import type { Profile } from '../../src/shared/api/profiles.ts';
import type { Run } from '../../src/shared/api/runs.ts';
import { rankScope } from '../../src/shared/model/scope.ts';
import { describeSeries } from '../../src/shared/model/series.ts';
import { def, run, Teller, tick } from '../unit/engine/store/support.ts';

/** Calls with the part of a rank's time that they take, of a rank that nothing holds up. */
const CALLS = { mpi_barrier: 0.01, mpi_allreduce: 0.04, mpi_send: 0.03, mpi_recv: 0.05 } as const;
type Call = keyof typeof CALLS;

export interface SolverRun extends Partial<Run> {
  readonly id: string;
  readonly jobid: string;
  readonly start: number;
  readonly seconds: number;
  readonly ranks: number;
  /** This rank works longer than the others, which spend `waited` of the time in MPI_Barrier for it. */
  readonly slow?: { readonly rank: number; readonly waited: number };
  /** Milliseconds between samples; 0: none are kept. */
  readonly every?: number;
}

/** Seconds that a rank is in a call, of a second. */
function share(call: Call, rank: number, slow: SolverRun['slow']): number {
  const own = CALLS[call] * (1 + 0.05 * ((rank * 7) % 5));
  return call === 'mpi_barrier' && slow && slow.rank !== rank ? slow.waited : own;
}

/** Totals of one rank after some seconds, by name of the counter. */
function totalsOf(rank: number, seconds: number, slow: SolverRun['slow']): Record<string, number> {
  const totals: Record<string, number> = {};
  for (const call of Object.keys(CALLS) as Call[]) {
    totals[`mpi___time___${call}`] = seconds * share(call, rank, slow);
    totals[`mpi___hits___${call}`] = Math.floor(seconds * 100);
    totals[`mpi___size___${call}`] = Math.floor(seconds * 100) * 4096;
  }
  return totals;
}

const sumOf = (each: readonly Record<string, number>[]): Record<string, number> => {
  const sum: Record<string, number> = {};
  for (const totals of each) for (const [name, value] of Object.entries(totals)) sum[name] = (sum[name] ?? 0) + value;
  return sum;
};

/** Stores a run as an engine would that had seen it, its ranks too. */
export async function putSolverRun(store: Store, options: SolverRun): Promise<Profile> {
  const { id, jobid, start, seconds, ranks, slow, every = 1000, ...over } = options;
  const end = start + seconds * 1000;
  const at = (second: number): Record<string, number>[] =>
    Array.from({ length: ranks }, (_, rank) => totalsOf(rank, second, slow));
  const last = at(seconds);
  const sums = sumOf(last);
  const names = Object.keys(sums);
  const nodes = over.nodes ?? ['node01', 'node02'];
  const series = names.map((name, index) => ({
    ...describeSeries(def('counter', index, name)),
    value: sums[name]!,
    gauge: null,
    changed: end,
  }));
  const of = run(id, {
    ...{ jobid, size: ranks, ranks, nodes, start_time: start, end_time: end, series: names.length },
    ...{ headline: names[1] ?? null, cluster: 'baltic', partition: 'compute', ...over },
  });
  const profile: Profile = {
    run: of,
    series,
    ranks: last.map((totals, rank) => ({
      rank,
      node: nodes[rank % nodes.length] ?? '',
      values: names.map((name) => totals[name] ?? null),
    })),
  };
  if (every > 0) {
    store.putRun({ ...of, state: 'running', end_time: 0 });
    const tellers = [new Teller(of.scope), ...last.map((_, rank) => new Teller(rankScope(id, rank)))];
    for (let time = start; time <= end; time += every) {
      const each = at((time - start) / 1000);
      const [whole, ...single] = tellers;
      const scopes = [whole!.at(time, sumOf(each)), ...single.map((teller, rank) => teller.at(time, each[rank]!))];
      // The queue is bounded: a tick that it does not take is offered again.
      while (!store.append(tick(time, ...scopes))) await sleep(5);
    }
  }
  store.putProfile(profile);
  await store.flush();
  return profile;
}

const DAY = 86_400_000;

/** The one that took longer: last week, since rank 5 held the others up. */
export const SLOWER = 'solver-118';
export const SLOW_RANK = 5;
/** What the others are held against. */
export const BASELINE = 'solver-112';
export const MARKUP = '<img src=x onerror=alert(1)> & "quotes"';

/** Three weeks of a solver, one of its runs slowed, and some runs of other commands. Ids of the runs by their job ids. */
export async function putWeeks(store: Store, now: number): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  const put = async (options: SolverRun): Promise<void> => {
    ids.set(options.jobid, options.id);
    await putSolverRun(store, options);
  };
  for (let i = 0; i < 12; i++) {
    const jobid = `solver-${110 + i}`;
    const slow = jobid === SLOWER ? { slow: { rank: SLOW_RANK, waited: 0.34 } } : {};
    await put({
      ...{ id: `solver${i}`, jobid, ranks: 8, command: `/home/alice/bin/solver --steps 400 --seed ${4711 + i}` },
      ...{ start: now - 21 * DAY + i * 1.75 * DAY, seconds: jobid === SLOWER ? 92 : 60 + ((i * 5) % 4), ...slow },
    });
  }
  for (let i = 0; i < 3; i++) {
    await put({
      ...{ id: `mesh${i}`, jobid: `mesh-${i}`, ranks: 2, command: 'python3 mesh.py --refine 3', every: 5000 },
      ...{ start: now - 5 * DAY + i * DAY, seconds: 30 + i },
    });
  }
  await put({
    ...{ id: 'hostile0', jobid: 'hostile', ranks: 2, command: `./a.out ${MARKUP}`, every: 0 },
    ...{ start: now - 2 * DAY, seconds: 12, state: 'interrupted' as const, nodes: ['<b>node</b>'] },
  });
  return ids;
}
