/** The recordings of test/fixtures/store as a sampler told them, once or again and again. */

import { bitmapBytes, decodeFrame, FrameState, setBit } from '../../src/shared/frame.ts';
import { GAUGE_WIDTH } from '../../src/shared/model/values.ts';
import type { SeriesDef } from '../../src/shared/model/series.ts';
import { recorded, type recordedNames } from '../../test/support/recorded.ts';
import { gaugeValue, type Source, type Step, type Told } from './told.ts';

export interface RecordingOptions {
  /** Recordings that follow each other. */
  readonly names: readonly (typeof recordedNames)[number][];
  /** Time of the first frame, ms since the epoch. */
  readonly begin: number;
  /** How often; the times are shifted. */
  readonly times: number;
  /** Each time is a run of its own, rather than more of the same scope. */
  readonly asRuns: boolean;
}

const SECOND = 1000;
/** Each time but the first ends this much earlier than the one before, in seconds within a minute: no two have the same minutes. */
const PHASE = 7;

export function recordingSource({ names, begin, times, asRuns }: RecordingOptions): Source {
  const parts = names.map((name) => recorded(name));
  const frames = parts.flatMap((part) => part.frames.map((bytes) => decodeFrame(bytes)));
  const series = parts.at(-1)!.series;
  const scope = parts[0]!.scope;
  return function* (): Generator<Step, void> {
    let teller = new RecordingTeller(scope, asRuns, series);
    let [time, number] = [begin, 0];
    for (let turn = 0; turn < times; turn++) {
      if (asRuns && turn > 0) teller = new RecordingTeller(`${scope}-${turn}`, true, series);
      const end = asRuns ? frames.length : frames.length - ((PHASE * turn) % 60);
      const base = frames[0]!.time;
      const first = time;
      for (const [i, frame] of frames.slice(0, end).entries()) {
        if (i > 0 && frame.time <= frames[i - 1]!.time) continue;
        time = first + Math.round(frame.time - base);
        const over = i === end - 1 && (asRuns || turn === times - 1);
        yield { time, number: number++, told: [teller.at(frame, over)] };
      }
      time += SECOND;
    }
  };
}

/** Sources at once, in order of time. */
export function mergedSource(sources: readonly Source[]): Source {
  return function* (): Generator<Step, void> {
    const heads = sources.map((source) => {
      const steps = source()[Symbol.iterator]();
      return { steps, next: steps.next() };
    });
    for (;;) {
      let first: (typeof heads)[number] | null = null;
      for (const head of heads) {
        if (head.next.done !== true && (!first || head.next.value.time < (first.next.value as Step).time)) first = head;
      }
      if (!first) return;
      yield first.next.value as Step;
      first.next = first.steps.next();
    }
  };
}

/** When a recording began, ms since the epoch. */
export const recordedAt = (name: (typeof recordedNames)[number]): number => decodeFrame(recorded(name).frames[0]!).time;

class RecordingTeller {
  readonly #scope: string;
  readonly #isRun: boolean;
  readonly #series: readonly SeriesDef[];
  readonly #state = new FrameState();
  #counters: Float64Array = new Float64Array(0);
  #gauges: Float64Array = new Float64Array(0);
  #counterCount = 0;
  #gaugeCount = 0;
  #begun = false;

  constructor(scope: string, isRun: boolean, series: readonly SeriesDef[]) {
    this.#scope = scope;
    this.#isRun = isRun || scope.startsWith('run/');
    this.#series = series;
  }

  at(frame: ReturnType<typeof decodeFrame>, last: boolean): Told {
    const state = this.#state;
    state.apply(frame);
    const { counterCount, gaugeCount } = state;
    const added = this.#series.filter(
      ({ kind, index }) =>
        (kind === 'counter' && index >= this.#counterCount && index < counterCount) ||
        (kind === 'gauge' && index >= this.#gaugeCount && index < gaugeCount),
    );
    const bits = {
      counters: new Uint8Array(bitmapBytes(counterCount)),
      gauges: new Uint8Array(bitmapBytes(gaugeCount)),
    };
    let [samples, changed] = [0, 0];
    for (let i = 0; i < counterCount; i++) {
      const value = state.counters[i]!;
      const same = i < this.#counterCount && Object.is(value, this.#counters[i]);
      if (!same) setBit(bits.counters, i);
      if (Number.isNaN(value)) continue;
      samples++;
      if (!same) changed++;
    }
    for (let i = 0; i < gaugeCount; i++) {
      let same = i < this.#gaugeCount;
      for (let k = GAUGE_WIDTH * i; same && k < GAUGE_WIDTH * (i + 1); k++)
        same = Object.is(state.gauges[k], this.#gauges[k]);
      if (!same) setBit(bits.gauges, i);
      if (Number.isNaN(gaugeValue(state, i))) continue;
      samples++;
      if (!same) changed++;
    }
    this.#counters = state.counters.slice();
    this.#gauges = state.gauges.slice();
    this.#counterCount = counterCount;
    this.#gaugeCount = gaugeCount;
    const interval = this.#begun ? frame.interval : 0;
    const told = { scope: this.#scope, jobid: this.#isRun ? this.#scope.slice(4) : null, columns: state };
    const full = !this.#begun;
    this.#begun = true;
    return { ...told, added, bits: full ? null : bits, samples, changed, interval, last: last && this.#isRun };
  }
}
