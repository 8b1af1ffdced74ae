import { writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { dnsSrv } from '../../../src/engine/targets/discovery/dns-srv.ts';
import { dnsServer, type SrvRecord } from '../../support/dns-server.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { startHere } from '../http/here.ts';
import { addTarget, listed, send, until } from './support.ts';

const urlsOf = async (here: Parameters<typeof listed>[0]): Promise<string[]> =>
  (await listed(here)).targets.slice(1).map(({ url }) => url);

describe('what the configuration file has targets from', () => {
  test('a node set and a watched file; what it drops goes, what is made by hand stays', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'targets.json');
    const write = (...hosts: string[]): void =>
      writeFileSync(file, JSON.stringify([{ targets: hosts, labels: { rack: 'r' } }]));
    write('127.0.0.1:2', '127.0.0.1:3');
    const here = await startHere({
      node: false,
      targets: ['127.0.0.1:[10-11]', { file_sd: file, period: '1h', timeout: '1s' }],
    });
    await eventually(async () => (await urlsOf(here)).length === 4);
    const { targets, discoveries } = await listed(here);
    const found = targets.find(({ url }) => url === 'http://127.0.0.1:3/metrics')!;
    expect(found).toMatchObject({
      origin: { kind: 'discovery', name: file },
      removable: false,
      period: '1h',
      labels: { rack: 'r' },
    });
    expect(discoveries).toMatchObject([
      { kind: 'static', name: '127.0.0.1:[10-11]', targets: 2, error: null },
      { kind: 'file_sd', name: file, targets: 2, error: null },
    ]);
    await addTarget(here, { url: 'http://127.0.0.1:5/metrics', period: '1h' });
    // By hand it cannot be removed, nor changed; it can be paused.
    expect((await send(here, 'DELETE', `/targets/${found.id}`)).status).toBe(400);
    expect((await send(here, 'PATCH', `/targets/${found.id}`, { period: '1m' })).status).toBe(400);
    expect((await send(here, 'PATCH', `/targets/${found.id}`, { paused: true })).status).toBe(200);
    write('127.0.0.1:3', '127.0.0.1:4', '127.0.0.1:5');
    const after = ['10', '11', '3/metrics', '5/metrics', '4/metrics']
      .map((end) => `http://127.0.0.1:${end}`)
      .toSorted();
    await eventually(async () => {
      expect((await urlsOf(here)).toSorted()).toEqual(after);
      return true;
    });
    expect((await listed(here, '?state=paused')).targets.map(({ url }) => url)).toContain('http://127.0.0.1:3/metrics');
    // What both have is the hand's, and stays when the file drops it.
    write('127.0.0.1:3');
    await eventually(async () => (await urlsOf(here)).length === 4);
    expect(await urlsOf(here)).toContain('http://127.0.0.1:5/metrics');
    writeFileSync(file, '[{');
    await eventually(async () => ((await listed(here)).discoveries[1]!.error ?? '').includes(file));
    expect(await urlsOf(here)).toHaveLength(4);
    expect((await here.client.status()).warnings.join()).toContain('no targets are taken from');
  });

  test('what has no path is looked for, and keeps the name it goes by', async () => {
    const server = createServer((request, response) => {
      response.writeHead(request.url === '/metrics' ? 200 : 404, { 'content-type': 'text/plain' }).end('g 1\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const place = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const typed = { url: `localhost:${place.split(':')[1]}`, type: 'prometheus', period: '250ms' } as const;
    const here = await startHere({ node: false, targets: [place, typed] });
    await eventually(async () => (await listed(here)).counts.up === 2, { timeout: 60_000 });
    expect(new Set(await urlsOf(here))).toEqual(new Set([`http://${place}/metrics`, `http://${typed.url}/metrics`]));
    const again = await addTarget(here, { url: `http://${place}` }).catch((error: unknown) => String(error));
    expect(again).toContain('target_exists');
  });

  test('a paused one stays paused over a restart, with the same id', async () => {
    const folder = temporaryFolder();
    const settings = { node: false, data: join(folder, 'data'), targets: ['127.0.0.1:1'] };
    const here = await startHere(settings, folder);
    const { targets } = await eventually(async () => {
      const all = await listed(here);
      return all.targets.length === 2 ? all : undefined;
    });
    await send(here, 'PATCH', `/targets/${targets[1]!.id}`, { paused: true });
    await here.engine.close();
    const again = await startHere(settings, folder);
    const after = await eventually(async () => (await listed(again)).targets[1]);
    expect([after.id, after.paused]).toEqual([targets[1]!.id, true]);
  });
});

test('SRV records: their hosts and ports; a name that is not there says so', async () => {
  let records: SrvRecord[] | null = [
    { host: 'n2.example', port: 9100 },
    { host: 'n1.example', port: 9200 },
  ];
  const server = await dnsServer((name) => (name === '_metrics._tcp.example' ? records : null));
  const discovery = dnsSrv('_metrics._tcp.example', { labels: { dc: 'x' } }, [server]);
  const { signal } = new AbortController();
  const found = await discovery.look(signal);
  expect(found!.targets.map(({ url, labels }) => [url, labels])).toEqual([
    ['http://n1.example:9200/metrics', { dc: 'x' }],
    ['http://n2.example:9100/metrics', { dc: 'x' }],
  ]);
  records = null;
  await expect(discovery.look(signal)).rejects.toThrow('DNS has no SRV records for _metrics._tcp.example');
});

test('one that was found by host and port is the same target by its exact address, and the answer says so', async () => {
  const answer: RequestListener = (request, response) => {
    if (request.url !== '/metrics') return void response.writeHead(404).end();
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end('up 1\n');
  };
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const bare = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const exact = `http://${bare}/metrics`;
  const here = await startHere({ node: false, targets: [bare] });
  const { id } = await eventually(async () => (await listed(here)).targets[1]);
  expect((await until(here, id, ({ state }) => state === 'up')).url).toBe(exact);
  const again = await send(here, 'POST', '/targets', { url: exact });
  expect([again.status, again.json()]).toEqual([
    409,
    expect.objectContaining({
      code: 'target_exists',
      detail: `${exact} is on the list already, as http://${bare}, from ${bare} (${id})`,
    }),
  ]);
  const many = (await send(here, 'POST', '/targets/bulk', { action: 'add', targets: exact })).json();
  expect(many).toMatchObject({
    items: [{ id, outcome: 'known', reason: expect.stringContaining('is on the list already') as string }],
  });
  expect((await send(here, 'POST', '/targets/probe', { url: exact })).json()).toMatchObject({ known: id });
  // Paused it is still that one.
  await send(here, 'PATCH', `/targets/${id}`, { paused: true });
  expect((await send(here, 'POST', '/targets', { url: exact.replace('http://', '') })).status).toBe(409);
  expect((await listed(here)).counts.total).toBe(2);
});

test('what discovery drops is free to be added by its exact address', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'targets.json');
  writeFileSync(file, JSON.stringify([{ targets: ['127.0.0.1:9'] }]));
  const here = await startHere({ node: false, targets: [{ file_sd: file, period: '1h', timeout: '1s' }] });
  await eventually(async () => (await urlsOf(here)).length === 1);
  expect((await send(here, 'POST', '/targets', { url: 'http://127.0.0.1:9/metrics' })).status).toBe(409);
  writeFileSync(file, '[]');
  await eventually(async () => (await urlsOf(here)).length === 0);
  await addTarget(here, { url: 'http://127.0.0.1:9/metrics', period: '1h' });
});
