/**
 * Brings the history of runs that somebody pinned over there, sample by sample, into this engine's store, under that
 * engine's id, and pins it here. What was brought so far is in the store itself: after a break it goes on behind the last
 * sample that is here.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { KeepList, type Keep } from '../../shared/api/store.ts';
import { RangeResult, type RangeSeries } from '../../shared/api/query.ts';
import type { Run } from '../../shared/api/runs.ts';
import { encodeFrame } from '../../shared/frame.ts';
import { runScope, type ScopeId } from '../../shared/model/scope.ts';
import { Scope } from '../live/scope.ts';
import { SeriesSlice } from '../live/series-table.ts';
import type { Snapshot, Store, Tick } from '../store/store.ts';
import { NotAnswered } from './engines/channel-agent.ts';
import { isRunId, storedRunId } from './engines/engine-id.ts';
import type { EngineLink } from './engines/link.ts';
import { plainText } from './words.ts';

/** So much of a run's time is asked for at once, ms, and less where that is too many bytes. */
const WINDOW = 600_000;
const MIN_WINDOW = 1000;
const MAX_POINTS = 20_000;
const MAX_ANSWER = 16 * 1024 * 1024;
const MAX_KEEPS = 1000;
/** Bytes of one run's samples. */
const MAX_HISTORY = 256 * 1024 * 1024;
/** Of a run that says to have lasted longer nothing is asked: it would be asked for without end, ms. */
const MAX_SPAN = 400 * 86_400_000;
/** Samples of a run are taken when the sampler gets to it, a little before and behind its own times, ms. */
const EDGE = 60_000;
/** Every so many samples all values are written, so that reading from the middle need not go back to the start. */
const FULL_EVERY = 60;
/** Between two windows, ms: it is done in the background. */
const PAUSE = 5;

export interface PinnedParts {
  /** Id of the engine over there. */
  readonly engine: string;
  readonly json: EngineLink['json'];
  readonly store: Pick<
    Store,
    'run' | 'profile' | 'putProfile' | 'keeps' | 'addKeep' | 'append' | 'snapshot' | 'flush' | 'kept'
  >;
  /** Runs over there whose history is all here, or was: what is unpinned here does not come again. */
  readonly done: readonly string[];
  readonly saveDone: (run: string) => void;
  /** So many more bytes of samples are here: told as they come, since a run that breaks off goes on later. */
  readonly took: (bytes: number) => void;
  /** Bytes that may still come. */
  readonly room: () => number;
  /** Something is not brought, and why. */
  readonly leave: (why: string) => void;
  /** Wall clock, ms since the epoch. */
  readonly now: () => number;
}

/** One look at what is pinned there. Throws what the connection or the store says. */
export async function bringPinned(parts: PinnedParts, signal: AbortSignal): Promise<void> {
  const { json, done, leave, store } = parts;
  const keeps = await json(`/api/v1/store/keeps?limit=${MAX_KEEPS}`, KeepList, MAX_ANSWER, signal).catch(
    (error: unknown) => {
      // An engine that keeps all in memory, or is older, pins nothing.
      if (error instanceof NotAnswered) return null;
      throw error;
    },
  );
  for (const keep of keeps?.keeps ?? []) {
    const id = keep.scope?.startsWith('run/') ? keep.scope.slice('run/'.length) : '';
    if (!isRunId(id)) leave('what is pinned is not of one run');
    else if (!done.includes(id)) {
      const run = await store.run(storedRunId(parts.engine, id));
      // It still goes on, or its profile was left out.
      if (!run) continue;
      if (store.kept === null) leave('pinned history is brought to an engine with a disk only');
      else await bringRun(parts, id, run, keep, signal);
    }
  }
}

async function bringRun(parts: PinnedParts, id: string, run: Run, keep: Keep, signal: AbortSignal): Promise<void> {
  const { store, leave } = parts;
  const scope = runScope(run.id);
  const [first, last] = [run.start_time - EDGE, Math.max(run.end_time, run.start_time) + EDGE];
  if (last - first > MAX_SPAN) return leave('a pinned run is too long');
  const there = await store.snapshot(scope, Number.MAX_SAFE_INTEGER);
  // Before its samples: old ones without a pin would soon go again.
  if (!(await isPinned(store, scope))) {
    const note = plainText(keep.note, 500);
    await store.addKeep({ kind: 'window', scope, from: first, to: last, note, created: parts.now() });
  }
  const profile = await store.profile(run.id);
  const texts = new Map((profile?.series ?? []).map(({ key, doc }) => [key, doc]));
  const writer = new Writer(scope, texts, there);
  let at = Math.max(first, there?.time ?? 0);
  let told = 0;
  for (let window = WINDOW; at < last;) {
    signal.throwIfAborted();
    const to = Math.min(at + window, last);
    const result = await windowOf(parts, id, at, to, signal);
    if (result === null) {
      window = Math.floor(window / 4);
      if (window >= MIN_WINDOW) continue;
      return leave('the history of a pinned run has too many series');
    }
    for (const tick of writer.ticksOf(result, at, last)) {
      if (store.append(tick)) continue;
      await store.flush();
      if (!store.append(tick)) throw new Error('the store takes no more; see its status');
    }
    parts.took(writer.bytes - told);
    told = writer.bytes;
    if (told > MAX_HISTORY || parts.room() < 0) {
      leave('the history of a pinned run is too long');
      // The rest of it does not come in the next round either.
      break;
    }
    at = to;
    await delay(PAUSE, undefined, { ref: false, signal });
  }
  // Closes what is written of it.
  if (profile) store.putProfile(profile);
  await store.flush();
  parts.saveDone(id);
}

async function isPinned(store: PinnedParts['store'], scope: ScopeId): Promise<boolean> {
  for (let cursor: string | undefined; ;) {
    const { keeps, next } = await store.keeps({ limit: MAX_KEEPS, ...(cursor === undefined ? {} : { cursor }) });
    if (keeps.some((one) => one.scope === scope)) return true;
    if (next === null) return false;
    cursor = next;
  }
}

/** Null: it is more than is read at once. */
async function windowOf({ json }: PinnedParts, id: string, from: number, to: number, signal: AbortSignal) {
  const query = new URLSearchParams({ scope: runScope(id), from: String(from), to: String(to + 1) });
  query.set('maxPoints', String(MAX_POINTS));
  try {
    return await json(`/api/v1/query?${query.toString()}`, RangeResult, MAX_ANSWER, signal);
  } catch (error) {
    if (error instanceof NotAnswered) return null;
    throw error;
  }
}

/** Makes ticks of a scope out of columns. */
class Writer {
  readonly #scope: Scope;
  readonly #texts: ReadonlyMap<string, string>;
  #before = { time: 0, counters: 0, gauges: 0 };
  #sequence = 0;
  bytes = 0;

  /** `there`: what is in the store of it, whose series keep their places. */
  constructor(id: ScopeId, texts: ReadonlyMap<string, string>, there: Snapshot | null) {
    this.#scope = new Scope(id, 'run');
    this.#texts = texts;
    for (const { name, doc, kind } of there?.series ?? []) this.#scope.register(name, doc, kind);
    if (there) this.#before.time = there.time;
  }

  /** Of the samples after one time, up to another. */
  *ticksOf({ step, times, series }: RangeResult, after: number, last: number): Generator<Tick, void> {
    // A series is there from its first value on, as it was over there.
    const places: (number | null)[] = [];
    for (const [i, time] of times.entries()) {
      if (time <= after || time <= this.#before.time || time > last) continue;
      // A sample without a value is one; a bucket without is none.
      let isEmpty = step > 0;
      for (const [s, one] of series.entries()) {
        const value = one.last[i] ?? null;
        if (value === null) continue;
        const place = (places[s] ??= this.#place(one));
        if (place === null) continue;
        isEmpty = false;
        if (one.kind === 'counter') this.#scope.putCounter(place, value);
        else {
          const [least, most] = [one.min[i] ?? value, one.max[i] ?? value];
          this.#scope.putGauge(place, Float64Array.of(least, most, 1, value));
        }
      }
      if (!isEmpty) yield this.#tick(time);
    }
  }

  /** Null: its name cannot be. */
  #place({ key, kind }: RangeSeries): number | null {
    const place = this.#scope.register(key, this.#texts.get(key) ?? '', kind);
    return 'refused' in place ? null : place.index;
  }

  #tick(time: number): Tick {
    const scope = this.#scope;
    const before = this.#before;
    const sequence = this.#sequence++;
    const header = { stream: 0, time, interval: before.time === 0 ? 0 : time - before.time, sequence, gap: false };
    const changed = { counters: scope.counterBits, gauges: scope.gaugeBits };
    const frame = encodeFrame(header, scope, sequence % FULL_EVERY === 0 ? null : changed);
    const { counterCount, gaugeCount } = scope;
    const added = new SeriesSlice(scope.table, [before.counters, counterCount], [before.gauges, gaugeCount]);
    scope.clear();
    this.#before = { time, counters: counterCount, gauges: gaugeCount };
    this.bytes += frame.length;
    return { time, scopes: [{ scope: scope.id, added, frame }] };
  }
}
