import { describe, expect, test } from 'vitest';
import { readHistory, type SeriesHistory } from '../../../../../src/engine/http/compat/history.ts';
import { openMemoryStore } from '../../../../../src/engine/store/memory.ts';
import type { Store } from '../../../../../src/engine/store/store.ts';
import { encodeFrame, setBit } from '../../../../../src/shared/frame.ts';
import type { SeriesDef } from '../../../../../src/shared/model/series.ts';

const SCOPE = 'run/r1';
const T0 = 1_795_000_000_000;
const ALL = { from: 0, to: Number.MAX_SAFE_INTEGER };
const everything = (): boolean => true;

const counter = (index: number, name: string): SeriesDef => ({ kind: 'counter', index, name, doc: '' });
const gauge = (index: number, name: string): SeriesDef => ({ kind: 'gauge', index, name, doc: '' });

/** Appends ticks of a scope: all its columns each time, marked as changed or full every 60th time. */
class Recorder {
  readonly store: Store = openMemoryStore({ maxAge: Number.MAX_SAFE_INTEGER, maxBytes: 1024 ** 3 }).store;
  #sequence = 0;

  tick(time: number, counters: readonly number[], gauges: readonly number[][], added: readonly SeriesDef[] = []): void {
    const columns = {
      counterCount: counters.length,
      gaugeCount: gauges.length,
      counters: Float64Array.from(counters),
      gauges: Float64Array.from(gauges.flat()),
    };
    const bits = { counters: new Uint8Array(8), gauges: new Uint8Array(8) };
    // What is 0 has never moved: it is in no frame but a full one.
    for (const [i, value] of counters.entries()) if (value !== 0) setBit(bits.counters, i);
    for (const i of gauges.keys()) setBit(bits.gauges, i);
    const header = { stream: 0, time, interval: 1000, sequence: this.#sequence, gap: false };
    const frame = encodeFrame(header, columns, this.#sequence++ % 60 === 0 ? null : bits);
    expect(this.store.append({ time, scopes: [{ scope: SCOPE, added, frame }] })).toBe(true);
  }
}

const valuesOf = (history: SeriesHistory | undefined): unknown[] => (history?.samples ?? []).map(({ value }) => value);

describe('the history of a scope', () => {
  test('has all four numbers of a gauge, and begins where a series begins', async () => {
    const recorder = new Recorder();
    const [a, b] = [
      [1, 4, 2, 5],
      [-3, 9, 7, 21],
    ];
    recorder.tick(T0, [0], [], [counter(0, 'x{b="1",a="2"}')]);
    recorder.tick(T0 + 1000, [0, 0], [a], [counter(1, 'later'), gauge(0, 'temp')]);
    recorder.tick(T0 + 2000, [5, 3], [b]);
    recorder.tick(T0 + 3000, [5, 3], [[Infinity, -Infinity, 0, 0]]);
    const { series, span } = await readHistory(recorder.store, SCOPE, ALL, everything);
    expect(span).toEqual({ from: T0, to: T0 + 3000 });
    expect([...series.keys()].toSorted()).toEqual(['later', 'temp', 'x{a="2",b="1"}']);
    expect(series.get('x{a="2",b="1"}')!.name).toBe('x{b="1",a="2"}');
    // µs of the last change; 0: it has not changed.
    const changed = (T0 + 2000) * 1000;
    expect(valuesOf(series.get('x{a="2",b="1"}'))).toEqual([
      { Counter: { ts: 0, value: 0 } },
      { Counter: { ts: 0, value: 0 } },
      { Counter: { ts: changed, value: 5 } },
      { Counter: { ts: changed, value: 5 } },
    ]);
    expect(series.get('later')!.samples.map(({ time }) => time - T0)).toEqual([2000, 3000]);
    // Nobody holds it at the end.
    expect(valuesOf(series.get('temp'))).toEqual([
      { Gauge: { min: 1, max: 4, hits: 2, total: 5 } },
      { Gauge: { min: -3, max: 9, hits: 7, total: 21 } },
    ]);
  });

  test('is of the time and of the series that are asked for', async () => {
    const recorder = new Recorder();
    for (let i = 0; i < 1000; i++) {
      const added = i === 0 ? [counter(0, 'x'), counter(1, 'y')] : [];
      recorder.tick(T0 + 1000 * i, [i + 1, 2 * i], [], added);
    }
    const range = { from: T0 + 100_000, to: T0 + 900_000 };
    const { series, span } = await readHistory(recorder.store, SCOPE, range, ({ name }) => name === 'y');
    expect(span).toEqual({ from: T0 + 101_000, to: T0 + 900_000 });
    expect([...series.keys()]).toEqual(['y']);
    const { samples } = series.get('y')!;
    expect(samples.map(({ time }) => time)).toEqual(Array.from({ length: 800 }, (_, i) => T0 + 1000 * (i + 101)));
    expect(samples.map(({ value }) => ('Counter' in value ? value.Counter.value : NaN))).toEqual(
      Array.from({ length: 800 }, (_, i) => 2 * (i + 101)),
    );
  });

  test('is thinned evenly when it is long, not cut off', async () => {
    const recorder = new Recorder();
    const length = 20_000;
    for (let i = 0; i < length; i++) recorder.tick(T0 + 1000 * i, [i + 1], [], i === 0 ? [counter(0, 'x')] : []);
    const { series, span } = await readHistory(recorder.store, SCOPE, ALL, everything);
    const last = T0 + 1000 * (length - 1);
    expect(span).toEqual({ from: T0, to: last });
    const { samples } = series.get('x')!;
    expect(samples.length).toBeGreaterThan(1000);
    expect(samples.length).toBeLessThanOrEqual(4000);
    expect(samples.at(-1)!.time).toBe(last);
    const steps = new Set(samples.slice(1).map(({ time }, n) => time - samples[n]!.time));
    expect(steps.size).toBe(1);
    const [step] = [...steps];
    expect(samples[0]!.time - T0).toBeLessThan(step!);
    for (const { time, value } of samples) expect(value).toMatchObject({ Counter: { value: (time - T0) / 1000 + 1 } });
  });

  test('keeps what is known of a counter that is kept every ten seconds only, thinned or not', async () => {
    for (const length of [95, 20_000, 40_003]) {
      const recorder = new Recorder();
      const added = [counter(0, 'each'), counter(1, 'seldom')];
      for (let i = 0; i < length; i++)
        recorder.tick(T0 + 1000 * i, [i + 1, i % 10 === 3 ? i + 1 : NaN], [], i === 0 ? added : []);
      const { series } = await readHistory(recorder.store, SCOPE, ALL, everything);
      const { samples } = series.get('seldom')!;
      const distance = Math.max(...samples.slice(1).map(({ time }, n) => time - samples[n]!.time));
      expect(samples.length).toBeGreaterThan(8);
      expect(distance).toBeLessThan(32_000);
      for (const { time, value } of samples) {
        const kept = 'Counter' in value ? value.Counter.value : NaN;
        // At most one stretch before the time it is shown at.
        const late = (time - T0) / 1000 + 1 - kept;
        expect(late).toBeGreaterThanOrEqual(0);
        expect(late).toBeLessThan(length > 100 ? 32 : 1);
      }
    }
  });

  test('of a scope that nobody knows is empty', async () => {
    const { store } = new Recorder();
    expect(await readHistory(store, 'run/none', ALL, everything)).toEqual({ series: new Map(), span: null });
  });
});
