/** Asks the store for what an analysis of a run needs, and puts it together. */

import type { Phase, ProfileAnalysis } from '../../../shared/api/profile-analysis.ts';
import type { Profile, ProfileSummary } from '../../../shared/api/profiles.ts';
import { elapsedOf, mpiOf, processesOf, type RunFigures } from '../../../shared/profiles/footprint.ts';
import { parseSearch } from '../../../shared/profiles/search.ts';
import type { Store } from '../../store/store.ts';
import { footprintAxes, MOST_COMPARED } from './footprint.ts';
import { imbalances } from './imbalance.ts';
import { MOST_WINDOWS, phaseSeries, phasesOf } from './phases.ts';
import { headlineOf, mpiWords } from './words.ts';

/** Narrowest window of a phase, ms. */
const LEAST_WINDOW = 1000;
/** So many runs of the command and size are looked at for some that did not fail. */
const LOOKED_AT = 200;

export async function analyse(
  store: Store,
  profile: Profile,
  now: number,
  signal?: AbortSignal,
): Promise<ProfileAnalysis> {
  const [summary] = await store.profiles.summaries([profile.run.id]);
  const others = await othersOf(store, profile, summary ?? null, now, signal);
  const phases = await phasesFrom(store, profile, now, signal);
  const axes = footprintAxes(profile, others);
  const mpi = mpiOf(profile);
  const where = mpi ? mpiWords(mpi, elapsedOf(profile)) : '';
  const interrupted = profile.run.state === 'interrupted';
  return {
    run: profile.run.id,
    headline: headlineOf(axes, phases, { where, interrupted }),
    imbalance: imbalances(profile),
    phases,
    footprint: { group: summary?.group ?? '', compared: others.length, axes },
  };
}

/** Of the last finished runs of the same command and size, of the engine that the run is of. */
async function othersOf(
  store: Store,
  { run }: Profile,
  summary: ProfileSummary | null,
  now: number,
  signal: AbortSignal | undefined,
): Promise<RunFigures[]> {
  if (!summary || summary.group === '') return [];
  const { terms } = parseSearch(`size:${run.size} state:ok`, now);
  const { runs } = await store.profiles.list({
    ...{ terms, group: summary.group, sort: 'start', order: 'desc', limit: LOOKED_AT, trash: '0' },
    ...(summary.engine === null ? {} : { engine: summary.engine }),
  });
  signal?.throwIfAborted();
  const ids = runs.map(({ id }) => id).filter((id) => id !== run.id);
  const figures = await store.profiles.figures(ids.slice(0, MOST_COMPARED), signal);
  return figures.filter((each) => each !== null);
}

async function phasesFrom(
  store: Store,
  profile: Profile,
  now: number,
  signal: AbortSignal | undefined,
): Promise<Phase[]> {
  const { run } = profile;
  const [from, to] = [run.start_time, run.end_time > 0 ? run.end_time : now];
  const series = phaseSeries(profile.series);
  if (series.length === 0 || from <= 0 || to - from < 2 * LEAST_WINDOW) return [];
  const step = Math.max(1, Math.ceil((to - from) / MOST_WINDOWS / LEAST_WINDOW)) * LEAST_WINDOW;
  const keys = series.map(({ key }) => key);
  const found = await store.columns(
    { scope: run.scope, series: keys, from, to, maxPoints: 2 * MOST_WINDOWS, step },
    signal,
  );
  if (!found || found.step === 0 || found.times.length === 0) return [];
  const count = found.times.length;
  const byKey = new Map(series.map((one) => [one.key, one]));
  const windows = {
    ...{ from: found.times[0]!, step: found.step, count, processes: processesOf(profile) },
    series: found.targets.map(({ key }) => byKey.get(key)!),
    rates: found.avg,
  };
  // Whole minutes are answered whole, from before the run's first moment on.
  return phasesOf(windows, to).map((phase) => ({ ...phase, from: Math.max(from, phase.from) }));
}
