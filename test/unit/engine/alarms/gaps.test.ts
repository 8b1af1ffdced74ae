/** Time in which nobody watched one target, or of which a sum says nothing: what grew by then is no rate of any moment. */

import { describe, expect, test } from 'vitest';
import type { Source } from '../../../../src/engine/alarms/evaluate.ts';
import { MergedView } from '../../../../src/engine/live/view.ts';
import type { Scope } from '../../../../src/engine/live/scope.ts';
import { sourceOf } from '../../../../src/engine/alarms/sums.ts';
import { Bench, moves, put, rule, run, target } from '../../../support/alarms.ts';

const total = (scope: Scope, value: number, name = 'm'): void => put(scope, name, value, 'counter');

describe('a target that was paused', () => {
  test('its growth of that time is no rate, nor that of a ratio', () => {
    const bench = new Bench([
      rule('rate', { measure: { kind: 'rate' }, raise: 10 }),
      rule('ratio', { measure: { kind: 'ratio', to: 'k' }, raise: 10 }),
    ]);
    const scope = target('t');
    const at = (value: number, gaps: Scope[] = []): string[] => {
      total(scope, value);
      total(scope, value / 100, 'k');
      return moves(bench.tick([scope], { gaps }));
    };
    at(0);
    for (let i = 0; i < 3600; i++) bench.tick([]);
    expect(at(3_600_000, [scope])).toEqual([]);
    expect(at(3_600_005)).toEqual(['inactive→firing']);
    expect(bench.evaluator.alarm([...bench.evaluator.active()][0]!.alarm)).toMatchObject({ rule: 'ratio' });
  });

  test('its windows begin anew: they hold neither all that it grew by, nor too little', () => {
    const bench = new Bench([
      rule('much', { measure: { kind: 'increase', window: '10m' }, raise: 100 }),
      rule('idle', { measure: { kind: 'increase', window: '10m' }, op: '<', raise: 1 }),
      rule('low', { measure: { kind: 'avg', window: '10m' }, metric: 'g', op: '<', raise: 1 }),
    ]);
    const scope = target('t');
    let value = 0;
    const seconds = (count: number, gaps: Scope[] = []): string[] => {
      const found: string[] = [];
      for (let i = 0; i < count; i++) {
        total(scope, (value += 0.1));
        put(scope, 'g', 5);
        found.push(...bench.tick([scope], i === 0 ? { gaps } : {}).map(({ rule: id, state }) => `${id} ${state}`));
      }
      return found;
    };
    expect(seconds(700)).toEqual([]);
    for (let i = 0; i < 595; i++) bench.tick([]);
    value += 5000;
    expect(seconds(1200, [scope])).toEqual([]);
  });

  test('an engine that slept has not watched a target either, whenever it asks that one again', () => {
    const bench = new Bench([
      rule('rate', { measure: { kind: 'rate' }, raise: 10 }),
      rule('much', { measure: { kind: 'increase', window: '10s' }, raise: 100 }),
    ]);
    const scope = target('t');
    total(scope, 0);
    bench.tick([scope]);
    bench.tick([], { ms: 600_000, gap: true, interval: 1000 });
    for (let i = 0; i < 9; i++) bench.tick([]);
    total(scope, 600_000);
    expect(bench.tick([scope])).toEqual([]);
    total(scope, 600_005);
    expect(bench.tick([scope])).toEqual([]);
  });
});

describe('a sum', () => {
  function sumOf(parts: () => readonly Scope[]): (name: string) => Source {
    const view = new MergedView();
    let known: Source | null = null;
    let version = -1;
    return (name) => {
      view.update(parts().map((scope) => ({ scope })));
      if (known === null || version !== view.version) known = sourceOf(name, view);
      version = view.version;
      return known;
    };
  }

  test('grows by what its parts grow by, not by those that come and go', () => {
    let parts: Scope[] = [];
    const main = { kind: 'merge', name: 'main' } as const;
    const bench = new Bench(
      [
        rule('rate', { scope: main, measure: { kind: 'rate' }, raise: 10 }),
        rule('much', { scope: main, measure: { kind: 'increase', window: '5s' }, raise: 100 }),
      ],
      sumOf(() => parts),
    );
    const [a, b] = [run('a'), run('b')];
    let [ofA, ofB] = [1000, 1_000_000];
    const second = (): string[] => {
      total(a, (ofA += 5));
      total(b, (ofB += 5));
      return moves(bench.tick(parts));
    };
    parts = [a];
    for (let i = 0; i < 10; i++) expect(second()).toEqual([]);
    // A job goes on that had counted for long, and one leaves.
    parts = [a, b];
    for (let i = 0; i < 10; i++) expect(second()).toEqual([]);
    parts = [b];
    for (let i = 0; i < 10; i++) expect(second()).toEqual([]);
    // A part of it began anew.
    parts = [a, b];
    for (let i = 0; i < 10; i++) expect(second()).toEqual([]);
    ofA = 0;
    for (let i = 0; i < 10; i++) expect(second()).toEqual([]);
    ofB += 20;
    expect(second()).toEqual(['inactive→firing']);
  });

  test('is not known either where a target of it was not watched', () => {
    const t = target('t');
    const main = { kind: 'merge', name: 'main' } as const;
    const bench = new Bench(
      [rule('rate', { scope: main, measure: { kind: 'rate' }, raise: 10 })],
      sumOf(() => [t]),
    );
    total(t, 0);
    bench.tick([t]);
    bench.tick([]);
    total(t, 9000);
    expect(bench.tick([t], { gaps: [t] })).toEqual([]);
  });
});
