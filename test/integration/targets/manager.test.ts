import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { NodeList } from '../../../src/shared/api/nodes.ts';
import { BulkResult, ProbeResult, RemovedTarget, Target } from '../../../src/shared/api/targets.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { startHere } from '../http/here.ts';
import { addTarget, listed, metric, send, targetOf, until } from './support.ts';

/** An exporter whose text the test chooses. */
async function exporter(text: () => string): Promise<{ port: number; asked: () => number; server: Server }> {
  let asked = 0;
  const server = createServer((request, response) => {
    if (request.url!.split('?')[0] !== '/metrics') return void response.writeHead(404).end();
    asked++;
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(text());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, asked: () => asked, server };
}

const QUICK = { period: '250ms', timeout: '250ms' };

test('a target is added by its host and port, found to be Prometheus text, and counts from then on', async () => {
  const here = await startHere({ node: false });
  let n = 1000;
  const { port } = await exporter(() => `# TYPE c_total counter\nc_total ${(n += 5)}\n# TYPE g gauge\ng 7\n`);
  const added = await addTarget(here, { url: `127.0.0.1:${port}`, ...QUICK });
  expect(added).toMatchObject({ state: 'new', type: null, origin: { kind: 'hand' }, removable: true });
  const up = await until(here, added.id, ({ state, durations }) => state === 'up' && durations.length > 2);
  expect(up).toMatchObject({
    type: 'prometheus',
    url: `http://127.0.0.1:${port}/metrics`,
    samples: 2,
    series: 2,
    reason: null,
  });
  expect(up.scopes).toEqual([`target/${up.id}`]);
  // The increase since it was added, not the thousand of before.
  const value = await eventually(async () => (await metric(here, 'c_total')) || undefined);
  expect(value).toBeLessThan(1000);
  expect(value % 5).toBe(0);
  expect(await metric(here, 'g')).toBe(7);
  // Its history is where all history is.
  const path = `/query?scope=target%2F${up.id}&series=g&from=0&to=${Date.now() + 1000}`;
  await eventually(async () => (await send(here, 'GET', path)).body.includes('"last":[7'));
});

test('the same address again is told to be there; a wrong one is refused in words', async () => {
  const here = await startHere({ node: false });
  await addTarget(here, { url: 'http://127.0.0.1:9/metrics' });
  const again = await send(here, 'POST', '/targets', { url: 'http://127.0.0.1:9/metrics' });
  expect([again.status, (again.json() as { code: string }).code]).toEqual([409, 'target_exists']);
  for (const url of ['ftp://x', 'http://user:secret@host/', 'unix:relative', '']) {
    expect((await send(here, 'POST', '/targets', { url })).status).toBe(400);
  }
  expect((await listed(here)).targets.map(({ url }) => url)).toEqual(['/system', 'http://127.0.0.1:9/metrics']);
});

test('one that is down says why, stays, and is up again when it answers', async () => {
  const here = await startHere({ node: false });
  const first = await exporter(() => 'g 1\n');
  const { port } = first;
  await new Promise((resolve) => first.server.close(resolve));
  const { id } = await addTarget(here, { url: `http://127.0.0.1:${port}`, ...QUICK });
  const down = await until(here, id, ({ state }) => state === 'down');
  expect(down.reason).toContain(`connection refused on port ${port}`);
  expect(down.errors[0]).toMatchObject({ state: 'down', reason: down.reason });
  const server = createServer((_, response) => void response.end('g 2\n'));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const up = await until(here, id, ({ state }) => state === 'up');
  expect(up.reason).toBeNull();
  expect(up.errors[0]!.count).toBeGreaterThan(0);
});

test('paused: it is not asked, and its gauges have no value; resumed: they have', async () => {
  const here = await startHere({ node: false });
  const { port, asked } = await exporter(() => '# TYPE g gauge\ng 3\n');
  const { id } = await addTarget(here, { url: `http://127.0.0.1:${port}`, ...QUICK });
  await until(here, id, ({ state }) => state === 'up');
  await eventually(async () => (await metric(here, 'g')) === 3);
  expect((await send(here, 'PATCH', `/targets/${id}`, { paused: true })).status).toBe(200);
  const before = asked();
  await eventually(async () => (await metric(here, 'g')) !== 3);
  expect((await listed(here)).counts).toMatchObject({ paused: 2, up: 0 });
  expect(asked()).toBe(before);
  await send(here, 'PATCH', `/targets/${id}`, { paused: false });
  await eventually(async () => (await metric(here, 'g')) === 3);
});

test('removed: what it counted stays in the sum, and within a minute it can be brought back', async () => {
  const here = await startHere({ node: false });
  let n = 0;
  const { port } = await exporter(() => `# TYPE c_total counter\nc_total ${(n += 1)}\n`);
  const { id } = await addTarget(here, { url: `http://127.0.0.1:${port}`, ...QUICK });
  await eventually(async () => ((await metric(here, 'c_total')) ?? 0) >= 3);
  const removed = RemovedTarget.parse((await send(here, 'DELETE', `/targets/${id}`)).json());
  expect(removed.restore_until).toBeGreaterThan(Date.now());
  expect((await send(here, 'GET', `/targets/${id}`)).status).toBe(404);
  const left = (await metric(here, 'c_total'))!;
  expect(left).toBeGreaterThanOrEqual(3);
  const restored = Target.parse((await send(here, 'POST', `/targets/${id}/restore`)).json());
  expect(restored.id).toBe(id);
  expect((await metric(here, 'c_total'))!).toBeGreaterThanOrEqual(left);
  await eventually(async () => (await metric(here, 'c_total'))! > left);
  expect((await send(here, 'POST', `/targets/${id}/restore`)).status).toBe(404);
});

test('nodes come in pages, also where one host has several', async () => {
  const here = await startHere({ node: false });
  const { port } = await exporter(() => '# TYPE node_load1 gauge\nnode_load1 1\n');
  for (const path of ['metrics', 'metrics?again', 'metrics?more']) {
    await addTarget(here, { url: `http://127.0.0.1:${port}/${path}`, type: 'prometheus', ...QUICK });
  }
  const list = async (query: string): Promise<NodeList> =>
    NodeList.parse((await send(here, 'GET', `/nodes${query}`)).json());
  const all = await eventually(async () => {
    const { nodes } = await list('');
    return nodes.length === 4 ? nodes.map(({ scope }) => scope) : undefined;
  });
  const pages: string[][] = [];
  for (let next: string | null | undefined = ''; typeof next === 'string';) {
    const page: NodeList = await list(`?limit=3${next === '' ? '' : `&cursor=${encodeURIComponent(next)}`}`);
    pages.push(page.nodes.map(({ scope }) => scope));
    next = page.next;
  }
  expect(pages).toEqual([all.slice(0, 3), all.slice(3)]);
  expect(new Set(all).size).toBe(4);
});

test('history has one sample of each scrape, not one of each tick of the engine', async () => {
  const here = await startHere({ node: false, period: '50ms' });
  let n = 0;
  const { port } = await exporter(() => `# TYPE c_total counter\nc_total ${(n += 5)}\n# TYPE g gauge\ng 7\n`);
  const { id } = await addTarget(here, { url: `127.0.0.1:${port}`, type: 'prometheus', period: '500ms' });
  const scope = `target/${id}`;
  const stored = await eventually(async () => {
    const range = { scope, series: ['c_total', 'g'], from: Date.now() - 600_000, to: Date.now() };
    const result = await here.client.query(range).catch(() => null);
    return result !== null && result.times.length >= 4 ? result : undefined;
  });
  expect(stored.step).toBe(0);
  expect(stored.times.length).toBeLessThanOrEqual(n / 5);
  const counter = stored.series.find(({ key }) => key === 'c_total')!;
  // Every sample is of a scrape of its own: nothing stands still between two.
  for (const rate of counter.avg.slice(1)) expect(rate).toBeGreaterThan(0);
  // A gauge that stays the same is there each time all the same.
  expect(stored.series.find(({ key }) => key === 'g')!.avg).toEqual(stored.times.map(() => 7));
});

test('what a probe tells: the type, the first metrics, the series and what a day of them costs', async () => {
  const here = await startHere({ node: false });
  const { port } = await exporter(
    () => '# HELP g help\n# TYPE g gauge\ng{a="1"} 1\ng{a="2"} 2\n# TYPE go_x counter\ngo_x 1\n',
  );
  const body = { url: `127.0.0.1:${port}`, period: '10s', filter: { exclude: ['go_*'] } };
  const found = ProbeResult.parse((await send(here, 'POST', '/targets/probe', body)).json());
  expect(found).toMatchObject({
    reason: null,
    type: 'prometheus',
    url: `http://127.0.0.1:${port}/metrics`,
    series: 3,
    kept: 2,
    known: null,
  });
  expect(found.metrics).toEqual([{ name: 'g', kind: 'gauge', doc: 'help', series: 2 }]);
  expect(found.day_bytes).toBe(2 * 8640);
  const wrong = ProbeResult.parse(
    (await send(here, 'POST', '/targets/probe', { url: `127.0.0.1:${port}/nothing` })).json(),
  );
  expect(wrong).toMatchObject({ type: null, state: 'refused' });
  expect(wrong.reason).toContain('404');
  expect((await listed(here)).targets).toHaveLength(1);
});

test('many by a node set: a preview, the addition, a pause, a removal and its undoing', async () => {
  const here = await startHere({ node: false });
  const add = { action: 'add', targets: 'node[001-128,130]:9100', paused: true };
  const preview = BulkResult.parse((await send(here, 'POST', '/targets/bulk', { ...add, preview: true })).json());
  expect(preview.counts).toEqual({ new: 129 });
  expect(preview.items[128]!.url).toBe('node130:9100');
  expect((await listed(here)).counts.total).toBe(1);
  const done = BulkResult.parse((await send(here, 'POST', '/targets/bulk', add)).json());
  expect(done.counts).toEqual({ added: 129 });
  const ids = done.items.map(({ id }) => id!);
  expect(BulkResult.parse((await send(here, 'POST', '/targets/bulk', add)).json()).counts).toEqual({ known: 129 });
  const removed = BulkResult.parse((await send(here, 'POST', '/targets/bulk', { action: 'remove', ids })).json());
  expect(removed.counts).toEqual({ removed: 129 });
  expect(removed.restore_until).not.toBeNull();
  const restored = BulkResult.parse((await send(here, 'POST', '/targets/bulk', { action: 'restore', ids })).json());
  expect(restored.counts).toEqual({ restored: 129 });
  expect((await listed(here)).counts).toMatchObject({ total: 130, paused: 130 });
  const bad = await send(here, 'POST', '/targets/bulk', { action: 'add', targets: 'node[1-1000000]' });
  expect([bad.status, (bad.json() as { detail: string }).detail]).toEqual([
    400,
    'node[1-1000000] are more than 10000 targets',
  ]);
});

test('a page of the list, filters and a search', async () => {
  const here = await startHere({ node: false });
  const add = { action: 'add', targets: 'a[1-5]:1 b[1-5]:1', paused: true, labels: { rack: 'r7' } };
  await send(here, 'POST', '/targets/bulk', add);
  const first = await listed(here, '?limit=4&search=:1');
  expect(first.targets.map(({ url }) => url)).toEqual(['http://a1:1', 'http://a2:1', 'http://a3:1', 'http://a4:1']);
  const next = await listed(here, `?limit=100&search=:1&cursor=${first.next}`);
  expect([next.targets.length, next.next]).toEqual([6, null]);
  expect((await listed(here, '?search=rack=R7')).targets).toHaveLength(10);
  expect((await listed(here, '?type=system')).targets.map(({ id }) => id)).toEqual(['system']);
  expect((await listed(here, '?state=up')).targets).toEqual([]);
});

describe('a restart', () => {
  test('keeps the list, secrets apart and in no answer', async () => {
    const folder = temporaryFolder();
    const data = join(folder, 'data');
    const auth = { kind: 'basic', username: 'u', password: 'very-secret-word' } as const;
    const here = await startHere({ node: false, data }, folder);
    const { id } = await addTarget(here, {
      url: 'http://127.0.0.1:9/metrics',
      period: '1m',
      labels: { rack: 'a' },
      auth,
    });
    const pausedSystem = await send(here, 'PATCH', '/targets/system', { paused: true });
    expect(pausedSystem.status).toBe(200);
    const before = await targetOf(here, id);
    await here.engine.close();
    for (const file of ['targets.json', 'target-secrets.json']) {
      expect(statSync(join(data, file)).mode & 0o777).toBe(0o600);
    }
    expect(readFileSync(join(data, 'targets.json'), 'utf8')).not.toContain('very-secret-word');
    const again = await startHere({ node: false, data }, folder);
    const after = await targetOf(again, id);
    const what = ({ url, period, labels, auth: way, added }: Target): unknown => ({ url, period, labels, way, added });
    expect(what(after)).toEqual(what(before));
    expect(after.auth).toEqual({ kind: 'basic', name: 'u' });
    expect((await targetOf(again, 'system')).paused).toBe(true);
    for (const path of ['/targets', `/targets/${id}`, '/targets/export', '/audit', '/bundle']) {
      expect([path, (await send(again, 'GET', path)).body.includes('very-secret-word')]).toEqual([path, false]);
    }
  });

  test('a file that cannot be used is put aside and told of', async () => {
    const folder = temporaryFolder();
    const data = join(folder, 'data');
    const here = await startHere({ node: false, data }, folder);
    await addTarget(here, { url: 'http://127.0.0.1:9/metrics', period: '1m' });
    await here.engine.close();
    const { writeFileSync } = await import('node:fs');
    writeFileSync(join(data, 'targets.json'), '{"version":1,"targ');
    const again = await startHere({ node: false, data }, folder);
    expect((await listed(again)).counts.total).toBe(1);
    expect((await again.client.status()).warnings.join()).toContain('targets.json.unusable');
    expect(readFileSync(join(data, 'targets.json.unusable'), 'utf8')).toBe('{"version":1,"targ');
  });
});

test('the list as text, and read back: YAML and Prometheus', async () => {
  const here = await startHere({ node: false });
  await addTarget(here, {
    url: 'https://n1:9100/metrics',
    type: 'prometheus',
    period: '15s',
    labels: { job: 'node', rack: 'a' },
    paused: true,
  });
  await addTarget(here, {
    url: 'http://n2:9100/metrics?x=1',
    type: 'prometheus',
    paused: true,
    auth: { kind: 'bearer', token: 'hidden' },
  });
  for (const format of ['yaml', 'prometheus']) {
    const text = (await send(here, 'GET', `/targets/export?format=${format}`)).body;
    expect(text).not.toContain('hidden');
    const other = await startHere({ node: false });
    const result = BulkResult.parse((await send(other, 'POST', '/targets/import', { text })).json());
    expect([result.counts, result.notes]).toEqual([{ added: 2 }, []]);
    const targets = (await listed(other)).targets.slice(1);
    expect(targets.map(({ url }) => url)).toEqual(['https://n1:9100/metrics', 'http://n2:9100/metrics?x=1']);
    expect(targets[0]).toMatchObject({ period: '15s', labels: { job: 'node', rack: 'a' } });
  }
});

test('this engine itself is refused, however it is spelled', async () => {
  const here = await startHere({ node: false });
  const { port } = new URL(here.url);
  for (const url of [
    `127.0.0.1:${port}`,
    `http://localhost:${port}/metrics`,
    `unix:${here.folder}/engine.socket:/metrics`,
  ]) {
    const { id } = await addTarget(here, { url, ...QUICK });
    expect((await until(here, id, ({ state }) => state !== 'new')).reason).toContain('this engine itself');
  }
});

test('a token that may only look sees the list and changes nothing; only the owner has files read', async () => {
  const here = await startHere({ node: false });
  const roles: Record<string, string> = {};
  for (const role of ['view', 'control']) {
    roles[role] = ((await send(here, 'POST', '/tokens', { name: role, role })).json() as { token: string }).token;
  }
  const { ask } = await import('../http/here.ts');
  const as = (role: string, method: string, path: string, body?: unknown) =>
    ask(here, `/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${roles[role]}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  expect((await as('view', 'GET', '/targets')).status).toBe(200);
  for (const [path, body] of [
    ['/targets', { url: 'x:1' }],
    ['/targets/probe', { url: 'x:1' }],
    ['/targets/bulk', { action: 'add', targets: 'x:1' }],
  ] as const) {
    expect((await as('view', 'POST', path, body)).status).toBe(403);
  }
  const file = { url: 'x:1', auth: { kind: 'bearer_file', path: '/etc/hostname' }, paused: true };
  expect((await as('control', 'POST', '/targets', file)).status).toBe(400);
  expect((await send(here, 'POST', '/targets', file)).status).toBe(201);
});
