import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Contributor } from '../../../../src/engine/live/contributor.ts';
import { Scope } from '../../../../src/engine/live/scope.ts';
import { Encoder, type Batch } from '../../../../src/engine/remote-write/encoder.ts';
import { familyFilter } from '../../../../src/engine/remote-write/filter.ts';
import { encodeLabels, scopeLabels, seriesLabels } from '../../../../src/engine/remote-write/labels.ts';
import { LabelBudget, SeriesBytes } from '../../../../src/engine/remote-write/series-bytes.ts';
import { WriteRequest } from '../../../../src/engine/remote-write/write-request.ts';
import { MAX_LABELS } from '../../../../src/shared/model/metric.ts';
import { readRequest } from './schema.ts';

const NODE = scopeLabels('node/n1', 'n1', null, {});
const seriesOf = (scope: Scope, keep = familyFilter(['*'], []), budget = new LabelBudget()): SeriesBytes =>
  new SeriesBytes({ scope, labels: scopeLabels(scope.id, 'n1', null, {}), keep, budget });

describe('a request', () => {
  test('is read by another reader of the schema exactly as it was meant', () => {
    const sample = fc.record({
      labels: fc.uniqueArray(
        fc.tuple(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string({ unit: 'grapheme', maxLength: 300 })),
        {
          maxLength: MAX_LABELS,
          selector: ([name]) => name,
        },
      ),
      value: fc.double({ noNaN: true }),
      time: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    });
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 30 }), (samples) => {
        const request = new WriteRequest();
        for (const { labels, value, time } of samples) {
          const bytes = encodeLabels(labels);
          request.setTime(time);
          request.add(bytes, 0, bytes.length, value);
        }
        const { body, samples: count } = request.take();
        expect(count).toBe(samples.length);
        expect(readRequest(body).map(({ labels, value, time }) => ({ labels, value, time }))).toEqual(samples);
      }),
    );
  });

  test('the end of a series is the NaN that Prometheus means by it, and nothing stays for the next request', () => {
    const labels = encodeLabels([['__name__', 'up']]);
    const request = new WriteRequest();
    request.setTime(1_700_000_000_000);
    request.addStale(labels, 0, labels.length);
    expect(readRequest(request.take().body)).toEqual([
      { series: 'up{}', labels: [['__name__', 'up']], value: NaN, stale: true, time: 1_700_000_000_000 },
    ]);
    expect([request.samples, request.bytes, request.oldest]).toEqual([0, 0, Infinity]);
  });
});

describe('labels', () => {
  const text = (key: string, scope = NODE): string =>
    seriesLabels(key, scope)
      .labels.map(([name, value]) => `${name}=${value}`)
      .join(' ');

  test('are the name that /metrics shows, the own labels and where it comes from, sorted', () => {
    expect(text('mpi___hits___mpi_send')).toBe('__name__=mpi___hits___mpi_send instance=n1 job=vigie');
    expect(text('Time in "x"{z="1",A="2"}')).toBe(
      'A=2 __name__=Time_in__x_ instance=n1 job=vigie vigie_name=Time in "x" z=1',
    );
    expect(text('a', scopeLabels('run/r1', 'n1', '4711', { site: 'x', job: 'other' }))).toBe(
      '__name__=a instance=n1 job=other jobid=4711 run=r1 site=x',
    );
  });

  test('an own label never takes the place of ours, nor of another own one', () => {
    expect(text('a{instance="x",exported_instance="y",__name__="b",vigie_name="c",run="d"}')).toBe(
      '__name__=a exported__name__=b exported_exported_instance=y exported_instance=x exported_run=d exported_vigie_name=c instance=n1 job=vigie',
    );
  });

  test('different series have different labels', () => {
    const label = fc
      .tuple(
        fc.constantFrom('', '_', '__', 'exported', 'exported_', 'exported__'),
        fc.constantFrom('a', 'job', 'run', '__name__', 'vigie_name'),
      )
      .map((parts) => parts.join(''));
    const name = fc.tuple(fc.constantFrom('m', 'm-', 'm_', '1m', '_1m'), fc.uniqueArray(label, { maxLength: 4 })).map(
      ([family, labels]) =>
        `${family}{${labels
          .toSorted()
          .map((l) => `${l}="1"`)
          .join(',')}}`,
    );
    fc.assert(
      fc.property(name, name, (a, b) => {
        if (a !== b) expect(text(a)).not.toBe(text(b));
      }),
      { numRuns: 3000 },
    );
  });
});

test('families are chosen with stars', () => {
  const fits = familyFilter(['mpi_*', 'proxy_*_total', 'up'], ['*secret*', 'mpi_x']);
  const names = ['mpi_send', 'mpi_', 'mpi_x', 'mpi_secrets', 'proxy_cpu_total', 'proxy_total', 'up', 'upper', 'xmpi_'];
  expect(names.filter(fits)).toEqual(['mpi_send', 'mpi_', 'proxy_cpu_total', 'up']);
  expect(familyFilter(['a*a'], [])('a')).toBe(false);
  expect(familyFilter([`${'*a'.repeat(400)}b`], [])('a'.repeat(1000))).toBe(false);
});

class Rig {
  readonly batches: Batch[] = [];
  dropped = 0;
  readonly encoder: Encoder;

  constructor(batchSamples = 1000, batchWait = 0) {
    this.encoder = new Encoder({
      batchSamples,
      batchWait,
      emit: (batch) => this.batches.push(batch),
      dropped: (samples) => (this.dropped += samples),
    });
  }

  read(): string[] {
    return this.batches.splice(0).flatMap(({ body, samples }) => {
      const read = readRequest(body);
      expect(samples).toBe(read.length);
      return read.map(
        ({ series, value, stale, time }) =>
          `${series.replace('instance="n1",job="vigie"', '…')} ${stale ? 'stale' : value} ${time}`,
      );
    });
  }
}

function scopeWith(counters: number): Scope {
  const scope = new Scope('node/n1', 'node');
  for (let i = 0; i < counters; i++) {
    scope.register(`c${i}`, '', 'counter');
    scope.increase(i, i);
  }
  return scope;
}

describe('the encoder', () => {
  test('sends totals and means, and what has no value not at all; its end once', () => {
    const scope = scopeWith(2);
    const rig = new Rig();
    const series = seriesOf(scope);
    const client = new Contributor(scope, 0, 'n1');
    for (const name of ['g', 'unset']) {
      const place = scope.register(name, '', 'gauge');
      if ('index' in place) client.addGauge(place.index);
    }
    client.setGauge(0, 1, 9, 4, 20);
    scope.settle();
    rig.encoder.take(series, 1000);
    rig.encoder.flush();
    expect(rig.read()).toEqual(['c0{…} 0 1000', 'c1{…} 1 1000', 'g{…} 5 1000']);
    client.setGauge(0, Infinity, -Infinity, 0, 0);
    scope.settle();
    rig.encoder.take(series, 2000);
    rig.encoder.take(series, 3000);
    rig.encoder.flush();
    expect(rig.read()).toEqual(['c0{…} 0 2000', 'c1{…} 1 2000', 'g{…} stale 2000', 'c0{…} 0 3000', 'c1{…} 1 3000']);
    rig.encoder.end(series, 4000);
    rig.encoder.flush();
    expect(rig.read()).toEqual(['c0{…} stale 4000', 'c1{…} stale 4000']);
  });

  test('has the values of the moment, whatever becomes of the columns, and does not work on the tick', async () => {
    const scope = scopeWith(26_000);
    const rig = new Rig(1000);
    const series = seriesOf(scope);
    rig.encoder.take(series, 1000);
    for (let i = 0; i < 26_000; i++) scope.increase(i, 1e6);
    expect(rig.batches.length).toBe(0);
    let turns = 0;
    for (; rig.encoder.oldest !== Infinity; turns++) await turn();
    // Names take a few microseconds each: they are not all made in one turn of the loop.
    expect(turns).toBeGreaterThan(5);
    expect(rig.batches.map(({ samples }) => samples)).toEqual(Array.from({ length: 26 }, () => 1000));
    expect(rig.read()).toEqual(Array.from({ length: 26_000 }, (_, i) => `c${i}{…} ${i} 1000`));
  });

  test('series that come later are sent, those that are not wanted never', () => {
    const scope = scopeWith(3);
    const rig = new Rig();
    const series = seriesOf(scope, familyFilter(['*'], ['c1']));
    rig.encoder.take(series, 1);
    scope.register('d', '', 'counter');
    rig.encoder.take(series, 2);
    rig.encoder.flush();
    expect(rig.read()).toEqual(['c0{…} 0 1', 'c2{…} 2 1', 'c0{…} 0 2', 'c2{…} 2 2', 'd{…} 0 2']);
  });

  test('of series that are one to the destination the first is sent', () => {
    const scope = new Scope('node/n1', 'node');
    for (const name of ['x{a=""}', 'x{b=""}', 'x', 'y', 'y{a=""}']) scope.register(name, '', 'counter');
    const rig = new Rig();
    const series = seriesOf(scope);
    rig.encoder.take(series, 1);
    rig.encoder.take(series, 2);
    rig.encoder.flush();
    expect(rig.read()).toEqual(['x{…} 0 1', 'y{…} 0 1', 'x{…} 0 2', 'y{…} 0 2']);
  });

  test('without room for encoded labels all is sent the same', () => {
    const scope = scopeWith(20);
    const rig = new Rig();
    const budget = new LabelBudget();
    budget.left = 200;
    const series = seriesOf(scope, undefined, budget);
    for (const time of [1, 2]) rig.encoder.take(series, time);
    rig.encoder.flush();
    expect(rig.read()).toEqual([1, 2].flatMap((time) => Array.from({ length: 20 }, (_, i) => `c${i}{…} ${i} ${time}`)));
    expect(budget.left).toBeGreaterThanOrEqual(0);
    rig.encoder.end(series, 3);
    rig.encoder.flush();
    expect(budget.left).toBe(200);
  });

  test('what it cannot keep up with is counted, not collected', () => {
    const scope = scopeWith(20_000);
    const rig = new Rig();
    const series = seriesOf(scope);
    for (let time = 1; time <= 500; time++) rig.encoder.take(series, time);
    // 64 MiB of copies are 419 ticks of this scope.
    expect(rig.dropped).toBe((500 - 419) * 20_000);
  });
});
