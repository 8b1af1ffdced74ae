/** An engine that is reached through a connection: two real engines, and channels that are real sockets. */

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { AddedToken, WhoAmI } from '../../../src/shared/api/tokens.ts';
import { Status } from '../../../src/shared/api/status.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { ask, startHere, withToken, type Here } from '../http/here.ts';
import { LiveReader } from '../http/reader.ts';
import { send } from '../targets/support.ts';
import { DirectSessions } from './direct-sessions.ts';
import { addConnection, connectionOf, engines, isUp, reach, until } from './support.ts';

/** An engine "over there", and one here that reaches it. */
async function two(): Promise<{ far: Here; near: Here; sessions: DirectSessions }> {
  const far = await startHere({ node: false });
  const sessions = new DirectSessions({ VIGIE_SOCKET: far.engine.ready.socket });
  const near = await startHere({ node: false }, undefined, undefined, { sessions });
  return { far, near, sessions };
}

async function viewToken(here: Here): Promise<{ authorization: string }> {
  const added = await send(here, 'POST', '/tokens', { name: 'looker', role: 'view' });
  return { authorization: `Bearer ${AddedToken.parse(added.json()).token}` };
}

/** A reader of the live socket of another engine, through this one. */
async function readerOf(here: Here, engine: string, headers = withToken(here)): Promise<LiveReader> {
  const url = `${here.url.replace('http', 'ws')}/api/v1/engines/${engine}/api/v1/live`;
  const socket = new WebSocket(url, { headers });
  onTestFinished(() => socket.terminate());
  const reader = new LiveReader(socket);
  await eventually(() => reader.events.some(({ type }) => type === 'hello') || reader.closed !== null);
  return reader;
}

test('an engine is found on its socket, listed, and asked as if it were here', async () => {
  const { far, near, sessions } = await two();
  const { connection, engine } = await reach(near, { host: 'login', name: 'Cluster', group: 'site' });
  const own = Status.parse((await send(far, 'GET', '/status')).json());
  expect(engine).toBe(own.engine.id);
  expect(sessions.opened.map(({ host }) => host)).toEqual(['login']);
  const [first, second] = await engines(near);
  expect([first?.connection, second]).toEqual([
    null,
    {
      ...{ id: engine, connection, name: 'Cluster', host: own.engine.host, group: 'site' },
      ...{ version: own.version, api: own.api, state: 'up', reason: null, skew: null, profiles: 0 },
    },
  ]);

  const status = await send(near, 'GET', `/engines/${engine}/api/v1/status`);
  expect([status.status, Status.parse(status.json()).engine]).toEqual([200, own.engine]);
  expect(status.headers['cache-control']).toBe('no-store');
  const changed = await send(near, 'POST', `/engines/${engine}/api/v1/tokens`, { name: 'there', role: 'view' });
  expect(changed.status).toBe(200);
  expect((await send(far, 'GET', '/tokens')).body).toContain('"there"');
  expect((await send(near, 'GET', '/tokens')).body).not.toContain('"there"');

  // Its own errors come over as they are.
  const missing = await send(near, 'GET', `/engines/${engine}/api/v1/runs/none`);
  expect([missing.status, missing.json()]).toEqual([404, expect.objectContaining({ code: 'run_not_found' })]);
  const more = await connectionOf(near, connection);
  expect(more.traffic.in).toBeGreaterThan(1000);
  const { body } = await send(near, 'GET', '/audit');
  expect(body).toContain('engine=');
  expect(body).toContain('api/v1/tokens');
});

test('only its API is passed on, and not what it is connected with itself', async () => {
  const { near } = await two();
  const { engine } = await reach(near, { host: 'login' });
  const paths = [
    ...['/metrics', '/', '/ui', '/api/v2/status', '/api/v1', '/api/v1/', '/api/v1/connections', '/api/v1/engines'],
    ...['/api/v1/connections/prompts', '/api/v1/%63onnections', '/api/v1//connections', '/api/v1/./connections'],
    ...['/api/v1/runs/../connections', '/API/V1/connections', '/api/v1/runs/%2e%2e/connections'],
  ];
  for (const path of paths) {
    const { status, body } = await ask(near, `/api/v1/engines/${engine}${path}`, { headers: withToken(near) });
    expect([path, status, body]).toEqual([path, 404, expect.stringContaining('not_found')]);
  }
  expect((await ask(near, `/api/v1/engines/${engine}/api/v1/status`)).status).toBe(401);
  const unknown = await send(near, 'GET', `/engines/${'0'.repeat(32)}/api/v1/status`);
  expect([unknown.status, unknown.body]).toEqual([404, expect.stringContaining('engine_not_found')]);
  const form = await ask(near, `/api/v1/engines/${engine}/api/v1/tokens`, {
    ...{ method: 'POST', body: 'name=x' },
    headers: { ...withToken(near), 'content-type': 'application/x-www-form-urlencoded' },
  });
  expect(form.status).toBe(415);
  const large = await send(near, 'POST', `/engines/${engine}/api/v1/tokens`, { name: 'x'.repeat(2_000_000) });
  expect(large.status).toBe(413);
});

test('who may only view here may only view there, whatever the engine there would allow', async () => {
  const { near } = await two();
  const { engine } = await reach(near, { host: 'login' });
  const headers = await viewToken(near);
  const asViewer = (path: string, method = 'GET') =>
    ask(near, `/api/v1/engines/${engine}/api/v1${path}`, { method, headers });
  for (const path of ['/status', '/runs', '/nodes', '/targets', '/profiles', '/store/keeps?limit=1']) {
    expect([path, (await asViewer(path)).status]).toEqual([path, 200]);
  }
  for (const path of ['/tokens', '/audit']) expect([path, (await asViewer(path)).status]).toEqual([path, 403]);
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    expect([method, (await asViewer('/store/retention', method)).status]).toEqual([method, 403]);
  }
  expect(WhoAmI.parse((await asViewer('/whoami')).json())).toEqual({ role: 'view', by: 'token', name: 'looker' });
  const own = await send(near, 'GET', `/engines/${engine}/api/v1/whoami`);
  expect(WhoAmI.parse(own.json())).toEqual({ role: 'control', by: 'token', name: 'owner' });

  const reader = await readerOf(near, engine, headers);
  expect(reader.events[0]).toMatchObject({ type: 'hello', engine, role: 'view' });
  // The same here, of this engine's own.
  expect((await ask(near, '/api/v1/connections', { headers })).status).toBe(200);
  for (const path of ['/connections/hosts', '/connections/prompts']) {
    expect([path, (await ask(near, `/api/v1${path}`, { headers })).status]).toEqual([path, 403]);
  }
});

test('the live socket is passed on: frames and lists, but nothing of its connections', async () => {
  const { far, near } = await two();
  const { engine } = await reach(near, { host: 'login' });
  const pusher = await far.pusher();
  pusher.job({ jobid: '42', command: './a.out' });
  pusher.describeCounter('hits');
  pusher.increase('hits', 5);
  const { runs } = await eventually(async () => {
    const answer = await send(near, 'GET', `/engines/${engine}/api/v1/runs`);
    const list = answer.json() as { runs: { scope: string }[] };
    return list.runs.length > 0 ? list : undefined;
  });
  const reader = await readerOf(near, engine);
  const say = (message: unknown): void => reader.socket.send(JSON.stringify(message));
  say({ type: 'watch', topic: 'runs' });
  say({ type: 'subscribe', id: 7, scope: runs[0]!.scope });
  await eventually(() => reader.stream(7).value('hits') === 5);
  expect(reader.events.some((event) => event.type === 'runs' && event.runs.length === 1)).toBe(true);
  say({ type: 'watch', topic: 'prompts' });
  say({ type: 'watch', topic: 'connections' });
  await eventually(() => reader.events.filter(({ type }) => type === 'error').length === 2);
  expect(reader.events.filter(({ type }) => type === 'error')).toMatchObject([
    { code: 'not_found' },
    { code: 'not_found' },
  ]);
  pusher.increase('hits', 2);
  await eventually(() => reader.stream(7).value('hits') === 7);
});

test('without a token, and with a wrong one, nobody hears a word of it', async () => {
  const { near } = await two();
  const { engine } = await reach(near, { host: 'login' });
  const reader = await readerOf(near, engine, { authorization: 'Bearer wrong' });
  expect(reader.events.map(({ type }) => type)).toEqual(['error']);
  await eventually(() => reader.closed?.code === 4401);
});

test('a connection that is cut, an engine that is started anew: told in words, and found again', async () => {
  const folder = temporaryFolder();
  const start = () => startHere({ node: false, data: join(folder, 'data') }, folder);
  const far = await start();
  const sessions = new DirectSessions({ VIGIE_SOCKET: far.engine.ready.socket });
  const near = await startHere({ node: false }, undefined, undefined, { sessions });
  const { connection, engine } = await reach(near, { host: 'login' });
  const reader = await readerOf(near, engine);

  sessions.last.become('reconnecting', 'the host does not answer');
  await eventually(() => reader.closed?.code === 4502);
  expect(reader.events.at(-1)).toMatchObject({ type: 'error', code: 'engine_unavailable' });
  const away = await send(near, 'GET', `/engines/${engine}/api/v1/status`);
  expect([away.status, away.body]).toEqual([503, expect.stringContaining('engine_unavailable')]);
  sessions.last.become('up');
  await until(near, connection, isUp);
  expect((await send(near, 'GET', `/engines/${engine}/api/v1/status`)).status).toBe(200);

  await far.engine.close();
  expect((await send(near, 'GET', `/engines/${engine}/api/v1/status`)).status).toBe(503);
  const gone = await until(near, connection, (one) => one.engine?.state !== 'up');
  expect([gone.state, gone.engine?.reason]).toEqual(['up', expect.any(String)]);
  await start();
  await until(near, connection, isUp);
  expect((await send(near, 'GET', `/engines/${engine}/api/v1/status`)).status).toBe(200);
});

test('on its port it is asked with the token that its token file has, also when that is another one by now', async () => {
  const folder = temporaryFolder();
  const tokenFile = join(folder, 'token');
  const port = { listen: '127.0.0.1:0', token_file: tokenFile };
  const first = await startHere({ node: false, ...port, data: join(folder, 'data') }, folder);
  const number = Number(new URL(first.url).port);
  const sessions = new DirectSessions({});
  const near = await startHere({ node: false }, undefined, undefined, { sessions });
  const address = { kind: 'port', port: number, token_file: tokenFile } as const;
  const { connection, engine } = await reach(near, { host: 'login', engine: address });
  await first.engine.close();

  rmSync(tokenFile);
  writeFileSync(tokenFile, `${'n'.repeat(40)}\n`, { mode: 0o600 });
  await startHere({ node: false, ...port, listen: `127.0.0.1:${number}`, data: join(folder, 'data') }, folder);
  const answer = await send(near, 'GET', `/engines/${engine}/api/v1/status`);
  expect([answer.status, JSON.stringify(await connectionOf(near, connection))]).toEqual([
    200,
    expect.not.stringContaining('nnnn'),
  ]);

  // A token that is not accepted over there is not taken for this engine's own.
  writeFileSync(tokenFile, `${'w'.repeat(40)}\n`, { mode: 0o600 });
  const again = await addConnection(near, { host: 'other', engine: address });
  const refused = await until(near, again.id, (one) => one.engine?.state === 'refused');
  expect(refused.engine?.reason).toContain('does not accept the token');
});

test('this engine is not reached from itself, and one engine not by two connections', async () => {
  const { far, near, sessions } = await two();
  const { connection } = await reach(near, { host: 'login' });
  const twice = await addConnection(near, { host: 'login2' });
  const second = await until(near, twice.id, (one) => one.engine?.state === 'refused');
  expect([second.engine?.reason, second.engine?.id]).toEqual([expect.stringContaining('login already'), null]);
  expect((await engines(near)).length).toBe(2);

  sessions.opened.at(-1)!.instead.set(far.engine.ready.socket, near.engine.ready.socket);
  await send(near, 'POST', `/connections/${twice.id}/disconnect`);
  await send(near, 'POST', `/connections/${twice.id}/connect`);
  sessions.last.instead.set(far.engine.ready.socket, near.engine.ready.socket);
  const self = await until(near, twice.id, (one) => one.engine?.reason?.includes('itself') === true);
  expect([self.engine?.state, (await connectionOf(near, connection)).engine?.state]).toEqual(['refused', 'up']);
});

test('where no engine is it is said, with what to do', async () => {
  const near = await startHere({ node: false }, undefined, undefined, {
    sessions: new DirectSessions({ HOME: temporaryFolder() }),
  });
  const { id } = await addConnection(near, { host: 'login' });
  const { engine } = await until(near, id, (one) => one.engine?.state === 'absent');
  expect(engine?.reason).toContain('vigie serve');
  const none = await addConnection(near, { host: 'plain', engine: { kind: 'none' } });
  expect((await until(near, none.id, ({ state }) => state === 'up')).engine).toBeNull();
});
