import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EndedTotals, Merge, type Sample } from '../../../../src/engine/live/merges.ts';
import { Scope } from '../../../../src/engine/live/scope.ts';
import { parseMetric } from '../../../../src/shared/model/metric.ts';
import type { Gauge } from '../../../../src/shared/model/values.ts';

function sample(name: string, value: number | Gauge, changed = 0): Sample {
  const { key, family } = parseMetric(name);
  const counter = typeof value === 'number';
  return {
    name,
    key,
    family,
    doc: '',
    kind: counter ? 'counter' : 'gauge',
    counter: counter ? value : 0,
    gauge: counter ? null : value,
    changed,
  };
}

function scopeOf(...samples: readonly Sample[]): Scope {
  const scope = new Scope('run/x', 'run');
  for (const { name, kind, counter, gauge } of samples) {
    const place = scope.register(name, '', kind);
    if ('refused' in place) throw new Error(place.refused);
    if (gauge) scope.putGauge(place.index, Float64Array.of(gauge.min, gauge.max, gauge.hits, gauge.total));
    else scope.increase(place.index, counter);
  }
  return scope;
}

const result = (merge: Merge): unknown[] =>
  [...merge.samples].toSorted((a, b) => (a.key < b.key ? -1 : 1)).map((s) => [s.key, s.gauge ?? s.counter, s.changed]);

const whole = fc.nat(1000);
const samples: fc.Arbitrary<Sample> = fc.oneof(
  fc
    .tuple(fc.constantFrom('a', 'b{x="1",y="2"}', 'b{y="2",x="1"}'), whole, whole)
    .map(([name, value, changed]) => sample(name, value, changed)),
  fc
    .tuple(fc.constantFrom('g', 'h'), whole, whole, fc.nat(3), whole)
    .map(([name, a, b, hits, total]) => sample(name, { min: Math.min(a, b), max: Math.max(a, b), hits, total })),
);

describe('Merge', () => {
  test('does not depend on the order of what is added', () => {
    fc.assert(
      fc.property(
        fc
          .array(samples, { maxLength: 12 })
          .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        ([one, other]) => {
          const [a, b] = [new Merge(), new Merge()];
          for (const s of one) a.add(s);
          for (const s of other) b.add(s);
          expect(result(b)).toEqual(result(a));
        },
      ),
    );
  });

  test('changes nothing of what is added', () => {
    const scope = scopeOf(sample('a', 1), sample('g', { min: 1, max: 2, hits: 2, total: 3 }));
    const merge = new Merge().addScope(scope).addScope(scope).addScope(scope);
    expect(result(merge)).toEqual([
      ['a', 3, 0],
      ['g', { min: 1, max: 2, hits: 6, total: 9 }, 0],
    ]);
    expect(scope.counters[0]).toBe(1);
    expect(scope.gauge(0)).toEqual({ min: 1, max: 2, hits: 2, total: 3 });
  });

  test('two spellings of one metric are one', () => {
    const merge = new Merge()
      .addScope(scopeOf(sample('x{a="1",b="2"}', 1)))
      .addScope(scopeOf(sample('x{b="2",a="1"}', 2)));
    expect([...merge.samples].map((s) => [s.name, s.counter])).toEqual([['x{a="1",b="2"}', 3]]);
  });

  test('a metric keeps its first kind; the others are left out and counted', () => {
    const merge = new Merge();
    merge.add(sample('x', 1));
    merge.add(sample('x', { min: 5, max: 5, hits: 1, total: 5 }));
    merge.add(sample('x', 2));
    expect(result(merge)).toEqual([['x', 3, 0]]);
    expect(merge.conflicts).toBe(1);
  });

  test('sums stay finite', () => {
    const merge = new Merge();
    merge.add(sample('x', 1.7e308));
    merge.add(sample('x', 1.7e308));
    expect([...merge.samples][0]!.counter).toBe(Number.MAX_VALUE);
  });
});

describe('EndedTotals', () => {
  test('keep the counters of ended runs, and no gauges', () => {
    const ended = new EndedTotals();
    ended.addRun(scopeOf(sample('a', 1), sample('g', { min: 1, max: 1, hits: 1, total: 1 })));
    ended.addRun(scopeOf(sample('a', 2), sample('b', 3)));
    const merge = new Merge().addScope(scopeOf(sample('a', 10)));
    ended.addTo(merge);
    expect(result(merge)).toEqual([
      ['a', 13, 0],
      ['b', 3, 0],
    ]);
    const again = new Merge();
    ended.addTo(again);
    expect(result(again)).toEqual([
      ['a', 3, 0],
      ['b', 3, 0],
    ]);
  });
});
