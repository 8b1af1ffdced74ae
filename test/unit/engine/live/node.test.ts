import { describe, expect, onTestFinished, test } from 'vitest';
import { Contributor } from '../../../../src/engine/live/contributor.ts';
import { headline } from '../../../../src/engine/live/headline.ts';
import { openSources, sourceWriter } from '../../../../src/engine/live/node.ts';
import { Scope } from '../../../../src/engine/live/scope.ts';
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

test('a source that fails again and again is reported at first, later seldom; the others go on', () => {
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
