import { createServer } from 'node:http';
import { hostname } from 'node:os';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { golden, recordedJobs, recordedSession } from '../../support/recording.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { ask, startHere, type Here } from '../http/here.ts';
import { listed, metric, send } from './support.ts';

/** A child that answers `/job` as the recorded one did, one answer after the other, the last one again and again. */
async function child(answers: readonly string[]): Promise<{ port: number; next: () => void }> {
  let at = 0;
  const server = createServer((request, response) => {
    const body = answers[Math.min(at, answers.length - 1)]!;
    response.setHeader('content-type', 'application/json; charset=utf-8');
    if (request.url === '/job') return void response.end(body);
    if (request.url === '/job/list') {
      return void response.end(JSON.stringify((JSON.parse(body) as { desc: unknown }[]).map(({ desc }) => desc)));
    }
    if (request.url === '/join/list') return void response.end(JSON.stringify(golden('join_list.json')));
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, next: () => void at++ };
}

describe('the recorded session of a root and two children', () => {
  test('pivot, join, list, tree and removal, as recorded', async () => {
    const session = recordedSession();
    const here = await startHere({ node: false, compat: true });
    const children = {
      'vm:21461': await child(recordedJobs('child1')),
      'vm:21462': await child(recordedJobs('child2')),
    };
    const self = `${hostname()}:${new URL(here.url).port}`;
    /** Their names in what was recorded, ours in what is asked. */
    const ours = (text: string): string =>
      Object.entries(children)
        .reduce((sum, [name, { port }]) => sum.replaceAll(name, `127.0.0.1:${port}`), text)
        .replaceAll('vm:21460', self);
    for (const one of session.filter(({ to }) => to === 'root')) {
      const answer = await ask(here, ours(one.path));
      if (/^\/(pivot|join\?|topo|remove)/.test(one.path)) {
        expect([one.path, answer.status, answer.json()]).toEqual([one.path, one.status, JSON.parse(ours(one.body))]);
      } else if (one.path === '/is_admire_proxy.html') expect(answer.body).toContain('<html>');
      else if (one.path === '/join/list') {
        const proxies = (JSON.parse(ours(one.body)) as { ttype: string; target_url: string; period: number }[]).filter(
          ({ ttype }) => ttype === 'Proxy',
        );
        // Periods below 250 ms are brought to that.
        expect(answer.json()).toEqual(
          proxies.map(({ target_url, ttype, period }) => ({
            target_url,
            ttype,
            period: Math.max(250, period),
            last_scrape: expect.any(Number) as number,
          })),
        );
      }
    }
    expect((await listed(here)).counts.total).toBe(1);
  });

  test('what the children count is counted once', async () => {
    const one = recordedJobs('child1').map((body) => body.replaceAll('Node: vm', 'Node: elsewhere'));
    const here = await startHere({ node: false, compat: true });
    const { port, next } = await child(one);
    expect((await ask(here, `/join?to=127.0.0.1:${port}&period=250`)).status).toBe(200);
    await eventually(async () => (await metric(here, 'proxy_cpu_total')) === 2);
    next();
    next();
    const last = JSON.parse(one[2]!) as {
      desc: { jobid: string };
      counters: { name: string; ctype: { Counter?: { value: number } } }[];
    }[];
    const job = last.find(({ desc }) => desc.jobid === 'tbonjob')!;
    const [name, value] = job.counters.flatMap(({ name: n, ctype }) =>
      ctype.Counter && ctype.Counter.value > 0 ? [[n, ctype.Counter.value] as const] : [],
    )[0]!;
    await eventually(async () => (await metric(here, name, 'tbonjob')) === value);
    // It stands in the job and, as an old proxy has it, in the sum of its host: in the sum of all it is there once.
    expect(await metric(here, name)).toBe(value);
    expect(await metric(here, 'proxy_cpu_total', 'Node: elsewhere')).toBe(2);
    expect(await metric(here, 'proxy_cpu_total', `Node: ${hostname()}`)).toBeNull();
    const jobs = (await ask(here, '/job/list')).json() as { jobid: string; command: string }[];
    expect(jobs.map(({ jobid }) => jobid)).toEqual(['main', `Node: ${hostname()}`, 'Node: elsewhere', 'tbonjob']);
    const { targets } = await listed(here);
    expect(targets[1]).toMatchObject({ type: 'proxy', state: 'up' });
    expect(targets[1]!.scopes.map((scope) => scope.split('/').slice(2).join('/'))).toEqual([
      '',
      'node/elsewhere',
      'run/tbonjob@1795188298582',
    ]);
    expect(targets[1]!.notes.join()).toContain('proxy_network_…_total are not taken');
    expect(await metric(here, 'proxy_network_receive_packets_total{interface="eth0"}')).toBeNull();
  });
});

/** What an old proxy answers to `/job` with these jobs, each with its counters beside one gauge. */
function jobsBody(jobs: Readonly<Record<string, { start: number; count: number }>>): string {
  const desc = {
    command: './tbonapp',
    size: 2,
    nodelist: '',
    partition: '',
    cluster: '',
    run_dir: '/tmp',
    end_time: 0,
  };
  const counter = (value: number): unknown => ({ name: 'c_total', doc: '', ctype: { Counter: { ts: 1, value } } });
  const gauge = { name: 'g', doc: '', ctype: { Gauge: { min: 1, max: 3, hits: 2, total: 4 } } };
  const sum = Object.values(jobs).reduce((total, { count }) => total + count, 0);
  return JSON.stringify([
    { desc: { ...desc, jobid: 'main', start_time: 0 }, counters: [counter(sum)] },
    { desc: { ...desc, jobid: 'Node: far', start_time: 0 }, counters: [counter(sum)] },
    ...Object.entries(jobs).map(([jobid, { start, count }]) => ({
      desc: { ...desc, jobid, start_time: start },
      counters: [counter(count), gauge],
    })),
  ]);
}

const START = 1_795_188_298_582;

async function profileOf(here: Here, jobid: string): Promise<{ status: number; body: unknown }> {
  const { status, body } = await ask(here, `/profiles/get?jobid=${jobid}`);
  return { status, body: JSON.parse(body) as unknown };
}

interface CompatProfile {
  readonly desc: { readonly jobid: string; readonly start_time: number; readonly end_time: number };
  readonly counters: readonly { readonly name: string; readonly ctype: unknown }[];
}

describe('a job that a joined proxy told of, when it is over', () => {
  test('the recorded one: profile as any own run, listed as finished, with its last values', async () => {
    const bodies = recordedJobs('child1').map((body) => body.replaceAll('Node: vm', 'Node: elsewhere'));
    const here = await startHere({ node: false, compat: true });
    const live = bodies.findLastIndex((body) => body.includes('"jobid":"tbonjob"'));
    const jobs = JSON.parse(bodies[live]!) as { desc: { jobid: string } }[];
    const after = JSON.stringify(jobs.filter(({ desc }) => desc.jobid !== 'tbonjob'));
    const { port, next } = await child([bodies[0]!, bodies[live]!, after]);
    expect((await ask(here, `/join?to=127.0.0.1:${port}&period=250`)).status).toBe(200);
    await eventually(async () => (await metric(here, 'proxy_cpu_total')) === 2);
    next();
    await eventually(async () => (await metric(here, 'trc___hits___c0002', 'tbonjob')) === 6);
    expect((await ask(here, '/profiles')).json()).toEqual([]);
    next();
    const desc = await eventually(async () => ((await ask(here, '/profiles')).json() as CompatProfile['desc'][])[0]);
    const wanted = (golden('tbon_root_profiles.json') as CompatProfile['desc'][])[0]!;
    expect(desc).toEqual({ ...wanted, end_time: expect.any(Number) as number });
    expect(desc.end_time).toBeGreaterThanOrEqual(desc.start_time);
    const { status, body } = await profileOf(here, 'tbonjob');
    expect(status).toBe(200);
    const profile = body as CompatProfile;
    expect(profile.desc).toEqual(desc);
    const values = new Map(profile.counters.map(({ name, ctype }) => [name, ctype]));
    // As the child has them; the old root has the first value of each twice.
    for (const [name, value] of [
      ['trc___hits___c0000', 2],
      ['trc___hits___c0001', 4],
      ['trc___hits___c0002', 6],
    ] as const) {
      expect([name, values.get(name)]).toEqual([name, { Counter: { ts: expect.any(Number) as number, value } }]);
    }
    // With those of its host beside them, as theirs has them, but for what they add up again, and how long it took.
    const theirs = (golden('tbon_root_profiles_get_jobid_tbonjob.json') as CompatProfile).counters.map(
      ({ name }) => name,
    );
    const lacking = theirs.filter((name) => !values.has(name) && !/^(proxy_network_\w+_total|walltime)/.test(name));
    expect(lacking).toEqual([]);
    // It has left the list of jobs, the sum keeps what it counted, and our own list has it as finished.
    expect((await ask(here, '/job/?job=tbonjob')).status).toBe(400);
    expect(await metric(here, 'trc___hits___c0002')).toBe(6);
    const { runs } = await here.client.runs({ state: 'ended' });
    expect(runs).toEqual([
      expect.objectContaining({ jobid: 'tbonjob', state: 'finished', nodes: ['elsewhere'], size: 2 }),
    ]);
    const own = await here.client.profile(runs[0]!.id);
    expect(own.run.id).toBe(runs[0]!.id);
    expect(own.series.find(({ name }) => name === 'trc___hits___c0002')?.value).toBe(6);
    // Its history stays where it was written.
    const range = { scope: runs[0]!.scope, series: ['trc___hits___c0002'], from: runs[0]!.end_time - 60_000 };
    const { series } = await here.client.query({ ...range, to: runs[0]!.end_time, maxPoints: 10 });
    expect(series[0]?.last?.at(-1)).toBe(6);
  });

  test('one that is back within the grace is the same run; gauges have their last values', async () => {
    const here = await startHere({ node: false, compat: true, grace: '2s' });
    const none = jobsBody({});
    const bodies = [
      none,
      jobsBody({ a: { start: START, count: 5 } }),
      none,
      jobsBody({ a: { start: START, count: 7 } }),
      none,
    ];
    const { port, next } = await child(bodies);
    expect((await ask(here, `/join?to=127.0.0.1:${port}&period=250`)).status).toBe(200);
    const scrapes = async (): Promise<number> => (await listed(here)).targets[1]?.durations.length ?? 0;
    await eventually(async () => (await scrapes()) > 0);
    next();
    await eventually(async () => (await metric(here, 'c_total', 'a')) === 5);
    next();
    const before = await scrapes();
    await eventually(async () => (await scrapes()) >= before + 3);
    // Not listed there, and not over here.
    expect(await metric(here, 'c_total', 'a')).toBe(5);
    next();
    await eventually(async () => (await metric(here, 'c_total', 'a')) === 7);
    expect(await metric(here, 'c_total')).toBe(7);
    next();
    const profile = await eventually(async () => {
      const { status, body } = await profileOf(here, 'a');
      return status === 200 ? (body as CompatProfile) : undefined;
    });
    const values = Object.fromEntries(profile.counters.map(({ name, ctype }) => [name, ctype]));
    expect(values).toMatchObject({
      c_total: { Counter: { value: 7 } },
      g: { Gauge: { min: 1, max: 3, hits: 2, total: 4 } },
    });
    expect((await here.client.runs({ state: 'ended' })).runs).toHaveLength(1);
    expect(await metric(here, 'c_total')).toBe(7);
  });

  test('one that comes back later is another run, and what it had is counted once', async () => {
    const here = await startHere({ node: false, compat: true });
    const none = jobsBody({});
    const bodies = [
      none,
      jobsBody({ a: { start: START, count: 5 } }),
      none,
      jobsBody({ a: { start: START, count: 8 } }),
      none,
    ];
    const { port, next } = await child(bodies);
    expect((await ask(here, `/join?to=127.0.0.1:${port}&period=250`)).status).toBe(200);
    await eventually(async () => ((await listed(here)).targets[1]?.durations.length ?? 0) > 0);
    next();
    await eventually(async () => (await metric(here, 'c_total', 'a')) === 5);
    next();
    await eventually(async () => (await here.client.runs({ state: 'ended' })).runs.length === 1);
    next();
    await eventually(async () => (await ask(here, '/job/?job=a')).status === 200);
    expect(await metric(here, 'c_total')).toBe(5);
    next();
    await eventually(async () => (await here.client.runs({ state: 'ended' })).runs.length === 2);
    expect(await metric(here, 'c_total')).toBe(5);
  });

  test('interrupted when its target is taken off the list; one run when that is undone', async () => {
    const here = await startHere({ node: false, compat: true });
    const bodies = [jobsBody({}), ...[5, 6].map((count) => jobsBody({ a: { start: START, count } })), jobsBody({})];
    const { port, next } = await child(bodies);
    expect((await ask(here, `/join?to=127.0.0.1:${port}&period=250`)).status).toBe(200);
    await eventually(async () => ((await listed(here)).targets[1]?.durations.length ?? 0) > 0);
    next();
    await eventually(async () => (await metric(here, 'c_total', 'a')) === 5);
    const { id } = (await listed(here)).targets[1]!;
    await send(here, 'DELETE', `/targets/${id}`);
    const [run] = await eventually(async () => {
      const { runs } = await here.client.runs({ state: 'ended' });
      return runs.length > 0 ? runs : undefined;
    });
    expect(run).toMatchObject({ jobid: 'a', state: 'interrupted' });
    const { series } = await here.client.profile(run!.id);
    expect(Object.fromEntries(series.map(({ name, value }) => [name, value]))).toEqual({ c_total: 5, g: 2 });
    expect((await send(here, 'POST', `/targets/${id}/restore`)).status).toBe(200);
    await eventually(async () => (await here.client.run(run!.id)).state === 'running');
    // Only what it grows by from now on is added.
    const scrapes = async (): Promise<number> => (await listed(here)).targets[1]?.durations.length ?? 0;
    const before = await scrapes();
    await eventually(async () => (await scrapes()) > before);
    next();
    await eventually(async () => (await metric(here, 'c_total', 'a')) === 6);
    next();
    const over = await eventually(async () => {
      const { runs } = await here.client.runs({ state: 'ended' });
      return runs.length > 0 ? runs : undefined;
    });
    expect(over).toEqual([expect.objectContaining({ id: run!.id, state: 'finished' })]);
    expect((await here.client.profile(run!.id)).series.find(({ name }) => name === 'c_total')?.value).toBe(6);
    expect(await metric(here, 'c_total')).toBe(6);
  });

  test('it outlives a restart of the engine as one run', async () => {
    const data = temporaryFolder();
    const bodies = [jobsBody({}), ...[5, 9].map((count) => jobsBody({ a: { start: START, count } })), jobsBody({})];
    const { port, next } = await child(bodies);
    const first = await startHere({ node: false, compat: true, data });
    expect((await ask(first, `/join?to=127.0.0.1:${port}&period=250`)).status).toBe(200);
    await eventually(async () => ((await listed(first)).targets[1]?.durations.length ?? 0) > 0);
    next();
    await eventually(async () => (await metric(first, 'c_total', 'a')) === 5);
    await first.engine.close();
    const second = await startHere({ node: false, compat: true, data });
    await eventually(async () => (await metric(second, 'c_total', 'a')) === 5);
    const { durations } = (await listed(second)).targets[1]!;
    await eventually(async () => (await listed(second)).targets[1]!.durations.length > durations.length);
    next();
    await eventually(async () => (await metric(second, 'c_total', 'a')) === 9);
    next();
    const over = await eventually(async () => {
      const { runs } = await second.client.runs({ state: 'ended' });
      return runs[0]?.state === 'finished' ? runs : undefined;
    });
    expect(over).toHaveLength(1);
    expect((await second.client.profile(over[0]!.id)).series.find(({ name }) => name === 'c_total')?.value).toBe(9);
  });
});

const post = (here: Here, route: string): ReturnType<typeof ask> =>
  ask(here, route, { method: 'POST', headers: { authorization: `Bearer ${here.engine.token}` } });

test('without --compat nothing changes on GET; with the token, POST does the same', async () => {
  const here = await startHere({ node: false });
  const headers = { authorization: `Bearer ${here.engine.token}` };
  const { port } = await child(['[{"desc":{"jobid":"main","command":"","nodelist":""},"counters":[]}]']);
  for (const route of [
    `/join?to=127.0.0.1:${port}`,
    '/pivot?from=a:1',
    '/remove?from=a:1&target=b:1',
    '/disconnect?target=a:1',
    '/leave?from=a:1',
  ]) {
    expect([route, (await ask(here, route, { headers })).status]).toEqual([route, 405]);
  }
  expect((await listed(here)).counts.total).toBe(1);
  const answer = await post(here, `/join?to=127.0.0.1:${port}`);
  expect([answer.status, answer.json()]).toEqual([
    200,
    { operation: `Added 127.0.0.1:${port} for scraping`, success: true },
  ]);
  expect((await post(here, `/disconnect?target=127.0.0.1:${port}`)).status).toBe(200);
  expect((await listed(here)).counts.total).toBe(1);
});

test('several at once, by commas or in a body; nothing where nothing is', async () => {
  const here = await startHere({ node: false, compat: true });
  const ports = [];
  for (let i = 0; i < 3; i++)
    ports.push((await child(['[{"desc":{"jobid":"main","command":"","nodelist":""},"counters":[]}]'])).port);
  const [a, b, c] = ports.map((port) => `127.0.0.1:${port}`);
  expect((await ask(here, `/join/multiple?to=${a},${b}&period=500`)).status).toBe(200);
  const body = JSON.stringify({ targets: [c], period: 1000 });
  const headers = { authorization: `Bearer ${here.engine.token}`, 'content-type': 'application/json' };
  expect((await ask(here, '/join/multiple', { method: 'POST', headers, body })).status).toBe(200);
  const joined = (await listed(here)).targets.slice(1).map(({ url, period }) => `${url} ${period}`);
  expect(new Set(joined)).toEqual(new Set([`http://${a} 500ms`, `http://${b} 500ms`, `http://${c} 1s`]));
  const bad = await ask(here, '/join?to=127.0.0.1:1');
  expect([bad.status, bad.json()]).toEqual([400, golden('join_bad.json')]);
});

/** A node exporter, as far as its text goes. */
async function exporter(): Promise<number> {
  const server = createServer((request, response) => {
    if (request.url !== '/metrics') return void response.writeHead(404).end();
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end('# TYPE node_load1 gauge\nnode_load1 1.5\n');
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

test('the examples of the old proxy’s README: an exporter is added by host and port, and listed beside the node', async () => {
  const here = await startHere({ node: true, compat: true });
  const port = await exporter();
  const before = Date.now();
  const added = await ask(here, `/join?to=localhost:${port}`);
  expect([added.status, added.json()]).toEqual([
    200,
    { operation: `Added localhost:${port} for scraping`, success: true },
  ]);
  // It stands in the sum of all and in that of the node, and in no other job.
  await eventually(async () => (await metric(here, 'node_load1')) === 1.5);
  expect(await metric(here, 'node_load1', `Node: ${hostname()}`)).toBe(1.5);
  const list = await eventually(async () => {
    const entries = (await ask(here, '/join/list')).json() as { last_scrape: number }[];
    return entries.every(({ last_scrape }) => last_scrape > 0) ? entries : undefined;
  });
  const scraped = expect.any(Number) as number;
  // Five seconds, as there; periods in milliseconds, times in seconds.
  expect(list).toEqual([
    { target_url: '/system', ttype: 'System', period: 50, last_scrape: scraped },
    { target_url: `http://localhost:${port}/metrics`, ttype: 'Prometheus', period: 5000, last_scrape: scraped },
  ]);
  for (const { last_scrape } of list) {
    expect(last_scrape).toBeGreaterThanOrEqual(Math.floor(before / 1000));
    expect(last_scrape).toBeLessThan(before / 1000 + 600);
  }
});

test('the period of /join is in milliseconds, and what a target cannot have is brought to what is next to it', async () => {
  const here = await startHere({ node: false, compat: true });
  const periods = { '500': 500, '60000': 60_000, '100': 250, '5': 250, '99999999': 3_600_000, '0': 5000, soon: 5000 };
  for (const [period, wanted] of Object.entries(periods)) {
    const port = await exporter();
    expect((await ask(here, `/join?to=localhost:${port}&period=${period}`)).status).toBe(200);
    const list = (await ask(here, '/join/list')).json() as { target_url: string; period: number }[];
    expect([period, list.find(({ target_url }) => target_url.includes(`:${port}/`))?.period]).toEqual([period, wanted]);
  }
});

test('a third child goes below the first one, as recorded', async () => {
  const here = await startHere({ node: false, compat: true });
  const self = `${hostname()}:${new URL(here.url).port}`;
  const parents = [];
  for (const n of [1, 2, 3]) parents.push((await ask(here, `/pivot?from=node${n}:1337`)).json());
  expect(parents).toEqual([self, self, 'node1:1337'].map((operation) => ({ operation, success: true })));
  expect((await ask(here, '/topo')).json()).toEqual([
    [self, 'node1:1337'],
    [self, 'node2:1337'],
    ['node1:1337', 'node3:1337'],
  ]);
});
