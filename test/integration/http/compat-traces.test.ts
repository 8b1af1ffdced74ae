import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { golden } from '../../support/recording.ts';
import { shapeOf, shapeOfValues } from '../../support/shape.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { ask, startHere, withToken, type Answer, type Ask, type Here } from './here.ts';

const HITS = 'mpi___hits___mpi_allreduce';
const MEMORY = 'proxy_memory_used_bytes';

const send = (here: Here, path: string, more: Ask = {}): Promise<Answer> =>
  ask(here, path, { ...more, headers: { ...withToken(here), ...more.headers } });
const json = async <T = unknown>(here: Here, path: string, more: Ask = {}): Promise<T> => {
  const answer = await send(here, path, more);
  expect([answer.status, answer.type], `${path}: ${answer.body.slice(0, 200)}`).toEqual([
    200,
    'application/json; charset=utf-8',
  ]);
  return answer.json() as T;
};
const post = (body: unknown): Ask => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

interface Info {
  readonly desc: { jobid: string; start_time: number; end_time: number };
  readonly size: number;
  readonly lastwrite: number;
}
type Points = [number, number][];
interface Read {
  readonly info: Info;
  readonly time_serie: [
    number,
    { Counter: { ts: number; value: number } } | { Gauge: { min: number; max: number; hits: number; total: number } },
  ][];
}

/** A job that counts and has a gauge of several observations; ends when `steps` are done. */
async function runJob(here: Here, jobid: string, steps: readonly number[], end = true): Promise<void> {
  const pusher = await here.pusher();
  pusher.job({ jobid, command: './live', size: 4, run_dir: '/tmp', start_time: 1_795_188_214_224 });
  pusher.describeCounter(HITS, 'calls');
  pusher.describeGauge('app_temp', 'temperature');
  pusher.set('app_temp', { min: 20, max: 26, hits: 4, total: 88 });
  let sum = 0;
  for (const by of steps) {
    pusher.increase(HITS, by);
    sum += by;
    // Until a tick has seen it, so that each step is a sample of its own.
    await eventually(async () => {
      const { time_serie: series } = await json<Read>(here, `/trace/read?job=${jobid}&filter=${HITS}`);
      const last = series.at(-1)?.[1];
      return last !== undefined && 'Counter' in last && last.Counter.value === sum;
    });
  }
  if (!end) return;
  await pusher.close();
  await eventually(async () => !(await here.client.runs({ state: 'live' })).runs.some((run) => run.jobid === jobid));
}

describe('the answers have the shape of the recorded ones', () => {
  test('of a live job', async () => {
    const here = await startHere();
    await runJob(here, 'live-1', [400, 0.5], false);
    const read = await json<Read>(here, `/trace/read?job=live-1&filter=${HITS}`);
    expect(shapeOf(read)).toEqual(shapeOf(golden('trace_read.json')));
    const node = await json<Read>(here, `/trace/read?job=live-1&filter=${MEMORY}`);
    expect(shapeOf(node)).toEqual(shapeOf(golden('trace_read_gauge.json')));
    const none = await json<Read>(here, '/trace/read?job=live-1');
    expect(shapeOf(none)).toEqual(shapeOf(golden('trace_read_nofilter.json')));
    expect(await json(here, '/trace/read/?job=live-1&filter=nobody_has_it')).toMatchObject({ time_serie: [] });

    const plot = await json<Points>(here, `/trace/plot?jobid=live-1&filter=${HITS}`);
    expect(shapeOf(plot)).toEqual(shapeOf(golden('trace_plot.json')));
    const posted = post({ jobid: 'live-1', filter: HITS, derivate: false });
    expect(shapeOf(await json(here, '/trace/plot', posted))).toEqual(shapeOf(golden('trace_plot_post.json')));
    const change = await json<Points>(here, `/trace/plot?jobid=live-1&filter=${MEMORY}&derivate=true`);
    expect(shapeOf(change)).toEqual(shapeOf(golden('trace_plot_derivate.json')));

    expect(shapeOf(await json(here, '/trace/list'))).toEqual(shapeOf(golden('trace_list.json')));
    expect(shapeOf(await json(here, '/trace/metrics?job=live-1'))).toEqual(shapeOf(golden('trace_metrics.json')));
    expect(shapeOf(await json(here, '/trace/size?jobid=live-1'))).toEqual(shapeOf(golden('trace_size.json')));
    const all = await json<{ infos: Info; metrics: Record<string, Points> }>(here, '/trace/json?jobid=live-1');
    const recorded = golden('trace_json.json') as typeof all;
    expect(shapeOf(all.infos)).toEqual(shapeOf(recorded.infos));
    expect(Object.keys(all).toSorted()).toEqual(Object.keys(recorded).toSorted());
    expect(shapeOfValues(all.metrics)).toEqual(shapeOfValues(recorded.metrics));
  });

  test.each([
    ['/trace/read?job=nosuch', 'trace_read_unknown.json'],
    ['/trace/ftio?jobid=live-1&metricid=x', 'trace_ftio.json'],
  ])('%s is refused as recorded', async (path, file) => {
    const here = await startHere();
    const answer = await send(here, path);
    expect([answer.status, answer.json()]).toEqual([400, golden(file)]);
  });

  test.each([
    '/trace/read',
    '/trace/read?job=a&job=b',
    '/trace/metrics?job=',
    '/trace/metrics?job=..%2F..%2Fx',
    '/trace/plot?jobid=nosuch&filter=x',
    '/trace/json?jobid=Node:%20nobody',
    '/trace/size',
    '/trace/zzz',
    '/trace/list/x',
  ])('%s is refused with the same two members', async (path) => {
    const here = await startHere();
    const answer = await send(here, path);
    expect([answer.status, answer.json()]).toEqual([400, { operation: expect.any(String) as string, success: false }]);
  });
});

describe('a trace', () => {
  test('has each step, its time, and the time of its last change', async () => {
    const here = await startHere();
    const begun = Date.now();
    await runJob(here, 'j', [1, 10, 100]);
    const { info, time_serie: series } = await json<Read>(here, `/trace/read?job=j&filter=${HITS}`);
    expect(info.desc).toMatchObject({ jobid: 'j', start_time: 1_795_188_214_224 });
    // Milliseconds, as everywhere: old proxies have seconds here after a restart.
    expect(info.desc.end_time).toBeGreaterThan(begun - 60_000);
    expect(info.lastwrite).toBe(Math.floor(info.desc.end_time / 1000));
    const times = series.map(([time]) => time);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(Math.min(...times)).toBeGreaterThan(begun / 1000 - 60);
    const values = series.map(([, value]) => ('Counter' in value ? value.Counter.value : NaN));
    expect([...new Set(values)].filter((value) => value > 0)).toEqual([1, 11, 111]);
    for (const [i, [time, value]] of series.entries()) {
      const since = values.indexOf(values[i]!);
      const changed = values[i] === 0 ? 0 : Math.round(times[since]! * 1e6);
      expect('Counter' in value && value.Counter.ts, `at ${time}`).toBe(changed);
    }

    const gauges = await json<Read>(here, '/trace/read?job=j&filter=app_temp');
    for (const [, value] of gauges.time_serie) {
      expect(value).toEqual({ Gauge: { min: 20, max: 26, hits: 4, total: 88 } });
    }
    expect((await json<Points>(here, '/trace/plot?jobid=j&filter=app_temp')).at(-1)![1]).toBe(22);
  });

  test('has the metrics of its node between its first and its last sample, under their own names', async () => {
    const here = await startHere();
    await eventually(async () => (await json<Points>(here, `/trace/plot?jobid=main&filter=${MEMORY}`)).length > 5);
    await runJob(here, 'j', [1, 10]);
    await eventually(async () => {
      const own = await json<Points>(here, `/trace/plot?jobid=j&filter=${HITS}`);
      const all = await json<Points>(here, `/trace/plot?jobid=main&filter=${MEMORY}`);
      return all.at(-1)![0] > own.at(-1)![0];
    });
    const names = await json<string[]>(here, '/trace/metrics?job=j');
    expect(names).toEqual(expect.arrayContaining([HITS, 'app_temp', MEMORY]));
    expect(new Set(names).size).toBe(names.length);
    const own = await json<Points>(here, `/trace/plot?jobid=j&filter=${HITS}`);
    const ofNode = await json<Points>(here, `/trace/plot?jobid=j&filter=${MEMORY}`);
    const { host } = (await here.client.nodes()).nodes[0]!;
    const all = await json<Points>(here, `/trace/plot?jobid=${encodeURIComponent(`Node: ${host}`)}&filter=${MEMORY}`);
    expect(ofNode.length).toBeGreaterThan(0);
    expect(ofNode).toEqual(all.filter(([time]) => time >= own[0]![0] && time <= own.at(-1)![0]));
    expect(all.length).toBeGreaterThan(ofNode.length);
  });

  test('/trace/json has each metric and its change per second, since the first sample', async () => {
    const here = await startHere();
    await runJob(here, 'j', [5, 7]);
    const { metrics } = await json<{ metrics: Record<string, Points> }>(here, '/trace/json?jobid=j');
    const plot = await json<Points>(here, `/trace/plot?jobid=j&filter=${HITS}`);
    const start = plot[0]![0];
    expect(metrics[HITS]!.map(([time, value]) => [(time + start).toFixed(3), value])).toEqual(
      plot.map(([time, value]) => [time.toFixed(3), value]),
    );
    expect(metrics[HITS]![0]![0]).toBe(0);
    const change = metrics[`deriv__${HITS}`]!;
    expect(change).toHaveLength(plot.length);
    expect(change[0]).toEqual([0, 0]);
    // Summed up over time it is what was counted since the first sample.
    const sum = change.reduce(
      (total, [time, rate], n) => total + (n === 0 ? 0 : rate * (time - metrics[HITS]![n - 1]![0])),
      0,
    );
    expect(sum).toBeCloseTo(plot.at(-1)![1] - plot[0]![1], 6);
    expect(Object.keys(metrics).filter((name) => !name.startsWith('deriv__'))).toEqual(
      expect.arrayContaining([HITS, 'app_temp', MEMORY]),
    );
  });

  test('of main: jobs live and ended are added up, and it never falls', async () => {
    const here = await startHere();
    const free = await here.pusher();
    free.describeCounter(HITS);
    free.increase(HITS, 1000);
    const ofMain = `/trace/plot?jobid=main&filter=${HITS}`;
    await eventually(async () => (await json<Points>(here, ofMain)).at(-1)?.[1] === 1000);
    await runJob(here, 'one', [1, 10]);
    await runJob(here, 'two', [100]);
    await runJob(here, 'live', [10_000], false);
    const { host } = (await here.client.nodes()).nodes[0]!;
    const plot = await eventually(async () => {
      const points = await json<Points>(here, ofMain);
      return points.at(-1)?.[1] === 11_111 && points;
    });
    const values = plot.map(([, value]) => value);
    expect(values).toEqual(values.toSorted((a, b) => a - b));
    expect([...new Set(values)]).toEqual(expect.arrayContaining([1000, 1001, 1011, 1111, 11_111]));
    const times = plot.map(([time]) => time);
    expect(new Set(times).size).toBe(times.length);
    const read = await json<Read>(here, `/trace/read?job=Node:%20${host}&filter=${HITS}`);
    expect(shapeOf(read)).toEqual(shapeOf(golden('trace_read.json')));
    expect(read.time_serie.at(-1)![1]).toMatchObject({ Counter: { value: 11_111 } });
    expect(await json(here, '/trace/metrics?job=main')).toEqual(expect.arrayContaining([HITS, 'app_temp', MEMORY]));

    // A gauge leaves the sum with its run.
    const gauges = (await json<Read>(here, '/trace/read?job=main&filter=app_temp')).time_serie;
    for (const [, value] of gauges) {
      const hits = 'Gauge' in value ? value.Gauge.hits : NaN;
      expect(value).toEqual({ Gauge: { min: 20, max: 26, hits, total: 22 * hits } });
      expect([4, 8]).toContain(hits);
    }
    expect(gauges.at(-1)![1]).toMatchObject({ Gauge: { hits: 4 } });
  });

  test.each(['memory', 'disk'])('of main over a long time, added up by the store (%s)', async (where) => {
    const folder = temporaryFolder();
    const set = { by: 0 };
    const clock = { now: () => Date.now() + set.by, monotonic: () => performance.now() };
    const here = await startHere(where === 'disk' ? { data: join(folder, 'data') } : {}, folder, clock);
    const free = await here.pusher();
    free.describeCounter(HITS);
    free.increase(HITS, 1000);
    const ofMain = `/trace/plot?jobid=main&filter=${HITS}`;
    await eventually(async () => (await json<Points>(here, ofMain)).at(-1)?.[1] === 1000);
    await runJob(here, 'one', [1, 10]);
    const start = (await json<Points>(here, ofMain))[0]![0];
    // More periods than an exact answer has samples.
    set.by = 1_800_000;
    await runJob(here, 'two', [100]);
    await runJob(here, 'live', [10_000], false);
    const plot = await eventually(async () => {
      const points = await json<Points>(here, ofMain);
      return points.at(-1)?.[1] === 11_111 && points;
    });
    const [times, values] = [plot.map(([time]) => time), plot.map(([, value]) => value)];
    expect(values).toEqual(values.toSorted((a, b) => a - b));
    expect(times).toEqual([...new Set(times)].toSorted((a, b) => a - b));
    // Of both ends of the time, and nothing of what was between.
    expect(values[0]).toBeGreaterThanOrEqual(1000);
    expect(values).toContain(1011);
    expect(times[0]! - start).toBeLessThan(10);
    expect(times.at(-1)! - start).toBeGreaterThan(1700);
    expect(plot.filter(([time]) => time - start > 60 && time - start < 1700)).toEqual([]);
    const read = await json<Read>(here, `/trace/read?job=main&filter=${HITS}`);
    expect(shapeOf(read)).toEqual(shapeOf(golden('trace_read.json')));
    expect(read.time_serie.at(-1)![1]).toMatchObject({ Counter: { value: 11_111 } });
  });

  test('the list has each job once, live or ended, and both sums', async () => {
    const here = await startHere();
    await runJob(here, 'again', [1]);
    await runJob(here, 'done', [1]);
    await runJob(here, 'again', [1], false);
    const list = await json<Info[]>(here, '/trace/list');
    const { host } = (await here.client.nodes()).nodes[0]!;
    expect(list.map(({ desc }) => desc.jobid)).toEqual(['main', `Node: ${host}`, 'again', 'done']);
    expect(list.find(({ desc }) => desc.jobid === 'again')!.desc.end_time).toBe(0);
    for (const { size, lastwrite } of list) {
      expect(size).toBeGreaterThan(0);
      expect(Math.abs(lastwrite - Date.now() / 1000)).toBeLessThan(600);
    }
  });
});

describe('what the old proxy gets wrong', () => {
  test('a second run with the same job id has its own trace, and records', async () => {
    const here = await startHere();
    await runJob(here, 'again', [1, 2, 4]);
    await runJob(here, 'again', [100, 1000]);
    const plot = await json<Points>(here, `/trace/plot?jobid=again&filter=${HITS}`);
    expect([...new Set(plot.map(([, value]) => value))].filter((value) => value > 0)).toEqual([100, 1100]);
  });

  test('after a restart the same job id does not destroy the old trace', async () => {
    const folder = temporaryFolder();
    const settings = { data: join(folder, 'data') };
    const before = await startHere(settings, folder);
    await runJob(before, 'kept', [1, 2, 4]);
    const plot = await json<Points>(before, `/trace/plot?jobid=kept&filter=${HITS}`);
    await before.engine.close();
    const here = await startHere(settings, folder);
    expect(await json<Points>(here, `/trace/plot?jobid=kept&filter=${HITS}`)).toEqual(plot);
    const { id } = (await here.client.runs({ state: 'ended' })).runs[0]!;
    await runJob(here, 'kept', [50]);
    expect((await json<Points>(here, `/trace/plot?jobid=kept&filter=${HITS}`)).at(-1)![1]).toBe(50);
    const query = `/api/v1/query?scope=run%2F${id}&series=${HITS}&from=0&to=8640000000000`;
    const old = await json<{ series: { last: (number | null)[] }[] }>(here, query);
    expect(old.series[0]!.last.filter((value) => value !== null)).toEqual(plot.map(([, value]) => value));
  });

  test('a job id is no path', async () => {
    const here = await startHere();
    const jobid = '../../../../tmp/x';
    const pusher = await here.pusher();
    pusher.job({ jobid });
    pusher.describeCounter(HITS);
    pusher.increase(HITS, 5);
    const path = `/trace/plot?jobid=${encodeURIComponent(jobid)}&filter=${HITS}`;
    await eventually(async () => (await json<Points>(here, path)).at(-1)?.[1] === 5);
  });
});
