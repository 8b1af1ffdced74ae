import { connect } from 'node:net';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { rawServer } from '../../support/bad-server.ts';
import { eventually } from '../../support/wait.ts';
import { startHere, type Here } from '../http/here.ts';
import { NodeList } from '../../../src/shared/api/nodes.ts';
import { ProbeResult } from '../../../src/shared/api/targets.ts';
import { addTarget, listed, metric, send, targetOf, until } from './support.ts';

const QUICK = { period: '250ms', timeout: '250ms' };
const SLOW = { period: '250ms', timeout: '5s' };

const tokenFor = (here: Here): { kind: 'bearer'; token: string } => ({ kind: 'bearer', token: here.engine.token });

describe('another engine as a target', () => {
  test('its hosts and runs are scopes of their own, and count from then on', async () => {
    const remote = await startHere({ node: true });
    const pusher = await remote.pusher();
    pusher.job({ jobid: 'before', command: './before' });
    pusher.describeCounter('c_total');
    pusher.increase('c_total', 100);
    await eventually(async () => (await metric(remote, 'c_total')) === 100);
    const here = await startHere({ node: false });
    const { id } = await addTarget(here, { url: remote.url, auth: tokenFor(remote), ...SLOW });
    const up = await until(here, id, ({ state, scopes }) => state === 'up' && scopes.length === 3);
    expect(up.type).toBe('vigie');
    expect(up.engines).toEqual([(await remote.client.status()).engine.id]);
    const { nodes } = NodeList.parse((await send(here, 'GET', '/nodes')).json());
    expect(nodes.map(({ target }) => target)).toEqual([null, id]);
    // A hundred were there before it was added.
    await eventually(async () => (await metric(here, 'c_total', 'before')) === 0);
    pusher.increase('c_total', 7);
    await eventually(async () => (await metric(here, 'c_total', 'before')) === 7);
    expect(await metric(here, 'c_total')).toBe(7);
    // One that begins later counts from its beginning.
    const later = await remote.pusher();
    later.job({ jobid: 'later' });
    later.describeCounter('c_total');
    later.increase('c_total', 30);
    await eventually(async () => (await metric(here, 'c_total', 'later')) === 30);
    expect(await metric(here, 'c_total')).toBe(37);
    later.destroy();
    // Over: its scope goes, and the sum keeps what it counted.
    await until(here, id, ({ scopes }) => scopes.length === 3);
    expect(await metric(here, 'c_total')).toBe(37);
  });

  test('it goes away and comes back: down in words, then up, and nothing is counted twice', async () => {
    const remote = await startHere({ node: false, listen: '127.0.0.1:0' });
    const port = new URL(remote.url).port;
    const here = await startHere({ node: false });
    const { id } = await addTarget(here, { url: remote.url, auth: tokenFor(remote), ...QUICK });
    await until(here, id, ({ state }) => state === 'up');
    await remote.engine.close();
    const down = await until(here, id, ({ state }) => state === 'down');
    expect(down.reason).toMatch(/closed the connection|connection refused|engine stops/);
    const again = await startHere({ node: false, listen: `127.0.0.1:${port}` });
    await send(here, 'PATCH', `/targets/${id}`, { auth: tokenFor(again) });
    expect((await until(here, id, ({ state }) => state === 'up')).engines).toEqual([
      (await again.client.status()).engine.id,
    ]);
  });

  test('without its token it says which one is needed', async () => {
    const remote = await startHere({ node: false });
    const here = await startHere({ node: false });
    const { id } = await addTarget(here, { url: remote.url.replace('http://', ''), ...QUICK });
    const refused = await until(here, id, ({ state }) => state !== 'new');
    expect([refused.state, refused.reason]).toEqual([
      'refused',
      expect.stringContaining('this is an engine: give a token of it'),
    ]);
  });

  test('a circle is refused, and the other direction stays', async () => {
    const [a, b] = [await startHere({ node: false }), await startHere({ node: false })];
    const ab = await addTarget(a, { url: b.url, auth: tokenFor(b), ...QUICK });
    await until(a, ab.id, ({ state }) => state === 'up');
    const ba = await addTarget(b, { url: a.url, auth: tokenFor(a), ...QUICK });
    const refused = await until(b, ba.id, ({ state }) => state !== 'new');
    expect([refused.state, refused.reason]).toEqual(['refused', expect.stringContaining('a circle')]);
    expect((await until(a, ab.id, ({ durations }) => durations.length > 5)).state).toBe('up');
  });

  test('a circle of three is refused, too', async () => {
    const [a, b, c] = [
      await startHere({ node: false }),
      await startHere({ node: false }),
      await startHere({ node: false }),
    ];
    const bc = await addTarget(b, { url: c.url, auth: tokenFor(c), ...QUICK });
    await until(b, bc.id, ({ state }) => state === 'up');
    const ab = await addTarget(a, { url: b.url, auth: tokenFor(b), ...QUICK });
    expect((await until(a, ab.id, ({ state }) => state === 'up')).engines).toHaveLength(2);
    const ca = await addTarget(c, { url: a.url, auth: tokenFor(a), ...QUICK });
    expect((await until(c, ca.id, ({ state }) => state !== 'new')).reason).toContain('a circle');
  });

  test('one engine at two addresses is taken once', async () => {
    const remote = await startHere({ node: false });
    const here = await startHere({ node: false });
    const { port } = new URL(remote.url);
    const first = await addTarget(here, { url: `http://127.0.0.1:${port}`, auth: tokenFor(remote), ...QUICK });
    await until(here, first.id, ({ state }) => state === 'up');
    const second = await addTarget(here, { url: `unix:${remote.folder}/engine.socket`, ...QUICK });
    const refused = await until(here, second.id, ({ state }) => state !== 'new');
    expect(refused.reason).toBe(`it is the same engine as http://127.0.0.1:${port}`);
    expect((await listed(here)).counts).toMatchObject({ up: 1, refused: 1 });
  });
});

test('more runs than one socket may have are read over a few, and count from then on, too', async () => {
  const remote = await startHere({ node: false });
  const pushers = await Promise.all(Array.from({ length: 150 }, () => remote.pusher()));
  for (const [n, pusher] of pushers.entries()) {
    pusher.job({ jobid: `job${n}` });
    pusher.describeCounter('c_total');
    pusher.increase('c_total', 100);
  }
  await eventually(async () => (await metric(remote, 'c_total')) === 15_000);
  let connections = 0;
  const port = await rawServer((socket) => {
    connections++;
    const through = connect(join(remote.folder, 'engine.socket'));
    socket.pipe(through).pipe(socket);
    through.on('error', () => socket.destroy());
  });
  const here = await startHere({ node: false });
  const url = `http://127.0.0.1:${port}`;
  const { id } = await addTarget(here, { url, type: 'vigie', period: '5s', timeout: '5s' });
  await until(here, id, ({ state, scopes }) => state === 'up' && scopes.length > 150);
  for (const pusher of pushers) pusher.increase('c_total', 1);
  await send(here, 'POST', `/targets/${id}/scrape`);
  await eventually(async () => (await metric(here, 'c_total')) === 150);
  // Questions by HTTP, and three sockets of 64 subscriptions.
  expect(connections).toBeLessThan(12);
});

describe('an engine that is read like any exporter', () => {
  test('is refused where it is this engine itself, whatever it is called', async () => {
    const here = await startHere({ node: false, compat: true });
    const { port } = new URL(here.url);
    const alias = `${here.folder}/../${basename(here.folder)}/engine.socket`;
    // By an address that this engine does not know as its own, as text of metrics and as an old proxy.
    for (const url of [`unix:${alias}:/metrics`, `http://[::ffff:127.0.0.1]:${port}/metrics`]) {
      const answer = await send(here, 'POST', '/targets/probe', { url, auth: tokenFor(here) });
      expect(ProbeResult.parse(answer.json())).toMatchObject({ type: null, state: 'refused' });
    }
    const { id } = await addTarget(here, { url: `unix:${alias}`, type: 'proxy', ...SLOW });
    const { reason } = await until(here, id, ({ state }) => state === 'refused');
    expect(reason).toContain('this engine itself');
  });

  test('is refused in a circle, also through a third one; the other direction works', async () => {
    const [a, b, c] = [
      await startHere({ node: false }),
      await startHere({ node: false }),
      await startHere({ node: false }),
    ];
    const pull = async (from: Here, to: Here): Promise<string> =>
      (await addTarget(from, { url: `${to.url}/metrics`, type: 'prometheus', auth: tokenFor(to), ...SLOW })).id;
    const ab = await pull(a, b);
    await until(a, ab, ({ state }) => state === 'up');
    const bc = await pull(b, c);
    await until(b, bc, ({ state }) => state === 'up');
    await until(a, ab, ({ engines }) => engines.length === 2);
    const ca = await pull(c, a);
    const { reason } = await until(c, ca, ({ state }) => state === 'refused');
    expect(reason).toContain('a circle');
    expect((await targetOf(a, ab)).state).toBe('up');
  });
});
