/** Runs of the past, put into a store before an engine opens it: what would take hours to push. */

import { setTimeout as sleep } from 'node:timers/promises';
import { openStore } from '../../src/engine/store/index.ts';
import type { Store } from '../../src/engine/store/store.ts';
import type { Profile } from '../../src/shared/api/profiles.ts';
import type { Run } from '../../src/shared/api/runs.ts';
import { describeSeries } from '../../src/shared/model/series.ts';
import { def, run, Teller, tick } from '../unit/engine/store/support.ts';

/** Opens the store of a data directory for as long as `write` takes. Nothing else may have it open. */
export async function withStore(data: string, write: (store: Store) => Promise<void>): Promise<void> {
  const { store } = await openStore({ data });
  try {
    await write(store);
  } finally {
    await store.close();
  }
}

/** A run that ended on no node known here, with two ranks, and counters by name and their last totals. Without history, so without headline. */
export function pastProfile(id: string, over: Partial<Run>, counters: Readonly<Record<string, number>>): Profile {
  const series = Object.entries(counters).map(([name, value], index) => ({
    ...describeSeries(def('counter', index, name)),
    value,
    gauge: null,
    changed: over.end_time ?? 0,
  }));
  const of = run(id, { series: series.length, nodes: [], ...over });
  const halves = [Math.ceil, Math.floor].map((half, rank) => ({
    rank,
    node: of.nodes[0] ?? '',
    values: series.map(({ value }) => half(value / 2)),
  }));
  return { run: of, series, ranks: halves };
}

/** Totals of a past run at a second. */
export type Totals = (second: number) => Readonly<Record<string, number>>;

/** Stores a run with one sample a second, its first at `start`. */
export async function putRunWithHistory(
  store: Store,
  id: string,
  jobid: string,
  start: number,
  seconds: number,
  totals: Totals,
): Promise<void> {
  const end = start + seconds * 1000;
  const last = totals(seconds);
  const headline = Object.keys(last)[0] ?? null;
  const profile = pastProfile(id, { jobid, headline, start_time: start, end_time: end }, last);
  const teller = new Teller(profile.run.scope);
  store.putRun({ ...profile.run, state: 'running', end_time: 0 });
  for (let second = 0; second <= seconds; second++) {
    const time = start + second * 1000;
    const scopes = tick(time, teller.at(time, totals(second)));
    // The queue is bounded: a tick that it does not take is offered again.
    while (!store.append(scopes)) await sleep(5);
  }
  store.putProfile(profile);
  await store.flush();
}
