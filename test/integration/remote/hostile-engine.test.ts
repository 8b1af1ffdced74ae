/** An engine over there that is none, or wants to harm: what it can do to this one, and to the page, is nothing. */

import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { API_VERSION } from '../../../src/shared/api/status.ts';
import { endlessServer, rawServer, silentServer } from '../../support/bad-server.ts';
import { eventually } from '../../support/wait.ts';
import { ask, startHere, withToken, type Answer, type Here } from '../http/here.ts';
import { send } from '../targets/support.ts';
import { DirectSessions } from './direct-sessions.ts';
import { addConnection, connectionOf, engines, isUp, reach, until } from './support.ts';

const ID = 'a'.repeat(32);

const status = (id = ID, more: object = {}): string =>
  JSON.stringify({ name: 'vigie', version: '0.1.0', api: API_VERSION, engine: { id, host: 'far' }, ...more });

/** What was asked of it, beside its status. */
interface Bad {
  readonly near: Here;
  readonly port: number;
  readonly engine: string;
  readonly connection: string;
  readonly asked: IncomingMessage[];
  get(path: string): Promise<Answer>;
}

/** An engine whose status is fine, and whose other answers are the test's. */
async function bad(answer: RequestListener, settings = {}): Promise<Bad> {
  const asked: IncomingMessage[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    if (request.url === '/api/v1/status')
      return void response.setHeader('content-type', 'application/json').end(status());
    if (request.url?.includes('/api/v1/runs?state=live')) return void response.writeHead(404).end();
    asked.push(request);
    answer(request, response);
  });
  const port = await listening(server);
  const near = await startHere({ node: false, ...settings }, undefined, undefined, {
    sessions: new DirectSessions({}),
  });
  const { connection, engine } = await reach(near, { host: 'login', sync: false, engine: { kind: 'port', port } });
  return {
    near,
    port,
    engine,
    connection,
    asked,
    get: (path) => send(near, 'GET', `/engines/${engine}/api/v1${path}`),
  };
}

async function listening(server: ReturnType<typeof createServer>): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

/** How an engine here sees what listens at a port. */
async function seen(
  port: number,
): Promise<{ state?: string | undefined; reason?: string | null | undefined; host?: string | null | undefined }> {
  const near = await startHere({ node: false }, undefined, undefined, { sessions: new DirectSessions({}) });
  const { id } = await addConnection(near, { host: 'login', engine: { kind: 'port', port } });
  const { engine } = await until(
    near,
    id,
    (one) =>
      one.engine?.state !== 'looking' &&
      one.engine?.state !== undefined &&
      one.engine.reason !== 'the connection to the host is not up',
  );
  const [, ...others] = await engines(near);
  expect(others.map(({ host }) => host)).toEqual(engine?.state === 'up' ? [engine.host] : []);
  return { state: engine?.state, reason: engine?.reason, host: engine?.host };
}

test('none of its headers reaches the page: no cookie, no permission for other pages, no type of its own', async () => {
  const { get } = await bad((_request, response) => {
    response.writeHead(200, {
      'content-type': 'application/json; charset=evil',
      'set-cookie': 'session=1',
      'access-control-allow-origin': '*',
      'content-security-policy': "default-src * 'unsafe-inline'",
      'cache-control': 'public, max-age=31536000',
      'clear-site-data': '"*"',
      'x-evil': 'yes',
      refresh: '0; url=http://evil.example/',
      link: '</x>; rel=preload',
    });
    response.end('{"markup":"<script>alert(1)</script>"}');
  });
  const answer = await get('/runs');
  expect(answer.status).toBe(200);
  expect(answer.type).toBe('application/json; charset=utf-8');
  for (const name of ['set-cookie', 'access-control-allow-origin', 'clear-site-data', 'x-evil', 'refresh', 'link']) {
    expect([name, answer.headers[name]]).toEqual([name, undefined]);
  }
  expect(answer.headers['cache-control']).toBe('no-store');
  expect(answer.headers['content-security-policy']).toContain("default-src 'none'");
  expect(answer.headers['x-content-type-options']).toBe('nosniff');
});

test('what is sent to it is nothing of this engine: not its token, not the page', async () => {
  const { near, engine, asked } = await bad((request, response) => {
    request.resume();
    response.setHeader('content-type', 'application/json').end('{}');
  });
  const headers = {
    ...withToken(near),
    cookie: 'a=b',
    'x-forwarded-for': '1.2.3.4',
    referer: `${near.url}/ui/runs`,
    origin: near.url,
  };
  const answer = await ask(near, `/api/v1/engines/${engine}/api/v1/tokens?x=1`, {
    ...{ method: 'POST', body: '{"a":1}' },
    headers: { ...headers, 'content-type': 'application/json' },
  });
  expect(answer.status).toBe(200);
  expect(asked.map(({ method, url }) => [method, url])).toEqual([['POST', '/api/v1/tokens?x=1']]);
  expect(Object.keys(asked[0]!.headers).toSorted()).toEqual(['connection', 'content-length', 'content-type', 'host']);
  expect(asked[0]!.headers.host).toBe('localhost');
});

test('redirects, pages, packed answers, odd statuses and upgrades are refused in words', async () => {
  const answers: Record<string, RequestListener> = {
    redirect: (_q, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    notmodified: (_q, response) => response.writeHead(304).end(),
    html: (_q, response) => response.setHeader('content-type', 'text/html').end('<script>alert(1)</script>'),
    svg: (_q, response) => response.setHeader('content-type', 'image/svg+xml').end('<svg/>'),
    untyped: (_q, response) => response.end('<script>alert(1)</script>'),
    packed: (_q, response) =>
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end('x'),
    unauthorized: (_q, response) => response.writeHead(401, { 'www-authenticate': 'Basic' }).end(),
    proxy: (_q, response) => response.writeHead(407, { 'proxy-authenticate': 'Basic' }).end(),
    odd: (_q, response) => response.writeHead(999).end(),
    upgrade: (request) =>
      request.socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n'),
    garbage: (request) => request.socket.end('SSH-2.0-evil\r\n'),
    heads: (request) => {
      for (let i = 0; i < 100; i++) request.socket.write('HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n');
    },
    long: (_q, response) =>
      response.writeHead(200, { 'content-type': 'application/json', 'x-long': 'x'.repeat(100_000) }).end(),
  };
  const { near, get, connection } = await bad((request, response) =>
    answers[/case=(\w+)/.exec(request.url ?? '')![1]!]!(request, response),
  );
  for (const name of Object.keys(answers)) {
    await until(near, connection, isUp);
    const { status: code, type, body, headers } = await get(`/runs?case=${name}`);
    expect([name, [502, 503].includes(code), type]).toEqual([name, true, 'application/problem+json']);
    expect([name, body]).toEqual([name, expect.stringMatching(/engine_(refused|unavailable)/)]);
    expect(headers['location'] ?? headers['www-authenticate'] ?? headers['proxy-authenticate']).toBeUndefined();
  }
});

test('an answer is as large as it may be and no larger, whether it says its size or not', async () => {
  const { near, engine, get } = await bad(
    (request, response) => {
      response.setHeader('content-type', 'application/json');
      if (request.url?.includes('told'))
        return void response.setHeader('content-length', 100_000).end(Buffer.alloc(100_000, 32));
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(16_384, 32)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    },
    { limits: { response_size: '64KiB' } },
  );
  const told = await get('/runs?told');
  expect([told.status, told.body]).toEqual([422, expect.stringContaining('response_too_large')]);
  // Its end does not come: the answer breaks off, and is not taken for a whole one.
  await expect(get('/runs?open')).rejects.toThrow();
  // And the engine here goes on.
  expect((await send(near, 'GET', '/status')).status).toBe(200);
  expect((await engines(near)).map(({ id }) => id)).toContain(engine);
});

test('when the page leaves, the question over there is given up', async () => {
  let gone = false;
  const { near, engine, asked } = await bad((_request, response) => {
    response.once('close', () => (gone = true));
    response.writeHead(200, { 'content-type': 'application/json' }).write('[');
  });
  const leaving = new AbortController();
  const answer = fetch(`${near.url}/api/v1/engines/${engine}/api/v1/runs`, {
    headers: withToken(near),
    signal: leaving.signal,
  });
  await eventually(() => asked.length === 1);
  leaving.abort();
  await answer.then((response) => response.text()).catch(() => undefined);
  await eventually(() => gone);
});

test('what answers at its place is told apart: silence, nonsense, no engine, another version', async () => {
  const http = (body: string) =>
    rawServer((socket) =>
      socket.once('data', () =>
        socket.end(
          `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
        ),
      ),
    );
  const shown = async (body: string) => seen(await http(body));
  expect(await shown('not json')).toMatchObject({
    state: 'refused',
    reason: 'what answers there is no engine of Vigie',
  });
  expect(await shown('{"name":"vigie"}')).toMatchObject({ state: 'refused' });
  expect(await shown(status('../../etc'))).toMatchObject({ state: 'refused' });
  const newer = await shown(status(ID, { api: { major: API_VERSION.major + 1, minor: 0 } }));
  expect(newer).toMatchObject({ state: 'refused', reason: expect.stringContaining('update Vigie here') });
  const endless = await endlessServer(
    'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n',
    Buffer.alloc(65_536, 32),
    0,
  );
  expect(await seen(endless)).toMatchObject({ state: 'refused', reason: expect.stringContaining('more than 1') });
  const text = await shown(status(ID, { engine: { id: ID, host: '\u001b[31m\u202eevil<b>' } }));
  expect(text).toMatchObject({ state: 'up', reason: null, host: expect.stringMatching(/^[^\p{Cc}\p{Cf}]*evil<b>$/u) });
}, 120_000);

test('one that says nothing keeps nobody from stopping', async () => {
  const port = await silentServer();
  const near = await startHere({ node: false }, undefined, undefined, { sessions: new DirectSessions({}) });
  const { id } = await addConnection(near, { host: 'login', engine: { kind: 'port', port } });
  await eventually(async () => (await connectionOf(near, id)).channels === 1);
  await near.engine.close();
});

test('it cannot take the name of this engine, nor of another one that was reached before', async () => {
  let says = ID;
  const server = createServer((_request, response) =>
    response.setHeader('content-type', 'application/json').end(status(says)),
  );
  const port = await listening(server);
  const other = createServer((_request, response) =>
    response.setHeader('content-type', 'application/json').end(status(ID)),
  );
  const otherPort = await listening(other);
  const near = await startHere({ node: false }, undefined, undefined, { sessions: new DirectSessions({}) });
  await reach(near, { host: 'good', sync: false, engine: { kind: 'port', port: otherPort } });
  const { id } = await addConnection(near, { host: 'evil', sync: false, engine: { kind: 'port', port } });
  const refused = await until(near, id, (one) => one.engine?.state === 'refused');
  expect(refused.engine).toMatchObject({ id: null, reason: expect.stringContaining('good already') });

  says = (await engines(near))[0]!.id;
  await until(near, id, (one) => one.engine?.reason?.includes('itself') === true);
  // With a name of its own it comes in, and keeps to that.
  says = 'b'.repeat(32);
  await until(near, id, isUp);
  const before = await send(near, 'GET', `/engines/${says}/api/v1/status`);
  expect(before.status).toBe(200);
});

test('its live socket cannot tell of connections or prompts, nor give a larger role', async () => {
  const server = createServer((_request, response) =>
    response.setHeader('content-type', 'application/json').end(status()),
  );
  const sockets = new WebSocketServer({ server, path: '/api/v1/live' });
  const asked: string[] = [];
  sockets.on('connection', (socket) => {
    socket.on('message', (data: Buffer) => asked.push(data.toString()));
    const say = (message: unknown): void =>
      socket.send(typeof message === 'string' ? message : JSON.stringify(message));
    say({ type: 'prompts', prompts: [{ id: 'x', title: 'Your password for bank' }] });
    say({ type: 'connections', all: true, connections: [], removed: [] });
    say('{"type":"runs","type":"prompts","prompts":[]}');
    say('no json');
    say('[]');
    // Deeper than can be written again.
    say(`{"type":"status","status":${'['.repeat(200_000)}${']'.repeat(200_000)}}`);
    say({ type: 'hello', role: 'control', engine: ID });
    say({ type: 'end', id: 1 });
  });
  const port = await listening(server);
  const near = await startHere({ node: false }, undefined, undefined, { sessions: new DirectSessions({}) });
  const { engine } = await reach(near, { host: 'login', sync: false, engine: { kind: 'port', port } });
  const added = await send(near, 'POST', '/tokens', { name: 'looker', role: 'view' });
  const { token } = added.json() as { token: string };
  const page = new WebSocket(`${near.url.replace('http', 'ws')}/api/v1/engines/${engine}/api/v1/live`);
  onTestFinished(() => page.terminate());
  const heard: { type: string; role?: string }[] = [];
  page.on('message', (data: Buffer) => heard.push(JSON.parse(data.toString()) as { type: string }));
  await once(page, 'open');
  // Its token is for this engine: it is not passed on.
  page.send(JSON.stringify({ type: 'auth', token }));
  page.send(JSON.stringify({ type: 'watch', topic: 'runs', more: 'x' }));
  page.send('nonsense');
  await eventually(() => heard.some(({ type }) => type === 'end') && asked.length > 0);
  expect(heard.filter(({ type }) => type !== 'error').map(({ type }) => type)).toEqual(['hello', 'end']);
  expect(heard.find(({ type }) => type === 'hello')?.role).toBe('view');
  expect(asked).toEqual(['{"type":"watch","topic":"runs"}']);
  for (const socket of sockets.clients) socket.terminate();
  await eventually(() => page.readyState === WebSocket.CLOSED);
});
