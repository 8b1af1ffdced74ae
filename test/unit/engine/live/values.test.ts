import { expect, test } from 'vitest';
import { Contributor } from '../../../../src/engine/live/contributor.ts';
import { Scope } from '../../../../src/engine/live/scope.ts';
import { seriesValues } from '../../../../src/engine/live/values.ts';

test('what has changed since the last tick did so by now, everything else at its tick', () => {
  const scope = new Scope('node/a', 'node');
  const client = new Contributor(scope, 0, 'a');
  const index = (name: string, kind: 'counter' | 'gauge'): number => {
    const found = scope.register(name, '', kind);
    if ('refused' in found) throw new Error(found.refused);
    return found.index;
  };
  const moved = client.addCounter(index('moved', 'counter'));
  const still = client.addCounter(index('still', 'counter'));
  const gauge = client.addGauge(index('gauge', 'gauge'));
  client.increase(moved, 1);
  client.increase(still, 1);
  scope.settle();
  scope.stamp(1000);
  scope.clear();
  client.increase(moved, 1);
  client.setGauge(gauge, 2, 2, 1, 2);
  scope.settle();
  const changed = (now?: number) => seriesValues(scope, now).map((series) => [series.name, series.changed]);
  expect(changed(1500)).toEqual([
    ['moved', 1500],
    ['still', 1000],
    ['gauge', 1500],
  ]);
  // To the tick, where no time is told.
  expect(changed()).toEqual([
    ['moved', 1000],
    ['still', 1000],
    ['gauge', 1000],
  ]);
});
