import { expect, test } from 'vitest';
import { Brought, MAX_BROUGHT, MAX_MARK } from '../../../../src/engine/remote/brought.ts';

test('what was brought is known again from its marks', () => {
  const brought = new Brought([]);
  expect([brought.add('r1', 1e12), brought.add('r2', 2e12), brought.add('r1', 1e12)]).toEqual([true, true, false]);
  const again = new Brought(brought.marks(null));
  expect(['r1', 'r2', 'r3'].map((run) => again.has(run))).toEqual([true, true, false]);
  // What is asked for no more is forgotten.
  expect(new Brought(again.marks(1.5e12)).has('r1')).toBe(false);
  expect([again.has('r1'), again.has('r2')]).toEqual([false, true]);
});

test('it has an end: the newest stay, and a mark is short whatever times are said', () => {
  const brought = new Brought([]);
  for (const [i, start] of [-1e300, 1e300, 1.5, 8.64e15].entries()) brought.add(`odd${i}`, start);
  for (let i = 0; i < MAX_BROUGHT; i++) brought.add(`r${i}`, 1e12 + i);
  const marks = brought.marks(null);
  expect(marks).toHaveLength(MAX_BROUGHT);
  expect(Math.max(...marks.map((mark) => mark.length))).toBeLessThanOrEqual(MAX_MARK);
  const again = new Brought(marks);
  expect(['odd0', 'odd2', 'r0', 'r1'].map((run) => again.has(run))).toEqual([false, false, false, false]);
  expect(['odd1', 'odd3', 'r2', `r${MAX_BROUGHT - 1}`].map((run) => again.has(run))).toEqual([true, true, true, true]);
});
