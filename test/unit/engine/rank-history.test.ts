import { describe, expect, test } from 'vitest';
import { RankHistory } from '../../../src/engine/rank-history.ts';
import type { Scope } from '../../../src/engine/live/scope.ts';
import { hasBit } from '../../../src/shared/frame.ts';
import { harness, valuesOf, type Connection } from './ingest/harness.ts';

function ranks(count: number): { clients: Connection[]; due: (time: number) => Scope[] } {
  const engine = harness();
  const history = new RankHistory();
  const clients = Array.from({ length: count }, (_, i) =>
    engine
      .connect()
      .job({ jobid: 'a' })
      .counter('c')
      .add('c', i + 1),
  );
  return { clients, due: (time) => history.due(time, engine.runs.live.values()) };
}

describe('when ranks are stored', () => {
  test('every ten seconds', () => {
    const { due } = ranks(2);
    expect([0, 1000, 9999, 10_000, 10_001, 19_999, 20_000].filter((time) => due(time).length > 0)).toEqual([
      0, 10_000, 20_000,
    ]);
  });

  test('at once when the clock was set back', () => {
    const { due } = ranks(2);
    expect(due(3_600_000)).toHaveLength(2);
    expect(due(3_601_000)).toHaveLength(0);
    expect(due(1000)).toHaveLength(2);
    expect(due(2000)).toHaveLength(0);
  });

  test('not those of a run with one rank: its sum says the same', () => {
    expect(ranks(1).due(0)).toEqual([]);
  });

  test('not those of a run with too many', () => {
    expect(ranks(512).due(0)).toHaveLength(512);
    expect(ranks(513).due(0)).toEqual([]);
  });
});

describe('what is stored of a rank', () => {
  test('its own values, under the run’s names; the same scope each time', () => {
    const { clients, due } = ranks(2);
    clients[1]!.gauge('g').set('g', { min: 1, max: 3, hits: 2, total: 4 }).counter('d').add('d', 7);
    const first = due(0);
    expect(first.map((s) => s.id.replace(/\/.*\//, '/*/'))).toEqual(['rank/*/0', 'rank/*/1']);
    expect(first.map((s) => s.kind)).toEqual(['rank', 'rank']);
    expect(first.map(valuesOf)).toEqual([{ c: 1 }, { c: 2, d: 7, g: { min: 1, max: 3, hits: 2, total: 4 } }]);
    clients[0]!.add('c', 10);
    const second = due(10_000);
    expect(second[0]).toBe(first[0]);
    expect(second.map(valuesOf)[0]).toEqual({ c: 11 });
    expect(hasBit(second[0]!.counterBits, 0)).toBe(true);
    expect(hasBit(second[1]!.counterBits, 0)).toBe(false);
  });

  test('a metric it spells in two ways is one series with all of it', () => {
    const { clients, due } = ranks(2);
    clients[0]!.counter('x{a="1",b="2"}').counter('x{b="2",a="1"}').add('x{a="1",b="2"}', 1).add('x{b="2",a="1"}', 2);
    expect(valuesOf(due(0)[0]!)).toEqual({ c: 1, 'x{a="1",b="2"}': 3 });
  });

  test('nothing any more when it has left', () => {
    const { clients, due } = ranks(3);
    clients[0]!.close();
    expect(due(0)).toHaveLength(2);
  });
});
