import { expect, test } from 'vitest';
import {
  barPaths,
  namedPlaces,
  nearestSpot,
  spotPaths,
} from '../../../../src/renderer/views/profiles/compare/shapes.ts';

/** 0 is at 100 px, each unit goes up by one. */
const heightAt = (value: number): number => 100 - value;

test('bars that look alike are one path, each over its own part of the plot', () => {
  const points = [
    { value: 50, look: 'plain' },
    { value: 80, look: 'slow' },
    { value: 20, look: 'plain' },
    { value: 0, look: 'base' },
  ];
  expect(barPaths(points, { x: 10, width: 40 }, heightAt)).toEqual([
    { look: 'plain', d: 'M10 100V50h10V100ZM30 100V80h10V100Z' },
    { look: 'slow', d: 'M20 100V20h10V100Z' },
    // Next to nothing can be seen, too.
    { look: 'base', d: 'M40 100V99h10V100Z' },
  ]);
});

test('a bar below nothing goes down', () => {
  expect(barPaths([{ value: -5, look: '' }], { x: 0, width: 3 }, heightAt)[0]!.d).toBe('M0 100V105h3V100Z');
});

test.each([
  [3, 7, [0, 1, 2]],
  [7, 7, [0, 1, 2, 3, 4, 5, 6]],
  [500, 3, [0, 250, 499]],
  [0, 7, []],
])('of %i bars at most %i have names', (count, most, places) => {
  expect(namedPlaces(count, most)).toEqual(places);
});

test('points are told apart by their shape, and drawn together', () => {
  const spots = [
    { x: 1, y: 2, look: 'v-compare-bar' },
    { x: 5, y: 5, look: 'v-compare-bar v-base' },
    { x: 3.21987, y: 2, look: 'v-compare-bar' },
    { x: 7, y: 7, look: 'v-compare-bar v-slow' },
  ];
  const paths = spotPaths(spots);
  expect(paths.map(({ look }) => look)).toEqual(['v-compare-bar', 'v-compare-bar v-base', 'v-compare-bar v-slow']);
  expect(paths.map(({ d }) => d.match(/M[\d.]+ [\d.]+/g))).toEqual([['M1 2', 'M3.22 2'], ['M5 5'], ['M7 7']]);
  expect(new Set(paths.map(({ d }) => d.replaceAll(/M[\d.]+ [\d.]+/g, ''))).size).toBe(3);
});

test('the nearest point, within reach, and the one on top where there are two', () => {
  const spots = [
    { x: 0, y: 0 },
    { x: 10, y: 0 },
    { x: 10, y: 0 },
  ];
  expect(nearestSpot(spots, 3, 0, 14)).toBe(0);
  expect(nearestSpot(spots, 8, 1, 14)).toBe(2);
  expect(nearestSpot(spots, 40, 0, 14)).toBeNull();
  expect(nearestSpot([], 0, 0, 14)).toBeNull();
});
