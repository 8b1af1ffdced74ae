/** Targets behind hosts, in a real engine: what the connection does is told apart from what the target does. */

import { describe, expect, test } from 'vitest';
import { BulkResult, ProbeResult } from '../../../src/shared/api/targets.ts';
import { ConnectionList, type Connection } from '../../../src/shared/api/connections.ts';
import { authority, closedPort, httpServer, httpsServer } from '../../support/bad-server.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { startHere, type Here } from '../http/here.ts';
import { addTarget, listed, metric, send, targetOf, until } from '../targets/support.ts';
import { DirectSessions, type DirectSession } from './direct-sessions.ts';

const QUICK = { period: '250ms', timeout: '250ms' };
const SLOW = { period: '250ms', timeout: '5s' };
const EXPORTER = '# TYPE requests_total counter\nrequests_total 5\n# TYPE load gauge\nload 1.5\n';

async function withSessions(began?: (session: DirectSession) => void, settings = {}) {
  const sessions = new DirectSessions({}, began);
  const here = await startHere({ node: false, ...settings }, undefined, undefined, { sessions });
  return { here, sessions };
}

const exporter = (path?: string): Promise<number> => httpServer((_, response) => void response.end(EXPORTER), path);

async function connections(here: Here): Promise<readonly Connection[]> {
  return ConnectionList.parse((await send(here, 'GET', '/connections')).json()).connections;
}

async function probed(here: Here, url: string, more = {}): Promise<ProbeResult> {
  return ProbeResult.parse((await send(here, 'POST', '/targets/probe', { url, ...more })).json());
}

test('an exporter behind a host: its connection is put on the list, opened when it is asked, and counts it', async () => {
  const port = await exporter();
  const { here, sessions } = await withSessions();
  expect(await connections(here)).toEqual([]);
  const listening = (): number => process.getActiveResourcesInfo().filter((one) => one === 'TCPServerWrap').length;
  const before = listening();
  const { id, url } = await addTarget(here, { url: `ssh://me@login/127.0.0.1:${port}`, ...SLOW });
  expect(url).toBe(`ssh://me@login/127.0.0.1:${port}`);
  const up = await until(here, id, ({ state }) => state === 'up');
  expect(up).toMatchObject({ type: 'prometheus', url: `ssh://me@login/127.0.0.1:${port}/metrics`, reason: null });
  expect(await metric(here, 'load')).toBe(1.5);
  const [connection, ...more] = await connections(here);
  expect(more).toEqual([]);
  // What nobody asked for is not looked for: its engine.
  expect(connection).toMatchObject({ host: 'me@login', state: 'up', targets: 1, engine: null });
  expect(sessions.opened).toHaveLength(1);
  // No port of this machine leads there.
  expect(listening()).toBe(before);
  // Others behind it share it.
  const second = await addTarget(here, { url: `ssh://me@login/http://localhost:${port}/metrics`, ...SLOW });
  await until(here, second.id, ({ state }) => state === 'up');
  expect(await connections(here)).toMatchObject([{ host: 'me@login', targets: 2 }]);
  expect(sessions.opened).toHaveLength(1);
});

test('a unix socket, a proxy, an engine on its socket and by TLS', async () => {
  const socket = `${temporaryFolder()}/x.sock`;
  await exporter(socket);
  const far = await startHere({ node: true, compat: true });
  const pusher = await far.pusher();
  pusher.job({ jobid: 'there' });
  pusher.describeCounter('c_total');
  pusher.increase('c_total', 3);
  const own = authority();
  const certificate = own.selfSigned('DNS:localhost,IP:127.0.0.1');
  const front = await httpsServer({ key: certificate.key, cert: certificate.cert }, (request, response) => {
    if (request.url !== '/metrics') return void response.writeHead(404).end();
    response.end(EXPORTER);
  });
  const { here } = await withSessions();
  const auth = { kind: 'bearer', token: far.engine.token } as const;
  const plain = await addTarget(here, { url: `ssh://login/unix:${socket}:/metrics`, ...SLOW });
  await until(here, plain.id, ({ state, type }) => state === 'up' && type === 'prometheus');
  // One that the engine trusts, as it does on this machine.
  const engine = await addTarget(here, { url: `ssh://login/unix:${far.folder}/engine.socket`, ...SLOW });
  await until(here, engine.id, ({ state, type }) => state === 'up' && type === 'vigie');
  pusher.increase('c_total', 7);
  await eventually(async () => (await metric(here, 'c_total', 'there')) === 7);
  await send(here, 'DELETE', `/targets/${engine.id}`);
  const byPort = await addTarget(here, { url: `ssh://login/${new URL(far.url).host}`, auth, ...SLOW });
  await until(here, byPort.id, ({ state, type, scopes }) => state === 'up' && type === 'vigie' && scopes.length === 3);
  await send(here, 'DELETE', `/targets/${byPort.id}`);
  const proxy = await addTarget(here, { url: `ssh://login/unix:${far.folder}/engine.socket`, type: 'proxy', ...SLOW });
  const asProxy = await until(here, proxy.id, ({ state }) => state === 'up' || state === 'refused');
  expect(asProxy.type).toBe('proxy');
  const url = `ssh://login/https://localhost:${front}/metrics`;
  const unknown = await addTarget(here, { url, ...SLOW });
  const refused = await until(here, unknown.id, ({ state }) => state === 'refused');
  expect(refused.reason).toContain('self-signed');
  const { fingerprint } = await probed(here, url);
  expect(fingerprint).toMatch(/^[0-9A-F:]{95}$/);
  await send(here, 'PATCH', `/targets/${unknown.id}`, { tls: { pin: fingerprint } });
  await until(here, unknown.id, ({ state }) => state === 'up');
});

describe('what keeps the host from being reached is said in its name', () => {
  test.each([
    ['asking', null, 'the connection login asks something first: answer it in Connections'],
    ['refused', 'login: its host key has changed', 'needs somebody to look at it in Connections (login: its host key'],
    ['down', 'login: nothing listens', 'the connection login cannot be reached (login: nothing listens)'],
    ['connecting', null, 'the connection login is being connected'],
  ] as const)('%s; and when it is up the target is asked at once', async (state, reason, words) => {
    const port = await exporter();
    const { here, sessions } = await withSessions((session) => void setImmediate(() => session.become(state, reason)));
    // Its next turn by itself would be far away.
    const { id } = await addTarget(here, { url: `ssh://login/127.0.0.1:${port}`, period: '1h', timeout: '1s' });
    const down = await until(here, id, ({ state: one }) => one === 'down');
    expect(down.reason).toContain(words);
    expect(sessions.opened).toHaveLength(1);
    sessions.last.become('up');
    await until(here, id, ({ state: one }) => one === 'up');
  });

  test('a connection that breaks takes the targets along, and brings them back', async () => {
    const port = await exporter();
    const { here, sessions } = await withSessions();
    const { id } = await addTarget(here, { url: `ssh://login/127.0.0.1:${port}`, ...SLOW });
    await until(here, id, ({ state }) => state === 'up');
    sessions.last.become('down', 'login: gone');
    const down = await until(here, id, ({ state, reason }) => state === 'down' && !!reason?.includes('login: gone'));
    expect(down.reason).toContain('the connection login cannot be reached');
    sessions.last.become('up');
    await until(here, id, ({ state }) => state === 'up');
  });

  test('a port that is closed there is the fault of what is there', async () => {
    const { here } = await withSessions();
    const port = await closedPort();
    const { id } = await addTarget(here, { url: `ssh://login/127.0.0.1:${port}`, ...QUICK });
    const { reason } = await until(here, id, ({ state }) => state === 'down');
    expect(reason).toContain(`connection refused on port ${port}`);
    expect(await connections(here)).toMatchObject([{ state: 'up' }]);
  });

  test('what a person disconnects stays so, until it is connected again; and it is not removed under its targets', async () => {
    const port = await exporter();
    const { here, sessions } = await withSessions();
    const { id } = await addTarget(here, { url: `ssh://login/127.0.0.1:${port}`, ...SLOW });
    await until(here, id, ({ state }) => state === 'up');
    const [connection] = await connections(here);
    await send(here, 'POST', `/connections/${connection!.id}/disconnect`);
    const { reason } = await until(here, id, ({ state, reason: why }) => state === 'down' && !!why?.includes('login'));
    expect(reason).toContain('login was disconnected: connect it');
    expect(sessions.opened).toHaveLength(1);
    const removal = await send(here, 'DELETE', `/connections/${connection!.id}`);
    expect([removal.status, removal.body]).toEqual([400, expect.stringContaining('a target is reached through login')]);
    await send(here, 'POST', `/connections/${connection!.id}/connect`);
    await until(here, id, ({ state }) => state === 'up');
    await send(here, 'DELETE', `/targets/${id}`);
    expect((await send(here, 'DELETE', `/connections/${connection!.id}`)).status).toBeLessThan(300);
  });
});

test('a probe logs in nowhere: only what is on the list is asked', async () => {
  const port = await exporter();
  const { here, sessions } = await withSessions();
  const before = await probed(here, `ssh://login/127.0.0.1:${port}`);
  expect(before).toMatchObject({ type: null, reason: expect.stringContaining('login is not among the connections') });
  expect([sessions.opened.length, await connections(here)]).toEqual([0, []]);
  await send(here, 'POST', '/connections', { host: 'login', engine: { kind: 'none' }, connect: false });
  const after = await probed(here, `ssh://login/127.0.0.1:${port}`);
  expect(after).toMatchObject({ type: 'prometheus', reason: null, url: `ssh://login/127.0.0.1:${port}/metrics` });
  const half = await send(here, 'POST', '/targets/probe', { url: 'ssh://login/' });
  expect([half.status, half.body]).toEqual([400, expect.stringContaining('what is asked there')]);
});

test('node sets: preview, add, export and import keep them, and say where the login is', async () => {
  const { here } = await withSessions((session) => void setImmediate(() => session.become('down', 'off')));
  const body = { action: 'add', targets: 'ssh://login/node[001-003]:9100', ...SLOW };
  const preview = BulkResult.parse((await send(here, 'POST', '/targets/bulk', { ...body, preview: true })).json());
  expect(preview.items.map(({ url, outcome }) => [url, outcome])).toEqual(
    ['001', '002', '003'].map((n) => [`ssh://login/node${n}:9100`, 'new']),
  );
  expect(preview.notes).toEqual(['3 through one login at login: see Connections']);
  expect(await connections(here)).toEqual([]);
  await send(here, 'POST', '/targets/bulk', body);
  await eventually(async () => (await connections(here))[0]?.targets === 3);
  const { body: yaml } = await send(here, 'GET', '/targets/export');
  expect(yaml).toContain('url: ssh://login/node002:9100');
  const other = await withSessions((session) => void setImmediate(() => session.become('down', 'off')));
  const imported = await send(other.here, 'POST', '/targets/import', { text: yaml });
  expect(BulkResult.parse(imported.json()).counts).toEqual({ added: 3 });
  const { targets } = await listed(other.here);
  expect(targets.map(({ url }) => url).slice(1)).toEqual(preview.items.map(({ url }) => url));
  await send(other.here, 'PATCH', `/targets/${targets[1]!.id}`, { url: 'ssh://gate/node9:9100' });
  expect((await targetOf(other.here, targets[1]!.id)).url).toBe('ssh://gate/node9:9100');
  await eventually(async () => {
    const all = (await connections(other.here)).map(({ host, targets: count }) => `${host} ${count}`);
    return all.toSorted().join() === 'gate 1,login 2';
  });
});

test('on the list after a restart, with its connection', async () => {
  const port = await exporter();
  const data = temporaryFolder();
  const first = await withSessions(undefined, { data });
  const { id } = await addTarget(first.here, { url: `ssh://login/127.0.0.1:${port}`, ...SLOW });
  await until(first.here, id, ({ state }) => state === 'up');
  await first.here.engine.close();
  const { here } = await withSessions(undefined, { data });
  expect(await until(here, id, ({ state }) => state === 'up')).toMatchObject({ type: 'prometheus' });
  expect(await connections(here)).toMatchObject([{ host: 'login', targets: 1 }]);
});

test('a secret of a target is shown to no other host that has the same address behind it', async () => {
  const port = await exporter();
  const { here } = await withSessions();
  const auth = { kind: 'bearer', token: 'secret' };
  const { id } = await addTarget(here, { url: `ssh://login/127.0.0.1:${port}`, auth, ...SLOW } as never);
  const moved = await send(here, 'PATCH', `/targets/${id}`, { url: `ssh://other/127.0.0.1:${port}` });
  expect([moved.status, moved.body]).toEqual([400, expect.stringContaining('another server')]);
});

test('where private addresses are forbidden, so is what nobody here can look at', async () => {
  const { here, sessions } = await withSessions(undefined, { target_limits: { allow_private: false } });
  const { id } = await addTarget(here, { url: 'ssh://login/node7:9100', ...QUICK });
  const { reason } = await until(here, id, ({ state }) => state === 'refused');
  expect(reason).toContain('forbid targets by SSH');
  expect(sessions.opened).toEqual([]);
});
