/**
 * What the old proxy's README tells its readers to type and to expect, line by line: the requests as they stand there,
 * the answers held beside the ones it shows. Jobs are pushed with our own command where it uses its launcher.
 */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { bareJob } from '../../../src/shared/model/job.ts';
import { eventually } from '../../support/wait.ts';
import { ask, startHere, type Answer, type Here } from './here.ts';

/** Runs a line with curl, or a bare URL, against this engine instead of port 1337. No token: README's readers have none. */
function type(here: Here, line: string): Promise<Answer> {
  const words = [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? '');
  if (words[0] === 'curl') words.shift();
  let url: URL | null = null;
  let body: string | undefined;
  const headers: Record<string, string> = {};
  while (words.length > 0) {
    const word = words.shift()!;
    if (word === '-s') continue;
    if (word === '-d') body = words.shift()!;
    else if (word === '-H') {
      const [name = '', value = ''] = words.shift()!.split(': ');
      headers[name] = value;
    } else url = new URL(word);
  }
  if (!url || url.port !== '1337') throw new Error(`not of the README: ${line}`);
  return ask(here, url.pathname + url.search, { headers, ...(body === undefined ? {} : { method: 'POST', body }) });
}

/** Everything that the README shows is in the answer, with the same type; an answer may have more. */
function includes(answer: unknown, shown: unknown, where = 'answer'): void {
  if (Array.isArray(shown)) {
    expect(Array.isArray(answer), where).toBe(true);
    for (const one of shown) {
      const like = (answer as unknown[]).find((other) => isLike(other, one));
      expect(like, `${where}: nothing like ${JSON.stringify(one)}`).toBeDefined();
    }
  } else if (typeof shown === 'object' && shown !== null) {
    for (const [key, one] of Object.entries(shown)) {
      expect(answer, where).toHaveProperty([key]);
      includes((answer as Record<string, unknown>)[key], one, `${where}.${key}`);
    }
  } else expect(typeof answer, where).toBe(typeof shown);
}

function isLike(answer: unknown, shown: unknown): boolean {
  try {
    includes(answer, shown);
    return true;
  } catch {
    return false;
  }
}

const DESC = bareJob('main');
const GAUGE = { Gauge: { min: 8, max: 8, hits: 1, total: 8 } };
/** Without `ts`, as the first proxy had it. */
const COUNTER = { Counter: { value: 0 } };

async function started(): Promise<Here> {
  const here = await startHere({ compat: true });
  // proxy_run -j testls -- ls -R /
  const ended = await here.pusher();
  ended.job({ jobid: 'testls', command: 'ls -R /', size: 1, run_dir: '/XXX', start_time: 1_699_020_317 });
  ended.describeCounter('strace___hits___write', 'calls');
  ended.increase('strace___hits___write', 3);
  await ended.close();
  // proxy_run -j testjob -- yes
  const live = await here.pusher();
  live.job({ jobid: 'testjob', command: 'yes', size: 1 });
  live.describeCounter('strace___hits___write', 'calls');
  live.increase('strace___hits___write', 2);
  await eventually(async () => {
    const { runs } = await here.client.runs();
    return runs.some((run) => run.state === 'finished') && runs.some((run) => run.series > 0 && run.clients > 0);
  });
  return here;
}

describe('the README of the old proxy', () => {
  test('"now have a testjob line"', async () => {
    const here = await started();
    const list = (await type(here, 'http://localhost:1337/job/list')).json() as { jobid: string }[];
    expect(list.map(({ jobid }) => jobid)).toContain('testjob');
    const job = (await type(here, 'http://localhost:1337/job/?job=testjob')).json();
    // "Both job metrics and node level metrics are collated in these metrics"
    includes(job, {
      desc: DESC,
      counters: [
        { name: 'strace', doc: '', ctype: COUNTER },
        { name: 'x', doc: '', ctype: GAUGE },
      ],
    });
  });

  test('the interface is at /', async () => {
    const here = await started();
    const answer = await type(here, 'http://localhost:1337');
    // 503 in words where the page was not built.
    expect([200, 503]).toContain(answer.status);
  });

  test('/job/list and /job', async () => {
    const here = await started();
    includes((await type(here, 'http://localhost:1337/job/list')).json(), [DESC]);
    const jobs = (await type(here, 'http://localhost:1337/job')).json() as { desc: { jobid: string } }[];
    includes(jobs, [{ desc: DESC, counters: [{ name: 'proxy_cpu_total', doc: '', ctype: GAUGE }] }]);
    const { host } = (await here.client.nodes()).nodes[0]!;
    for (const jobid of ['main', `Node: ${host}`]) {
      const found = jobs.find(({ desc }) => desc.jobid === jobid);
      includes(found, {
        desc: DESC,
        counters: [{ name: 'proxy_network_receive_packets_total{interface="lo"}', doc: '', ctype: COUNTER }],
      });
    }
  });

  test('/job/?job=main', async () => {
    const here = await started();
    includes((await type(here, 'http://localhost:1337/job/?job=main')).json(), { desc: DESC, counters: [] });
  });

  test('alarms: added, listed and deleted', async () => {
    const here = await started();
    const add = `curl -s http://localhost:1337/alarms/add -H "Content-Type: application/json" -d '{ "name": "My Alarm", "target": "main", "metric": "proxy_cpu_load_average_percent", "operation": ">", "value": 33 }'`;
    const deletes = [
      'curl "http://localhost:1337/alarms/del?targetjob=main&name=My%20Alarm"',
      `curl -s http://localhost:1337/alarms/del -H "Content-Type: application/json" -d '{"target": "main", "name": "My Alarm"}'`,
    ];
    const alarm = {
      ...{ name: 'My Alarm', metric: 'proxy_cpu_load_average_percent', operator: { More: 33 }, current: 0.5 },
      ...{ active: true, pretty: '' },
    };
    for (const del of deletes) {
      expect((await type(here, add)).json()).toEqual({ operation: 'alarm registered', success: true });
      includes((await type(here, 'http://localhost:1337/alarms/list')).json(), { main: [alarm] });
      includes((await type(here, 'http://localhost:1337/alarms')).json(), { main: [] });
      expect((await type(here, del)).json()).toEqual({ operation: 'Deleted My Alarm from main', success: true });
      const answer = await type(here, del);
      const operation = 'Failed to delete Failed to remove alarm My Alarm';
      expect([answer.status, answer.json()]).toEqual([400, { operation, success: false }]);
    }
  });

  test('profiles: /profiles/percmd, and http://127.0.0.1:1337/get?jobid=XXX like a job', async () => {
    const here = await started();
    includes((await type(here, 'http://127.0.0.1:1337/profiles')).json(), [DESC]);
    const commands = (await type(here, 'http://127.0.0.1:1337/profiles/percmd')).json() as Record<string, unknown>;
    expect(Object.keys(commands)).toEqual(['ls -R /']);
    includes(commands['ls -R /'], [DESC]);
    // "layout is identical to a job JSON snapshot"
    const profile = (await type(here, 'http://127.0.0.1:1337/get?jobid=testls')).json();
    includes(profile, {
      desc: DESC,
      counters: [
        { name: '', doc: '', ctype: COUNTER },
        { name: '', doc: '', ctype: GAUGE },
      ],
    });
    // The README has seconds, the proxy's own answers milliseconds.
    expect(profile).toMatchObject({ desc: { jobid: 'testls', start_time: 1_699_020_317_000 } });
  });

  test('/join adds what is there, and /join/list has it', async () => {
    const here = await started();
    const exporter = createServer((request, response) => {
      response.writeHead(request.url === '/metrics' ? 200 : 404, { 'content-type': 'text/plain' }).end('up 1\n');
    });
    await new Promise<void>((resolve) => exporter.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void exporter.close());
    const { port } = exporter.address() as AddressInfo;
    const answer = await type(here, `http://localhost:1337/join?to=localhost:${port}`);
    expect([answer.status, answer.json()]).toEqual([
      200,
      { operation: `Added localhost:${port} for scraping`, success: true },
    ]);
    const listed = async (): Promise<unknown> => (await type(here, 'http://localhost:1337/join/list')).json();
    includes(await listed(), [{ target_url: '/system', ttype: 'System', period: 5, last_scrape: 1_699_010_032 }]);
    expect(await listed()).toContainEqual({
      ...{ target_url: `http://localhost:${port}/metrics`, ttype: 'Prometheus', period: 5000 },
      last_scrape: expect.any(Number) as number,
    });
  });
});
