/**
 * A metric of `main` over time. Sums are not stored: it is added up from what is stored of this node and of the runs that
 * contribute to it, from the engine's start on, as `main` itself is. A short history of few is exact, sample by sample;
 * of a counter's long one the store adds up the buckets.
 */

import type { MergeResult } from '../../../shared/api/merge.ts';
import type { Run } from '../../../shared/api/runs.ts';
import { MAIN_JOB } from '../../../shared/model/job.ts';
import { parseMetric } from '../../../shared/model/metric.ts';
import { finiteSum, mergeGauge, type Kind } from '../../../shared/model/values.ts';
import type { EngineContext } from '../../context.ts';
import { compatType, type CompatType } from './answer.ts';
import { MAX_SAMPLES, readHistory, type Sample } from './history.ts';
import { jobSamples } from './jobs.ts';

/** Most ended runs that are looked at, the newest. What older ones counted is there from the beginning. */
const MAX_ENDED = 200;

interface Contribution {
  readonly samples: readonly Sample[];
  /** Gauges leave a sum with their run, ms since the epoch; null: it goes on. */
  readonly ended: number | null;
}

const kindOf = (value: CompatType): Kind => ('Counter' in value ? 'counter' : 'gauge');
const totalOf = (value: CompatType | undefined): number => (value && 'Counter' in value ? value.Counter.value : 0);

/** A metric of the sum by its canonical key. Oldest first. */
export async function readSum(engine: EngineContext, key: string): Promise<Sample[]> {
  const now = [...(jobSamples(engine, MAIN_JOB) ?? [])].find((sample) => sample.key === key);
  if (!now) return [];
  const started = engine.openedAt(engine.node.id);
  const isLong = (engine.now() - started) / engine.config.periodMs > MAX_SAMPLES;
  if (now.kind === 'counter' && isLong) return readLongSum(engine, key, started);
  const read = async (scope: string, from: number): Promise<readonly Sample[]> => {
    const range = { from, to: Number.MAX_SAFE_INTEGER };
    const { series } = await readHistory(engine.store, scope, range, ({ name }) => parseMetric(name).key === key);
    const samples = series.get(key)?.samples ?? [];
    return samples[0] && kindOf(samples[0].value) === now.kind ? samples : [];
  };
  // Of this moment: a run may end while histories are read.
  const live = new Map(Array.from(engine.runs.live.values(), (run) => [run.id, run.scope.id]));
  const pulled = [...engine.targets.contributions()].filter((scope) => scope.find(key));
  // What is left of it is what the runs that are not looked at have counted.
  let base = endedTotal(engine, key);
  const contributions: Contribution[] = [{ samples: await read(engine.node.id, started - 1), ended: null }];
  for (const scope of live.values()) contributions.push({ samples: await read(scope, 0), ended: null });
  for (const { id } of pulled) contributions.push({ samples: await read(id, started - 1), ended: null });
  for (const run of await endedSince(engine, started)) {
    if (live.has(run.id)) continue;
    const samples = await read(run.scope, 0);
    base -= totalOf(samples.at(-1)?.value);
    contributions.push({ samples, ended: run.end_time });
  }
  return thinned(now.kind === 'counter' ? counterSum(contributions, Math.max(0, base)) : gaugeSum(contributions));
}

/** A counter's. One sample for each bucket in which something is known of a contributor, at the bucket's end. */
async function readLongSum(engine: EngineContext, key: string, started: number): Promise<Sample[]> {
  // Of this moment: a run may end while the others are read.
  const live = new Map(Array.from(engine.runs.live.values(), (run) => [run.id, run.scope.id]));
  const total = endedTotal(engine, key);
  const to = engine.now();
  const ended = (await endedSince(engine, started)).filter(({ id }) => !live.has(id)).map(({ scope }) => scope);
  const merge = async (scope: string[], step?: number): Promise<MergeResult | null> => {
    if (scope.length === 0) return null;
    const query = { scope, series: key, from: started, to, step, maxPoints: MAX_SAMPLES, operation: 'sum' } as const;
    const merged = await engine.store.merge(query);
    return merged?.series[0]?.kind === 'counter' ? merged : null;
  };
  const others = [engine.node.id, ...live.values()];
  let going = await merge(others);
  const gone = await merge(ended, going?.step);
  // Where only coarser buckets are kept of some.
  if (going && gone && gone.step !== going.step) going = await merge(others, gone.step);
  return mergedSum(going, gone, total, to);
}

/**
 * `total`: of all runs that have ended; what those that were looked at (`gone`) do not have of it is there from the
 * beginning. Both on one grid.
 */
export function mergedSum(
  going: Pick<MergeResult, 'step' | 'times' | 'series'> | null,
  gone: Pick<MergeResult, 'step' | 'times' | 'series'> | null,
  total: number,
  to: number,
): Sample[] {
  const { step, times } = going ?? gone ?? { step: 0, times: [] };
  const parts = [going, gone].flatMap((merged) => (merged?.times.length === times.length ? merged.series : []));
  const base = Math.max(0, total - (gone?.series[0]?.last.findLast((value) => value !== null) ?? 0));
  const out: Sample[] = [];
  let [before, changed] = [0, 0];
  for (const [i, start] of times.entries()) {
    const sum = parts.reduce((all, { last }) => finiteSum(all, last[i] ?? 0), base);
    const isKnown = parts.some(({ avg, last }) => avg[i] !== null || (last[i] !== null && last[i] !== last[i - 1]));
    if (!isKnown) continue;
    const time = Math.min(to, start + step);
    if (sum !== before) [before, changed] = [sum, time];
    out.push({ time, value: compatType('counter', sum, null, changed) });
  }
  return out;
}

function endedTotal({ ended: { scope } }: EngineContext, key: string): number {
  const place = scope.find(key);
  return place?.kind === 'counter' ? scope.counters[place.index]! : 0;
}

async function endedSince({ store }: EngineContext, since: number): Promise<Run[]> {
  const { runs } = await store.runs({ state: 'ended', limit: MAX_ENDED });
  return runs.filter((run) => run.end_time >= since);
}

/** All samples in the order of time, each with the number of its contribution. */
function inOrder(contributions: readonly Contribution[]): (Sample & { readonly of: number })[] {
  return contributions
    .flatMap(({ samples }, of) => samples.map(({ time, value }) => ({ time, value, of })))
    .toSorted((a, b) => a.time - b.time);
}

/** One sample at each time at which a contributor has one. */
function counterSum(contributions: readonly Contribution[], base: number): Sample[] {
  const last = new Float64Array(contributions.length);
  const out: Sample[] = [];
  let changed = 0;
  let before = 0;
  const events = inOrder(contributions);
  for (const [i, { time, value, of }] of events.entries()) {
    last[of] = totalOf(value);
    if (events[i + 1]?.time === time) continue;
    const total = last.reduce((sum, one) => finiteSum(sum, one), base);
    if (total !== before) [before, changed] = [total, time];
    out.push({ time, value: compatType('counter', total, null, changed) });
  }
  return out;
}

function gaugeSum(contributions: readonly Contribution[]): Sample[] {
  const last = new Map<number, Extract<CompatType, { Gauge: unknown }>['Gauge']>();
  const out: Sample[] = [];
  const events = inOrder(contributions);
  for (const [i, { time, value, of }] of events.entries()) {
    if ('Gauge' in value) last.set(of, value.Gauge);
    if (events[i + 1]?.time === time) continue;
    const present = [...last].filter(([n]) => (contributions[n]!.ended ?? time) >= time).map(([, gauge]) => gauge);
    if (present.length === 0) continue;
    out.push({ time, value: compatType('gauge', 0, present.reduce(mergeGauge), time) });
  }
  return out;
}

/** Evenly, the last one stays. */
function thinned(samples: readonly Sample[]): Sample[] {
  const stride = Math.ceil(samples.length / MAX_SAMPLES);
  return samples.filter((_, i) => (samples.length - 1 - i) % stride === 0);
}
