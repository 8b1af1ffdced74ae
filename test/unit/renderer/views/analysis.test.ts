import { describe, expect, test } from 'vitest';
import {
  amountText,
  imbalanceCells,
  kindName,
  kindsOf,
  LIGHTS,
  relativeOf,
  sentence,
  stretchOf,
  unevenOnes,
  unevenText,
} from '../../../../src/renderer/views/profile/analysis/words.ts';
import { Verdict } from '../../../../src/shared/api/profile-analysis.ts';
import type { FootprintAxis, Phase } from '../../../../src/shared/api/profile-analysis.ts';

const axis = (over: Partial<FootprintAxis>): FootprintAxis => ({
  ...{ id: 'time', name: 'Run time', unit: 's', better: 'less', value: 90, usual: 60, best: 30 },
  ...{ verdict: 'bad', words: '', ...over },
});

const phase = (from: number, to: number, words = 'quiet'): Phase => ({ from, to, words, top: [] });

describe('amounts', () => {
  test('have the units that the page knows, and others as they are', () => {
    expect(amountText(3 * 2 ** 30, 'B')).toBe('3 GiB');
    expect(amountText(0.25, 'ratio')).toBe('25 %');
    expect(amountText(4, 'furlongs')).toBe('4 furlongs');
    expect(amountText(4, '')).toBe('4');
    expect([amountText(0.3, 's', true), amountText(2, 'furlongs', true)]).toEqual(['0.3 s/s', '2 furlongs/s']);
    expect(amountText(null, 'furlongs')).toBe('–');
    expect(amountText(Number.NaN, 's')).toBe('–');
  });

  test('how uneven is the largest to the mean', () => {
    const row = {
      key: 'k',
      name: 'n',
      unit: '1',
      ranks: 2,
      min: 1,
      mean: 2,
      max: 3,
      min_rank: 0,
      max_rank: 1,
      lost: null,
    };
    const rows = [0.5, 0.001, 0.005].map((imbalance) => ({ ...row, imbalance }));
    expect(unevenOnes([...rows, { ...row, min: 3, imbalance: 1 }]).map(({ imbalance }) => imbalance)).toEqual([
      0.5, 0.005,
    ]);
    expect(unevenText({ imbalance: 0 })).toBe('1.00 ×');
    expect(unevenText({ imbalance: 0.425 })).toMatch(/^1\.4[23] ×$/);
  });
});

describe('footprint', () => {
  test('is relative to what is usual, more is worse', () => {
    expect(relativeOf(axis({}))).toEqual({ value: 1.5, best: 0.5 });
    expect(relativeOf(axis({ better: 'more', value: 30, best: 120 }))).toEqual({ value: 2, best: 0.5 });
    expect(relativeOf(axis({ best: null }))).toEqual({ value: 1.5, best: null });
  });

  test('is nothing where there is nothing to hold it against', () => {
    for (const over of [{ usual: null }, { usual: 0 }, { value: null }, { value: -1 }, { value: Number.NaN }]) {
      expect(relativeOf(axis(over))).toBeNull();
    }
  });

  test('each verdict has a sign and a word of its own', () => {
    const lights = Verdict.options.map((verdict) => LIGHTS[verdict]);
    expect(new Set(lights.map(({ sign }) => sign)).size).toBe(4);
    expect(new Set(lights.map(({ word }) => word)).size).toBe(4);
  });
});

describe('phases', () => {
  const run = { from: 1000, to: 2000 };

  test('lie where they are on the strip, and never outside', () => {
    expect(stretchOf(phase(1250, 1500), run)).toEqual({ left: 25, width: 25 });
    expect(stretchOf(phase(0, 5000), run)).toEqual({ left: 0, width: 100 });
    expect(stretchOf(phase(3000, 5000), run)).toEqual({ left: 100, width: 0 });
    expect(stretchOf(phase(1500, 1200), run)).toEqual({ left: 50, width: 0 });
    expect(stretchOf(phase(1, 2), { from: 5, to: 5 })).toEqual({ left: 0, width: 100 });
  });

  test('of the same words are of one kind, with one name', () => {
    const kinds = kindsOf([phase(0, 1, 'reads'), phase(1, 2), phase(2, 3, 'reads'), phase(3, 4, '__proto__')]);
    expect(kinds.map(kindName)).toEqual(['A', 'B', 'A', 'C']);
    expect([kindName(25), kindName(26)]).toEqual(['Z', 'A2']);
  });
});

test('what the engine says becomes a sentence, once', () => {
  expect(sentence('the run has one rank')).toBe('The run has one rank.');
  expect(sentence('Rank 5 waits least.')).toBe('Rank 5 waits least.');
  expect(sentence('')).toBe('');
});

test('a file of the imbalance has all that the table says', () => {
  const row = { key: 'k', name: 'MPI time', unit: 's', ranks: 8, min: 1, mean: 2, max: 3, min_rank: 5, max_rank: 0 };
  const [head, line] = imbalanceCells([{ ...row, imbalance: 0.5, lost: null }]);
  expect(head).toHaveLength(line!.length);
  expect(line).toEqual(['MPI time', 'k', 's', 8, 1.5, 1, 5, 2, 3, 0, null]);
});
