import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { resolveConfig } from '../../../src/engine/config.ts';
import { Scope } from '../../../src/engine/live/scope.ts';
import { RemoteWrite } from '../../../src/engine/remote-write/remote-write.ts';
import { requireComponent } from '../../support/components.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { startHere } from '../http/here.ts';
import { FAST } from './fake.ts';
import { Peer } from './peers.ts';

const MINUTE = 60_000;

describe.each(['prometheus', 'victoria-metrics'] as const)('%s', (name) => {
  test('has exactly what was sent, under the same names, and knows when a series ended', async (context) => {
    const peer = await Peer.start(name, requireComponent(name, context));
    const { remoteWrite } = await resolveConfig(
      { remote_write: [{ url: peer.writeUrl, interval: '10ms', batch_samples: 7, labels: { site: 'x' } }] },
      {},
      null,
    );
    let now = Date.now() - MINUTE;
    const warnings: string[] = [];
    const remote = await RemoteWrite.open(remoteWrite, {
      ...{ host: 'n1', data: null, now: () => now, jobid: () => '47"11' },
      warn: (text) => warnings.push(text),
    });
    const scope = new Scope('run/r1', 'run');
    const names = ['steps_total', 'Time in "x"', 'm{b="2",a="ü\\"\\\\"}', 'm{a="",instance="mine"}'];
    for (const each of names) scope.register(each, '', 'counter');
    // VictoriaMetrics keeps some 17 decimal digits for all values of a series together.
    const extremes = name === 'prometheus' ? [0.1, 1e-300, 2 ** 53, 5e300] : [];
    const values = [0.5, ...extremes, 123456789.125, 2 ** 40, 0, 7.25e9];
    const sent: [number, number][] = [];
    for (const [i, value] of values.entries()) {
      now += 1000;
      for (let s = 0; s < names.length; s++) scope.putCounter(s, value * (s + 1));
      remote.consume({ time: now, interval: 10, sequence: i, gap: false }, [scope]);
      sent.push([now, value]);
    }
    now += 1;
    remote.end(scope, '47"11');
    sent.push([now, values.at(-1)!]);
    await remote.close();
    expect([warnings, remote.status()[0]]).toEqual([
      [],
      expect.objectContaining({
        sent: names.length * (values.length + 2),
        failed: 0,
        dropped: {},
        error: null,
        lag_ms: 0,
      }),
    ]);
    const stored = await eventually(async () => {
      const found = await peer.stored('{run="r1"}');
      return found.length === names.length && found.every(({ values: v }) => v.length >= sent.length) && found;
    });
    const from = { instance: 'n1', job: 'vigie', jobid: '47"11', run: 'r1', site: 'x' };
    const labels = [
      { __name__: 'steps_total', ...from },
      { __name__: 'Time_in__x_', vigie_name: 'Time in "x"', ...from },
      { __name__: 'm', a: 'ü"\\', b: '2', ...from },
      { __name__: 'm', exported_instance: 'mine', ...from },
    ];
    for (const [s, metric] of labels.entries()) {
      const series = stored.find((one) => isDeepStrictEqual({ ...one.metric }, metric));
      expect(series?.values).toEqual(sent.map(([time, value]) => [time, value * (s + 1)]));
    }
    // Nothing is there after the end, without waiting for five minutes.
    const at = new URLSearchParams({ query: 'steps_total', time: String((now + 1000) / 1000), nocache: '1' });
    const answer = (await (await fetch(`${peer.base}/api/v1/query?${at.toString()}`)).json()) as {
      data: { result: unknown[] };
    };
    expect(answer.data.result).toEqual([]);
  });

  test('a restart of it loses nothing', async (context) => {
    const peer = await Peer.start(name, requireComponent(name, context));
    const folder = temporaryFolder();
    const here = await startHere(
      {
        ...{ node: false, data: join(folder, 'data') },
        remote_write: [{ ...FAST, url: peer.writeUrl, timeout: '5s', metrics: { keep: ['steps'] } }],
      },
      folder,
    );
    const pusher = await here.pusher();
    pusher.job({ jobid: '1' });
    pusher.describeCounter('steps', '');
    const status = async () => (await here.client.status()).remote_write[0]!;
    pusher.increase('steps', 1);
    await eventually(async () => (await status()).sent > 10);
    await peer.stop('SIGTERM');
    pusher.increase('steps', 1);
    await eventually(async () => (await status()).failed > 2 && (await status()).queued_requests > 10);
    await peer.start();
    pusher.increase('steps', 1);
    await eventually(async () => (await status()).error === null && (await status()).queued_requests === 0);
    expect((await status()).dropped).toEqual({});
    await here.engine.close();
    const found = await eventually(async () => {
      const [series] = await peer.stored('steps');
      return series?.values.at(-1)?.[1] === 3 && series.values;
    });
    const times = found.map(([time]) => time);
    const values = found.map(([, value]) => value);
    expect(found.length).toBeGreaterThan(20);
    // A tick is 50 ms; a busy machine is late now and then, an outage would be a hole.
    expect(Math.max(...times.slice(1).map((time, i) => time - times[i]!))).toBeLessThan(1500);
    expect(values).toEqual(values.toSorted((a, b) => a - b));
    expect(new Set(values)).toEqual(new Set([1, 2, 3]));
  }, 120_000);

  test('reads back what the own store has no more, as one plot', async (context) => {
    const peer = await Peer.start(name, requireComponent(name, context));
    const settings = { url: peer.writeUrl, interval: '1s', read_url: peer.base, name: 'far' };
    const { remoteWrite, host } = await resolveConfig({ remote_write: [settings] }, {}, null);
    // What an engine has sent half an hour ago: a counter of 2 per second with a spike, and a gauge.
    const start = Math.floor((Date.now() - 30 * MINUTE) / 1000) * 1000;
    let now = start;
    const remote = await RemoteWrite.open(remoteWrite, {
      host,
      data: null,
      now: () => now,
      jobid: () => null,
      warn: () => undefined,
    });
    const scope = new Scope(`node/${host}`, 'node');
    scope.register('work_total{kind="a"}', '', 'counter');
    scope.register('level', '', 'gauge');
    let total = 1000;
    for (let i = 0; i < 600; i++, now += 1000) {
      total += i === 300 ? 102 : 2;
      scope.putCounter(0, total);
      scope.putGauge(0, new Float64Array([0, 0, 1, i % 60]));
      remote.consume({ time: now, interval: 1000, sequence: i, gap: false }, [scope]);
    }
    await remote.close();
    expect(remote.status()[0]).toMatchObject({ sent: 1200, dropped: {} });
    await eventually(async () => (await peer.stored('level'))[0]?.values.length === 600);

    const here = await startHere({ node: false, remote_write: [{ ...settings, metrics: { keep: ['nothing'] } }] });
    const pusher = await here.pusher();
    pusher.describeCounter('work_total{kind="a"}', '');
    pusher.describeGauge('level', '');
    pusher.increase('work_total{kind="a"}', 5);
    pusher.set('level', 77);
    const ask = () => {
      const series = ['work_total{kind="a"}', 'level'];
      return here.client.query({ scope: `node/${host}`, series, from: start, to: Date.now() + 1000, maxPoints: 100 });
    };
    const range = await eventually(async () => {
      const answer = await ask();
      return answer.series[1]?.last.at(-1) === 77 && answer;
    });
    expect(range.note).toBeUndefined();
    expect(range.times.every((time, i) => i === 0 || time > range.times[i - 1]!)).toBe(true);
    const [work, level] = range.series;
    const old = range.times.flatMap((time, i) =>
      time >= start && time + range.step <= start + 10 * MINUTE ? [i] : [],
    );
    expect(old.length).toBeGreaterThan(15);
    for (const i of old.slice(1)) {
      expect(work!.min[i]).toBeCloseTo(2, 5);
      expect([level!.min[i]! >= 0, level!.max[i]! <= 59, level!.avg[i]! > 0]).toEqual([true, true, true]);
    }
    expect(Math.max(...old.map((i) => work!.max[i] ?? 0))).toBeCloseTo(102, 5);
    expect(Math.max(...old.map((i) => level!.max[i]!))).toBe(59);
    expect(work!.last[old.at(-1)!]! <= total).toBe(true);
    expect(work!.last.at(-1)).toBe(5);
    // Between both nothing is known.
    const between = range.times.findIndex((time) => time > start + 15 * MINUTE);
    expect([work!.avg[between], level!.avg[between]]).toEqual([null, null]);

    // What fails there fails nothing here.
    await peer.stop('SIGKILL');
    const alone = await ask();
    expect(alone.note).toContain('far cannot be read');
    expect(alone.series[1]!.last.at(-1)).toBe(77);
  });
});
