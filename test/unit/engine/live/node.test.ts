import { describe, expect, onTestFinished, test } from 'vitest';
import { Contributor } from '../../../../src/engine/live/contributor.ts';
import { headline } from '../../../../src/engine/live/headline.ts';
import { openSources, sourceWriter } from '../../../../src/engine/live/node.ts';
import { Scope } from '../../../../src/engine/live/scope.ts';
import type { Source, SourceInstance } from '../../../../src/engine/sources/source.ts';
import { seriesValues } from '../../../../src/engine/live/values.ts';
import { SeriesValue } from '../../../../src/shared/api/series.ts';
import { EMPTY_GAUGE } from '../../../../src/shared/model/values.ts';
import { openTree } from '../sources/recorder.ts';
import { valuesOf } from '../ingest/harness.ts';

describe('sourceWriter', () => {
  test('the same name gives the same handle, and totals replace', () => {
    const scope = new Scope('node/h', 'node');
    const out = sourceWriter(scope, 'h');
    const counter = out.counter('c{b="1",a="2"}', 'doc');
    expect(out.counter('c{a="2",b="1"}', 'other')).toBe(counter);
    const gauge = out.gauge('g', '');
    expect(out.gauge('g', '')).toBe(gauge);
    for (const total of [5, 9, 3]) out.setCounter(counter, total);
    for (const value of [5, -9]) out.setGauge(gauge, value);
    expect(valuesOf(scope)).toEqual({ 'c{b="1",a="2"}': 3, g: { min: -9, max: -9, hits: 1, total: -9 } });
    out.clearGauge(gauge);
    expect(valuesOf(scope)['g']).toEqual(EMPTY_GAUGE);
  });

  test('numbers that are none leave the last one', () => {
    const scope = new Scope('node/h', 'node');
    const out = sourceWriter(scope, 'h');
    const [counter, gauge] = [out.counter('c', ''), out.gauge('g', '')];
    out.setCounter(counter, 5);
    out.setGauge(gauge, 5);
    for (const bad of [NaN, Infinity, -Infinity, -1]) out.setCounter(counter, bad);
    for (const bad of [NaN, Infinity, -Infinity]) out.setGauge(gauge, bad);
    expect(valuesOf(scope)).toEqual({ c: 5, g: { min: 5, max: 5, hits: 1, total: 5 } });
  });

  test('adds to what clients without a job count under the same name', () => {
    const scope = new Scope('node/h', 'node');
    const out = sourceWriter(scope, 'h');
    const handle = out.counter('c', '');
    const client = new Contributor(scope, 0, 'h');
    client.increase(client.addCounter(0), 2);
    out.setCounter(handle, 10);
    out.setCounter(handle, 11);
    expect(valuesOf(scope)).toEqual({ c: 13 });
  });

  test('a name that the scope has as the other kind is an error that says so', () => {
    const scope = new Scope('node/h', 'node');
    scope.register('c', '', 'gauge');
    expect(() => sourceWriter(scope, 'h').counter('c', '')).toThrow('counter c: type_conflict');
  });
});

test(
  'a source that fails again and again is reported at first, later seldom; the others go on',
  { timeout: 120_000 },
  () => {
    const tree = openTree('written-arm64');
    onTestFinished(tree.remove);
    const scope = new Scope('node/h', 'node');
    const warnings: string[] = [];
    let now = 0;
    const sources = openSources(
      tree.roots,
      sourceWriter(scope, 'h'),
      (message) => warnings.push(message),
      () => now,
    );
    onTestFinished(() => sources.close());
    const fail = (): void => {
      for (const text of ['garbage\n', '0.50 0.25 0.10 2/100 4242\n']) {
        tree.write('proc/loadavg', text);
        sources.sample(1);
        now += 60_000;
      }
    };
    fail();
    expect(warnings).toEqual([expect.stringContaining('the load source fails')]);
    expect(valuesOf(scope)['proxy_load1']).toMatchObject({ total: 0.5 });
    for (let i = 0; i < 3; i++) fail();
    expect(warnings).toHaveLength(1);
    // A day of it.
    for (let i = 0; i < 720; i++) fail();
    expect(warnings.length).toBeGreaterThan(1);
    expect(warnings.length).toBeLessThan(10);
  },
);

/** A source whose instances do what the test says at each sample. */
function scripted(name: string, sample: SourceInstance['sample']): Source & { present: boolean; closed: number } {
  return {
    ...{ name, present: true, closed: 0 },
    open() {
      return this.present ? { sample, close: () => void this.closed++ } : null;
    },
  };
}

function opened(...sources: Source[]) {
  const scope = new Scope('node/h', 'node');
  const warnings: string[] = [];
  const clock = { now: 0 };
  const roots = { proc: '/nonexistent', sys: '/nonexistent' };
  const warn = (message: string): void => void warnings.push(message);
  const node = openSources(roots, sourceWriter(scope, 'h'), warn, () => clock.now, sources);
  return { scope, warnings, clock, node };
}

test('gauges of a failing source lose their values, its counters and the other sources go on', () => {
  let broken = false;
  const failing = scripted('failing', (out) => {
    out.setCounter(out.counter('c', ''), 5);
    if (broken) throw new Error('no');
    out.setGauge(out.gauge('g', ''), 1);
  });
  const good = scripted('good', (out) => out.setGauge(out.gauge('other', ''), 2));
  const { scope, node } = opened(failing, good);
  node.sample(0);
  expect(valuesOf(scope)).toMatchObject({ g: { hits: 1 }, other: { total: 2 } });
  broken = true;
  node.sample(1);
  expect(valuesOf(scope)).toMatchObject({
    ...{ c: 5, g: EMPTY_GAUGE, other: { total: 2 } },
    'vigie_source_failures_total{source="failing"}': 1,
    'vigie_source_failures_total{source="good"}': 0,
  });
  broken = false;
  node.sample(1);
  expect(valuesOf(scope)['g']).toMatchObject({ hits: 1 });
});

test('what a source costs is a series of its own', () => {
  const slow = scripted('slow', () => {
    clock.now += 250;
  });
  const { scope, node, clock } = opened(slow);
  for (let i = 0; i < 4; i++) node.sample(1);
  expect(valuesOf(scope)['vigie_source_seconds_total{source="slow"}']).toBe(1);
});

test('what is absent leaves no trace, and is looked for again after a while', async () => {
  const late = scripted('late', (out) => out.setGauge(out.gauge('g', ''), 1));
  late.present = false;
  const { scope, node, clock, warnings } = opened(late);
  node.sample(0);
  late.present = true;
  node.sample(1);
  expect(scope.seriesCount).toBe(0);
  clock.now += 60_000;
  node.sample(1);
  expect(valuesOf(scope)['g']).toMatchObject({ hits: 1 });
  expect(warnings).toEqual([]);
  await node.close();
  expect(late.closed).toBe(1);
  clock.now += 120_000;
  node.sample(1);
  expect(late.closed).toBe(1);
});

test('a source that does not start is reported once', () => {
  const source: Source = {
    name: 'bad',
    open() {
      throw new Error('EIO');
    },
  };
  const { node, clock, warnings } = opened(source);
  for (let i = 0; i < 100; i++) {
    node.sample(1);
    clock.now += 60_000;
  }
  expect(warnings).toEqual(['the bad source does not start: Error: EIO']);
});

describe('headline', () => {
  const withCounters = (counters: Readonly<Record<string, number>>): Scope => {
    const scope = new Scope('run/x', 'run');
    for (const [name, value] of Object.entries(counters)) {
      const place = scope.register(name, '', 'counter');
      if ('index' in place) scope.increase(place.index, value);
    }
    return scope;
  };

  test.each([
    [{}, null, false],
    [{ has_started: 1 }, 'has_started', false],
    [{ has_started: 1, idle: 0 }, 'idle', false],
    [{ has_started: 1, process_cpu_seconds_total: 4 }, 'process_cpu_seconds_total', false],
    [{ process_cpu_seconds_total: 4, has_started: 1, idle: 0 }, 'idle', false],
    [{ process_cpu_seconds_total: 4, steps: 4 }, 'steps', true],
    [{ has_started: 1, idle: 0, steps: 4 }, 'steps', true],
    [{ has_started: 1, steps: 4, total___mpi___hits___total: 0 }, 'steps', true],
    [{ has_started: 1, steps: 4, total___mpi___hits___total: 2 }, 'total___mpi___hits___total', true],
    [{ total___strace___hits___total: 1, total___mpi___hits___total: 2 }, 'total___mpi___hits___total', true],
    [{ 'x{b="1",a="2"}': 4 }, 'x{a="2",b="1"}', true],
  ])('of %j is %s', (counters, key, settled) => {
    expect(headline(withCounters(counters))).toEqual({ key, settled });
  });

  test('with nothing but a gauge it is that', () => {
    const scope = new Scope('run/x', 'run');
    scope.register('g', '', 'gauge');
    expect(headline(scope)).toEqual({ key: 'g', settled: false });
  });
});

test('values are what the API can show, whatever clients sent', () => {
  const scope = new Scope('run/x', 'run');
  for (let i = 0; i < 2; i++) {
    const client = new Contributor(scope, i, 'h');
    for (const name of ['c', 'constructor___hits___x']) {
      const place = scope.register(name, '', 'counter');
      if ('index' in place) client.increase(client.addCounter(place.index), 8e307);
    }
    for (const name of ['unset', 'huge', '__proto__{__proto__="x"}', 'mpi___constructor___x']) {
      const place = scope.register(name, '', 'gauge');
      if (!('index' in place)) throw new Error(place.refused);
      const local = client.addGauge(place.index);
      if (name !== 'unset') client.setGauge(local, -1.7e308, 1.7e308, 5e-324, 1.7e308);
    }
  }
  scope.settle();
  const values = seriesValues(scope);
  expect(SeriesValue.array().parse(JSON.parse(JSON.stringify(values)))).toHaveLength(6);
  expect(values.find((v) => v.name === 'unset')).toMatchObject({
    value: null,
    gauge: { min: null, max: null, hits: 0, total: 0 },
  });
  expect(values.find((v) => v.name === 'huge')).toMatchObject({ value: null, gauge: { total: Number.MAX_VALUE } });
});
