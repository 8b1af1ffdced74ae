import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SeriesSlice, SeriesTable } from '../../../../src/engine/live/series-table.ts';
import { parseMetric, refuseMetricName } from '../../../../src/shared/model/metric.ts';

const name = fc
  .oneof(
    fc.string({ minLength: 1, maxLength: 12, unit: 'binary' }),
    fc.constantFrom('a', 'a{x="1",y="2"}', 'a{y="2",x="1"}', 'é', '"\\', 'a{x="\\\\"}'),
  )
  .filter((text) => refuseMetricName(text) === null);
const series = fc.uniqueArray(
  fc.record({ kind: fc.constantFrom('counter' as const, 'gauge' as const), name, doc: fc.string({ maxLength: 8 }) }),
  { selector: (one) => parseMetric(one.name).key, maxLength: 40 },
);

test('gives back every name, key and description, and finds each by its key and its spelling', () => {
  fc.assert(
    fc.property(series, (all) => {
      const table = new SeriesTable();
      const defs = all.map(({ kind, name: spelled, doc }) => ({
        ...{ kind, name: spelled, doc },
        index: table.add(kind, parseMetric(spelled).key, spelled, doc),
      }));
      for (const def of defs) {
        expect(table.def(def.kind, def.index)).toEqual(def);
        const { key, family } = parseMetric(def.name);
        expect(table.key(def.kind, def.index)).toBe(key);
        expect(table.family(def.kind, def.index)).toBe(family);
        const place = 2 * def.index + (def.kind === 'gauge' ? 1 : 0);
        expect([table.find(key), table.find(def.name)]).toEqual([place, place]);
      }
      expect(table.find('never described')).toBe(-1);
    }),
  );
});

test('a slice stays what it was while the table grows', () => {
  const table = new SeriesTable();
  for (const key of ['a', 'b', 'c']) table.add('counter', key, key, 'doc');
  table.add('gauge', 'g', 'g', '');
  const slice = new SeriesSlice(table, [1, 3], [0, 1]);
  for (let i = 0; i < 100; i++) table.add('counter', `later${i}`, `later${i}`, '');
  expect(slice.length).toBe(3);
  expect([...slice].map((def) => def.name)).toEqual(['b', 'c', 'g']);
  expect([...slice]).toEqual([...slice]);
});
