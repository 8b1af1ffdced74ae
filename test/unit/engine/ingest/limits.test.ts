import { describe, expect, test } from 'vitest';
import { GRACE, harness, HOST, valuesOf, type Harness } from './harness.ts';

const rejected = ({ stats }: Harness): Record<string, number> => Object.fromEntries(stats.rejected);
const names = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `n${from + i}`);

describe('series', () => {
  test('of a run: the first ones stay and count on, for every rank; other runs have their own', () => {
    const engine = harness({}, { series_per_run: 3 });
    const a = engine.connect().job({ jobid: 'a' });
    for (const name of names(0, 5)) a.counter(name).add(name, 1);
    a.gauge('g').set('g', 1);
    expect(valuesOf(engine.run('a').scope)).toEqual({ n0: 1, n1: 1, n2: 1 });
    expect(rejected(engine)).toEqual({ too_many_series: 3, value_before_desc: 3 });
    engine.connect().job({ jobid: 'a' }).counter('n2').add('n2', 5).counter('n0').add('n0', 2);
    engine.connect().job({ jobid: 'b' }).counter('n9').add('n9', 1);
    expect(valuesOf(engine.run('a').scope)).toEqual({ n0: 3, n1: 1, n2: 6 });
    expect(valuesOf(engine.run('b').scope)).toEqual({ n9: 1 });
    expect(rejected(engine)).toEqual({ too_many_series: 3, value_before_desc: 3 });
  });

  test('of a full run: another spelling of a metric that is there is taken', () => {
    const engine = harness({}, { series_per_run: 1 });
    const client = engine.connect().job({ jobid: 'a' }).counter('m{a="1",b="2"}');
    client.counter('m{b="2",a="1"}').add('m{b="2",a="1"}', 4);
    expect(valuesOf(engine.run('a').scope)).toEqual({ 'm{a="1",b="2"}': 4 });
    client.gauge('m{b="2",a="1"}');
    expect(rejected(engine)).toEqual({ type_conflict: 1 });
  });

  test('of the node, for clients without a job', () => {
    const engine = harness({}, { series_per_node: 2 });
    engine.node.register('node_load1', '', 'gauge');
    const client = engine.connect().counter('x').counter('y').add('x', 1);
    client.add('y', 1);
    expect(rejected(engine)).toEqual({ too_many_series: 1, value_before_desc: 1 });
    // The sources are not asked.
    expect(engine.node.register('node_load5', '', 'gauge')).toEqual({ index: 1 });
  });

  test('of all together; what ends makes room', async () => {
    const engine = harness({ grace: 1 }, { maxSeries: 4 });
    const a = engine.connect().job({ jobid: 'a' }).counter('x').counter('y').counter('z');
    const b = engine.connect().job({ jobid: 'b' }).counter('x').counter('y');
    expect(engine.budget.series).toBe(4);
    expect(rejected(engine)).toEqual({ engine_full: 1 });
    b.add('x', 1);
    a.close();
    await expect.poll(() => engine.runs.live.size).toBe(1);
    expect(engine.budget.series).toBe(1);
    b.counter('y').add('y', 1);
    expect(valuesOf(engine.run('b').scope)).toEqual({ x: 1, y: 1 });
    b.close();
    await expect.poll(() => engine.runs.live.size).toBe(0);
    expect(engine.budget).toMatchObject({ series: 0, rankValues: 0 });
  });

  test('none is added while there is no memory; what is there counts on', () => {
    let full = false;
    const engine = harness({}, { memoryFull: () => full });
    const client = engine.connect().job({ jobid: 'a' }).counter('x');
    full = true;
    engine.budget.look();
    client.counter('y').add('x', 1);
    engine.connect().job({ jobid: 'a' }).counter('x').add('x', 1);
    expect(rejected(engine)).toEqual({ memory_full: 1 });
    engine.connect().job({ jobid: 'b' });
    expect(rejected(engine)).toEqual({ memory_full: 2 });
    expect([...engine.runs.live.keys()]).toEqual(['a']);
    full = false;
    engine.budget.look();
    client.counter('y').add('y', 1);
    expect(valuesOf(engine.run('a').scope)).toEqual({ x: 2, y: 1 });
  });

  test('the memory is looked at between two ticks when very many come', () => {
    let looks = 0;
    const engine = harness({}, { memoryFull: () => ++looks > 1 });
    const client = engine.connect().job({ jobid: 'a' });
    for (const name of names(0, 15_000)) client.counter(name);
    expect(engine.budget.memoryFull).toBe(true);
    expect(engine.budget.series).toBeLessThan(10_000);
  });
});

describe('names', () => {
  test('that are too long, or have too many labels', () => {
    const engine = harness({}, { name_length: 16, labels: 1 });
    const client = engine.connect().job({ jobid: 'a' });
    client.counter('x'.repeat(16)).counter('x'.repeat(17)).counter('m{a="1"}').counter('m{a="1",b="2"}');
    expect(Object.keys(valuesOf(engine.run('a').scope))).toEqual(['x'.repeat(16), 'm{a="1"}']);
    expect(rejected(engine)).toEqual({ name_too_long: 1, name_too_many_labels: 1 });
  });

  test.each(['proxy_cpu_seconds_total', 'vigie_series', 'proxy_x{mode="user"}', 'vigie_'])(
    '%s is the node’s own: no client without a job writes it, a run may',
    (name) => {
      const engine = harness();
      engine.connect().counter(name).add(name, 1).gauge(name);
      expect(rejected(engine)).toEqual({ name_reserved: 2, value_before_desc: 1 });
      expect(valuesOf(engine.node)).toEqual({});
      engine.connect().job({ jobid: 'a' }).counter(name).add(name, 1);
      expect(valuesOf(engine.run('a').scope)).toEqual({ [name]: 1 });
    },
  );

  test('a client that leaves its job does not bring reserved names along', () => {
    const engine = harness();
    const client = engine.connect().job({ jobid: 'a' }).counter('vigie_series').counter('mine').add('mine', 1);
    client.job({ jobid: '' });
    client.add('mine', 2).add('vigie_series', 3);
    expect(valuesOf(engine.node)).toEqual({ mine: 2 });
    expect(rejected(engine)).toEqual({ name_reserved: 1, value_before_desc: 1 });
  });

  test.each(['xproxy_a', 'proxies', 'vigie', 'Proxy_a', '_proxy_a'])('%s is anybody’s', (name) => {
    const engine = harness();
    engine.connect().counter(name).add(name, 1);
    expect(valuesOf(engine.node)).toEqual({ [name]: 1 });
  });
});

describe('runs', () => {
  test('open at once: a further job counts into the node; those that are open take further ranks', async () => {
    const engine = harness({ grace: 1 }, { runs: 2 });
    const a = engine.connect().job({ jobid: 'a' });
    engine.connect().job({ jobid: 'b' });
    const c = engine.connect().job({ jobid: 'c' }).counter('x').add('x', 3);
    engine.connect().job({ jobid: 'b' });
    expect([...engine.runs.live.keys()]).toEqual(['a', 'b']);
    expect(engine.run('b').clients).toBe(2);
    expect(rejected(engine)).toEqual({ too_many_runs: 1 });
    expect(valuesOf(engine.node)).toEqual({ x: 3 });
    a.close();
    await expect.poll(() => engine.runs.live.has('a')).toBe(false);
    c.job({ jobid: 'c' }).add('x', 1);
    expect(valuesOf(engine.run('c').scope)).toEqual({ x: 1 });
    expect(engine.run('c').nodes).toEqual(new Set([HOST]));
  });
});

describe('values of ranks', () => {
  test('are counted apart; a rank that has too many describes no more, its others count on', () => {
    const engine = harness({ grace: GRACE }, { rank_values: 5 });
    const ranks = Array.from({ length: 3 }, () => engine.connect().job({ jobid: 'a' }));
    for (const rank of ranks) rank.counter('x').counter('y').gauge('x');
    for (const rank of ranks) rank.add('x', 1).add('y', 1);
    expect(engine.budget).toMatchObject({ rankValues: 5, series: 2 });
    expect(valuesOf(engine.run('a').scope)).toEqual({ x: 3, y: 2 });
    expect(rejected(engine)).toEqual({ type_conflict: 3, too_many_rank_values: 1, value_before_desc: 1 });
  });

  test('of a rank that left are held as long as its profile will have them; without a job not at all', async () => {
    const engine = harness({ grace: 1 });
    const [a, b] = [engine.connect().job({ jobid: 'a' }), engine.connect().job({ jobid: 'a' })];
    a.counter('x').counter('y').add('x', 1);
    b.counter('x');
    a.close();
    expect(engine.budget.rankValues).toBe(3);
    const free = engine.connect().counter('f').counter('g');
    expect(engine.budget.rankValues).toBe(5);
    free.close();
    expect(engine.budget.rankValues).toBe(3);
    b.close();
    await expect.poll(() => engine.profiles.length).toBe(1);
    expect(engine.budget.rankValues).toBe(0);
  });
});

test('a client that comes and goes a thousand times leaves nothing in the books', () => {
  const engine = harness();
  for (let i = 0; i < 1000; i++) {
    const client = engine.connect().counter('x').add('x', 1);
    if (i % 3 === 0) client.job({ jobid: 'a' }).counter('y').gauge('g');
    if (i % 5 === 0) client.job({ jobid: '' });
    client.close();
    client.close();
  }
  const run = engine.run('a');
  expect(engine.budget.rankValues).toBe(run.endedValues);
  expect(engine.budget.series).toBe(run.scope.seriesCount + engine.node.seriesCount);
});
