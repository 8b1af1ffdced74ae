import { once } from 'node:events';
import { statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { EngineClient } from '../../../src/client/http.ts';
import { Pusher } from '../../../src/client/pusher.ts';
import { Problem } from '../../../src/shared/errors.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { ask, startHere, withToken, type Here } from './here.ts';

interface Raw {
  readonly socket: Socket;
  text(): string;
  readonly closed: Promise<unknown>;
}

async function raw(where: string | { host: string; port: number }): Promise<Raw> {
  const socket = typeof where === 'string' ? connect(where) : connect(where);
  let text = '';
  socket.setEncoding('utf8').on('data', (part: string) => (text += part));
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await once(socket, 'connect');
  onTestFinished(() => void socket.destroy());
  return { socket, text: () => text, closed };
}

const tcp = ({ url }: Here): { host: string; port: number } => ({
  host: new URL(url).hostname,
  port: Number(new URL(url).port),
});
const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe("the engine's own socket", () => {
  test('is private, and serves the API without a token and for any host name', async () => {
    const here = await startHere();
    const path = here.engine.ready.socket;
    expect([mode(path), mode(here.engine.ready.legacy_socket!)]).toEqual(['600', '600']);
    const client = new EngineClient({ socket: path });
    expect((await client.status()).engine.socket).toBe(path);
    for (const route of ['/job/list', '/metrics', '/api/v1/runs', '/healthz']) {
      const answer = await ask({ socketPath: path }, route, {
        headers: { host: 'anything.example', origin: 'http://else.example' },
      });
      expect(answer.status, route).toBe(200);
    }
    expect((await ask({ socketPath: path }, '/nothing')).status).toBe(404);
  });

  test('takes legacy messages and HTTP side by side, told apart by the first byte', async () => {
    const here = await startHere();
    const path = here.engine.ready.socket;
    const client = new EngineClient({ socket: path });
    const legacy = await Pusher.connect(here.engine.ready.legacy_socket!);
    onTestFinished(() => legacy.destroy());
    for (const [i, pusher] of [await here.pusher(), legacy].entries()) {
      pusher.job({ jobid: `job-${i}` });
      pusher.describeCounter('x_total');
      pusher.increase('x_total', i + 1);
    }
    await eventually(
      async () => (await client.runs({ state: 'live' })).runs.filter((run) => run.series === 1).length === 2,
    );
    expect((await client.status()).ingest.connections).toBe(2);
  });

  test('a first byte that comes alone is enough to tell', async () => {
    const here = await startHere();
    const legacy = await raw(here.engine.ready.socket);
    legacy.socket.write('{');
    const http = await raw(here.engine.ready.socket);
    http.socket.write('G');
    await eventually(async () => (await here.client.status()).ingest.connections === 1);
    legacy.socket.write('"Desc":{"name":"x_total","doc":"","ctype":{"Counter":{"ts":0,"value":0.0}}}}\0');
    http.socket.write('ET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    await eventually(() => http.text().endsWith('ok\n'));
    await eventually(async () => (await here.client.status()).ingest.messages === 1);
  });

  test.each([
    '\0',
    '\u0016\u0003\u0001\u0002',
    'hello\n\n',
    '[1]\0',
    'GET\r\n\r\n',
    '\r\n\r\n\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  ])('garbage %j is answered or closed, the engine goes on', async (bytes) => {
    const here = await startHere();
    const one = await raw(here.engine.ready.socket);
    one.socket.write(bytes);
    if (bytes.trim() !== '') {
      await one.closed;
      expect(one.text()).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
      expect(Problem.parse(JSON.parse(one.text().split('\r\n\r\n')[1]!)).code).toBe('bad_request');
    }
    expect((await here.client.status()).name).toBe('vigie');
    const { messages, connections, rejected } = (await here.client.status()).ingest;
    expect([messages, connections, rejected]).toEqual([0, 0, {}]);
  });

  test('the legacy socket does not speak HTTP', async () => {
    const here = await startHere();
    const one = await raw(here.engine.ready.legacy_socket!);
    one.socket.write('GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await eventually(async () => (await here.client.status()).ingest.connections === 1);
    one.socket.end('\0');
    await one.closed;
    expect(one.text()).toBe('');
    expect((await here.client.status()).ingest.rejected).toEqual({ malformed_json: 1 });
  });

  test('several requests on one connection', async () => {
    const here = await startHere();
    const one = await raw(here.engine.ready.socket);
    const request = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n';
    one.socket.write(request + request);
    await eventually(() => one.text().match(/ok\n/g)?.length === 2);
    one.socket.write(request);
    await eventually(() => one.text().match(/ok\n/g)?.length === 3);
  });
});

describe('half a request', () => {
  test('keeps nobody waiting, neither others nor the stop of the engine', async () => {
    const here = await startHere();
    const halves = [
      await raw(here.engine.ready.socket),
      await raw(here.engine.ready.socket),
      await raw(tcp(here)),
      await raw(tcp(here)),
    ];
    halves[0]!.socket.write('GET /api/v1/sta');
    halves[1]!.socket.write('POST /api/v1/status HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf');
    halves[2]!.socket.write('GET /api/v1/sta');
    halves[3]!.socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
    expect((await here.client.status()).name).toBe('vigie');
    expect((await new EngineClient({ socket: here.engine.ready.socket }).status()).name).toBe('vigie');
    // The time for a whole request is 30 s: waiting for that would show.
    await here.engine.close();
    await Promise.all(halves.map(({ closed }) => closed));
  }, 15_000);

  test('too many headers are refused', async () => {
    const here = await startHere();
    const one = await raw(tcp(here));
    one.socket.write(`GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(300 * 1024)}\r\n\r\n`);
    await one.closed;
    expect(one.text()).toContain('400 Bad Request');
  });
});

describe('--listen', () => {
  test('unix:PATH serves with the token, and is private', async () => {
    const place = join(temporaryFolder(), 'http.socket');
    const here = await startHere({ listen: `unix:${place}` });
    expect(mode(place)).toBe('600');
    expect(here.engine.ready.url).toBe(`unix:${place}`);
    expect((await ask({ socketPath: place }, '/api/v1/status', { headers: { host: 'localhost' } })).status).toBe(401);
    const headers = { host: 'localhost', ...withToken(here) };
    expect((await ask({ socketPath: place }, '/api/v1/status', { headers })).status).toBe(200);
    await here.engine.close();
    expect(() => statSync(place)).toThrow('ENOENT');
  });

  test("off leaves the engine's own socket, HTTP and live included", async () => {
    const here = await startHere({ listen: 'off' });
    expect(here.engine.ready.url).toBeNull();
    const client = new EngineClient({ socket: here.engine.ready.socket });
    expect((await client.status()).name).toBe('vigie');
    const half = await raw(here.engine.ready.socket);
    half.socket.write('GET /api');
    await here.engine.close();
    await half.closed;
  });

  test('another loopback address is served under its own name', async () => {
    const here = await startHere({ listen: '127.0.0.2:0' });
    expect(here.url).toMatch(/^http:\/\/127\.0\.0\.2:\d+$/);
    expect((await here.client.status()).name).toBe('vigie');
  });

  test('--compat opens the old routes to loopback, the API not', async () => {
    const here = await startHere({ compat: true });
    for (const path of ['/job', '/job/list', '/metrics', '/profiles', '/profiles/percmd'])
      expect((await ask(here, path)).status, path).toBe(200);
    for (const path of ['/api/v1/status', '/api/v1/runs', '/api/v1/openapi.json', '/nothing'])
      expect((await ask(here, path)).status, path).toBe(401);
    expect((await ask(here, '/job', { headers: { host: 'evil.example' } })).status).toBe(403);
    const closed = await startHere();
    expect((await ask(closed, '/job')).status).toBe(401);
    expect((await ask(closed, '/job', { headers: withToken(closed) })).status).toBe(200);
  });
});
