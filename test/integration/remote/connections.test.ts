/** The list of connections, what they ask people, and forwards: over the API of a real engine. */

import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import {
  ConnectionList,
  ConnectionLog,
  Forward,
  PromptList,
  type Prompt,
} from '../../../src/shared/api/connections.ts';
import { Forwards } from '../../../src/engine/remote/forwards.ts';
import { httpServer } from '../../support/bad-server.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { ask, startHere, withToken, type Here } from '../http/here.ts';
import { LiveReader } from '../http/reader.ts';
import { send } from '../targets/support.ts';
import { DirectSessions, type DirectSession } from './direct-sessions.ts';
import { addConnection, connectionOf, until } from './support.ts';

const NO_ENGINE = { engine: { kind: 'none' } } as const;

const start = (sessions: DirectSessions, settings = {}, folder?: string): Promise<Here> =>
  startHere({ node: false, ...settings }, folder, undefined, { sessions });

async function list(here: Here): Promise<ConnectionList['connections']> {
  return ConnectionList.parse((await send(here, 'GET', '/connections')).json()).connections;
}

async function prompts(here: Here): Promise<readonly Prompt[]> {
  return PromptList.parse((await send(here, 'GET', '/connections/prompts')).json()).prompts;
}

const asked = (here: Here): Promise<Prompt> => eventually(async () => (await prompts(here))[0]);

const answer = async (here: Here, id: string, body: unknown): Promise<number> =>
  (await send(here, 'POST', `/connections/prompts/${id}`, body)).status;

async function live(here: Here, headers = withToken(here)): Promise<LiveReader> {
  const socket = new WebSocket(`${here.url.replace('http', 'ws')}/api/v1/live`, { headers });
  onTestFinished(() => socket.terminate());
  const reader = new LiveReader(socket);
  await reader.next('hello');
  return reader;
}

test('a list that outlives the engine, in a file that only its owner can read', async () => {
  const folder = temporaryFolder();
  const settings = { data: join(folder, 'data') };
  const file = join(folder, 'data', 'connections.json');
  const first = await start(new DirectSessions({}), settings, folder);
  expect(await list(first)).toEqual([]);
  expect(existsSync(file)).toBe(false);
  const { id } = await addConnection(first, {
    host: 'login',
    name: 'Cluster',
    group: 'site',
    auto: true,
    ...NO_ENGINE,
  });
  await addConnection(first, { host: 'me@idle', connect: false, ...NO_ENGINE });
  await until(first, id, ({ state }) => state === 'up');
  const patched = await send(first, 'PATCH', `/connections/${id}`, { name: 'Big' });
  expect(patched.json()).toMatchObject({ id, name: 'Big', host: 'login', group: 'site' });
  await first.engine.close();
  expect(statSync(file).mode & 0o777).toBe(0o600);

  const again = await start(new DirectSessions({}), settings, folder);
  await until(again, id, ({ state }) => state === 'up');
  const [big, idle] = await list(again);
  expect([big?.name, big?.auto, big?.last_up !== null, idle?.host, idle?.state]).toEqual([
    'Big',
    true,
    true,
    'me@idle',
    'idle',
  ]);
  expect((await send(again, 'DELETE', `/connections/${idle?.id}`)).status).toBe(200);
  expect((await list(again)).map(({ host }) => host)).toEqual(['login']);
  expect((await send(again, 'GET', `/connections/${idle?.id}`)).body).toContain('connection_not_found');
});

test('a file that others can write is not believed', async () => {
  const folder = temporaryFolder();
  const settings = { data: join(folder, 'data') };
  const file = join(folder, 'data', 'connections.json');
  const first = await start(new DirectSessions({}), settings, folder);
  await addConnection(first, { host: 'login', auto: true, ...NO_ENGINE });
  await first.engine.close();
  chmodSync(file, 0o666);
  const sessions = new DirectSessions({});
  const again = await start(sessions, settings, folder);
  await eventually(() => existsSync(`${file}.unusable`));
  expect([await list(again), sessions.opened.length]).toEqual([[], 0]);
  expect(again.log.some(({ msg }) => msg.includes('connections.json.unusable'))).toBe(true);
});

test('what is none of a host is refused', async () => {
  const sessions = new DirectSessions({});
  const here = await start(sessions);
  const hosts = [
    '',
    '-oProxyCommand=x',
    'a b',
    'a;b',
    '$(x)',
    '`x`',
    "a'b",
    'a\nb',
    'a\u0000b',
    'x'.repeat(300),
    '#x',
    '*',
    'a,b',
  ];
  for (const host of hosts)
    expect([host, (await send(here, 'POST', '/connections', { host })).status]).toEqual([host, 400]);
  expect((await send(here, 'POST', '/connections', { host: 'a', more: 1 })).status).toBe(400);
  await addConnection(here, { host: 'fe80::1', ...NO_ENGINE });
  expect((await send(here, 'POST', '/connections', { host: 'fe80::1' })).body).toContain('connection_exists');
  expect(sessions.opened.map(({ host }) => host)).toEqual(['fe80::1']);
});

test('a password is asked for, told to whoever asked, and to nobody else', async () => {
  const SECRET = 'correct horse battery';
  let got: readonly string[] | null | undefined;
  const login = async (session: DirectSession): Promise<void> => {
    got = await session.prompter.ask(
      {
        ...{ kind: 'interactive', host: 'hop2', hop: 2, path: ['hop1', 'hop2'], failed: 1, title: 'Log in to hop2' },
        instruction: 'Enter\u001b[2J the \u202ecode <b>now</b>',
        fields: [
          { text: 'Password: ', echo: false },
          { text: 'Code: ', echo: true },
        ],
      },
      AbortSignal.timeout(60_000),
    );
    session.become('up');
  };
  const folder = temporaryFolder();
  const here = await start(
    new DirectSessions({}, (session) => void login(session)),
    { data: join(folder, 'data') },
    folder,
  );
  const reader = await live(here);
  reader.send({ type: 'watch', topic: 'prompts' }, { type: 'watch', topic: 'connections' });
  expect((await reader.next('prompts')).prompts).toEqual([]);
  const { id } = await addConnection(here, { host: 'login', ...NO_ENGINE });
  const prompt = await asked(here);
  expect(prompt).toMatchObject({
    ...{ connection: id, host: 'login', hop: 'hop2', kind: 'keyboard-interactive' },
    title: 'Log in to hop2 (the last answer was not accepted)',
    fields: [
      { label: 'Password:', echo: false },
      { label: 'Code:', echo: true },
    ],
  });
  // Markup is text, which the page shows as text; what steers a terminal or turns a line is taken out.
  expect(prompt.text).toMatch(/code <b>now<\/b>$/);
  expect(prompt.text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect((await connectionOf(here, id)).state).toBe('asking');
  await reader.next('prompts', (event) => event.prompts[0]?.id === prompt.id);

  const viewer = await send(here, 'POST', '/tokens', { name: 'looker', role: 'view' });
  const headers = { authorization: `Bearer ${(viewer.json() as { token: string }).token}` };
  expect((await ask(here, '/api/v1/connections/prompts', { headers })).status).toBe(403);
  const looking = await live(here, headers);
  looking.send({ type: 'watch', topic: 'prompts' });
  expect(await looking.next('error')).toMatchObject({ code: 'forbidden_role' });
  const body = JSON.stringify({ action: 'cancel' });
  const by = { headers: { ...headers, 'content-type': 'application/json' }, method: 'POST', body };
  expect((await ask(here, `/api/v1/connections/prompts/${prompt.id}`, by)).status).toBe(403);

  expect(await answer(here, prompt.id, { action: 'answer', answers: [SECRET] })).toBe(400);
  expect(await answer(here, prompt.id, { action: 'trust', keep: true })).toBe(400);
  expect(got).toBeUndefined();
  expect(await answer(here, prompt.id, { action: 'answer', answers: [SECRET, '123456'] })).toBe(204);
  await until(here, id, ({ state }) => state === 'up');
  expect(got).toEqual([SECRET, '123456']);
  expect(await answer(here, prompt.id, { action: 'answer', answers: [SECRET, '123456'] })).toBe(404);
  expect(await prompts(here)).toEqual([]);
  await reader.next('prompts', (event) => event.prompts.length === 0 && reader.of('prompts').length > 2);
  expect(looking.of('prompts')).toEqual([]);

  // Not in the log, the audit log, the connection's log, nor in a file.
  const { lines } = ConnectionLog.parse((await send(here, 'GET', `/connections/${id}/log`)).json());
  const audit = (await send(here, 'GET', '/audit')).body;
  expect(audit).toContain('/connections/prompts/:id');
  await here.engine.close();
  const files = ['connections.json', 'vigie.db', 'vigie.db-wal']
    .map((name) => join(folder, 'data', name))
    .filter((path) => existsSync(path));
  const kept = files.map((path) => readFileSync(path, 'latin1')).join();
  for (const words of [JSON.stringify(lines), JSON.stringify(here.log), audit, kept]) {
    expect(words).not.toContain(SECRET);
    expect(words).not.toContain('123456');
  }
});

test('a key is shown before it is trusted; a changed one is only told of', async () => {
  const words: string[] = [];
  const login = async (session: DirectSession): Promise<void> => {
    const hop = { host: session.host, hop: 1, path: [session.host], keyType: 'ssh-ed25519', fingerprint: 'SHA256:abc' };
    words.push(
      await session.prompter.trust(
        { ...hop, others: ['ssh-rsa SHA256:def (known_hosts:3)'] },
        AbortSignal.timeout(60_000),
      ),
    );
    session.prompter.refused({
      ...hop,
      ...{ why: 'changed', listedAs: '[login.example]:2222' },
      was: [{ keyType: 'ssh-ed25519', fingerprint: 'SHA256:old', file: '/k', line: 3 }],
    });
    session.become('refused', 'the key has changed');
  };
  const here = await start(new DirectSessions({}, (session) => void login(session)));
  const { id } = await addConnection(here, { host: 'login', ...NO_ENGINE });
  const prompt = await asked(here);
  expect(prompt).toMatchObject({
    kind: 'trust',
    title: 'Is this login?',
    key: { type: 'ssh-ed25519', fingerprint: 'SHA256:abc' },
  });
  expect(prompt.text).toContain('SHA256:def');
  expect(await answer(here, prompt.id, { action: 'answer', answers: ['yes'] })).toBe(400);
  expect(await answer(here, prompt.id, { action: 'trust', keep: false })).toBe(204);
  const warning = await eventually(async () => (await prompts(here)).find(({ kind }) => kind === 'changed-warning'));
  expect(words).toEqual(['once']);
  expect(warning.listed_as).toBe('[login.example]:2222');
  expect(warning.was).toEqual([{ type: 'ssh-ed25519', fingerprint: 'SHA256:old', file: '/k', line: 3 }]);
  for (const action of [{ action: 'trust', keep: true }, { action: 'allow' }])
    expect(await answer(here, warning.id, action)).toBe(400);
  expect(await connectionOf(here, id)).toMatchObject({ state: 'refused', reason: 'the key has changed' });
  // Tried again it is told again, once.
  await send(here, 'POST', `/connections/${id}/connect`);
  await answer(here, (await eventually(async () => (await prompts(here)).find(({ kind }) => kind === 'trust'))).id, {
    action: 'cancel',
  });
  await eventually(async () => (await prompts(here)).map(({ kind }) => kind).join() === 'changed-warning');
  expect(words).toEqual(['once', 'no']);
});

test('a connection that is given up asks nothing any more', async () => {
  const outcomes: unknown[] = [];
  const login = async (session: DirectSession): Promise<void> => {
    outcomes.push(
      await session.prompter.allow({ title: 'Run this?', text: 'ProxyCommand nc' }, AbortSignal.timeout(60_000)),
    );
  };
  const here = await start(new DirectSessions({}, (session) => void login(session)));
  const { id } = await addConnection(here, { host: 'login', ...NO_ENGINE });
  expect(await asked(here)).toMatchObject({ kind: 'allow-exec', fields: [], text: 'ProxyCommand nc' });
  await send(here, 'POST', `/connections/${id}/disconnect`);
  await eventually(() => outcomes.length === 1);
  expect([outcomes, await prompts(here), (await connectionOf(here, id)).state]).toEqual([[false], [], 'idle']);
  await send(here, 'POST', `/connections/${id}/connect`);
  expect(await answer(here, (await asked(here)).id, { action: 'allow' })).toBe(204);
  await eventually(() => outcomes.length === 2);
  expect(outcomes[1]).toBe(true);
});

test('a forward that is asked for while its connection is removed opens nothing', async () => {
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const { port } = free.address() as AddressInfo;
  await new Promise((resolve) => void free.close(resolve));
  const forwards = new Forwards(
    () => Promise.reject(new Error('nobody')),
    () => undefined,
  );
  const added = forwards.add({ port, to: { socket: '/x' } });
  forwards.close();
  await expect(added).rejects.toThrow('removed meanwhile');
  await expect(once(connect(port, '127.0.0.1'), 'connect')).rejects.toThrow('ECONNREFUSED');
});

test('a forward is a port of this machine only, and is gone with its connection', async () => {
  const far = await httpServer((_request, response) => response.end('there'));
  const here = await start(new DirectSessions({}));
  const { id } = await addConnection(here, { host: 'login', ...NO_ENGINE });
  await until(here, id, ({ state }) => state === 'up');
  const added = await send(here, 'POST', `/connections/${id}/forwards`, { to: { host: '127.0.0.1', port: far } });
  expect(added.status).toBe(201);
  const forward = Forward.parse(added.json());
  expect(forward).toMatchObject({ listen: { host: '127.0.0.1' }, to: `127.0.0.1:${far}`, problem: null });
  expect(await (await fetch(`http://127.0.0.1:${forward.listen.port}/`)).text()).toBe('there');
  const taken = await send(here, 'POST', `/connections/${id}/forwards`, {
    port: forward.listen.port,
    to: { socket: '/x' },
  });
  expect([taken.status, taken.body]).toEqual([400, expect.stringContaining('is taken')]);

  // What cannot be reached is said, and the one who came is not kept waiting.
  const broken = Forward.parse(
    (await send(here, 'POST', `/connections/${id}/forwards`, { to: { socket: '/nonexistent' } })).json(),
  );
  const socket = connect(broken.listen.port, '127.0.0.1');
  await once(socket.on('error', () => undefined).resume(), 'close');
  const described = await until(here, id, ({ forwards }) => forwards.some(({ problem }) => problem !== null));
  expect(described.forwards.map(({ problem }) => problem !== null)).toEqual([false, true]);
  expect((await send(here, 'DELETE', `/connections/${id}/forwards/${broken.id}`)).status).toBe(204);

  const held = connect(forward.listen.port, '127.0.0.1');
  held.on('error', () => undefined);
  await once(held, 'connect');
  const rest = text(held).catch(() => '');
  await send(here, 'DELETE', `/connections/${id}`);
  expect(await rest).toBe('');
  const refused = connect(forward.listen.port, '127.0.0.1');
  expect((await once(refused, 'error'))[0]).toMatchObject({ code: 'ECONNREFUSED' });
});

test('readers of the list are told what changes, and of what is gone', async () => {
  const sessions = new DirectSessions({});
  const here = await start(sessions);
  const reader = await live(here);
  reader.send({ type: 'watch', topic: 'connections' });
  expect(await reader.next('connections')).toEqual({ type: 'connections', all: true, connections: [], removed: [] });
  const { id } = await addConnection(here, { host: 'login', ...NO_ENGINE });
  await reader.next('connections', (event) => !event.all && event.connections[0]?.state === 'up');
  sessions.last.become('reconnecting', 'no answer');
  await reader.next('connections', (event) => event.connections[0]?.reason === 'no answer');
  await send(here, 'DELETE', `/connections/${id}`);
  expect((await reader.next('connections', (event) => event.removed.length > 0)).removed).toEqual([id]);
});

test('no file of this machine is written where it has none', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'marker'), '');
  const here = await start(new DirectSessions({}), {}, folder);
  await addConnection(here, { host: 'login', ...NO_ENGINE });
  await here.engine.close();
  expect(existsSync(join(folder, 'connections.json'))).toBe(false);
});
