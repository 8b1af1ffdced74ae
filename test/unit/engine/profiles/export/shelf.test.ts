import { expect, test } from 'vitest';
import fc from 'fast-check';
import { Shelf } from '../../../../../src/engine/profiles/export/shelf.ts';

test('keeps columns of any length as they were, until it is cleared; then their memory is used again', () => {
  const lengths = fc.array(fc.oneof(fc.nat(2000), fc.nat(100_000)), { maxLength: 20 });
  fc.assert(
    fc.property(fc.array(lengths, { minLength: 1, maxLength: 4 }), (rounds) => {
      const shelf = new Shelf();
      for (const round of rounds) {
        shelf.clear();
        const columns = round.map((length, i) => Float64Array.from({ length }, (_, row) => i + row / 8));
        const kept = columns.map((column) => shelf.keep(column));
        // What it was copied from may change.
        const wanted = columns.map((column) => column.slice());
        for (const column of columns) column.fill(-1);
        for (const [i, column] of kept.entries()) if (!same(column, wanted[i]!)) return false;
      }
      return true;
    }),
    { numRuns: 30 },
  );
});

test('takes no more memory for what comes after than for what was there', () => {
  const shelf = new Shelf();
  const buffers = new Set<ArrayBufferLike>();
  for (let round = 0; round < 50; round++) {
    shelf.clear();
    for (let i = 0; i < 300; i++) buffers.add(shelf.keep(new Float64Array(500)).buffer);
  }
  let bytes = 0;
  for (const { byteLength } of buffers) bytes += byteLength;
  expect(bytes).toBeLessThan(3 * 300 * 500 * 8);
});

const same = (a: Float64Array, b: Float64Array): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i]);
