import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { escapedName, HASH_SEED, hashBytes, hashStep, IntMap, NameTable } from '../../../../src/engine/ingest/names.ts';

describe('NameTable', () => {
  test('is a map from names to the order they came in', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 12 }), { maxLength: 80 }), (names) => {
        const table = new NameTable();
        const model = new Map<string, number>();
        for (const name of names) {
          const bytes = escapedName(name.toWellFormed());
          const hash = hashBytes(bytes, 0, bytes.length);
          const key = Buffer.from(bytes).toString('latin1');
          const found = table.find(bytes, 0, bytes.length, hash);
          expect(found).toBe(model.get(key) ?? -1);
          if (found >= 0) continue;
          expect(table.add(bytes, 0, bytes.length, hash)).toBe(model.size);
          model.set(key, model.size);
        }
        expect(table.count).toBe(model.size);
        for (const [key, entry] of model)
          expect(escapedName(table.name(entry))).toEqual(Uint8Array.from(Buffer.from(key, 'latin1')));
      }),
      { numRuns: 40 },
    );
  });

  test('names whose hashes are equal stay apart', () => {
    const table = new NameTable();
    // Longer ones first: a name is not found in the beginning of another one.
    const names = Array.from({ length: 100 }, (_, i) => Buffer.from(`n${99 - i}`));
    for (const name of names) table.add(name, 0, name.length, 7);
    names.forEach((name, i) => expect(table.find(name, 0, name.length, 7)).toBe(i));
    const other = Buffer.from('n100');
    expect(table.find(other, 0, other.length, 7)).toBe(-1);
    expect(table.find(Buffer.from('n1'), 0, 2, 8)).toBe(-1);
  });

  test('a name is found inside of other bytes, and what was handed in is not kept', () => {
    const table = new NameTable();
    const bytes = Buffer.from('..name..');
    const hash = hashBytes(bytes, 2, 6);
    table.add(bytes, 2, 6, hash);
    bytes.fill(0);
    expect(table.find(Buffer.from('name'), 0, 4, hash)).toBe(0);
    expect(table.name(0)).toBe('name');
  });

  test('names without end', () => {
    const table = new NameTable();
    const name = (i: number): Buffer => Buffer.from(`series_${i}`);
    for (let i = 0; i < 20_000; i++) table.add(name(i), 0, name(i).length, hashBytes(name(i), 0, name(i).length));
    for (let i = 0; i < 20_000; i += 97)
      expect(table.find(name(i), 0, name(i).length, hashBytes(name(i), 0, name(i).length))).toBe(i);
  });
});

test('the hash can be taken in one go or byte by byte', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      expect(bytes.reduce(hashStep, HASH_SEED)).toBe(hashBytes(bytes, 0, bytes.length));
    }),
  );
});

test('IntMap is a map of numbers', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(fc.nat(1_000_000), fc.nat()), { selector: ([key]) => key, maxLength: 300 }),
      (pairs) => {
        const map = new IntMap();
        for (const [key, value] of pairs) {
          expect(map.get(key)).toBe(-1);
          map.add(key, value);
          expect(map.get(key)).toBe(value);
        }
        expect(new Map(map.entries())).toEqual(new Map(pairs));
      },
    ),
  );
});
