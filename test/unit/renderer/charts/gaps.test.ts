import { expect, test } from 'vitest';
import { addBreaks } from '../../../../src/renderer/charts/gaps.ts';

const tenPixels = (point: number): number => 10 * point;

test('breaks are gaps from the point before, among those of missing values and in order', () => {
  expect(addBreaks([], [], 0, 9, tenPixels)).toEqual([]);
  expect(addBreaks([[35, 45]], [2, 7], 0, 9, tenPixels)).toEqual([
    [10, 20],
    [35, 45],
    [60, 70],
  ]);
});

test('gaps that touch or lie in each other are one', () => {
  expect(addBreaks([[10, 50]], [3, 6], 0, 9, tenPixels)).toEqual([[10, 60]]);
  expect(addBreaks([[25, 28]], [3], 0, 9, tenPixels)).toEqual([[20, 30]]);
});

test('points that are not drawn have none', () => {
  expect(addBreaks([], [2, 4, 6], 2, 5, tenPixels)).toEqual([[30, 40]]);
});
