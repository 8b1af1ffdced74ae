/** A run out of the files that the Rust metric proxy left of it: its profile, its trace, or both. */

import { createHash } from 'node:crypto';
import { encodeFrame } from '../../shared/frame.ts';
import { refuseJobid, type JobDesc } from '../../shared/model/job.ts';
import { runScope } from '../../shared/model/scope.ts';
import { GAUGE_WIDTH, type Kind } from '../../shared/model/values.ts';
import type { Profile } from '../../shared/api/profiles.ts';
import type { Run } from '../../shared/api/runs.ts';
import { headline } from '../live/headline.ts';
import { Scope } from '../live/scope.ts';
import { SeriesSlice } from '../live/series-table.ts';
import { interruptedProfile } from '../store/interrupted.ts';
import type { Store, Tick } from '../store/store.ts';
import type { ProxyProfile } from './proxy-profile.ts';
import type { Trace } from './proxy-trace.ts';

/** Every so many samples all values are written, so that reading from the middle need not go back to the start. */
const FULL_EVERY = 60;

/** The job id is one that no client may have, too. */
export class ImportError extends Error {
  override readonly name = 'ImportError';
}

export interface RunFiles {
  readonly profile: ProxyProfile | null;
  readonly trace: Trace | null;
}

export interface Imported {
  readonly run: Run;
  /** Samples of the history. */
  readonly samples: number;
  /** Series whose names cannot be. */
  readonly refused: number;
  /** It was there already, and nothing was written. */
  readonly known: boolean;
}

/** The same files give the same id, so that importing them again adds nothing. */
export function importedRunId({ jobid, command, start_time }: JobDesc): string {
  const text = JSON.stringify([jobid, command, start_time]);
  return `p${createHash('sha256').update(text).digest('base64url').slice(0, 21)}`;
}

/** Writes a run with its history and its profile. Throws ImportError; what the store says when it cannot write. */
export async function importRun(store: Store, { profile, trace }: RunFiles): Promise<Imported> {
  const desc = (profile ?? trace)!.desc;
  if (refuseJobid(desc.jobid)) throw new ImportError(`its job id cannot be: ${refuseJobid(desc.jobid)}`);
  const id = importedRunId(desc);
  const known = await store.run(id);
  if (known) return { run: known, samples: 0, refused: 0, known: true };

  const scope = new Scope(runScope(id), 'run');
  const values = new Values(scope);
  let samples = 0;
  for (const tick of trace ? ticksOf(trace, scope, values) : []) {
    samples++;
    if (store.append(tick)) continue;
    // The store has as much as it will take at once.
    await store.flush();
    if (!store.append(tick)) throw new ImportError('the store takes no more; see its status');
  }
  for (const { kind, name, doc, values: numbers } of profile?.values ?? []) values.put(kind, name, doc, numbers);

  const last = trace?.samples.at(-1)?.time ?? 0;
  const start = desc.start_time || (trace?.samples[0]?.time ?? 0);
  const end = Math.max(desc.end_time, trace?.desc.end_time ?? 0, last, start);
  const run: Run = {
    ...desc,
    ...{ id, scope: scope.id, state: 'finished', start_time: start, end_time: end },
    ...{ nodes: [], ranks: Math.max(1, Math.round(desc.size)), clients: 0, series: scope.seriesCount },
    headline: headline(scope).key,
  };
  store.putProfile(finalProfile(run, scope, end));
  await store.flush();
  return { run, samples, refused: values.refused.size, known: false };
}

function finalProfile(run: Run, scope: Scope, time: number): Profile {
  const { counterCount, gaugeCount, counters, gauges } = scope;
  const columns = { counterCount, gaugeCount, counters, gauges };
  return { ...interruptedProfile(run, { time, series: scope.allDefs(), columns }, []), run };
}

/** Writes values by name into a scope. */
class Values {
  readonly #scope: Scope;
  /** Names that are none of ours, or of another kind than before. */
  readonly refused = new Set<string>();

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** One number of a counter; min, max, hits, total of a gauge. */
  put(kind: Kind, name: string, doc: string, values: Float64Array): void {
    const place = this.#scope.register(name, doc, kind);
    if ('refused' in place) {
      this.refused.add(name);
      return;
    }
    if (kind === 'gauge') this.#scope.putGauge(place.index, values);
    else if (Number.isFinite(values[0])) this.#scope.putCounter(place.index, values[0]!);
  }
}

function* ticksOf(trace: Trace, scope: Scope, values: Values): Generator<Tick, void> {
  let before = { time: 0, counters: 0, gauges: 0 };
  for (const [sequence, { time, ids, kinds, values: numbers }] of trace.samples.entries()) {
    for (const [i, id] of ids.entries()) {
      const metric = trace.metrics.get(id);
      // Its name may stand in the part of the file that could not be read.
      if (!metric) values.refused.add(`metric ${id}`);
      else values.put(kinds[i]!, metric.name, metric.doc, numbers.subarray(GAUGE_WIDTH * i, GAUGE_WIDTH * (i + 1)));
    }
    const header = { stream: 0, time, interval: before.time === 0 ? 0 : time - before.time, sequence, gap: false };
    const changed = { counters: scope.counterBits, gauges: scope.gaugeBits };
    const frame = encodeFrame(header, scope, sequence % FULL_EVERY === 0 ? null : changed);
    const { counterCount, gaugeCount } = scope;
    const added = new SeriesSlice(scope.table, [before.counters, counterCount], [before.gauges, gaugeCount]);
    yield { time, scopes: [{ scope: scope.id, added, frame }] };
    scope.clear();
    before = { time, counters: counterCount, gauges: gaugeCount };
  }
}
