/**
 * Values of a scope over time, exact, out of its stored frames. Read from the newest frame backwards, page by page, so
 * that a long history is thinned while it is read: a reader gets it whole with fewer points, not a part of it.
 */

import { parseMetric } from '../../../shared/model/metric.ts';
import type { ScopeId } from '../../../shared/model/scope.ts';
import type { SeriesDef } from '../../../shared/model/series.ts';
import { GAUGE_WIDTH } from '../../../shared/model/values.ts';
import { Replay } from '../../store/replay.ts';
import type { Store } from '../../store/store.ts';
import { compatType, type CompatType } from './answer.ts';

/** Frames that are read at once. */
const PAGE = 120;
/** How far a page reaches back at first, in ms; then as far as frames turn out to lie. */
const FIRST_REACH = 60_000;
/** Frames that are applied before others get a turn. */
const TURN = 30;
/** Most frames that are looked at, a day at one per second: what is older is left out. */
const MAX_FRAMES = 86_400;
/** Most samples of one series that are kept. */
export const MAX_SAMPLES = 4000;
/** Values that are made ready before others get a turn. */
const TURN_VALUES = 10_000;
/** Most values of all series together. */
const MAX_VALUES = 100_000;

/** `time` in ms since the epoch. */
export interface Sample {
  readonly time: number;
  readonly value: CompatType;
}

export interface SeriesHistory {
  readonly name: string;
  /** Oldest first. */
  readonly samples: readonly Sample[];
}

export interface ScopeHistory {
  /** By canonical key. */
  readonly series: ReadonlyMap<string, SeriesHistory>;
  /** Times of the first and the last frame that was looked at; null: there is none. */
  readonly span: { readonly from: number; readonly to: number } | null;
}

/** Four numbers for each wanted series: a gauge's, or a counter's total in the first. NaN: not known at that time. */
interface Row {
  /** Frames between this and the newest one. */
  readonly age: number;
  readonly time: number;
  readonly wanted: readonly SeriesDef[];
  readonly values: Float64Array;
}

/** Keeps every frame, then every second one, every fourth one: what remains lies evenly over the whole span. */
class Rows {
  #rows: Row[] = [];
  #stride = 1;

  /** Newest first. */
  add(row: Row): void {
    this.#push(this.#rows, row);
    const limit = Math.max(2, Math.min(MAX_SAMPLES, Math.floor(MAX_VALUES / Math.max(1, row.wanted.length))));
    if (this.#rows.length <= limit) return;
    this.#stride *= 2;
    const rows: Row[] = [];
    for (const kept of this.#rows) this.#push(rows, kept);
    this.#rows = rows;
  }

  /** The newest of each stretch stands for it; what it does not know, older ones of the stretch may. */
  #push(rows: Row[], row: Row): void {
    const newer = rows.at(-1);
    if (!newer || Math.floor(newer.age / this.#stride) !== Math.floor(row.age / this.#stride)) rows.push(row);
    else if (newer.wanted === row.wanted) fill(newer.values, row.values);
  }

  oldestFirst(): Row[] {
    return this.#rows.toReversed();
  }
}

function fill(values: Float64Array, from: Float64Array): void {
  for (let i = 0; i < values.length; i += GAUGE_WIDTH)
    if (Number.isNaN(values[i])) values.set(from.subarray(i, i + GAUGE_WIDTH), i);
}

/**
 * History of the series of a scope that are wanted, from < time ≤ to.
 *
 * @throws {ApiError} `store_unavailable`.
 */
export async function readHistory(
  store: Store,
  scope: ScopeId,
  range: { readonly from: number; readonly to: number },
  wants: (def: SeriesDef) => boolean,
): Promise<ScopeHistory> {
  const rows = new Rows();
  let age = 0;
  let [first, last] = [Infinity, -Infinity];
  let reach = FIRST_REACH;
  for (let to = range.to; age < MAX_FRAMES;) {
    // Of the same start of the engine as the frames up to its time: their numbers of series are this schema's.
    const snapshot = await store.snapshot(scope, to);
    if (!snapshot || snapshot.time <= range.from) break;
    const from = Math.max(range.from, snapshot.time - reach);
    const { frames, truncated } = await store.frames(scope, from, snapshot.time, PAGE);
    const page = await readPage(frames, snapshot.series.filter(wants), age);
    for (const row of page) rows.add(row);
    const oldest = page.at(-1)?.time ?? snapshot.time;
    if (page[0]) [first, last] = [Math.min(first, oldest), Math.max(last, page[0].time)];
    age += frames.length;
    // A store may have to read all that is within reach, to hand out the newest of it.
    reach = frames.length === PAGE ? Math.max(1, 2 * (snapshot.time - oldest)) : 2 * reach;
    to = truncated || frames.length === PAGE ? oldest - 1 : from;
  }
  return { series: await seriesOf(rows.oldestFirst()), span: last >= first ? { from: first, to: last } : null };
}

/** Newest first. `age` is that of the newest frame. */
async function readPage(frames: readonly Uint8Array[], wanted: readonly SeriesDef[], age: number): Promise<Row[]> {
  const replay = new Replay();
  const page: Row[] = [];
  for (const [n, bytes] of frames.entries()) {
    // A store in memory has answered within the turn.
    if (n % TURN === 0) await nextTurn();
    const frame = replay.apply(bytes);
    if (frame) page.push(rowOf(frame, replay, wanted, age + frames.length - 1 - n));
  }
  return page.reverse();
}

const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

function rowOf({ time }: { readonly time: number }, { state }: Replay, wanted: readonly SeriesDef[], age: number): Row {
  const values = new Float64Array(GAUGE_WIDTH * wanted.length).fill(NaN);
  for (const [n, { kind, index }] of wanted.entries()) {
    if (kind === 'counter') values[GAUGE_WIDTH * n] = index < state.counterCount ? state.counters[index]! : NaN;
    else if (index < state.gaugeCount)
      values.set(state.gauges.subarray(GAUGE_WIDTH * index, GAUGE_WIDTH * (index + 1)), GAUGE_WIDTH * n);
  }
  return { age, time, wanted, values };
}

async function seriesOf(rows: readonly Row[]): Promise<Map<string, SeriesHistory>> {
  const series = new Map<string, { name: string; samples: Sample[]; total: number; changed: number }>();
  // Rows of one page share their list; after a restart of the engine the older ones number the series otherwise.
  const keysOf = new Map<readonly SeriesDef[], string[]>();
  let made = 0;
  for (const { wanted, time, values } of rows) {
    let keys = keysOf.get(wanted);
    if (!keys) keysOf.set(wanted, (keys = wanted.map(({ name }) => parseMetric(name).key)));
    for (const [n, { name, kind }] of wanted.entries()) {
      const at = GAUGE_WIDTH * n;
      const [first, hits] = [values[at]!, values[at + 2]!];
      // Not there yet, not kept at that time, or a gauge that nobody has set.
      if (Number.isNaN(first) || (kind === 'gauge' && !(hits > 0))) continue;
      let known = series.get(keys[n]!);
      if (!known) series.set(keys[n]!, (known = { name, samples: [], total: 0, changed: 0 }));
      if (kind === 'counter' && first !== known.total) [known.total, known.changed] = [first, time];
      const gauge = kind === 'gauge' ? { min: first, max: values[at + 1]!, hits, total: values[at + 3]! } : null;
      known.samples.push({ time, value: compatType(kind, first, gauge, known.changed) });
    }
    made += wanted.length;
    if (made >= TURN_VALUES) {
      made = 0;
      await nextTurn();
    }
  }
  return series;
}
