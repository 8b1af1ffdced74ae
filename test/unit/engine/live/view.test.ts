import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Merge, type Sample } from '../../../../src/engine/live/merges.ts';
import { Scope } from '../../../../src/engine/live/scope.ts';
import { MergedView, type Part } from '../../../../src/engine/live/view.ts';
import { parseMetric } from '../../../../src/shared/model/metric.ts';

const NAMES = ['a', 'b{x="1",y="2"}', 'b{y="2",x="1"}', 'ü"\\', 'c'];

function put(scope: Scope, name: string, kind: 'counter' | 'gauge', value: number): void {
  const place = scope.register(name, `about ${name}`, kind);
  if ('refused' in place) return;
  if (kind === 'counter') scope.putCounter(place.index, scope.counters[place.index]! + value);
  else scope.putGauge(place.index, Float64Array.of(value, value + 1, 2, 2 * value));
  scope.stamp(value);
}

const sorted = (samples: Iterable<Sample>): Sample[] => [...samples].toSorted((a, b) => (a.key < b.key ? -1 : 1));

/** The same from nothing, sample by sample. */
function expected(parts: readonly Part[]): Sample[] {
  const merge = new Merge();
  for (const { scope, rest } of parts) {
    const known = new Set([...merge.samples].map(({ key }) => key));
    for (const kind of ['counter', 'gauge'] as const) {
      for (const { name, doc, index } of scope.defs(kind)) {
        const { key, family } = parseMetric(name);
        if (rest && known.has(key)) continue;
        const gauge = kind === 'gauge' ? scope.gauge(index) : null;
        const changed = (gauge ? scope.gaugeChanged : scope.counterChanged)[index]!;
        merge.add({ name, doc, key, family, kind, counter: gauge ? 0 : scope.counters[index]!, gauge, changed });
      }
    }
  }
  return sorted(merge.samples);
}

const step = fc.record({
  scope: fc.nat(3),
  name: fc.constantFrom(...NAMES),
  value: fc.nat(100),
  /** Scopes that are part of the question after this. */
  parts: fc.uniqueArray(fc.nat(3), { maxLength: 4 }),
});

describe('a view that is kept', () => {
  test('tells the same as one that is made anew, whatever comes and goes', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const scopes = Array.from({ length: 4 }, (_, i) => new Scope(`run/${i}`, 'run'));
        const view = new MergedView();
        for (const { scope, name, value, parts } of steps) {
          put(scopes[scope]!, name, name === 'c' ? 'gauge' : 'counter', value);
          const asked = parts.map((i) => ({ scope: scopes[i]! }));
          const told = sorted(view.update(asked).samples());
          // Which spelling of a name is told may depend on who was there first.
          const bare = ({ name: _name, doc: _doc, ...rest }: Sample) => rest;
          expect(told.map(bare)).toEqual(expected(asked).map(bare));
        }
      }),
      { numRuns: 300 },
    );
  });

  test('adds only those series of the rest that nobody before it has, also when they come later', () => {
    const [own, node] = [new Scope('run/a', 'run'), new Scope('node/n', 'node')];
    put(own, 'a', 'counter', 1);
    put(node, 'a', 'counter', 10);
    put(node, 'b{x="1",y="2"}', 'counter', 20);
    const view = new MergedView();
    const parts = [{ scope: own }, { scope: node, rest: true }];
    expect(sorted(view.update(parts).samples()).map((s) => [s.key, s.counter])).toEqual([
      ['a', 1],
      ['b{x="1",y="2"}', 20],
    ]);
    put(own, 'b{y="2",x="1"}', 'counter', 2);
    expect(sorted(view.update(parts).samples())).toEqual(expected(parts));
  });

  test('a metric keeps its first kind as long as anybody has it, and may have another one then', () => {
    const [one, other] = [new Scope('run/1', 'run'), new Scope('run/2', 'run')];
    put(one, 'x', 'counter', 1);
    put(other, 'x', 'gauge', 5);
    const view = new MergedView();
    expect([...view.update([{ scope: one }, { scope: other }]).samples()].map((s) => s.kind)).toEqual(['counter']);
    expect(view.conflicts).toBe(1);
    view.update([{ scope: one }]);
    expect([...view.update([{ scope: other }]).samples()].map((s) => s.kind)).toEqual(['gauge']);
    expect(view.conflicts).toBe(0);
  });

  test('forgets the names of what is gone', () => {
    const view = new MergedView();
    for (let i = 0; i < 50; i++) {
      const scope = new Scope(`run/${i}`, 'run');
      for (let n = 0; n < 100; n++) put(scope, `s${i}_${n}`, 'counter', n);
      expect([...view.update([{ scope }]).samples()]).toHaveLength(100);
    }
    expect(view.count).toBeLessThan(2500);
  });
});
