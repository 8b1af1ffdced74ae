import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { golden } from '../../support/recording.ts';
import { eventually } from '../../support/wait.ts';
import { ask, startHere, type Here } from '../http/here.ts';
import { listed, metric } from './support.ts';

interface Exchange {
  readonly to: string;
  readonly path: string;
  readonly status: number;
  readonly body: string;
}

/** The recorded session of a root proxy and its two children, in order. */
function recorded(): Exchange[] {
  const text = readFileSync(path.join(import.meta.dirname, '../../fixtures/proxy/tbon_http.txt'), 'utf8');
  const open = new Map<string, { to: string; path: string }>();
  const exchanges: Exchange[] = [];
  for (const block of text.split(/^=== /m).slice(1)) {
    const [, from = '', to = ''] = /^t=[\d.]+ (\S+) -> (\S+)\n/.exec(block) ?? [];
    const request = /^GET (\S+) HTTP/m.exec(block)?.[1];
    if (request !== undefined) open.set(from, { to, path: request });
    else {
      const asked = open.get(to);
      if (!asked) throw new Error(`an answer without a question: ${block.slice(0, 80)}`);
      const status = Number(/^HTTP\/1.1 (\d+)/m.exec(block)![1]);
      exchanges.push({ ...asked, status, body: block.slice(block.indexOf('\n\n') + 2).trim() });
    }
  }
  return exchanges;
}

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
    const session = recorded();
    const jobsOf = (name: string): string[] =>
      session.filter((one) => one.to === name && one.path === '/job').map(({ body }) => body);
    const here = await startHere({ node: false, compat: true });
    const children = { 'vm:21461': await child(jobsOf('child1')), 'vm:21462': await child(jobsOf('child2')) };
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
    const one = recorded()
      .filter(({ to, path: asked }) => to === 'child1' && asked === '/job')
      .map(({ body }) => body.replaceAll('Node: vm', 'Node: elsewhere'));
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
      'run/tbonjob',
    ]);
    expect(targets[1]!.notes.join()).toContain('proxy_network_…_total are not taken');
    expect(await metric(here, 'proxy_network_receive_packets_total{interface="eth0"}')).toBeNull();
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
