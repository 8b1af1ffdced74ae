import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { frameOf, MemoryHistory } from '../../../../src/engine/store/memory-history.ts';
import { PackedSeries, SeriesPacker } from '../../../../src/engine/store/series-pack.ts';
import { decodeFrame, FrameState, type Frame } from '../../../../src/shared/frame.ts';
import { def, T0, Teller } from './support.ts';

const ROOM = { bytes: 1e9, age: 1e9 };

/** What a reader of all frames ends with. */
function replayed(history: MemoryHistory, to = Infinity): { times: number[]; state: FrameState } {
  const state = new FrameState();
  const times: number[] = [];
  for (const each of history.between(0, to)) {
    state.apply(decodeFrame(frameOf(each, times.length === 0)));
    times.push(each.time);
  }
  return { times, state };
}

const values = (state: FrameState): number[][] => [
  [...state.counters.subarray(0, state.counterCount)],
  [...state.gauges.subarray(0, 4 * state.gaugeCount)],
];

const step = fc.record({
  after: fc.oneof(fc.integer({ min: 1, max: 5000 }), fc.double({ min: 0.5, max: 1e4, noNaN: true })),
  set: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.oneof(fc.nat(5), fc.constant(NaN))),
  gauge: fc.option(fc.tuple(fc.nat(3), fc.nat(3), fc.nat(2), fc.nat(3))),
  full: fc.boolean(),
  gap: fc.boolean(),
});

function frames(steps: readonly (typeof step extends fc.Arbitrary<infer T> ? T : never)[]): Frame[] {
  const teller = new Teller('run/x');
  let time = T0;
  return steps.map(({ after, set, gauge, full, gap }) => {
    time += after;
    teller.full ||= full;
    return decodeFrame(teller.at(time, { ...set, ...(gauge ? { g: gauge } : {}) }, gap).frame);
  });
}

describe('any history', () => {
  test('is told again as it was: values, times, gaps, sequence', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), fc.nat(59), (steps, at) => {
        const history = new MemoryHistory(ROOM);
        const all = frames(steps);
        for (const frame of all) history.take(frame);
        const until = all[Math.min(at, all.length - 1)]!.time;
        const expected = new FrameState();
        for (const frame of all) if (frame.time <= until) expected.apply(frame);
        expect(values(replayed(history, until).state)).toEqual(values(expected));
        const told = [...history.between(0, Infinity)].length;
        expect(told).toBe(all.length);
        let i = 0;
        for (const state of history.between(0, Infinity)) {
          const frame = all[i++]!;
          expect([state.time, state.sequence, state.gap]).toEqual([frame.time, frame.sequence, frame.gap]);
          expect(state.interval).toBeCloseTo(frame.interval, 2);
        }
      }),
    );
  });

  test('keeps its values when its oldest part goes, and its bytes are counted', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 80 }), fc.integer({ min: 1, max: 6 }), (steps, times) => {
        // Chunks of a few frames.
        const history = new MemoryHistory({ bytes: 60, age: 1e9 });
        let bytes = 0;
        const all = frames(steps);
        for (const frame of all) bytes += history.take(frame).grown;
        expect(bytes).toBe(history.bytes);
        for (let i = 0; i < times && history.chunks.length > 1; i++) bytes -= history.evict();
        expect(bytes).toBe(history.bytes);
        const expected = new FrameState();
        for (const frame of all) expected.apply(frame);
        let last = '';
        for (const state of history.between(0, Infinity)) {
          last = JSON.stringify([[...state.counters.subarray(0, state.counterCount)], [...state.gauges]]);
        }
        expect(last).toBe(JSON.stringify(values(expected)));
      }),
    );
  });
});

test('a frame in which nothing changed takes a few bytes, however many series there are', () => {
  const teller = new Teller('run/x');
  const history = new MemoryHistory(ROOM);
  const wide = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`c${i}`, i]));
  history.take(decodeFrame(teller.at(T0, wide).frame));
  const before = history.chunks[0]!.used;
  for (let i = 1; i <= 100; i++) {
    // Full ones too: values that are told again have not changed.
    teller.full = i % 10 === 0;
    history.take(decodeFrame(teller.at(T0 + 1000 * i, {}).frame));
  }
  expect(history.chunks[0]!.used - before).toBeLessThan(100 * 12);
});

test('after a clock was set back, nothing of that time or later is left', () => {
  const teller = new Teller('run/x');
  const history = new MemoryHistory({ bytes: 60, age: 1e9 });
  for (let i = 0; i < 50; i++) history.take(decodeFrame(teller.at(T0 + 1000 * i, { a: i, b: 7 }).frame));
  const { removed } = history.take(decodeFrame(teller.at(T0 + 10_500, { a: 99 }).frame));
  expect(removed.length).toBeGreaterThan(0);
  const { times, state } = replayed(history);
  expect(times).toEqual([...Array.from({ length: 11 }, (_, i) => T0 + 1000 * i), T0 + 10_500]);
  expect(values(state)[0]).toEqual([99, 7]);
  expect([...history.between(0, Infinity)].length).toBe(12);
});

test('packed definitions come back', () => {
  const list = [
    def('counter', 0, 'a'),
    def('gauge', 7, 'é{x="𝒜"}'),
    { ...def('counter', 2 ** 24, ''), doc: 'ü'.repeat(4096) },
  ];
  const packer = new SeriesPacker();
  expect(packer.add([])).toBe(0);
  expect(packer.packed).toBeNull();
  const first = packer.add(list);
  const second = packer.add(list.slice(1));
  const packed = packer.packed!;
  expect(packed.length).toBe(first + second);
  expect([...new PackedSeries(packed.subarray(0, first), 3)]).toEqual(list);
  expect([...new PackedSeries(packed.subarray(first), 2)]).toEqual(list.slice(1));
});
