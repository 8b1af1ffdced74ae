import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { Block } from '../../../../../src/engine/store/block/index.ts';
import { decodeFrame, FrameState } from '../../../../../src/shared/frame.ts';
import { GAUGE_WIDTH } from '../../../../../src/shared/model/values.ts';
import { recorded, recordedNames } from '../../../../support/recorded.ts';
import { goldenMinutes, goldenSamples } from './golden.ts';
import { encoded, RAW, wrongColumn, type Input } from './support.ts';

/** Frames in blocks of so many rows; a series that is there and not NaN is a sample. */
function blocksOf(frames: readonly Uint8Array[], rows: number): { input: Input; samples: number; changed: number }[] {
  const state = new FrameState();
  const all = frames.map((bytes) => {
    const frame = decodeFrame(bytes);
    state.apply(frame);
    const { counterCount, gaugeCount } = state;
    const counters = state.counters.slice(0, counterCount);
    return { frame, counters, gauges: state.gauges.slice(0, GAUGE_WIDTH * gaugeCount), counterCount, gaugeCount };
  });
  return Array.from({ length: Math.ceil(all.length / rows) }, (_, block) => {
    const part = all.slice(block * rows, (block + 1) * rows);
    const last = part.at(-1)!;
    const input: Input = {
      shape: RAW,
      times: Float64Array.from(part, ({ frame }) => frame.time),
      intervals: Float64Array.from(part, ({ frame }) => frame.interval),
      sequences: Uint32Array.from(part, ({ frame }) => frame.sequence),
      gaps: Uint8Array.from(part, ({ frame }) => Number(frame.gap)),
      counterCounts: Uint32Array.from(part, ({ counterCount }) => counterCount),
      gaugeCounts: Uint32Array.from(part, ({ gaugeCount }) => gaugeCount),
      counters: Array.from(last.counters, (__, i) => Float64Array.from(part, ({ counters }) => counters[i] ?? NaN)),
      gauges: Array.from(last.gauges, (__, i) => Float64Array.from(part, ({ gauges }) => gauges[i] ?? NaN)),
    };
    const values = [...input.counters, ...input.gauges.filter((__, i) => i % GAUGE_WIDTH === GAUGE_WIDTH - 1)];
    const count = (is: (value: number, before: number) => boolean): number =>
      values.reduce((sum, column) => sum + column.filter((value, i) => is(value, column[i - 1] ?? NaN)).length, 0);
    return {
      input,
      samples: count((value) => !Number.isNaN(value)),
      changed: count((value, before) => !Number.isNaN(value) && value !== before),
    };
  });
}

describe.each([
  ['node-0', 0.55],
  ['node-1', 0.55],
  ['mpi', 0.5],
  ['find', 0.3],
] as const)('the recording %s', (name, limit) => {
  test.each([60, 512])(`is the same out of blocks of %i rows`, (rows) => {
    for (const { input } of blocksOf(recorded(name).frames, rows)) {
      expect(wrongColumn(Block.open(encoded(input)), input)).toBeNull();
    }
  });

  test(`takes at most ${limit} bytes per sample`, () => {
    const blocks = blocksOf(recorded(name).frames, 512);
    const sum = (of: (block: (typeof blocks)[number]) => number): number =>
      blocks.reduce((all, one) => all + of(one), 0);
    const bytes = sum(({ input }) => encoded(input).length);
    const [samples, changed] = [sum((block) => block.samples), sum((block) => block.changed)];
    console.log(
      `${name}: ${(bytes / samples).toFixed(3)} bytes per sample, ${(bytes / changed).toFixed(2)} per changed one`,
    );
    expect(bytes / samples).toBeLessThan(limit);
  });
});

test('there is a test of every recording', () => {
  expect(recordedNames.map((name) => recorded(name).frames.length)).toEqual([900, 901, 605, 194]);
});

/** These files were written by version 1 and never change: what is on somebody's disk must stay readable. */
describe('blocks of version 1', () => {
  const golden = (name: string): Buffer =>
    readFileSync(path.join(import.meta.dirname, '../../../../fixtures/store', name));

  test.each([
    ['golden-1-samples.block', goldenSamples],
    ['golden-1-minutes.block', goldenMinutes],
  ])('%s', (name, input) => {
    const block = Block.open(golden(name));
    expect(block.identity).toEqual({ scope: 7, epoch: 3 });
    expect(block.shape).toEqual(input().shape);
    expect(wrongColumn(block, input())).toBeNull();
  });
});
