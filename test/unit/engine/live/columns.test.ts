import fc from 'fast-check';
import { expect, test } from 'vitest';
import { growInt32, Multiples, NO_INTS } from '../../../../src/engine/live/columns.ts';

test('columns that share an array hold what was appended to them, whatever the others do', () => {
  /** Mostly what the pattern says, so that columns share, outgrow the shared array, and leave it, at different times. */
  const appended = fc.record({
    who: fc.nat(3),
    times: fc.nat(400),
    other: fc.option(fc.nat(2 ** 31 - 1), { nil: null, freq: 3 }),
  });
  fc.assert(
    fc.property(fc.nat(2), fc.array(appended, { maxLength: 20 }), (step, list) => {
      const pattern = new Multiples(step);
      const columns = Array.from({ length: 4 }, () => ({ array: NO_INTS, expected: [] as number[] }));
      for (const { who, times, other } of list) {
        const column = columns[who]!;
        const values = Array.from({ length: times }, (_, i) => step * (column.expected.length + i));
        if (other !== null) values.push(other);
        for (const value of values) {
          column.array = pattern.append(column.array, column.expected.length, value);
          column.expected.push(value);
        }
      }
      for (const { array, expected } of columns) expect([...array.subarray(0, expected.length)]).toEqual(expected);
    }),
  );
});

test('columns that follow the pattern share one array', () => {
  const pattern = new Multiples(2);
  let [a, b] = [NO_INTS, NO_INTS];
  for (let i = 0; i < 1000; i++) a = pattern.append(a, i, 2 * i);
  for (let i = 0; i < 1000; i++) b = pattern.append(b, i, 2 * i);
  expect(b).toBe(a);
});

test('growing keeps what was there, and frees the array it was in', () => {
  const before = new Int32Array(100).fill(7);
  const after = growInt32(before, 101);
  expect([...after.subarray(0, 101)]).toEqual([...Array.from({ length: 100 }, () => 7), 0]);
  expect(before.length).toBe(0);
  expect(growInt32(after, 50)).toBe(after);
});
