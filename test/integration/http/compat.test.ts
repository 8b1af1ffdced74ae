import { describe, expect, test } from 'vitest';
import type { Pusher } from '../../../src/client/pusher.ts';
import { golden } from '../../support/recording.ts';
import { shapeOf } from '../../support/shape.ts';
import { eventually } from '../../support/wait.ts';
import { ask, startHere, withToken, type Answer, type Here } from './here.ts';

interface Job {
  readonly desc: Record<string, unknown> & { jobid: string; start_time: number; end_time: number };
  readonly counters: readonly { name: string; doc: string; ctype: Ctype }[];
}
type Ctype =
  { Counter: { ts: number; value: number } } | { Gauge: { min: number; max: number; hits: number; total: number } };

const get = (here: Here, path: string): Promise<Answer> => ask(here, path, { headers: withToken(here) });
const json = async (here: Here, path: string): Promise<unknown> => {
  const answer = await get(here, path);
  expect([answer.status, answer.type], `${path}: ${answer.body.slice(0, 200)}`).toEqual([
    200,
    'application/json; charset=utf-8',
  ]);
  return answer.json();
};
const jobOf = async (here: Here, id: string): Promise<Job> =>
  (await json(here, `/job/?job=${encodeURIComponent(id)}`)) as Job;
const counterIn = (job: Job, name: string): Ctype | undefined => job.counters.find((c) => c.name === name)?.ctype;
const valueIn = (job: Job, name: string): number => {
  const found = counterIn(job, name);
  return found && 'Counter' in found ? found.Counter.value : NaN;
};

/** A job with a counter that moved, one that did not, and a gauge. */
async function startJob(here: Here, jobid: string, by = 400): Promise<Pusher> {
  const pusher = await here.pusher();
  pusher.job({ jobid, command: './live', size: 4, run_dir: '/tmp', start_time: 1_795_188_214_224 });
  pusher.describeCounter('mpi___hits___mpi_allreduce', 'doc of it');
  pusher.describeCounter('idle_total', 'never moves');
  pusher.describeGauge('capi_temperature{b="1",a="2"}', 'temperature');
  pusher.increase('mpi___hits___mpi_allreduce', by);
  pusher.set('capi_temperature{b="1",a="2"}', 49);
  await eventually(async () => {
    const found = await get(here, `/job/?job=${encodeURIComponent(jobid)}`);
    return found.status === 200 && counterIn(found.json() as Job, 'capi_temperature{b="1",a="2"}') !== undefined;
  });
  return pusher;
}

async function ended(here: Here, jobid: string, times = 1): Promise<void> {
  await eventually(
    async () => (await here.client.runs({ state: 'ended' })).runs.filter((run) => run.jobid === jobid).length === times,
  );
}

describe('the answers have the shape of the recorded ones', () => {
  test('/job/list', async () => {
    const here = await startHere();
    await startJob(here, 'live-1');
    const list = (await json(here, '/job/list')) as { jobid: string; command: string; nodelist: string }[];
    expect(shapeOf(list)).toEqual(shapeOf(golden('job_list.json')));
    const { host } = (await here.client.nodes()).nodes[0]!;
    const sums = list
      .filter(({ jobid }) => jobid !== 'live-1')
      .map(({ jobid, command, nodelist }) => [jobid, command, nodelist]);
    const recorded = (golden('job_list.json') as typeof list).filter(({ jobid }) => jobid !== 'live-1');
    // The same texts, for this host.
    const ofThisHost = recorded.map(({ jobid, command, nodelist }) =>
      [jobid, command, nodelist].map((text) => text.replace(/\bvm\b/, host)),
    );
    expect(new Set(sums.map(String))).toEqual(new Set(ofThisHost.map(String)));
    expect(list.find(({ jobid }) => jobid === 'live-1')).toEqual(
      (golden('job_list.json') as typeof list).find(({ jobid }) => jobid === 'live-1'),
    );
    expect(await json(here, '/job/list/')).toEqual(list);
  });

  test('/job/?job=ID, with the zero counters and the metrics of the node', async () => {
    const here = await startHere();
    await startJob(here, 'live-1');
    const live = await jobOf(here, 'live-1');
    const recorded = golden('job_live.json') as Job;
    expect(shapeOf(live)).toEqual(shapeOf(recorded));
    expect(live.desc).toEqual(recorded.desc);
    expect(counterIn(live, 'mpi___hits___mpi_allreduce')).toEqual({
      Counter: { ts: expect.any(Number) as number, value: 400 },
    });
    expect(counterIn(live, 'idle_total')).toEqual({ Counter: { ts: expect.any(Number) as number, value: 0 } });
    // As the client spelled it.
    expect(counterIn(live, 'capi_temperature{b="1",a="2"}')).toEqual({
      Gauge: { min: 49, max: 49, hits: 1, total: 49 },
    });
    expect(live.counters.some((c) => c.name.startsWith('proxy_'))).toBe(true);
    expect(await json(here, '/job?job=live-1')).toMatchObject({ desc: live.desc });
    const names = live.counters.map((c) => c.name);
    expect(new Set(names).size).toBe(names.length);
    const moved = await eventually(async () => {
      const now = counterIn(await jobOf(here, 'live-1'), 'mpi___hits___mpi_allreduce');
      return now && 'Counter' in now && now.Counter.ts > 0 && now.Counter.ts;
    });
    // µs since the epoch.
    expect(Math.abs(moved / 1000 - Date.now())).toBeLessThan(600_000);
  });

  test('/job and /job/: all jobs and both sums, without zero counters', async () => {
    const here = await startHere();
    await startJob(here, 'live-1');
    for (const path of ['/job', '/job/']) {
      const jobs = (await json(here, path)) as Job[];
      expect(jobs.map((job) => job.desc.jobid).toSorted()).toEqual([
        `Node: ${(await here.client.nodes()).nodes[0]!.host}`,
        'live-1',
        'main',
      ]);
      for (const job of jobs) {
        expect(shapeOf(job)).toEqual(shapeOf(golden('job_live.json')));
        for (const { name, ctype } of job.counters)
          if ('Counter' in ctype) expect(ctype.Counter.value, name).not.toBe(0);
      }
    }
  });

  test('/profiles, /profiles/percmd, /profiles/get and /get', async () => {
    const here = await startHere();
    await (await startJob(here, 'capi-1')).close();
    await ended(here, 'capi-1');
    const list = await json(here, '/profiles');
    expect(shapeOf(list)).toEqual(shapeOf(golden('profiles.json')));
    const commands = (await json(here, '/profiles/percmd')) as Record<string, unknown>;
    expect(commands).toEqual({ './live': list });
    const [recorded] = Object.values(golden('profiles_percmd.json') as object) as unknown[];
    expect(shapeOf(commands['./live'])).toEqual(shapeOf(recorded));
    const profile = (await json(here, '/profiles/get?jobid=capi-1')) as Job;
    for (const file of ['profiles_get_capi.json', 'profiles_get.json', 'profiles_get_live.json'])
      expect(shapeOf(profile), file).toEqual(shapeOf(golden(file)));
    expect(profile.desc).toEqual((list as unknown[])[0]);
    expect(profile.desc.end_time).toBeGreaterThan(0);
    expect(valueIn(profile, 'mpi___hits___mpi_allreduce')).toBe(400);
    expect(counterIn(profile, 'idle_total')).toBeUndefined();
    expect(counterIn(profile, 'capi_temperature{b="1",a="2"}')).toEqual({
      Gauge: { min: 49, max: 49, hits: 1, total: 49 },
    });
    expect(profile.counters.some((c) => c.name.startsWith('proxy_'))).toBe(true);
    expect(await json(here, '/get?jobid=capi-1')).toEqual(profile);
  });

  test.each([
    ['/job/?job=nosuch', 'job_unknown.json'],
    ['/job?job=', 'job_unknown.json'],
    ['/job/?job=main&job=main', 'job_unknown.json'],
    ['/job/zzz', 'unknown_sub.json'],
    ['/metrics?job=nosuch', 'metrics_unknown.json'],
    ['/metrics/?job=nosuch', 'metrics_unknown.json'],
    ['/profiles/get?jobid=nosuch', 'profiles_get_unknown.json'],
    ['/get?jobid=nosuch', 'profiles_get_unknown.json'],
    ['/get/?jobid=nosuch', 'profiles_get_unknown.json'],
  ])('%s is refused as recorded', async (path, file) => {
    const here = await startHere();
    const answer = await get(here, path);
    expect([answer.status, answer.type]).toEqual([400, 'application/json; charset=utf-8']);
    expect(answer.json()).toEqual(golden(file));
  });

  test.each([
    '/profiles/get',
    '/get?jobid=a&jobid=b',
    '/metrics?job=a&job=b',
    '/metrics?job=',
    '/job/list/x',
    '/profiles/zzz',
    '/job/%F0%9F%98%80',
  ])('%s is refused with the same two members', async (path) => {
    const here = await startHere();
    const answer = await get(here, path);
    expect(answer.status).toBe(400);
    expect(answer.json()).toEqual({ operation: expect.any(String) as string, success: false });
  });
});

describe('a job id that came back', () => {
  test('has the profile of its latest run, and stands once in the lists', async () => {
    const here = await startHere();
    for (const [i, by] of [10, 20, 30].entries()) {
      const pusher = await here.pusher();
      pusher.job({ jobid: 'again', command: `./v${i}`, start_time: 1_795_188_000_000 + i });
      pusher.describeCounter('x_total');
      pusher.increase('x_total', by);
      await pusher.close();
      await ended(here, 'again', i + 1);
    }
    const profile = (await json(here, '/profiles/get?jobid=again')) as Job;
    expect([profile.desc['command'], valueIn(profile, 'x_total')]).toEqual(['./v2', 30]);
    expect(await json(here, '/profiles')).toEqual([profile.desc]);
    expect(await json(here, '/profiles/percmd')).toEqual({ './v2': [profile.desc] });
    expect(valueIn(await jobOf(here, 'main'), 'x_total')).toBe(60);
  });

  test('shows the run that is live', async () => {
    const here = await startHere();
    await (await startJob(here, 'again', 7)).close();
    await ended(here, 'again');
    await startJob(here, 'again', 1);
    expect(valueIn(await jobOf(here, 'again'), 'mpi___hits___mpi_allreduce')).toBe(1);
  });
});

describe('main', () => {
  test('is the node, clients without a job, and runs live and ended; it never falls', async () => {
    const here = await startHere();
    const free = await here.pusher();
    free.describeCounter('x_total');
    free.increase('x_total', 1);
    const one = await here.pusher();
    one.job({ jobid: 'one' });
    one.describeCounter('x_total');
    one.describeCounter('x_total{b="1",a="2"}');
    one.increase('x_total', 10);
    one.increase('x_total{b="1",a="2"}', 5);
    const two = await here.pusher();
    two.job({ jobid: 'two' });
    two.describeCounter('x_total');
    two.describeCounter('x_total{a="2",b="1"}');
    two.increase('x_total', 100);
    two.increase('x_total{a="2",b="1"}', 6);

    let last = 0;
    const total = async (): Promise<number> => {
      const main = await jobOf(here, 'main');
      const value = valueIn(main, 'x_total') || 0;
      expect(value).toBeGreaterThanOrEqual(last);
      return (last = value);
    };
    await eventually(async () => (await total()) === 111);
    const { host } = (await here.client.nodes()).nodes[0]!;
    expect(valueIn(await jobOf(here, `Node: ${host}`), 'x_total')).toBe(111);
    // Two spellings of one metric.
    const main = await jobOf(here, 'main');
    expect(
      main.counters
        .filter((c) => c.name.startsWith('x_total{'))
        .map((c) => (c.ctype as { Counter: { value: number } }).Counter.value),
    ).toEqual([11]);
    expect(main.desc).toMatchObject({ jobid: 'main', command: 'Sum of all Jobs', start_time: 0 });

    await one.close();
    let rounds = 0;
    await eventually(async () => {
      await total();
      rounds++;
      return (await here.client.runs({ state: 'live' })).runs.length === 1;
    });
    expect(rounds).toBeGreaterThan(0);
    free.destroy();
    two.destroy();
    await eventually(async () => {
      await total();
      return (
        (await here.client.runs({ state: 'live' })).runs.length === 0 &&
        (await here.client.status()).ingest.connections === 0
      );
    });
    expect(await total()).toBe(111);
    expect(valueIn(await jobOf(here, `Node: ${host}`), 'x_total')).toBe(111);
  });

  test.each(['main', 'Node: anything', ''])('no client can take the name %j', async (jobid) => {
    const here = await startHere();
    const pusher = await here.pusher();
    pusher.job({ jobid });
    pusher.describeCounter('x_total');
    pusher.increase('x_total', 3);
    await eventually(async () => valueIn(await jobOf(here, 'main'), 'x_total') === 3);
    expect((await here.client.runs({ state: 'live' })).runs).toEqual([]);
    const { rejected } = (await here.client.status()).ingest;
    expect(rejected).toEqual(jobid === '' ? {} : { jobid_reserved: 1 });
  });
});

describe('hostile names', () => {
  const names = [
    '../../etc/passwd',
    '<script>alert(1)</script>',
    `"quoted"`,
    'a\\b',
    '\u202eright-to-left',
    '__proto__',
    'constructor',
    'a&b=c#d?e',
    '%2e%2e',
    '😀',
  ];

  test('are data in every list, and are found by their own name', async () => {
    const here = await startHere();
    for (const jobid of names) {
      const pusher = await here.pusher();
      pusher.job({ jobid, command: jobid, run_dir: jobid });
      pusher.describeCounter(jobid, jobid);
      pusher.increase(jobid, 1);
    }
    await eventually(
      async () =>
        (await here.client.runs({ state: 'live' })).runs.filter((run) => run.series === 1).length === names.length,
    );
    const list = (await json(here, '/job/list')) as Job['desc'][];
    expect(list.slice(2).map(({ jobid }) => jobid)).toEqual(names);
    for (const jobid of names) {
      const job = await jobOf(here, jobid);
      expect([job.desc.jobid, valueIn(job, jobid)]).toEqual([jobid, 1]);
      expect((await get(here, `/metrics?job=${encodeURIComponent(jobid)}`)).status).toBe(200);
    }
  });

  test('are found as profiles too', async () => {
    const here = await startHere();
    for (const jobid of names) {
      const pusher = await here.pusher();
      pusher.job({ jobid, command: jobid });
      pusher.describeCounter('x_total');
      pusher.increase('x_total', 1);
      await pusher.close();
    }
    await eventually(async () => (await here.client.runs({ state: 'ended' })).runs.length === names.length);
    const commands = (await get(here, '/profiles/percmd')).body;
    const parsed = new Map(Object.entries(JSON.parse(commands) as Record<string, { jobid: string }[]>));
    for (const jobid of names) {
      expect(
        parsed.get(jobid)?.map((desc) => desc.jobid),
        jobid,
      ).toEqual([jobid]);
      const profile = (await json(here, `/get?jobid=${encodeURIComponent(jobid)}`)) as Job;
      expect(profile.desc.jobid).toBe(jobid);
    }
  });
});
