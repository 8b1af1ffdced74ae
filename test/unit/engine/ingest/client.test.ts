import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { MAX_BAD_IN_A_ROW } from '../../../../src/engine/ingest/client.ts';
import { GRACE, harness, valuesOf } from './harness.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_800_000_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

const rejected = (stats: { rejected: ReadonlyMap<string, number> }): Record<string, number> =>
  Object.fromEntries(stats.rejected);

describe('where a client counts', () => {
  test('without a job into its node', () => {
    const engine = harness();
    const client = engine.connect().counter('c').add('c', 3).gauge('g').set('g', 5);
    expect(engine.runs.live.size).toBe(0);
    expect(valuesOf(engine.node)).toEqual({ c: 3, g: { min: 5, max: 5, hits: 1, total: 5 } });
    client.close();
    expect(engine.node.contributors.size).toBe(0);
  });

  test('with an empty job id into its node, which is nothing to complain of', () => {
    const engine = harness();
    engine.connect().job({ jobid: '' }).counter('c').add('c', 3);
    expect(valuesOf(engine.node)).toEqual({ c: 3 });
    expect(rejected(engine.stats)).toEqual({});
  });

  test.each([
    ['main', 'jobid_reserved'],
    ['Node: n1', 'jobid_reserved'],
    ['a\nb', 'jobid_control_character'],
    ['a\0b', 'jobid_control_character'],
    ['x'.repeat(10_240), 'jobid_too_long'],
  ])('with the job id %j into its node, with a reason', (jobid, reason) => {
    const engine = harness();
    engine.connect().job({ jobid }).counter('c').add('c', 3);
    expect(engine.runs.live.size).toBe(0);
    expect(valuesOf(engine.node)).toEqual({ c: 3 });
    expect(rejected(engine.stats)).toEqual({ [reason]: 1 });
  });

  test.each([
    '../../x',
    '/etc/passwd',
    '..',
    '<script>alert(1)</script>',
    'a"b',
    "a'b",
    '\u202eabc',
    '__proto__',
    'constructor',
    ' ',
  ])('a job id is data: %j', (jobid) => {
    const engine = harness();
    engine.connect().job({ jobid }).counter('c').add('c', 3);
    expect(valuesOf(engine.run(jobid).scope)).toEqual({ c: 3 });
    expect(engine.run(jobid).id).toMatch(/^[\w-]+$/);
  });

  test('after a job description into that run; what it described before it need not describe again', () => {
    const engine = harness();
    engine.connect().counter('c', 'doc').add('c', 3).gauge('g').set('g', 5).job({ jobid: 'a' }).add('c', 4).set('g', 6);
    expect(engine.node.contributors.size).toBe(0);
    expect(valuesOf(engine.node)['c']).toBe(3);
    expect(valuesOf(engine.run('a').scope)).toEqual({ c: 4, g: { min: 6, max: 6, hits: 1, total: 6 } });
    expect(engine.run('a').scope.defs('counter')[0]).toMatchObject({ name: 'c', doc: 'doc' });
  });

  test('after a second job description into the second run; the first keeps its counters', () => {
    const engine = harness();
    const client = engine
      .connect()
      .job({ jobid: 'a' })
      .counter('c')
      .counter('d')
      .add('d', 1)
      .add('c', 3)
      .job({ jobid: 'b' })
      .add('c', 4);
    expect(engine.run('a')).toMatchObject({ clients: 0, state: 'ending' });
    expect(engine.run('b')).toMatchObject({ clients: 1, state: 'running' });
    vi.advanceTimersByTime(GRACE);
    expect(engine.profiles.map((p) => [p.run.jobid, p.series.map((s) => [s.name, s.value])])).toEqual([
      [
        'a',
        [
          ['c', 3],
          ['d', 1],
        ],
      ],
    ]);
    client.close();
    vi.advanceTimersByTime(GRACE);
    expect(engine.profiles[1]).toMatchObject({
      run: { jobid: 'b' },
      series: [
        { name: 'c', value: 4 },
        { name: 'd', value: 0 },
      ],
    });
    expect(engine.runs.live.size).toBe(0);
  });

  test('there and back again, names and values stay right', () => {
    const engine = harness();
    const [one, two] = [engine.connect(), engine.connect()];
    two.job({ jobid: 'b' }).gauge('x').counter('y').counter('c');
    one.job({ jobid: 'a' }).counter('c').counter('y');
    for (let i = 0; i < 5; i++)
      one
        .add('c', 1)
        .add('y', 10)
        .job({ jobid: i % 2 === 0 ? 'b' : 'a' });
    expect(valuesOf(engine.run('a').scope)).toEqual({ c: 3, y: 30 });
    expect(valuesOf(engine.run('b').scope)).toMatchObject({ c: 2, y: 20 });
    expect(rejected(engine.stats)).toEqual({});
  });

  test('after a job description with an empty or refused id no longer into the run it was in', () => {
    const engine = harness();
    const [one, two] = [engine.connect(), engine.connect()];
    one.job({ jobid: 'a' }).counter('c').add('c', 1).job({ jobid: '' }).add('c', 10);
    two.job({ jobid: 'b' }).counter('c').add('c', 2).job({ jobid: 'main' }).add('c', 20);
    expect(valuesOf(engine.node)).toEqual({ c: 30 });
    expect(valuesOf(engine.run('a').scope)).toEqual({ c: 1 });
    expect(engine.run('b')).toMatchObject({ state: 'ending', clients: 0 });
    expect(rejected(engine.stats)).toEqual({ jobid_reserved: 1 });
  });

  test('a type that the next run has otherwise is refused there with a reason', () => {
    const engine = harness();
    engine.connect().job({ jobid: 'b' }).gauge('c');
    engine.connect().job({ jobid: 'a' }).counter('c').add('c', 1).job({ jobid: 'b' }).add('c', 1);
    expect(rejected(engine.stats)).toEqual({ type_conflict: 1, value_before_desc: 1 });
  });
});

describe('what is refused', () => {
  test.each<[string, string, Record<string, number>]>([
    [
      'a value before its description',
      '{"Value":{"name":"new","value":{"Counter":{"ts":1,"value":1.0}}}}',
      { value_before_desc: 1 },
    ],
    [
      'a value another client described',
      '{"Value":{"name":"theirs","value":{"Counter":{"ts":1,"value":1.0}}}}',
      { value_before_desc: 1 },
    ],
    [
      'a gauge value of a counter',
      '{"Value":{"name":"c","value":{"Gauge":{"min":1,"max":1,"hits":1,"total":1}}}}',
      { value_of_other_kind: 1 },
    ],
    [
      'a counter value of a gauge',
      '{"Value":{"name":"g","value":{"Counter":{"ts":1,"value":1.0}}}}',
      { value_of_other_kind: 1 },
    ],
    [
      'a description that changes a type',
      '{"Desc":{"name":"c","doc":"","ctype":{"Gauge":{"min":0,"max":0,"hits":0,"total":0}}}}',
      { type_conflict: 1 },
    ],
    [
      'the other way round',
      '{"Desc":{"name":"g","doc":"","ctype":{"Counter":{"ts":0,"value":0.0}}}}',
      { type_conflict: 1 },
    ],
    [
      'a negative increase',
      '{"Value":{"name":"c","value":{"Counter":{"ts":1,"value":-1.0}}}}',
      { negative_increase: 1 },
    ],
    ['an infinite one', '{"Value":{"name":"c","value":{"Counter":{"ts":1,"value":1e999}}}}', { not_finite: 1 }],
    ['null for NaN', '{"Value":{"name":"c","value":{"Counter":{"ts":1,"value":null}}}}', { not_finite: 1 }],
    [
      'a sum that overflows',
      '{"Value":{"name":"big","value":{"Counter":{"ts":1,"value":1.7e308}}}}',
      { sum_overflow: 1 },
    ],
    [
      'a gauge turned around',
      '{"Value":{"name":"g","value":{"Gauge":{"min":2,"max":1,"hits":1,"total":1}}}}',
      { invalid_gauge: 1 },
    ],
    [
      'a name that is too long',
      `{"Desc":{"name":"${'x'.repeat(10_240)}","doc":"","ctype":{"Counter":{"value":0}}}}`,
      { name_too_long: 1 },
    ],
    [
      'a name with a newline',
      '{"Desc":{"name":"a\\nb","doc":"","ctype":{"Counter":{"value":0}}}}',
      { name_control_character: 1 },
    ],
    ['garbage', 'garbage', { malformed_json: 1 }],
  ])('%s: counted by reason, nothing changes, the connection goes on', (_, message, reasons) => {
    const engine = harness();
    engine.connect().job({ jobid: 'a' }).counter('theirs').add('theirs', 1);
    const client = engine.connect().job({ jobid: 'a' }).counter('c').gauge('g').counter('big').add('big', 1.7e308);
    const before = valuesOf(engine.run('a').scope);
    expect(client.push(`${message}\0`)).toBe(true);
    expect(rejected(engine.stats)).toEqual(reasons);
    expect(valuesOf(engine.run('a').scope)).toEqual(before);
    client.add('c', 2);
    expect(valuesOf(engine.run('a').scope)).toEqual({ ...before, c: 2 });
  });

  test('one metric in two spellings is one series, for one client and for two', () => {
    const engine = harness();
    const [one, two] = [engine.connect(), engine.connect()];
    one
      .job({ jobid: 'a' })
      .counter('x{a="1",b="2"}')
      .counter('x{b="2",a="1"}')
      .add('x{a="1",b="2"}', 1)
      .add('x{b="2",a="1"}', 2);
    two.job({ jobid: 'a' }).counter('x{b="2",a="1"}').add('x{b="2",a="1"}', 4);
    expect(valuesOf(engine.run('a').scope)).toEqual({ 'x{a="1",b="2"}': 7 });
    expect(
      engine
        .run('a')
        .profile()
        .ranks.map((r) => r.values),
    ).toEqual([[3], [4]]);
  });

  test('a thousand spellings of one metric are one series', () => {
    const engine = harness();
    const client = engine.connect();
    const name = (i: number): string => `x{${' '.repeat(i >> 5)}a="1",${' '.repeat(i & 31)}}`;
    for (let i = 0; i < 1000; i++) client.counter(name(i)).add(name(i), 1);
    expect(valuesOf(engine.node)).toEqual({ 'x{a="1",}': 1000 });
  });
});

describe('bad messages in a row', () => {
  const bad = '!\0';

  test('one fewer than the limit, then a good one: the count begins again', () => {
    const client = harness().connect().counter('c');
    for (let round = 0; round < 3; round++) {
      for (let i = 1; i < MAX_BAD_IN_A_ROW; i++) expect(client.push(bad)).toBe(true);
      client.add('c', 1);
    }
    expect(client.client.hopeless).toBe(false);
  });

  test('the limit closes the connection, also when good ones follow in the same read', () => {
    const client = harness().connect().counter('c');
    const good = '{"Value":{"name":"c","value":{"Counter":{"ts":1,"value":1.0}}}}\0';
    expect(client.push(good + bad.repeat(MAX_BAD_IN_A_ROW) + good + bad)).toBe(false);
  });

  test('bad and good in one read are counted in their order', () => {
    const client = harness().connect().counter('c');
    const good = '{"Value":{"name":"c","value":{"Counter":{"ts":1,"value":1.0}}}}\0';
    const half = bad.repeat(MAX_BAD_IN_A_ROW / 2);
    expect(client.push(half + good + half + good + half)).toBe(true);
  });
});

test('describing again and again takes no more room', () => {
  const engine = harness();
  const client = engine.connect().job({ jobid: 'a' });
  for (let i = 0; i < 50; i++) client.counter('c', 'Steps').gauge('g').add('c', 1);
  const [contributor] = engine.run('a').scope.contributors;
  expect(contributor).toMatchObject({ counterCount: 1, gaugeCount: 1 });
  expect(valuesOf(engine.run('a').scope)['c']).toBe(50);
});

test('closing twice, or without a word, changes nothing', () => {
  const engine = harness();
  engine.connect().close();
  const client = engine.connect().job({ jobid: 'a' }).counter('c').add('c', 1);
  client.close();
  client.close();
  expect(engine.run('a')).toMatchObject({ clients: 0, ranks: 1 });
  vi.advanceTimersByTime(GRACE);
  client.close();
  expect(engine.profiles).toHaveLength(1);
});

test('a number of hundreds of thousands of digits is a number like any other, or none', () => {
  const engine = harness();
  const client = engine.connect().job({ jobid: 'a' }).counter('c').add('c', 1);
  const value = (number: string): string => `{"Value":{"name":"c","value":{"Counter":{"ts":1,"value":${number}}}}}\0`;
  client.push(value(`0.${'0'.repeat(300_000)}1`));
  client.push(value('9'.repeat(300_000)));
  expect(rejected(engine.stats)).toEqual({ not_finite: 1 });
  expect(valuesOf(engine.runs.live.get('a')!.scope)).toEqual({ c: 1 });
});
