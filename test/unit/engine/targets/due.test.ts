import { expect, test } from 'vitest';
import { Contributor } from '../../../../src/engine/live/contributor.ts';
import { Scope } from '../../../../src/engine/live/scope.ts';
import { DueScopes } from '../../../../src/engine/targets/due.ts';

test('a target is due once after a scrape, or when it changed; other scopes are at each tick', () => {
  const due = new DueScopes();
  const node = new Scope('node/h', 'node');
  const [one, other] = [new Scope('target/1', 'target'), new Scope('target/2/node/x', 'target')];
  const all = [node, one, other];
  const tick = (): Scope[] => {
    for (const scope of all) scope.settle();
    const taken = due.take(all);
    for (const scope of all) scope.clear();
    return taken;
  };
  one.register('c', '', 'counter');
  other.register('g', '', 'gauge');
  const writer = new Contributor(other, 0, 'x');
  const gauge = writer.addGauge(0);
  tick();
  expect(tick()).toEqual([node]);
  due.add([one]);
  expect(tick()).toEqual([node, one]);
  expect(tick()).toEqual([node]);
  one.increase(0, 5);
  expect(tick()).toEqual([node, one]);
  writer.setGauge(gauge, 1, 1, 1, 1);
  expect(tick()).toEqual([node, other]);
  due.add([one, other]);
  expect(tick()).toEqual(all);
  writer.detach();
  tick();
  expect(tick()).toEqual([node]);
});
